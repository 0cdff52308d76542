"""Which files of a workspace are documents, and how one of them is read: never outside it, never without a bound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from plangate.documents.kinds import Kind
from plangate.documents.loader import BYTES_MAX
from plangate.documents.text import read_file
from plangate.errors import InputError

__all__ = ["TRUST_PATH", "document_path", "is_name", "list_documents", "list_kept_suites", "natural", "read_inside"]

TRUST_PATH: Final = "envs/trust.yaml"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}\Z")
_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}\Z")
_PATTERNS: Final = {
    Kind.ENVIRONMENT: "envs/*.yaml",
    Kind.PLAN_CATALOG: "envs/plans/*/*.yaml",
    Kind.PROMPT: "prompts/*/*.md",
    Kind.SUITE: "evals/*.yaml",
    Kind.TRUST: TRUST_PATH,
}
_PLACES: Final = {
    Kind.ENVIRONMENT: "envs/{}.yaml",
    Kind.PLAN_CATALOG: "envs/plans/{}/{}.yaml",
    Kind.PROMPT: "prompts/{}/{}.md",
    Kind.SUITE: "evals/{}.yaml",
}


def is_name(text: str) -> bool:
    """Whether `text` may be a file's name: no folder, no leading dot."""
    return _NAME.match(text) is not None


def document_path(kind: Kind, *names: str) -> str:
    """Where a document of that name (and version) lies, relative to the workspace.

    A suite's current version is `evals/NAME.yaml`; one that was replaced may be kept as `evals/NAME/VERSION.yaml`.
    Raises ValueError for what is not `is_name`: a path is only ever made of names that were checked.
    """
    if not all(is_name(name) for name in names):
        raise ValueError(f"no file can be named so: {names}")
    if kind is Kind.SUITE and len(names) == 2:
        return "evals/{}/{}.yaml".format(*names)
    return _PLACES[kind].format(*names)


def list_documents(root: Path, kind: Kind) -> Iterator[tuple[str, ...]]:
    """Name (and version) of each document of a kind, by name, then by version as people count."""
    found = []
    for file in root.glob(_PATTERNS[kind]):
        path = file.relative_to(root)
        if path.as_posix() == TRUST_PATH or not is_name(file.stem):
            continue
        found.append((path.parent.name, file.stem) if kind in (Kind.PLAN_CATALOG, Kind.PROMPT) else (file.stem,))
    yield from sorted(found, key=lambda names: [natural(name) for name in names])


def list_kept_suites(root: Path) -> Iterator[tuple[str, str]]:
    """Name and version of each suite that is kept beside its current version: `evals/NAME/VERSION.yaml`, sorted."""
    kept = [(file.parent.name, file.stem) for file in root.glob("evals/*/*.yaml")]
    proper = [(name, version) for name, version in kept if is_name(name) and _VERSION.match(version)]
    yield from sorted(proper, key=lambda names: [natural(name) for name in names])


def natural(text: str) -> list[tuple[int, str]]:
    """A sort key by which `2.10.0` comes after `2.9.0`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]{1,18})", text) if part]


def read_inside(root: Path, path: str, *, bytes_max: int = BYTES_MAX) -> bytes:
    """The bytes of the file at `path` under `root`, at most `bytes_max + 1` of them.

    Raises InputError: `path-escapes` where the path, or a link on it, leads out of the workspace; `unreadable-file`.
    """
    file = root / path
    try:
        inside = file.resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):
        inside = False
    if not inside:
        raise InputError(
            "leads out of the workspace",
            code="path-escapes",
            where=path,
            hint="keep the file, and what links on its path point to, inside the workspace",
        )
    return read_file(file, path=path, bytes_max=bytes_max)
