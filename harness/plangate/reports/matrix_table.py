"""The plan matrix as a table that a product manager can read: plans across, capabilities down, a state at a time."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from plangate.entitlements.decision import Effect
from plangate.reports.lines import Line, Span, plain, write_lines
from plangate.reports.marks import LEGEND, OF_EFFECT, SIGN, Mark
from plangate.reports.safe_text import clean, columns, fit

__all__ = ["TableRow", "matrix_lines", "matrix_table", "print_matrix", "write_matrix_csv"]

_NAMED_MAX = 3
"""A state in which no more than this many capabilities are of use is said in a sentence."""
_NAME_MAX = 40
_NOTE_MAX = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One decision of the matrix: what a plan does in a state with a capability."""

    plan: str
    state: str
    capability: str
    effect: Effect
    reason: str
    note: str = ""
    """What to write beside the mark: `20/day`."""


_Column = tuple[tuple[Mark, str], ...]
"""Mark and note of a plan, capabilities downwards."""


def matrix_table(rows: Iterable[TableRow], *, width: int = 100) -> str:
    """The matrix as plain text without colour; see `matrix_lines`."""
    return "".join(plain(line) + "\n" for line in matrix_lines(rows, width=width))


def print_matrix(rows: Iterable[TableRow], stream: TextIO, *, colour: bool, width: int = 100) -> None:
    """Print the matrix on `stream`; no escape sequence unless `colour`."""
    write_lines(matrix_lines(rows, width=width), stream, colour=colour, width=width)


def write_matrix_csv(rows: Iterable[TableRow], stream: TextIO) -> None:
    """Write one line a decision: plan, state, capability, effect, reason, note."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["plan", "state", "capability", "effect", "reason", "note"])
    for row in rows:
        writer.writerow([row.plan, row.state, row.capability, row.effect.value, row.reason, row.note])


def matrix_lines(rows: Iterable[TableRow], *, width: int = 100) -> Iterator[Line]:
    """A table for each state; states that decide alike share one, and one in which hardly anything is of use is a
    sentence: `Suspended: nothing but data.export_own (pro, enterprise)`. Plans, states and capabilities stand in the
    order in which they come.
    """
    held = tuple(rows)
    if not held:
        yield (("nothing to show: no plan, state or capability was selected", "dim"),)
        return
    plans = tuple(dict.fromkeys(row.plan for row in held))
    capabilities = tuple(dict.fromkeys(row.capability for row in held))
    decisions = {
        (row.state, row.plan, row.capability): (OF_EFFECT[row.effect], fit(clean(row.note), _NOTE_MAX)) for row in held
    }
    alike: dict[tuple[_Column, ...], list[str]] = {}
    for state in dict.fromkeys(row.state for row in held):
        by_plan = tuple(_column(decisions, state, plan, capabilities) for plan in plans)
        alike.setdefault(by_plan, []).append(state)
    sentences: list[Line] = []
    for by_plan, states in alike.items():
        title = ", ".join(clean(state) for state in states)
        sentence = _sentence(by_plan, plans, capabilities)
        if sentence is not None and len(alike) > 1:
            sentences.append(((title, "bold"), (f": {sentence}", "")))
            continue
        yield ((title, "bold"),)
        yield from _table(by_plan, plans, capabilities, width=width)
        yield ()
    yield from sentences
    if sentences:
        yield ()
    yield _legend(decisions.values())


def _column(
    decisions: Mapping[tuple[str, str, str], tuple[Mark, str]], state: str, plan: str, capabilities: Sequence[str]
) -> _Column:
    return tuple(decisions.get((state, plan, capability), (Mark.NONE, "")) for capability in capabilities)


def _sentence(by_plan: Sequence[_Column], plans: Sequence[str], capabilities: Sequence[str]) -> str | None:
    """What is of use in a state, in words; None where that is too much for a sentence."""
    named = []
    for number, capability in enumerate(capabilities):
        marks = [column[number][0] for column in by_plan]
        used = [clean(plan) for plan, mark in zip(plans, marks, strict=True) if mark in (Mark.ALLOW, Mark.APPROVAL)]
        if used:
            which = "" if len(used) == len(plans) else f" ({', '.join(used)})"
            approval = ", with approval" if Mark.APPROVAL in marks else ""
            named.append(f"{clean(capability)}{which}{approval}")
    if len(named) > _NAMED_MAX:
        return None
    return f"nothing but {'; '.join(named)}" if named else "nothing"


def _table(
    by_plan: Sequence[_Column], plans: Sequence[str], capabilities: Sequence[str], *, width: int
) -> Iterator[Line]:
    names = [fit(clean(name), _NAME_MAX) for name in capabilities]
    label = max(columns(name) for name in names) + 3
    heads = [fit(clean(plan), _NAME_MAX) for plan in plans]
    widths = [
        max(columns(head), *(2 + columns(note) if note else 1 for _, note in column)) + 3
        for head, column in zip(heads, by_plan, strict=True)
    ]
    for first, last in _blocks(widths, room=width - label):
        if first:
            yield ()
        spans: list[Span] = [(" " * label, "")]
        spans += [(_padded(heads[plan], widths[plan]), "dim") for plan in range(first, last)]
        yield tuple(spans)
        for number, name in enumerate(names):
            spans = [(_padded(name, label), "")]
            for plan in range(first, last):
                mark, note = by_plan[plan][number]
                spans += [(SIGN[mark], mark), (_padded(f" {note}" if note else "", widths[plan] - 1), "dim")]
            yield tuple(spans)


def _blocks(widths: Sequence[int], *, room: int) -> Iterator[tuple[int, int]]:
    """Ranges of plans that fit side by side; at least one each."""
    first, used = 0, 0
    for number, width in enumerate(widths):
        if number > first and used + width > room:
            yield first, number
            first, used = number, 0
        used += width
    yield first, len(widths)


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - columns(text))


def _legend(decisions: Iterable[tuple[Mark, str]]) -> Line:
    seen = {mark for mark, _ in decisions}
    spans: list[Span] = []
    for mark, word in LEGEND.items():
        if mark in seen:
            spans += [(SIGN[mark], mark), (f" {word}   ", "dim")]
    return tuple(spans)
