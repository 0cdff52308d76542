"""`python -m plangate` is the `plangate` command."""

from plangate.cli.entry import start

if __name__ == "__main__":
    start()
