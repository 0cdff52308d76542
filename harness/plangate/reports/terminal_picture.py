"""The matrix as signs in a terminal: plans across, capabilities down, states side by side as far as they fit.

No name is cut and no state that fails is left out: what does not fit side by side stands one below the other, and plans
whose names are too long for columns get numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plangate.reports.lines import Line, Span, wrapped
from plangate.reports.marks import LEGEND, SIGN, Mark
from plangate.reports.picture import Picture
from plangate.reports.safe_text import clean, columns, fit

__all__ = ["picture_lines"]

_ROWS_MAX = 30
_BLOCKS_MAX = 2
_GAP = "   "

_Panel = tuple[str, tuple[tuple[Mark, ...], ...]]
"""Title (one state, or several that look alike), and a column of marks for each plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """What every block of the picture has in common."""

    width: int
    label: int
    """Columns of the names at the left."""
    rows: Sequence[tuple[str, int]]
    """Name of a capability, and its place in a column of marks."""
    heads: Sequence[str]
    """What stands above each plan's column."""
    groups: Sequence[range]
    """Plans that fit side by side."""

    def across(self, group: range) -> int:
        """Columns that a group of plans takes."""
        return sum(columns(self.heads[plan]) + 1 for plan in group) - 1


def picture_lines(picture: Picture, *, width: int) -> Iterator[Line]:
    """The picture in at most `width` columns, with its legend; nothing where there is nothing to look at."""
    rows, more = _rows(picture)
    if not rows or not picture.plans:
        return
    grid, numbered = _grid(picture, rows, width=width)
    panels, quiet = _panels(picture)
    shown, hidden = _chosen(panels, grid)
    for block in _blocks(shown, grid):
        yield from _block(block, grid)
        yield ()
    if numbered:
        yield from _listed("plans", [f"{number} {clean(name)}" for number, name in numbered], width=width)
    for title in quiet:
        yield from _sentence(f"{title}: nothing is allowed", width=width)
    for title, _ in hidden:
        yield from _sentence(f"{title}: as sold, not shown", width=width)
    for note in more:
        yield from _sentence(note, width=width)
    yield _legend(panels)


def _rows(picture: Picture) -> tuple[list[int], list[str]]:
    """Which capabilities are shown: all, or of many those with a finding; and what is to be said of the others."""
    everything = list(range(len(picture.capabilities)))
    if len(everything) <= _ROWS_MAX:
        return everything, []
    found = [row for row in everything if picture.has_finding(picture.capabilities[row])]
    notes = []
    if len(found) > _ROWS_MAX:
        notes.append(f"{len(found) - _ROWS_MAX:,} more capabilities with findings: --report FILE.html shows them")
    if len(found) < len(everything):
        notes.append(f"{len(everything) - len(found):,} more capabilities, as expected")
    return found[:_ROWS_MAX], notes


