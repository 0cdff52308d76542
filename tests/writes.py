"""What reaches the disk, and in which order: a kill cannot show it, a power cut would."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


class Writes:
    """Records every fsync and every rename from here on, by the names the files have at the end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._seen: list[tuple[str, int | str]] = []
        self._names: dict[int, str] = {}
        fsync, replace, unlink = os.fsync, Path.replace, Path.unlink

        def fsynced(file: int) -> None:
            fsync(file)
            self._seen.append(("safe", os.fstat(file).st_ino))

        def replaced(source: Path, target: Path) -> Path:
            self._names[source.stat().st_ino] = target.name
            self._seen.append(("named", target.name))
            return replace(source, target)

        def unlinked(path: Path, *, missing_ok: bool = False) -> None:
            self._seen.append(("gone", path.name))
            unlink(path, missing_ok=missing_ok)

        monkeypatch.setattr(os, "fsync", fsynced)
        monkeypatch.setattr(Path, "replace", replaced)
        monkeypatch.setattr(Path, "unlink", unlinked)

    def under(self, root: Path) -> list[str]:
        """`safe X`, `named X`, `gone X`, oldest first; X is a file's or a folder's name."""
        there = {path.stat().st_ino: path.name for path in (root, *root.rglob("*"))} | self._names
        return [f"{what} {there[it] if isinstance(it, int) else it}" for what, it in self._seen]


def written(name: str, *, folder: str) -> list[str]:
    """A file that is whole and stays: its bytes, then its name, then the folder that holds the name."""
    return [f"safe {name}", f"named {name}", f"safe {folder}"]
