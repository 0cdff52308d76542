"""A folder that nobody can write to, root included: the same files, mounted once more, read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def read_only(folder: Path, place: Path) -> Iterator[Path]:
    """`folder`, seen at `place`. Skips, and says so, where mounting is not allowed: chmod does not bind root."""
    place.mkdir()
    steps = (["mount", "--bind", str(folder), str(place)], ["mount", "-o", "remount,ro,bind", str(place)])
    if os.geteuid() != 0 or subprocess.run(steps[0], capture_output=True, check=False).returncode:
        pytest.skip("left out: needs the right to mount a folder read-only")
    try:
        if subprocess.run(steps[1], capture_output=True, check=False).returncode:
            pytest.skip("left out: needs the right to mount a folder read-only")
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=False)
