"""Problems that point at a place in a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from plangate.documents.positions import Pointer, Position, Positions
from plangate.documents.wording import did_you_mean, dotted, listed, shown
from plangate.errors import Problem

__all__ = ["PROBLEMS_MAX", "capped", "problem_at", "strings_in", "unknown_key", "unknown_value"]

PROBLEMS_MAX = 200
"""Problems of one document that are worked out in full; beyond it one more says that there are more."""


def problem_at(place: Position, *, code: str, message: str, hint: str = "", severity: str = "error") -> Problem:
    """A problem at `place`."""
    return Problem(
        path=place.path,
        line=place.line,
        column=place.column,
        code=code,
        message=message,
        hint=hint,
        severity=severity,
    )


def unknown_value(positions: Positions, pointer: Pointer, what: str, name: str, known: Iterable[str]) -> Problem:
    """The value at `pointer` names a `what` that is not declared (law L3)."""
    return _unknown(positions.of(*pointer), pointer, what, name, known)


def unknown_key(positions: Positions, pointer: Pointer, what: str, known: Iterable[str]) -> Problem:
    """The last key of `pointer` names a `what` that is not declared (law L3)."""
    return _unknown(positions.of_key(*pointer), pointer[:-1], what, str(pointer[-1]), known)


def capped(problems: Iterable[Problem]) -> list[Problem]:
    """The first `PROBLEMS_MAX` of them, and one that says so where there are more."""
    found = list(islice(problems, PROBLEMS_MAX + 1))
    if len(found) <= PROBLEMS_MAX:
        return found
    last = found.pop()
    message = f"more than {PROBLEMS_MAX} problems; the rest is not listed"
    place = Position(last.path, last.line, last.column)
    return [*found, problem_at(place, code="too-many-problems", message=message, hint="mend the others first")]


def _unknown(place: Position, pointer: Pointer, what: str, name: str, known: Iterable[str]) -> Problem:
    names = list(known)
    elsewhere = f"declare it under {_SECTIONS[what]}" if what in _SECTIONS else f"there are: {listed(names)}"
    hint = did_you_mean(name, names) or elsewhere
    return problem_at(place, code="unknown-name", message=f"{dotted(pointer)}: unknown {what} {shown(name)}", hint=hint)


_SECTIONS = {
    "capability": "capabilities",
    "limit": "limits",
    "setting": "settings",
    "plan": "plans",
    "state": "states",
    "suite": "release.suites",
    "secret": "bindings.secrets",
    "key": "keys",
}


def strings_in(value: object, pointer: Pointer = ()) -> Iterator[tuple[Pointer, str]]:
    """Every text inside a JSON value, with its place."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings_in(item, (*pointer, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings_in(item, (*pointer, index))
