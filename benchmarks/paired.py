"""Rounds in turn (A B A B ...), and what they say together: the median of the ratios of each round.

A busy machine slows both sides of a round alike, so the ratio within a round holds where either figure alone does not.
The best of each side would compare a lucky moment of one with a lucky moment of the other.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Spread", "in_turn", "ratios"]

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, with the least and the most of them."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Raises StatisticsError where there is no value."""
        found = sorted(values)
        return cls(statistics.median(found), found[0], found[-1])

    def told(self, form: str, unit: str = "") -> str:
        """`0.55 x (0.51 to 0.60)`, each number in this form; the median alone where all look alike."""
        median, least, most = (format(value, form) for value in (self.median, self.least, self.most))
        return f"{median}{unit}" if least == most else f"{median}{unit} ({least} to {most})"


def in_turn(rounds: int, sides: Mapping[str, Callable[[], _Found]]) -> list[dict[str, _Found]]:
    """Call each side once in every round, one after the other, in this order."""
    return [{name: call() for name, call in sides.items()} for _ in range(rounds)]


def ratios(rounds: Sequence[Mapping[str, Mapping[str, float]]], over: str, under: str, *, by: str) -> Spread:
    """Of each round, what `by` measured of one side divided by what it measured of the other."""
    return Spread.of(one[over][by] / one[under][by] for one in rounds)
