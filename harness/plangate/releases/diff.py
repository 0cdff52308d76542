"""What differs between two releases, as text: one entry for each value that is not the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Change", "changes"]


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One value that differs. `before` or `after` is None where there is none."""

    path: str
    """`prompts.triage.version`"""
    before: Any
    after: Any


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The values that differ between two `release_document`s, sorted by path; empty where they are the same release."""
    return tuple(sorted(_walk("", before, after), key=lambda change: change.path))


def _walk(path: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in before.keys() | after.keys():
            yield from _walk(f"{path}.{key}" if path else key, before.get(key), after.get(key))
    elif not _same(before, after):
        # A whole part that came or went is told leaf by leaf, like any other change.
        nested = before if isinstance(before, Mapping) else after
        if isinstance(nested, Mapping) and None in (before, after):
            for key, value in nested.items():
                yield from _walk(f"{path}.{key}", *((value, None) if after is None else (None, value)))
        else:
            yield Change(path, before, after)


def _same(before: Any, after: Any) -> bool:
    # True == 1 in Python; in JSON they differ. 1 and 1.0 are one number in canonical JSON.
    return bool(before == after) and isinstance(before, bool) == isinstance(after, bool)
