"""Speed and memory, each figure beside a baseline of the same run: `python -m benchmarks` or `nox -s bench`."""
