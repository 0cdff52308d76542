"""The matrix of a suite: every cell it asks for, numbered, made only when asked for, the same on every machine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from plangate.documents.suite import Suite
from plangate.matrix.blocks import Block, Shared
from plangate.matrix.cell import Cell
from plangate.matrix.groups import Groups
from plangate.matrix.layout import Layout
from plangate.matrix.levels import levels_of
from plangate.matrix.subjects import Subjects

if TYPE_CHECKING:
    from plangate.entitlements.oracle import Oracle

__all__ = ["Matrix", "expand"]

_BLOCKS_MAX = 1_024
_WEIGHT_MAX = 32_768
"""Blocks kept for cells asked for out of order, and the outer values they may keep among them: about 10 MB."""


class Matrix:
    """The cells of one suite over one catalog. Never held in memory: a cell is made from its number."""

    def __init__(self, suite: Suite, oracle: Oracle, *, layout: Layout, shared: Shared) -> None:
        self.suite, self.oracle = suite, oracle
        self._layout, self._shared = layout, shared
        self._blocks: dict[int, Block] = {}

    def __len__(self) -> int:
        return len(self._layout)

    def __iter__(self) -> Iterator[Cell]:
        """Every cell in forward order, lazily."""
        return self.cells(range(len(self)))

    def cells(self, numbers: Iterable[int]) -> Iterator[Cell]:
        """The cells of these numbers, in this order, lazily. Raises IndexError for a number that no cell has."""
        first = last = 0
        make = None
        for number in numbers:
            if make is None or not first <= number < last:
                # A neighbour is walked to in order and not come back to: keeping it would only feed the collector.
                neighbour = make is not None and number in (last, first - 1)
                block = Block(self._shared, self._layout.place_of(number)) if neighbour else self._block_of(number)
                first, last, make = block.first, block.last, block.cell
            yield make(number)

    def cell(self, number: int) -> Cell:
        """One cell. Raises IndexError for a number that no cell has."""
        return self._block_of(number).cell(number)

    def find(self, digest: bytes) -> Cell | None:
        """The cell with this digest (10 bytes), or None. Looks at every cell: about 4 s for a million."""
        return next((cell for cell in self if cell.digest == digest), None)

    def _block_of(self, number: int) -> Block:
        place = self._layout.place_of(number)
        block = self._blocks.get(place.first)
        if block is None:
            if len(self._blocks) >= _BLOCKS_MAX or self._shared.weight >= _WEIGHT_MAX:
                self._blocks.clear()
                self._shared.weight = 0
            block = self._blocks[place.first] = Block(self._shared, place)
        return block


def expand(suite: Suite, oracle: Oracle, *, surfaces: Collection[str]) -> Matrix:
    """The matrix that `suite` asks for, over the oracle's catalog.

    `surfaces` are the names of the environment's targets. Raises InputError: `surface-without-target`,
    `unknown-axis-value`, `unknown-axis-word`, `ambiguous-axis-value`, `unknown-axis`, `matrix-too-large`.
    """
    levels = levels_of(suite, catalog=oracle.catalog, surfaces=surfaces)
    groups = Groups(suite, oracle, levels=levels)
    shared = Shared(suite, catalog=oracle.catalog.name, levels=levels, groups=groups, subjects=Subjects(oracle.catalog))
    return Matrix(suite, oracle, layout=Layout(suite, levels=levels, groups=groups), shared=shared)
