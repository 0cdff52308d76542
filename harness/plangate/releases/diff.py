"""What differs between two releases, as text: one entry for each value that is not the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plangate.releases.nested import Change, nested_changes, same_value

__all__ = ["Change", "changes"]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The values that differ between two `release_document`s, sorted by path; empty where they are the same release."""
    return tuple(sorted(_walk("", before, after), key=lambda change: change.path))


def _walk(path: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in before.keys() | after.keys():
            yield from _walk(f"{path}.{key}" if path else key, before.get(key), after.get(key))
    elif _nests(before) and _nests(after):  # parameters: down to the leaf; pins are flat, and a walk is enough
        yield from nested_changes(before, after, path=path)
    elif not same_value(before, after):
        # A whole part that came or went is told leaf by leaf, like any other change.
        nested = before if isinstance(before, Mapping) else after
        if isinstance(nested, Mapping) and None in (before, after):
            for key, value in nested.items():
                yield from _walk(f"{path}.{key}", *((value, None) if after is None else (None, value)))
        else:
            yield Change(path, before, after)


def _nests(value: Any) -> bool:
    """Whether this is a list of more than plain values; one of plain values is a value itself."""
    return isinstance(value, list | tuple) and any(isinstance(inner, Mapping | list | tuple) for inner in value)
