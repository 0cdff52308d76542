"""Which axes explain a set of failing cells: the fewest boxes of axis values that hold those cells and no others.

A box is a set of values for each axis. Cells that fail alike are compared with all cells for which the same decision
was due: where every cell inside the box around them fails, the box explains them ("plan free, report.export"). Where
that is not so, the cells are split along the one axis that gives the fewest boxes that do explain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from plangate.matrix.cell import AxisValue

__all__ = ["BOXES_MAX", "Bounds", "Box", "Coordinate", "cells_inside", "explain"]

Coordinate = tuple[AxisValue, ...]
"""A value for each axis that is looked at, in one fixed order."""

Bounds = tuple[tuple[int, frozenset[AxisValue]], ...]
"""(axis index, the values that belong) for each axis that matters."""

BOXES_MAX = 6
"""Beyond this many boxes one list reads better than many causes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Failing coordinates that belong together."""

    coordinates: tuple[Coordinate, ...]
    whole: bool
    """Whether every cell inside the box failed: then the box is the explanation, not only a description."""
    bounds: Bounds
    """(axis index, values) for each axis on which the box holds fewer values than the cells it is compared with; of a
    whole box only those that it takes to tell it from the rest."""


def explain(
    failing: Mapping[Coordinate, int],
    universe: Mapping[Coordinate, int],
    *,
    telling: Sequence[int],
    split_by: Sequence[int] = (),
) -> tuple[Box, ...]:
    """The boxes that hold `failing` (cells by coordinate) within `universe` (all cells for which the same was due).

    `telling` lists axis indices, the one that says most to a reader first: its bounds are kept longest. Only axes in
    `split_by` may part cells. Every failing coordinate is in exactly one box. Returns one box with `whole` False where
    at most BOXES_MAX whole ones cannot be found.
    """
    if not failing:
        return ()
    values = _values(failing)
    bounds = _bounds(values, _values(universe))
    cells = sum(failing.values())
    if cells == cells_inside(universe, bounds):
        needed = _needed(bounds, universe, cells=cells, telling=telling)
        return (Box(coordinates=tuple(failing), whole=True, bounds=needed),)
    best: tuple[Box, ...] = ()
    for axis in split_by:
        boxes = (
            _split(failing, universe, axis=axis, telling=telling, split_by=split_by) if len(values[axis]) > 1 else ()
        )
        if boxes and (not best or len(boxes) < len(best)):
            best = boxes
    return best or (Box(coordinates=tuple(failing), whole=False, bounds=bounds),)


def _split(
    failing: Mapping[Coordinate, int],
    universe: Mapping[Coordinate, int],
    *,
    axis: int,
    telling: Sequence[int],
    split_by: Sequence[int],
) -> tuple[Box, ...]:
    """Whole boxes after a split by `axis`, values with the same profile kept together; empty where there are none."""
    parts: dict[AxisValue, dict[Coordinate, int]] = defaultdict(dict)
    for coordinate, count in failing.items():
        parts[coordinate[axis]][coordinate] = count
    groups: dict[object, dict[Coordinate, int]] = defaultdict(dict)
    for part in parts.values():
        values = _values(part)
        profile = tuple(frozenset(values[other]) for other in telling if other != axis)
        groups[profile].update(part)
    if not 1 < len(groups) <= BOXES_MAX:
        return ()
    further = [other for other in split_by if other != axis]
    boxes: list[Box] = []
    for group in groups.values():
        found = explain(group, universe, telling=telling, split_by=further)
        if not all(box.whole for box in found) or len(boxes) + len(found) > BOXES_MAX:
            return ()
        boxes.extend(found)
    return tuple(boxes)


def _needed(
    bounds: Bounds,
    universe: Mapping[Coordinate, int],
    *,
    cells: int,
    telling: Sequence[int],
) -> Bounds:
    """`bounds` without those that follow from the others; what tells least is dropped first."""
    place = {axis: number for number, axis in enumerate(telling)}
    needed = list(bounds)
    for bound in sorted(bounds, key=lambda one: -place.get(one[0], len(place) + one[0])):
        fewer = [one for one in needed if one is not bound]
        if cells_inside(universe, fewer) == cells:
            needed = fewer
    return tuple(needed)


def _values(coordinates: Iterable[Coordinate]) -> list[set[AxisValue]]:
    """Distinct values on each axis."""
    return [set(values) for values in zip(*coordinates, strict=True)]


def _bounds(inside: Sequence[set[AxisValue]], outside: Sequence[set[AxisValue]]) -> Bounds:
    return tuple(
        (axis, frozenset(values)) for axis, values in enumerate(inside) if len(values) < len(outside[axis] | values)
    )


def cells_inside(universe: Mapping[Coordinate, int], bounds: Iterable[tuple[int, frozenset[AxisValue]]]) -> int:
    """How many cells of `universe` lie within `bounds`."""
    return sum(
        count for coordinate, count in universe.items() if all(coordinate[axis] in held for axis, held in bounds)
    )
