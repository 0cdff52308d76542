"""`plangate.lock`: the digest of every document that may not change any more, and what to say when one did."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from plangate.documents.loader import load
from plangate.documents.positions import Positions
from plangate.documents.wording import shown
from plangate.errors import InputError, PinError, Problem

__all__ = ["LOCK_PATH", "Lock", "compare", "extended", "in_conflict", "lock_text", "merged", "read_lock"]

LOCK_PATH: Final = "plangate.lock"
_OURS: Final = re.compile(rb"^<{7}(?: |\r?$)", re.MULTILINE)
_MARKS: Final = frozenset(mark * 7 for mark in (b"<", b"|", b"=", b">"))
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Which documents are locked: key (see `Pin.lock_key`) -> digest."""

    files: Mapping[str, str] = field(default_factory=dict)


def read_lock(data: bytes | None) -> Lock:
    """The lock in the bytes of `plangate.lock`; None (no such file) is an empty lock.

    Raises InputError (`lock-unreadable` and the loader's codes) where it is not a lock: nothing is taken for unlocked
    because its lock cannot be read.
    """
    if data is None:
        return Lock()
    if in_conflict(data):
        raise InputError(
            "git left both sides of a merge in it",
            code="lock-conflict",
            where=LOCK_PATH,
            hint="`plangate lock` keeps what both sides locked",
        )
    loaded = load(data, path=LOCK_PATH)
    if loaded.problems:
        raise InputError.of(loaded.problems)
    value = loaded.value
    if not isinstance(value, dict) or set(value) != {"version", "files"} or not isinstance(value["files"], dict):
        raise _unreadable(loaded.positions, "it holds exactly version and files", ())
    if value["version"] != 1:
        raise _unreadable(loaded.positions, f"version {shown(value['version'])} is not known", ("version",))
    files: dict[str, str] = {}
    for key, digest in value["files"].items():
        if not isinstance(digest, str) or not _DIGEST.match(digest):
            raise _unreadable(loaded.positions, f"{shown(key)} has no digest", ("files", key))
        files[key] = digest
    return Lock(files=files)


def in_conflict(data: bytes) -> bool:
    """Whether git left both sides of a merge in the bytes of `plangate.lock`."""
    return _OURS.search(data) is not None


def merged(data: bytes | None) -> Lock:
    """As `read_lock`; where git left both sides of a merge in it, what either side locked.

    Raises PinError (`locked-file-changed`) where the two locked one version of a document with different contents.
    """
    if data is None or not in_conflict(data):
        return read_lock(data)
    ours, theirs = (read_lock(_side(data, theirs=theirs)) for theirs in (False, True))
    twice = [key for key, digest in ours.files.items() if theirs.files.get(key, digest) != digest]
    if twice:
        raise PinError.of(_locked_twice(key, ours.files[key], theirs.files[key]) for key in twice)
    return Lock(files={**ours.files, **theirs.files})


def _side(data: bytes, *, theirs: bool) -> bytes:
    """One side of each conflict, without its marks; a base that git may have put between them belongs to neither."""
    lines, taken = [], True
    for line in data.splitlines(keepends=True):
        mark = line[:7]
        if mark not in _MARKS:
            lines += [line] if taken else []
        else:
            taken = mark == b">" * 7 or (mark == b"=" * 7 if theirs else mark == b"<" * 7)
    return b"".join(lines)


def lock_text(lock: Lock) -> str:
    """The text of `plangate.lock`: one entry a line, sorted, so that merging two branches is seldom a conflict."""
    return json.dumps({"version": 1, "files": dict(sorted(lock.files.items()))}, indent=2, ensure_ascii=False) + "\n"


def compare(lock: Lock, found: Mapping[str, str], *, pinned: Collection[str]) -> list[Problem]:
    """What differs between the lock and the documents `found` (key -> digest), sorted.

    A changed or vanished locked document is an error. One that some environment has `pinned` and nobody locked yet is
    a warning. Older versions of a suite are kept in the lock and may be gone from the folder.
    """
    return sorted(_differences(lock, found, pinned))


def extended(lock: Lock, found: Mapping[str, str]) -> Lock:
    """The lock with every document of `found` that it did not have.

    Raises PinError with all of those that changed since they were locked: a digest is never replaced.
    """
    changed = [problem for problem in _differences(lock, found, ()) if problem.code == "locked-file-changed"]
    if changed:
        raise PinError.of(changed)
    return Lock(files={**found, **lock.files})


def _differences(lock: Lock, found: Mapping[str, str], pinned: Collection[str]) -> Iterator[Problem]:
    for key, digest in lock.files.items():
        path, _, version = key.partition("@")
        if key not in found:
            if not version:
                yield _problem(
                    path, "locked-file-missing", "is locked and no longer there", "restore it: evidence may name it"
                )
        elif found[key] != digest:
            yield _changed(path, version, digest, found[key])
    for key in pinned:
        if key in found and key not in lock.files:
            path = key.partition("@")[0]
            yield _problem(path, "not-locked", "is pinned and not locked", "run `plangate lock`", severity="warning")


def _locked_twice(key: str, ours: str, theirs: str) -> Problem:
    return _problem(
        key.partition("@")[0],
        "locked-file-changed",
        f"both sides of the merge locked it, with different contents ({ours[7:19]} and {theirs[7:19]})",
        "let one side keep the version, and give the other a new one",
    )


def _changed(path: str, version: str, locked: str, now: str) -> Problem:
    hint = f"raise metadata.version above {version}" if version else "copy it to a file with the next version's name"
    return _problem(
        path,
        "locked-file-changed",
        f"changed after it was locked ({locked[7:19]} became {now[7:19]})",
        f"restore it and write a new version: {hint}",
    )


def _problem(path: str, code: str, message: str, hint: str, *, severity: str = "error") -> Problem:
    return Problem(path=path, line=1, column=1, code=code, message=message, hint=hint, severity=severity)


def _unreadable(positions: Positions, message: str, pointer: tuple[str, ...]) -> InputError:
    return InputError(
        f"not a lock file: {message}",
        code="lock-unreadable",
        where=str(positions.of(*pointer)),
        hint="restore it from version control",
    )
