"""The matrix of a suite: every cell it asks for, numbered, made only when asked for, the same on every machine."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from plangate.documents.suite import AXES, Suite
from plangate.errors import InputError
from plangate.matrix.blocks import Block, Shared
from plangate.matrix.cell import AxisValue, Cell
from plangate.matrix.coverage import Coverage, exhaustive, measure
from plangate.matrix.covering import cover
from plangate.matrix.groups import Groups
from plangate.matrix.layout import Layout
from plangate.matrix.levels import levels_of
from plangate.matrix.space import Space
from plangate.matrix.subjects import Subjects

if TYPE_CHECKING:
    from plangate.entitlements.oracle import Oracle

__all__ = ["Matrix", "expand"]

_BLOCKS_MAX = 512
_WEIGHT_MAX = 8_192
"""Blocks kept for cells asked for out of order, and the outer values they may keep among them: about 3 MB."""

_ALWAYS = ("plan", "state", "capability", "surface")


class Matrix:
    """The cells of one suite over one catalog. Never held in memory: a cell is made from its number."""

    def __init__(
        self,
        suite: Suite,
        oracle: Oracle,
        *,
        layout: Layout,
        shared: Shared,
        space: Space,
        picked: Sequence[int] | None = None,
        note: str = "",
    ) -> None:
        self.suite, self.oracle = suite, oracle
        self._layout, self._shared, self._space = layout, shared, space
        self._picked, self._note = picked, note
        self._blocks: dict[int, Block] = {}

    def __len__(self) -> int:
        return len(self._layout) if self._picked is None else len(self._picked)

    def __iter__(self) -> Iterator[Cell]:
        """Every cell in forward order, lazily."""
        return self.cells(range(len(self)))

    def cells(self, numbers: Iterable[int]) -> Iterator[Cell]:
        """The cells of these numbers, in this order, lazily. Raises IndexError for a number that no cell has."""
        picked = self._picked
        first = last = 0
        make = None
        for number in numbers:
            if picked is None:
                place = number
            elif 0 <= number < len(picked):
                place = picked[number]
            else:
                raise IndexError(f"cell {number} of {len(picked)}")
            if make is None or not first <= place < last:
                # A neighbour is walked to in order and not come back to: keeping it would only feed the collector.
                neighbour = make is not None and place in (last, first - 1)
                block = Block(self._shared, self._layout.place_of(place)) if neighbour else self._block_of(place)
                first, last, make = block.first, block.last, block.cell
            yield make(place, number)

    def cell(self, number: int) -> Cell:
        """One cell. Raises IndexError for a number that no cell has."""
        return next(self.cells((number,)))

    def find(self, digest: bytes) -> Cell | None:
        """The cell with this digest (10 bytes), or None. Looks at every cell: about 4 s for a million."""
        return next((cell for cell in self if cell.digest == digest), None)

    @cached_property
    def axes(self) -> Mapping[str, tuple[AxisValue, ...]]:
        """The values that cells have on each axis the suite spans, and on plan, state, capability and surface."""
        named = zip(AXES, self._space.values, strict=True)
        return MappingProxyType({axis: values for axis, values in named if axis in _ALWAYS or axis in self.suite.axes})

    @cached_property
    def coverage(self) -> Coverage:
        """What the cells cover, counted from the cells; see `coverage.measure`."""
        if self._picked is None or self.suite.strength is None:
            return exhaustive(self._space, cells=len(self), note=self._note)
        rows = (cell.axes for cell in self)
        return measure(rows, space=self._space, strength=self.suite.strength, note=self._note)

    def require_cells(self) -> None:
        """Raises InputError (`empty-matrix`) where there is no cell, and says which axis or rule leaves none."""
        if len(self):
            return
        empty = [axis for axis, values in self._layout.asked.items() if not values]
        where = self.suite.positions.of("matrix", "axes", *empty[:1]) if empty else self.suite.positions.of("matrix")
        message = f"axis {empty[0]} has no value" if empty else "its exclude rules leave no cell"
        raise InputError(
            f"suite {self.suite.name} has an empty matrix: {message}",
            code="empty-matrix",
            where=str(where),
            hint="an empty matrix proves nothing: widen the axis or drop the suite"
            if empty
            else "an empty matrix proves nothing: narrow an exclude rule",
        )

    def _block_of(self, place: int) -> Block:
        found = self._layout.place_of(place)
        block = self._blocks.get(found.first)
        if block is None:
            if len(self._blocks) >= _BLOCKS_MAX or self._shared.weight >= _WEIGHT_MAX:
                self._blocks.clear()
                self._shared.weight = 0
            block = self._blocks[found.first] = Block(self._shared, found)
        return block


def expand(suite: Suite, oracle: Oracle, *, surfaces: Collection[str]) -> Matrix:
    """The matrix that `suite` asks for, over the oracle's catalog.

    `surfaces` are the names of the environment's targets. Raises InputError: `surface-without-target`, `empty-matrix`,
    `unknown-axis-value`, `unknown-axis-word`, `ambiguous-axis-value`, `unknown-axis`, `matrix-too-large`.
    """
    matrix = _expanded(suite, oracle, surfaces=surfaces)
    matrix.require_cells()
    return matrix


def _expanded(suite: Suite, oracle: Oracle, *, surfaces: Collection[str]) -> Matrix:
    levels = levels_of(suite, catalog=oracle.catalog, surfaces=surfaces)
    groups = Groups(suite, oracle, levels=levels)
    subjects = Subjects(oracle.catalog, time=suite.time)
    shared = Shared(suite, catalog=oracle.catalog.name, levels=levels, groups=groups, subjects=subjects)
    note = ""
    if suite.strength is not None:
        layout = Layout(suite, levels=levels, groups=groups, dense=False)
        space = Space(layout)
        if suite.strength < len(space.spanned):
            rows = cover(space, strength=suite.strength)
            picked = array("Q", sorted(space.number_of(row) for row in rows))
            return Matrix(suite, oracle, layout=layout, shared=shared, space=space, picked=picked)
        note = f"strength {suite.strength} asked for, but only {len(space.spanned)} axes have more than one value"
    layout = Layout(suite, levels=levels, groups=groups)
    return Matrix(suite, oracle, layout=layout, shared=shared, space=Space(layout), note=note)
