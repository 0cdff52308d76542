"""`python -m plangate` is the `plangate` command."""

from plangate.cli.entry import main

if __name__ == "__main__":
    main()