def _grid(picture: Picture, rows: Sequence[int], *, width: int) -> tuple[_Grid, list[tuple[int, str]]]:
    """The grid, and the numbers of plans where names do not fit above their columns."""
    names = [(fit(clean(picture.capabilities[row]), max(28, width // 2)), row) for row in rows]
    label = max(columns(name) for name, _ in names) + 2
    room = max(8, width - label)
    heads = [clean(plan) for plan in picture.plans]
    groups = _groups(heads, room=room)
    numbered: list[tuple[int, str]] = []
    if len(groups) > 2 or any(columns(head) > room for head in heads):
        numbered = list(enumerate(picture.plans, 1))
        heads = [str(number) for number, _ in numbered]
        groups = _groups(heads, room=room)
    return _Grid(width=width, label=label, rows=names, heads=heads, groups=groups), numbered


def _groups(heads: Sequence[str], *, room: int) -> list[range]:
    groups, first, used = [], 0, 0
    for number, head in enumerate(heads):
        needed = columns(head) + 1
        if number > first and used + needed - 1 > room:
            groups.append(range(first, number))
            first, used = number, 0
        used += needed
    return [*groups, range(first, len(heads))]


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


def _chosen(panels: Sequence[_Panel], grid: _Grid) -> tuple[list[_Panel], list[_Panel]]:
    """Panels that are drawn, and those that are not: never one with a finding."""
    a_block = max(1, (grid.width - grid.label + len(_GAP)) // (grid.across(grid.groups[0]) + len(_GAP)))
    room = a_block * _BLOCKS_MAX - sum(map(_has_finding, panels))
    shown, hidden = [], []
    for panel in panels:
        found = _has_finding(panel)
        if found or room > 0:
            shown.append(panel)
            room -= not found
        else:
            hidden.append(panel)
    return shown, hidden


def _has_finding(panel: _Panel) -> bool:
    return any(mark.is_finding for column in panel[1] for mark in column)


_Block = list[tuple[str, range, tuple[tuple[Mark, ...], ...]]]
"""Side by side: title, plans, and the marks of all plans."""


def _blocks(panels: Sequence[_Panel], grid: _Grid) -> Iterator[_Block]:
    """Panels side by side as far as they and their titles fit; where plans need several groups, one by one."""
    block: _Block = []
    used = grid.label
    for title, marks in panels:
        for group in grid.groups:
            panel = max(grid.across(group), columns(title))
            if block and (len(grid.groups) > 1 or used + len(_GAP) + panel > grid.width):
                yield block
                block, used = [], grid.label
            block.append((title, group, marks))
            used += panel + len(_GAP)
    if block:
        yield block


def _block(block: _Block, grid: _Grid) -> Iterator[Line]:
    widths = [grid.across(group) for _, group, _ in block]
    if len(block) > 1:
        widths = [max(width, columns(title)) for width, (title, _, _) in zip(widths, block, strict=True)]
        titles = _GAP.join(_padded(title, width) for width, (title, _, _) in zip(widths, block, strict=True))
        yield ((" " * grid.label, ""), (titles, "bold"))
    else:
        # The only title has the room to its left as well, so that a long list of states need not break.
        indent = grid.label if columns(block[0][0]) <= grid.width - grid.label else 0
        for line in wrapped(block[0][0], width=grid.width - indent):
            yield ((" " * indent, ""), (line, "bold"))
    heads = (" ".join(grid.heads[plan] for plan in group) for _, group, _ in block)
    yield (
        (" " * grid.label + _GAP.join(_padded(head, width) for head, width in zip(heads, widths, strict=True)), "dim"),
    )
    for name, row in grid.rows:
        yield _row(name, row, block, widths, grid)


def _row(name: str, row: int, block: _Block, widths: Sequence[int], grid: _Grid) -> Line:
    found = any(marks[plan][row].is_finding for _, group, marks in block for plan in group)
    spans: list[Span] = [(_padded(name, grid.label), "bold" if found else "")]
    for number, (width, (_, group, marks)) in enumerate(zip(widths, block, strict=True)):
        spans.append((_GAP if number else "", ""))
        for plan in group:
            spans.extend(_centred(marks[plan][row], columns(grid.heads[plan])))
            spans.append((" ", ""))
        spans[-1] = (" " * (width - grid.across(group)), "")
    return tuple(spans)


def _centred(mark: Mark, width: int) -> Iterator[Span]:
    left = (width - 1) // 2
    yield (" " * left, "")
    yield (SIGN[mark], mark)
    yield (" " * (width - 1 - left), "")


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - columns(text))


def _listed(label: str, texts: Sequence[str], *, width: int) -> Iterator[Line]:
    """`plans  1 free · 2 pro`, over as many lines as it takes."""
    lines, used = [""], 0
    for text in texts:
        piece = f" · {text}" if lines[-1] else text
        if lines[-1] and used + columns(piece) > width - columns(label) - 2:
            lines.append(text)
            used = columns(text)
        else:
            lines[-1] += piece
            used += columns(piece)
    for number, line in enumerate(lines):
        yield ((f"{label if not number else ' ' * columns(label)}  {line}", "dim"),)


def _sentence(text: str, *, width: int) -> Iterator[Line]:
    for number, line in enumerate(wrapped(text, width=width - 2)):
        yield (("  " * bool(number) + line, "dim"),)


def _legend(panels: Sequence[_Panel]) -> Line:
    seen = {mark for _, marks in panels for column in marks for mark in column}
    spans: list[Span] = []
    for mark, word in LEGEND.items():
        if mark in seen:
            spans += [(SIGN[mark], mark), (f" {word}   ", "dim")]
    return tuple(spans)
