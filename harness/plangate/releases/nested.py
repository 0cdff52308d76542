"""Which leaves differ between two nested values, each with its path: what people compare, down to where it differs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Change", "change_lines", "nested_changes", "same_value"]

_VALUE_MAX: Final = 200
_MARK: Final = "\0"
_TRUE, _FALSE = f"{_MARK}true", f"{_MARK}false"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One value that differs. `before` or `after` is None where there is none."""

    path: str
    """`prompts.triage.version`, `parameters.tools[2].name`"""
    before: Any
    after: Any


def nested_changes(before: Any, after: Any, *, path: str = "") -> tuple[Change, ...]:
    """The leaves that differ between two JSON values, in the order of their paths; empty where they are equal as JSON.

    Total for whatever JSON can hold, and as deep as it may be read.
    """
    if same_value(before, after):
        return ()
    # Half a second to import, so only where something differs.
    from deepdiff import DeepDiff

    found = DeepDiff(_plain(before), _plain(after), view="tree", verbose_level=2, threshold_to_diff_deeper=0)
    leaves = [
        (tuple(level.path(output_format="list")), _told(level.t1), _told(level.t2))
        for levels in found.values()
        for level in levels
    ]
    ordered = sorted(leaves, key=lambda leaf: [_place(key) for key in leaf[0]])
    # 1 and 1.0, or null and nothing, are told apart by the library, and by nobody who reads them.
    return tuple(Change(_written(path, keys), old, new) for keys, old, new in ordered if not same_value(old, new))


def change_lines(changes: Sequence[Change], *, lines_max: int, hidden: Collection[str] = ()) -> Iterator[str]:
    """`path: before -> after` for each, cut after `lines_max`. What lies under a name of `hidden` is not shown."""
    for change in changes[:lines_max]:
        steps = change.path.replace("[", ".").split(".")
        if any(step in hidden for step in steps):
            yield f"{change.path}: another value (not shown)"
        else:
            sides = (_shown(_veiled(side, hidden)) for side in (change.before, change.after))
            yield f"{change.path}: {' -> '.join(sides)}"
    if len(changes) > lines_max:
        yield f"... and {len(changes) - lines_max:,} more"


def _veiled(value: Any, hidden: Collection[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: "(not shown)" if key in hidden else _veiled(inner, hidden) for key, inner in value.items()}
    return [_veiled(inner, hidden) for inner in value] if isinstance(value, list) else value


def _shown(value: Any) -> str:
    return "nothing" if value is None else _json(value)[:_VALUE_MAX]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def same_value(before: Any, after: Any) -> bool:
    """Equal as JSON: true is not 1 at any depth, and 1 and 1.0 are one number."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(same_value(before[key], after[key]) for key in before)
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        return len(before) == len(after) and all(same_value(*pair) for pair in zip(before, after, strict=True))
    return bool(before == after) and isinstance(before, bool) == isinstance(after, bool)


def _plain(value: Any) -> Any:
    """As JSON has it, with truth values as texts of their own: the library takes true for 1 inside a list."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    return f"{_MARK}{value}" if isinstance(value, str) and value.startswith(_MARK) else value


def _told(value: Any) -> Any:
    """What `_plain` was made of; None where there is nothing."""
    if isinstance(value, dict):
        return {key: _told(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_told(inner) for inner in value]
    if isinstance(value, str):
        return value == _TRUE if value in (_TRUE, _FALSE) else value.removeprefix(_MARK)
    return None if type(value).__name__ == "NotPresent" else value


def _place(key: Any) -> tuple[bool, str, int]:
    """Entries by their numbers, names by their letters."""
    return (True, key, 0) if isinstance(key, str) else (False, "", key)


def _written(path: str, keys: tuple[Any, ...]) -> str:
    return "".join(_steps(path, keys))


def _steps(path: str, keys: tuple[Any, ...]) -> Iterator[str]:
    yield path
    for place, key in enumerate(keys):
        yield f"[{key}]" if isinstance(key, int) else f".{key}" if path or place else str(key)
