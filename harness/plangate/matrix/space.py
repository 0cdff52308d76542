"""All the cells a suite could have, as a few kinds of blocks: what t-way coverage chooses from, and its measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from plangate.documents.suite import AXES
from plangate.matrix.cell import AxisValue
from plangate.matrix.constraints import axis_text
from plangate.matrix.existence import Kind
from plangate.matrix.layout import Layout

__all__ = ["GLOBAL", "Row", "Space"]

GLOBAL = 3
"""Axes plan, state and capability choose a block; the others lie within it."""

Row = tuple[int, ...]
"""A value for each axis of AXES, as its index in `Space.values`."""


class Space:
    """Axes go by position in AXES, values by their index in `values`. Everything is computed when first asked for."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @cached_property
    def _found(self) -> Mapping[tuple[int, int, int], Kind]:
        """Kind of each block that has a cell, by the layout's indices of plan, state and capability."""
        kinds: dict[tuple[int, int], Kind] = {}
        found: dict[tuple[int, int, int], Kind] = {}
        for place in self._layout.places():
            key = (id(place.group.shape), place.mask)
            kind = kinds.get(key)
            if kind is None:
                masks = self._layout.local_masks(place.group.shape, place.mask)
                kind = kinds[key] = Kind(place.group.shape, masks)
            if kind.count:
                found[place.plan, place.state, place.capability] = kind
        return found

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of blocks, in order of appearance."""
        return tuple(dict.fromkeys(self._found.values()))

    @cached_property
    def count(self) -> int:
        """How many cells the space has."""
        return sum(kind.count for kind in self._found.values())

    @cached_property
    def values(self) -> tuple[tuple[AxisValue, ...], ...]:
        """For each axis of AXES, the values that some cell has: as asked for, then in order of appearance."""
        levels = self._layout.levels
        chosen: list[tuple[AxisValue, ...]] = []
        for position, names in enumerate((levels.plans, levels.states, levels.capabilities)):
            used = {block[position] for block in self._found}
            chosen.append(tuple(name for index, name in enumerate(names) if index in used))
        for position in range(len(AXES) - GLOBAL):
            met = (kind.shape.axes[position][index] for kind in self.kinds for (index,) in kind.tuples((position,)))
            chosen.append(tuple(dict.fromkeys(met)))
        return tuple(chosen)

    @cached_property
    def spanned(self) -> tuple[int, ...]:
        """Positions of the axes with more than one value."""
        return tuple(position for position, values in enumerate(self.values) if len(values) > 1)

    @cached_property
    def index(self) -> tuple[Mapping[AxisValue, int], ...]:
        """For each axis: value -> its index in `values`."""
        return tuple({value: number for number, value in enumerate(values)} for values in self.values)

    @cached_property
    def blocks(self) -> Mapping[Row, Kind]:
        """Kind of each block that has a cell, by plan, state and capability."""
        levels = self._layout.levels
        named = (levels.plans, levels.states, levels.capabilities)
        to_index = [[index.get(name, -1) for name in names] for index, names in zip(self.index, named, strict=False)]
        plans, states, capabilities = to_index
        return {(plans[p], states[s], capabilities[c]): kind for (p, s, c), kind in self._found.items()}

    @cached_property
    def inner(self) -> Mapping[Kind, tuple[Mapping[int, int], ...]]:
        """For each kind and axis within a block: index in `values` -> index in the kind's own axis."""
        return {
            kind: tuple(
                {index[name]: own for own, name in enumerate(axis) if name in index}
                for index, axis in zip(self.index[GLOBAL:], kind.shape.axes, strict=True)
            )
            for kind in self.kinds
        }

    def possible(self, positions: tuple[int, ...]) -> dict[Row, None]:
        """Every combination of values on these axes (ascending) that some cell has, in a fixed order."""
        outer = [position for position in positions if position < GLOBAL]
        within = tuple(position - GLOBAL for position in positions if position >= GLOBAL)
        heads = dict.fromkeys((tuple(block[at] for at in outer), kind) for block, kind in self.blocks.items())
        tails = {kind: self._tails(kind, within) for kind in self.kinds}
        return {(*head, *tail): None for head, kind in heads for tail in tails[kind]}

    def _tails(self, kind: Kind, within: tuple[int, ...]) -> list[Row]:
        names = [[self.index[at + GLOBAL].get(value, -1) for value in kind.shape.axes[at]] for at in within]
        return [tuple(axis[value] for axis, value in zip(names, row, strict=True)) for row in kind.tuples(within)]

    def allows(self, kind: Kind, chosen: Mapping[int, int]) -> bool:
        """Whether a block of this kind has a cell with these values on axes within it."""
        inner = self.inner[kind]
        own = {at - GLOBAL: inner[at - GLOBAL].get(value) for at, value in chosen.items()}
        known = {at: value for at, value in own.items() if value is not None}
        return len(known) == len(own) and kind.completes(known)

    def has(self, row: Sequence[int]) -> bool:
        """Whether a cell with these values exists."""
        kind = self.blocks.get(tuple(row[:GLOBAL]))
        return kind is not None and self.allows(kind, dict(enumerate(row[GLOBAL:], GLOBAL)))

    def indices(self, axes: Sequence[AxisValue]) -> Row:
        """Values as indices; -1 for a value that no cell has."""
        return tuple(index.get(value, -1) for index, value in zip(self.index, axes, strict=True))

    def number_of(self, row: Row) -> int:
        """Place of a cell in a layout that is not dense."""
        levels = self._layout.levels
        axes = [values[value] for values, value in zip(self.values, row, strict=True)]
        block = [
            list(names).index(str(name))
            for names, name in zip((levels.plans, levels.states, levels.capabilities), axes[:GLOBAL], strict=True)
        ]
        kind, inner, offset = self.blocks[row[:GLOBAL]], self.inner[self.blocks[row[:GLOBAL]]], 0
        for at, axis in enumerate(kind.shape.axes):
            offset = offset * len(axis) + inner[at][row[at + GLOBAL]]
        return self._layout.first_of(*block) + offset

    def describe(self, positions: Sequence[int], values: Sequence[int]) -> str:
        """A combination in words: `plan=free, usage=zero`."""
        return ", ".join(
            f"{AXES[position]}={axis_text(self.values[position][value])}"
            for position, value in zip(positions, values, strict=True)
        )
