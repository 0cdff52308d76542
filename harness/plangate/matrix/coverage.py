"""How much of a suite's space its cells cover: counted afresh from the cells themselves, whoever chose them.

The space is what exhaustive expansion would give. A combination is one value for each of t axes; it is possible where
some cell of the space has it. Whoever chose the rows is not asked: a generator that leaves some out is found here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

from plangate.documents.suite import AXES
from plangate.matrix.cell import AxisValue
from plangate.matrix.space import Space

__all__ = ["MISSING_MAX", "Coverage", "exhaustive", "measure"]

MISSING_MAX = 1_000
"""Combinations without a cell that are named one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a suite's cells cover; `str()` says it in a sentence."""

    axes: tuple[str, ...]
    """Axes with more than one value."""
    strength: int | None
    """None = exhaustive: every possible combination of all axes is a cell."""
    cells: int
    space: int
    """Cells that exhaustive expansion has."""
    total: int = 0
    """t-way combinations if every value could meet every other."""
    possible: int = 0
    covered: int = 0
    missing: tuple[str, ...] = ()
    """Possible combinations that no cell has, in words; at most 1,000."""
    note: str = ""

    @property
    def impossible(self) -> int:
        """Combinations that no cell can have: the catalog, or the suite's `exclude` rules, keep the values apart."""
        return self.total - self.possible

    @property
    def complete(self) -> bool:
        """Whether every possible combination is covered."""
        return self.covered == self.possible

    @property
    def not_covered(self) -> tuple[str, ...]:
        """What the cells leave out, in words; empty for an exhaustive suite."""
        if self.strength is None:
            return ()
        named = list(self.missing)
        if (more := self.possible - self.covered - len(named)) > 0:
            named.append(f"and {more:,} more combinations of {self.strength} axes")
        if self.strength < len(self.axes):
            named.append(f"combinations of more than {self.strength} axes, but for those of the {self.cells:,} cells")
        return tuple(named)

    def __str__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        if self.strength is None:
            return f"exhaustive over {', '.join(self.axes) or 'a single cell'}{note}"
        words = (
            f"{self.strength}-way: {self.covered:,} of {self.possible:,} possible combinations of {self.strength} axes "
            f"({self.impossible:,} more cannot occur), by {self.cells:,} of {self.space:,} cells"
        )
        left_out = "; ".join((*self.missing[:3], *self.not_covered[len(self.missing) :]))
        return f"{words}; not covered: {left_out or 'nothing'}{note}"


def exhaustive(space: Space, *, cells: int, note: str = "") -> Coverage:
    """The coverage of a suite whose cells are the whole space."""
    axes = tuple(AXES[position] for position in space.spanned)
    return Coverage(axes=axes, strength=None, cells=cells, space=cells, note=note)


def measure(rows: Iterable[Sequence[AxisValue]], *, space: Space, strength: int, note: str = "") -> Coverage:
    """Count the combinations of `strength` axes that `rows` cover; a row has a value for each name of AXES.

    A row that is no cell of the space covers nothing.
    """
    named = [space.indices(row) for row in rows]
    cells = [row for row in named if space.has(row)]
    total = possible = covered = 0
    missing: list[str] = []
    for positions in combinations(space.spanned, strength):
        wanted = space.possible(positions)
        seen = {tuple(row[position] for position in positions) for row in cells}
        left = [values for values in wanted if values not in seen]
        total += prod(len(space.values[position]) for position in positions)
        possible += len(wanted)
        covered += len(wanted) - len(left)
        missing.extend(space.describe(positions, values) for values in left[: MISSING_MAX - len(missing)])
    return Coverage(
        axes=tuple(AXES[position] for position in space.spanned),
        strength=strength,
        cells=len(cells),
        space=space.count,
        total=total,
        possible=possible,
        covered=covered,
        missing=tuple(missing),
        note=note,
    )
