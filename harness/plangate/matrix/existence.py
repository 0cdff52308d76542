"""Which values can meet in a cell, found without walking through the cells: what t-way coverage is measured against.

Within a block, values are independent but for two things: a usage point exists only for some add-ons, quantities and
costs, and the suite's `exclude` rules. Both are small, so every question here is answered from them alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import product

from plangate.matrix.groups import Shape

__all__ = ["Kind"]

_TIED = (1, 3, 4, 8)
"""Positions of usage, addon, quantity and cost, which exist together or not."""
_FREE = (0, 2, 5, 6, 7, 9)
"""Positions of the local axes that no usage point depends on."""


class Kind:
    """Blocks that are alike in what their cells can be. Local axes go by position, values by index."""

    def __init__(self, shape: Shape, masks: tuple[tuple[int, ...], ...]) -> None:
        self.shape, self._masks = shape, masks
        self._masked = all(any(axis) for axis in masks)

    @cached_property
    def _together(self) -> tuple[tuple[tuple[int, ...], int], ...]:
        """Usage, add-ons, quantity and cost that exist together, and the rules that they may still match."""
        usages, *others = (range(len(self.shape.axes[at])) for at in _TIED)
        usable, masks = self.shape.usable, [self._masks[at] for at in _TIED]
        return tuple(
            (indices, _joined(mask[index] for mask, index in zip(masks, indices, strict=True)))
            for usage in usages
            for place, rest in enumerate(product(*others))
            if usable is None or usable[usage][place]
            for indices in ((usage, *rest),)
        )

    @cached_property
    def count(self) -> int:
        """How many cells a block of this kind has."""
        reached: dict[int, int] = {}
        for _, mask in self._together:
            reached[mask] = reached.get(mask, 0) + 1
        for position in _FREE:
            following: dict[int, int] = {}
            for (mask, number), value in product(reached.items(), self._masks[position]):
                following[mask & value] = following.get(mask & value, 0) + number
            reached = following
        # A cell that some rule matches on every axis is excluded.
        return reached.get(0, 0)

    def tuples(self, positions: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Every combination of values on these axes (ascending positions) that some cell of such a block has."""
        order = [position for position in (*_TIED, *_FREE) if position in positions]
        reached: dict[tuple[int, ...], set[int]] = {}
        kept = [number for number, position in enumerate(_TIED) if position in positions]
        for indices, mask in self._together:
            reached.setdefault(tuple(indices[number] for number in kept), set()).add(mask)
        for position in _FREE:
            masks = self._masks[position]
            if position in positions:
                reached = {
                    (*values, value): {one & mask for one in met}
                    for values, met in reached.items()
                    for value, mask in enumerate(masks)
                }
            else:
                distinct = set(masks)
                reached = {values: {one & mask for one in met for mask in distinct} for values, met in reached.items()}
        rank = [order.index(position) for position in positions]
        return [tuple(values[place] for place in rank) for values, met in reached.items() if 0 in met]

    def completes(self, partial: Mapping[int, int]) -> bool:
        """Whether some cell of such a block has these values (position -> index)."""
        if not self._masked:
            return self.shape.usable is None or self._meets(partial)
        met = {
            mask
            for indices, mask in self._together
            if all(partial.get(position, value) == value for position, value in zip(_TIED, indices, strict=True))
        }
        for position in _FREE:
            masks = self._masks[position]
            values = set(masks) if position not in partial else {masks[partial[position]]}
            met = {one & mask for one in met for mask in values}
        return 0 in met

    def _meets(self, partial: Mapping[int, int]) -> bool:
        """Whether some usage point, add-ons, quantity and cost exist together that have these values."""
        usable = self.shape.usable or ()
        sizes = [len(self.shape.axes[at]) for at in _TIED]
        options = [range(size) if at not in partial else (partial[at],) for at, size in zip(_TIED, sizes, strict=True)]
        _, _, quantities, costs = sizes
        return any(
            usable[usage][(addon * quantities + quantity) * costs + cost]
            for usage, addon, quantity, cost in product(*options)
        )


def _joined(masks: Iterable[int]) -> int:
    joined = -1
    for mask in masks:
        joined &= mask
    return joined
