"""The cells of a suite from pass to pass: made once where they are few enough to be held, else anew for each pass."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Final

from plangate.engine.plan import CellMatrix
from plangate.matrix.cell import Cell

__all__ = ["CELLS_MAX", "CellCache", "worth_holding"]

CELLS_MAX: Final = 32_768
"""Cells held at the most: 300 bytes each, 10 MB. A larger matrix is not held at all: memory stays flat as it grows."""


def worth_holding(matrix: CellMatrix, *, passes: int, cells_max: int = CELLS_MAX) -> bool:
    """Whether cells are asked for again, and few enough to be held until then."""
    return passes > 1 and len(matrix) <= cells_max


class CellCache:
    """Cells of one matrix. A pass that shuffles pays most for making them: what lies side by side shares its pieces."""

    def __init__(
        self, matrix: CellMatrix, *, passes: int, cells_max: int = CELLS_MAX, made: dict[int, Cell] | None = None
    ) -> None:
        """`made` are cells that were made before, by number."""
        self._matrix = matrix
        few = worth_holding(matrix, passes=passes, cells_max=cells_max)
        self._cells: dict[int, Cell] | None = ({} if made is None else made) if few else None
        self.prepared: dict[int, object] | None = {} if few else None
        """What drivers made of cells beforehand, by the cell's number; None where the next pass makes it anew."""

    def in_order(self, numbers: Iterator[int]) -> Iterator[Cell]:
        """The cells of these numbers, in this order."""
        held = self._cells
        if held is None:
            return self._matrix.cells(numbers)
        asked = array("I", numbers)
        missing = sorted(number for number in asked if number not in held)
        held.update(zip(missing, self._matrix.cells(iter(missing)), strict=True))
        return map(held.__getitem__, asked)
