"""Few cells in which every combination of t axes still occurs: chosen greedily, the same on every machine.

A row begins with a combination that no row has yet, then takes on each further axis the value that completes most of
those that are left. Every step asks the space whether a cell like this exists, so no row is ever thrown away. Why this
is not a library: decision 7.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product

from plangate.documents.suite import AXES
from plangate.errors import InputError
from plangate.matrix.existence import Kind
from plangate.matrix.space import GLOBAL, Row, Space

__all__ = ["COMBINATIONS_MAX", "cover"]

COMBINATIONS_MAX = 2_000_000
"""Combinations of t axes that a suite may have; each costs about half a kilobyte while rows are chosen."""

_CANDIDATES = 2
"""Rows that are tried for each that is taken: twice as many make 1% fewer rows in twice the time."""

_Seed = tuple[tuple[int, ...], Row]
"""Positions of axes, and a value for each."""


def cover(space: Space, *, strength: int, combinations_max: int = COMBINATIONS_MAX) -> list[Row]:
    """Rows that cover every possible combination of `strength` axes.

    Raises InputError (`matrix-too-large`) beyond `combinations_max` combinations.
    """
    left = _Left(space, strength, combinations_max=combinations_max)
    rows: list[Row] = []
    while seeds := left.seeds(_CANDIDATES):
        grown = [_Growth(space, left, seed).row() for seed in seeds]
        best = max(grown, key=left.gain)  # the first of the best
        left.take(best)
        rows.append(best)
    return rows


class _Left:
    """The combinations that no row has yet, and by any t-1 of their values, which values would complete one."""

    def __init__(self, space: Space, strength: int, *, combinations_max: int) -> None:
        self.strength = strength
        self.votes: dict[tuple[int, tuple[int, ...], Row], dict[int, None]] = {}
        self.used = [[0] * len(values) for values in space.values]
        """How many rows have each value: where votes are equal, the rarest is taken."""
        self._wanted: dict[tuple[int, ...], dict[Row, None]] = {}
        count = 0
        for positions in combinations(space.spanned, strength):
            wanted = self._wanted[positions] = space.possible(positions)
            count += len(wanted)
            if count > combinations_max:
                raise InputError(
                    f"more than {combinations_max:,} combinations of {strength} axes",
                    code="matrix-too-large",
                    hint="use a smaller strength, or span fewer axes",
                )
            for values in wanted:
                for at, position in enumerate(positions):
                    self.votes.setdefault((position, *_without(at, positions, values)), {})[values[at]] = None

    def seeds(self, count: int) -> list[_Seed]:
        """Combinations that are left, one each of the axes that have most of them; empty = nothing is left."""
        ranked = sorted(self._wanted.items(), key=lambda item: -len(item[1]))
        return [(positions, next(iter(wanted))) for positions, wanted in ranked[:count] if wanted]

    def gain(self, row: Row) -> int:
        """How many of the combinations left a row has."""
        return sum(tuple(row[at] for at in positions) in wanted for positions, wanted in self._wanted.items())

    def take(self, row: Row) -> None:
        """Strike off all that a row has."""
        for position, value in enumerate(row):
            self.used[position][value] += 1
        for positions, wanted in self._wanted.items():
            values = tuple(row[position] for position in positions)
            if values in wanted:
                del wanted[values]
                for at, position in enumerate(positions):
                    del self.votes[position, *_without(at, positions, values)][values[at]]


def _without(at: int, positions: tuple[int, ...], values: Row) -> tuple[tuple[int, ...], Row]:
    return positions[:at] + positions[at + 1 :], values[:at] + values[at + 1 :]


class _Growth:
    """A row that is being chosen: axis by axis, plan, state and capability first."""

    def __init__(self, space: Space, left: _Left, seed: _Seed) -> None:
        self._space, self._left = space, left
        self._chosen: dict[int, int] = dict(zip(*seed, strict=True))

    def row(self) -> Row:
        """The whole row that begins with the seed, which some cell must have."""
        within = self._within()
        holds = {kind: self._space.allows(kind, within) for kind in self._space.kinds}
        for position in range(GLOBAL):
            if position not in self._chosen:
                ranked = self._ranked(position)
                self._chosen[position] = next(value for value in ranked if self._leads(position, value, holds))
        kind = self._space.blocks[tuple(self._chosen[position] for position in range(GLOBAL))]
        for position in self._open(kind):
            self._chosen[position] = next(self._fitting(kind, position))
        return tuple(self._chosen[position] for position in range(len(AXES)))

    def _within(self) -> dict[int, int]:
        return {position: value for position, value in self._chosen.items() if position >= GLOBAL}

    def _open(self, kind: Kind) -> Sequence[int]:
        """Axes within the block that have no value yet, those with most to choose from first."""
        still = [position for position in range(GLOBAL, len(AXES)) if position not in self._chosen]
        return sorted(still, key=lambda position: -len(kind.shape.axes[position - GLOBAL]))

    def _ranked(self, position: int) -> list[int]:
        """Values of an axis, those first that complete most combinations with what is chosen."""
        used = self._left.used[position]
        tally = [0] * len(used)
        for others in combinations(sorted(self._chosen), self._left.strength - 1):
            rest = tuple(self._chosen[other] for other in others)
            for value in self._left.votes.get((position, others, rest), ()):
                tally[value] += 1
        return sorted(range(len(tally)), key=lambda value: (-tally[value], used[value]))

    def _fitting(self, kind: Kind, position: int) -> Iterator[int]:
        within, own = self._within(), self._space.inner[kind][position - GLOBAL]
        return (
            value
            for value in self._ranked(position)
            if value in own and self._space.allows(kind, {**within, position: value})
        )

    def _leads(self, position: int, value: int, holds: Mapping[Kind, bool]) -> bool:
        """Whether a block with this value can hold what is chosen within it."""
        chosen = {**self._chosen, position: value}
        options = ((chosen[at],) if at in chosen else range(len(self._space.values[at])) for at in range(GLOBAL))
        kinds = (self._space.blocks.get(block) for block in product(*options))
        return any(kind is not None and holds[kind] for kind in kinds)
