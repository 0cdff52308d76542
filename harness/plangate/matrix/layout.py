"""Where each cell lies: blocks of one plan, state and capability in forward order, and how many cells each has."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from plangate.documents.suite import Suite
from plangate.errors import InputError
from plangate.matrix.constraints import LOCAL_AXES, Exclusions, Pattern
from plangate.matrix.groups import Group, Groups, Shape
from plangate.matrix.levels import Levels

__all__ = ["BLOCKS_MAX", "Layout", "Place"]

BLOCKS_MAX = 1 << 22
"""Plans x states x capabilities; each costs eight bytes."""


class Place(NamedTuple):
    """One block: indices of its plan, state and capability, what it is made of, and the number of its first cell."""

    plan: int
    state: int
    capability: int
    group: Group
    pattern: Pattern
    mask: int
    """Rules of the suite that may still exclude cells of the block."""
    first: int


class Layout:
    """Numbers cells without building any: densely over those that exist, or with `dense=False` over all places.

    Raises InputError (`matrix-too-large`) beyond BLOCKS_MAX blocks, and what `Exclusions` and `Pattern` raise.
    """

    def __init__(self, suite: Suite, *, levels: Levels, groups: Groups, dense: bool = True) -> None:
        self.levels = levels
        self.exclusions = Exclusions(suite)
        self._dense = dense
        self._states, self._capabilities = len(levels.states), len(levels.capabilities)
        blocks = len(levels.plans) * self._states * self._capabilities
        if blocks > BLOCKS_MAX:
            raise InputError(
                f"{blocks:,} combinations of plan, state and capability; the most is {BLOCKS_MAX:,}",
                code="matrix-too-large",
                where=str(suite.positions.of("matrix", "axes")),
                hint="list the plans or capabilities of interest, or split the suite",
            )
        self._groups = [groups.of(plan, capability=name) for plan in levels.plans for name in levels.capabilities]
        self._plan_masks = self.exclusions.masks("plan", levels.plans)
        self._state_masks = self.exclusions.masks("state", levels.states)
        self._capability_masks = self.exclusions.masks("capability", levels.capabilities)
        self._patterns: dict[tuple[int, int], Pattern] = {}
        self._alike: dict[object, Pattern] = {}
        self._firsts = self._numbered()

    def __len__(self) -> int:
        return self._firsts[-1]

    def place_of(self, number: int) -> Place:
        """The block that the cell of this number lies in. Raises IndexError beyond the last cell."""
        if not 0 <= number < self._firsts[-1]:
            raise IndexError(f"cell {number} of {self._firsts[-1]}")
        return self.place(bisect_right(self._firsts, number) - 1)

    def place(self, index: int) -> Place:
        """The block at `index` in forward order, empty ones included."""
        rest, capability = divmod(index, self._capabilities)
        plan, state = divmod(rest, self._states)
        group = self._groups[plan * self._capabilities + capability]
        mask = self._plan_masks[plan] & self._state_masks[state] & self._capability_masks[capability]
        return Place(plan, state, capability, group, self._pattern(group.shape, mask), mask, self._firsts[index])

    @property
    def asked(self) -> Mapping[str, Sequence[object]]:
        """The values of each axis that does not depend on others."""
        levels = self.levels
        return {
            "plan": levels.plans,
            "state": levels.states,
            "capability": levels.capabilities,
            "surface": levels.surfaces,
            "quantity": levels.quantities,
            "linked": levels.linked,
            "cost": levels.costs,
            "phrasing": levels.phrasings,
        }

    def first_of(self, plan: int, state: int, capability: int) -> int:
        """Number of the first cell of a block."""
        return self._firsts[(plan * self._states + state) * self._capabilities + capability]

    def places(self) -> Iterator[Place]:
        """Every block that has a cell, in forward order."""
        for index in range(len(self._firsts) - 1):
            if self._firsts[index] < self._firsts[index + 1]:
                yield self.place(index)

    def _numbered(self) -> array[int]:
        firsts = array("Q", [0])
        total = 0
        for plan, plan_mask in enumerate(self._plan_masks):
            groups = self._groups[plan * self._capabilities : (plan + 1) * self._capabilities]
            for state_mask in self._state_masks:
                both = plan_mask & state_mask
                for group, mask in zip(groups, self._capability_masks, strict=True):
                    total += self._pattern(group.shape, both & mask).size
                    firsts.append(total)
        return firsts

    def _pattern(self, shape: Shape, mask: int) -> Pattern:
        key = (id(shape), mask)
        pattern = self._patterns.get(key)
        if pattern is None:
            masks = self.local_masks(shape, mask)
            usable = shape.usable
            if not self._dense:
                masks, usable = tuple((0,) * len(axis) for axis in masks), None
            alike = (masks, usable)
            if alike not in self._alike:
                self._alike[alike] = Pattern.of(masks, usable=usable)
            pattern = self._patterns[key] = self._alike[alike]
        return pattern

    def local_masks(self, shape: Shape, mask: int) -> tuple[tuple[int, ...], ...]:
        """For each local axis and value, the rules of `mask` that it may still match."""
        return tuple(
            tuple(one & mask for one in self.exclusions.masks(axis, values))
            for axis, values in zip(LOCAL_AXES, shape.axes, strict=True)
        )
