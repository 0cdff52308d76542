"""The fewest boxes that hold the failing cells and no others."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from plangate.reports.boxes import BOXES_MAX, explain

GRID = dict.fromkeys(itertools.product("abc", "xyz", (1, 2, 3)), 1)


def boxes(failing, universe=GRID):
    return explain(dict.fromkeys(failing, 1), universe, telling=(0, 1, 2), split_by=(0, 1, 2))


def test_all_cells_are_one_box_without_bounds() -> None:
    (box,) = boxes(GRID)
    assert box.whole
    assert box.bounds == ()


def test_a_column_is_one_box_bound_by_its_value() -> None:
    (box,) = boxes([cell for cell in GRID if cell[1] == "y"])
    assert box.whole
    assert box.bounds == ((1, frozenset("y")),)


def test_a_bound_that_follows_from_another_is_left_out() -> None:
    # Wherever the first axis is "a", the second is "x": saying both would explain nothing more.
    universe = {cell: 1 for cell in GRID if cell[0] != "a" or cell[1] == "x"}
    (box,) = boxes([cell for cell in universe if cell[0] == "a"], universe)
    assert box.bounds == ((0, frozenset("a")),)


def test_two_places_are_two_boxes() -> None:
    found = boxes([cell for cell in GRID if cell[:2] in {("a", "x"), ("b", "y")}])
    assert sorted(sorted({cell[:2] for cell in box.coordinates}) for box in found) == [[("a", "x")], [("b", "y")]]
    assert all(box.whole for box in found)


def test_cells_are_parted_only_by_axes_that_may_part_them() -> None:
    failing = dict.fromkeys((cell for cell in GRID if cell[:2] in {("a", "x"), ("b", "y")}), 1)
    (box,) = explain(failing, GRID, telling=(0, 1, 2), split_by=(2,))
    assert not box.whole


def test_values_that_fail_alike_share_a_box() -> None:
    found = boxes([cell for cell in GRID if cell[:2] in {("a", "x"), ("b", "x"), ("c", "y")}])
    assert sorted(len(box.coordinates) for box in found) == [3, 6]


def test_cells_without_a_pattern_are_one_box_that_does_not_claim_to_explain() -> None:
    (box,) = boxes([cell for number, cell in enumerate(GRID) if number % 5 in (0, 3)])
    assert not box.whole


@given(st.sets(st.sampled_from(sorted(GRID, key=str)), min_size=1))
def test_every_cell_is_in_exactly_one_box_and_whole_boxes_hold_nothing_else(failing) -> None:
    found = boxes(failing)
    assert len(found) <= BOXES_MAX
    assert sorted((cell for box in found for cell in box.coordinates), key=str) == sorted(failing, key=str)
    for box in found:
        inside = {cell for cell in GRID if all(cell[axis] in held for axis, held in box.bounds)}
        assert set(box.coordinates) <= inside
        assert not box.whole or inside == set(box.coordinates)
