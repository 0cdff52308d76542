"""The matrix as signs in a terminal: plans across, capabilities down, states side by side as far as they fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plangate.reports.lines import Line, Span
from plangate.reports.marks import LEGEND, SIGN, Mark
from plangate.reports.picture import Picture
from plangate.reports.safe_text import clean, columns, fit

__all__ = ["picture_lines"]

_ROWS_MAX = 30
_BLOCKS_MAX = 2
_GAP = "   "

_Panel = tuple[str, tuple[tuple[Mark, ...], ...]]
"""Title (one state, or several that look alike), and a column of marks for each plan."""


def picture_lines(picture: Picture, *, width: int) -> Iterator[Line]:
    """The picture in at most `width` columns, with its legend; nothing where it would not be readable."""
    rows = _rows(picture)
    names = [fit(clean(name), 28) for name in picture.capabilities]
    label = max((columns(name) for name in names), default=0) + 2
    plans = _plan_names(picture.plans, room=width - label)
    if not rows or not plans:
        return
    panels, quiet = _panels(picture)
    panel_width = sum(columns(plan) + 1 for plan in plans) - 1
    a_block = max(1, (width - label + len(_GAP)) // (panel_width + len(_GAP)))
    if len(panels) > a_block * _BLOCKS_MAX:
        panels = [panel for panel in panels if _has_finding(panel)] or panels
    shown, hidden = panels[: a_block * _BLOCKS_MAX], panels[a_block * _BLOCKS_MAX :]
    for start in range(0, len(shown), a_block):
        yield from _block(
            shown[start : start + a_block], plans, rows=[(names[row], row) for row in rows], label=label, width=width
        )
        yield ()
    for title in quiet:
        yield ((f"{fit(title, width - 22)}: nothing is allowed", "dim"),)
    for title, _ in hidden:
        yield ((f"{fit(title, width - 14)}: not shown", "dim"),)
    if len(rows) < len(names):
        yield ((f"{len(names) - len(rows)} more capabilities, as expected", "dim"),)
    yield _legend(panels)


def _rows(picture: Picture) -> list[int]:
    """Which capabilities are shown: all, or of many those with a finding; none where those are too many as well."""
    everything = list(range(len(picture.capabilities)))
    if len(everything) <= _ROWS_MAX:
        return everything
    found = [row for row in everything if picture.has_finding(picture.capabilities[row])]
    return found if len(found) <= _ROWS_MAX else []


def _plan_names(plans: Sequence[str], *, room: int) -> list[str]:
    """Plan names, shortened as needed; empty where even short ones do not fit."""
    for longest in (24, 10, 6, 4):
        names = [fit(clean(plan), longest) for plan in plans]
        if sum(columns(name) + 1 for name in names) - 1 <= room:
            return names
    return []


def _panels(picture: Picture) -> tuple[list[_Panel], list[str]]:
    """Panels to draw, states that look alike in one; and titles of states in which nothing is allowed, as expected."""
    alike: dict[tuple[tuple[Mark, ...], ...], list[str]] = {}
    for state in picture.states:
        marks = tuple(picture.column(state, plan) for plan in picture.plans)
        alike.setdefault(marks, []).append(clean(state))
    panels, quiet = [], []
    for columns_of_marks, states in alike.items():
        title = ", ".join(states) if len(states) < max(2, len(picture.states)) else "every state"
        if all(mark in (Mark.DENY, Mark.NONE) for column in columns_of_marks for mark in column):
            quiet.append(title)
        else:
            panels.append((title, columns_of_marks))
    return panels, quiet


def _has_finding(panel: _Panel) -> bool:
    return any(mark.is_finding for column in panel[1] for mark in column)


def _block(
    panels: Sequence[_Panel], plans: Sequence[str], *, rows: list[tuple[str, int]], label: int, width: int
) -> Iterator[Line]:
    panel = sum(columns(plan) + 1 for plan in plans) - 1
    titles = "".join(_padded(fit(title, panel), panel) + _GAP for title, _ in panels[:-1])
    # The last title has the room to its right.
    last = fit(panels[-1][0], max(panel, width - label - columns(titles)))
    yield ((" " * label, ""), (titles + last, "bold"))
    yield ((" " * label + _GAP.join(" ".join(plans) for _ in panels), "dim"),)
    for name, row in rows:
        found = any(column[row].is_finding for _, marks in panels for column in marks)
        spans: list[Span] = [(_padded(name, label), "bold" if found else "")]
        for number, (_, marks) in enumerate(panels):
            spans.append((_GAP if number else "", ""))
            for plan, column in zip(plans, marks, strict=True):
                spans.extend(_centred(column[row], columns(plan)))
                spans.append((" ", ""))
            spans.pop()
        yield tuple(spans)


def _centred(mark: Mark, width: int) -> Iterator[Span]:
    left = (width - 1) // 2
    yield (" " * left, "")
    yield (SIGN[mark], mark)
    yield (" " * (width - 1 - left), "")


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - columns(text))


def _legend(panels: Sequence[_Panel]) -> Line:
    seen = {mark for _, marks in panels for column in marks for mark in column}
    spans: list[Span] = []
    for mark, word in LEGEND.items():
        if mark in seen:
            spans += [(SIGN[mark], mark), (f" {word}   ", "dim")]
    return tuple(spans)
