"""Cells are made once for all passes where they are few, and never held where they are many."""

from __future__ import annotations

from collections.abc import Iterator

from plangate.engine.cell_cache import CellCache
from plangate.matrix.cell import Cell
from tests.engine.fakes import cells


class Matrix:
    """Makes a new cell each time it is asked for one, and remembers which."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.made: list[int] = []

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Cell]:
        return self.cells(iter(range(self.size)))

    def cells(self, numbers: Iterator[int]) -> Iterator[Cell]:
        for number in numbers:
            self.made.append(number)
            yield cells(number + 1)[number]


def numbers_of(found: Iterator[Cell]) -> list[int]:
    return [cell.number for cell in found]


def test_cells_that_were_made_for_the_expected_set_are_not_made_anew() -> None:
    matrix = Matrix(4)
    made = {cell.number: cell for cell in matrix}
    cache = CellCache(matrix, passes=2, made={number: made[number] for number in (0, 1, 3)})
    assert numbers_of(cache.in_order(iter([3, 2, 1, 0]))) == [3, 2, 1, 0]
    assert matrix.made == [0, 1, 2, 3, 2]


def test_a_later_pass_makes_no_cell_anew_and_keeps_its_own_order() -> None:
    matrix = Matrix(6)
    cache = CellCache(matrix, passes=2)
    assert numbers_of(cache.in_order(iter([5, 0, 3, 1, 4, 2]))) == [5, 0, 3, 1, 4, 2]
    assert numbers_of(cache.in_order(iter(range(6)))) == [0, 1, 2, 3, 4, 5]
    assert sorted(matrix.made) == [0, 1, 2, 3, 4, 5]


def test_only_cells_that_are_asked_for_are_made() -> None:
    matrix = Matrix(6)
    cache = CellCache(matrix, passes=3)
    assert numbers_of(cache.in_order(iter([4, 1]))) == [4, 1]
    assert numbers_of(cache.in_order(iter([1, 2, 4]))) == [1, 2, 4]
    assert sorted(matrix.made) == [1, 2, 4]


def test_a_matrix_beyond_the_limit_is_made_anew_for_each_pass_and_never_held() -> None:
    matrix = Matrix(6)
    cache = CellCache(matrix, passes=2, cells_max=5)
    first = cache.in_order(iter(range(6)))
    assert matrix.made == []
    assert next(first).number == 0
    assert matrix.made == [0]
    assert numbers_of(cache.in_order(iter(range(6)))) == [0, 1, 2, 3, 4, 5]
    assert matrix.made == [0, 0, 1, 2, 3, 4, 5]


def test_a_single_pass_holds_nothing() -> None:
    matrix = Matrix(6)
    found = CellCache(matrix, passes=1).in_order(iter(range(6)))
    next(found)
    assert matrix.made == [0]
