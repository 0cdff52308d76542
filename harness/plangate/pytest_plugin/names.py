"""What a cell is called as a test: `free/Subscribed/report.export/tool[usage=first_over:exports]`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from plangate.documents.suite import AXES
from plangate.matrix.cell import AxisValue, Cell
from plangate.matrix.identity import NORMAL

__all__ = ["cell_name", "group_name", "unique"]

_PHRASING_MAX = 40
_ALWAYS = ("plan", "state", "capability", "surface")


def cell_name(cell: Cell) -> str:
    """Plan, state, capability and surface; in brackets what differs from an axis's normal value."""
    axes = dict(zip(AXES, cell.axes, strict=True))
    place = "/".join(str(axes[axis]) for axis in _ALWAYS)
    special = [f"{axis}={_text(axes[axis])}" for axis in NORMAL if axes[axis] != NORMAL[axis]]
    return f"{place}[{','.join(special)}]" if special else place


def group_name(cell: Cell) -> str:
    """Plan and capability: what many cells of a large matrix have in common."""
    axes = dict(zip(AXES, cell.axes, strict=True))
    return f"{axes['plan']}/{axes['capability']}"


def _text(value: AxisValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = re.sub(r"[^\w.:+=]+", "-", str(value)).strip("-").replace("::", ":")
    if len(text) <= _PHRASING_MAX:
        return text
    return text[:_PHRASING_MAX].rpartition("-")[0] or text[:_PHRASING_MAX]


def unique(cells: Iterable[Cell]) -> Iterator[tuple[str, Cell]]:
    """Each cell with its name; where two long phrasings begin alike, the second adds its id."""
    given: set[str] = set()
    for cell in cells:
        name = cell_name(cell)
        if name in given:
            name = f"{name}~{cell.id}"
        given.add(name)
        yield name, cell
