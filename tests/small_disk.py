"""A real file system that is really full: tmpfs of a few kilobytes, and ballast that leaves as much room as asked."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, *, kilobytes: int) -> Iterator[Path]:
    """An empty folder on a file system of that size. Skips, and says so, where mounting is not allowed."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("left out: needs the right to mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=False)


@contextmanager
def only(disk: Path, *, pages: int) -> Iterator[None]:
    """Meanwhile the disk has room for that many pages, and no more."""
    ballast, page = disk / "ballast", os.sysconf("SC_PAGE_SIZE")
    free = os.statvfs(disk)
    with ballast.open("wb") as file:
        for _ in range(free.f_bavail * free.f_frsize // page - pages):
            file.write(b"\0" * page)
    try:
        yield
    finally:
        ballast.unlink()
