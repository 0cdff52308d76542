"""Suite: which cells are computed, how often they are observed, and how they are judged (documents.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from plangate.documents.environment import Json
from plangate.documents.positions import Positions

__all__ = ["AXES", "AxisSpec", "Determinism", "JudgeMode", "Order", "Suite"]

AXES: tuple[str, ...] = (
    "plan",
    "state",
    "capability",
    "surface",
    "usage",
    "setting",
    "addon",
    "quantity",
    "consent",
    "linked",
    "override",
    "cost",
    "phrasing",
)
"""Every axis, in the order in which cells are expanded (last varies fastest)."""


class Order(StrEnum):
    """In which order a pass walks the cells."""

    FORWARD = "forward"
    REVERSE = "reverse"
    SHUFFLED = "shuffled"


class JudgeMode(StrEnum):
    """Whether a reason must be right, or only the effect."""

    EXACT = "exact"
    EFFECT_ONLY = "effect-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisSpec:
    """What a suite asks of one axis: a word (`all`, `boundary`, ...), a list of values, or a file of phrasings."""

    word: str | None = None
    values: tuple[str | int | bool | None, ...] = ()
    """Null only for `quantity`: a flat rate, without seats."""
    file: str | None = None
    """Relative to `evals/`; only for `phrasing`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Determinism:
    """How a suite proves that decisions repeat.

    Each cell is observed `repeats` times in all, once in each pass. Pass i takes the i-th order, concurrency level and
    fresh process of these lists, round robin.
    """

    repeats: int = 2
    orders: tuple[Order, ...] = (Order.FORWARD,)
    concurrency: tuple[int, ...] = (8,)
    processes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A versioned question about an app."""

    name: str
    version: int
    type: str
    covers: tuple[str, ...] = ()
    catalog: str | None = None
    """Name of the plan catalog it spans; needed only where a release pins several."""
    axes: Mapping[str, AxisSpec]
    strength: int | None = None
    """None = exhaustive; t = every combination of t axes at least once."""
    exclude: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    """Each entry drops the cells that match all its axes; a value `*` matches any."""
    determinism: Determinism = Determinism()
    judge: JudgeMode = JudgeMode.EXACT
    seed: int = 0
    time: str = "2026-01-01T00:00:00Z"
    """The instant requests carry (`context.time`): fixed, so that the same suite asks the same on any day."""
    phrasings: tuple[str, ...] = ()
    """The lines of the phrasing file, read with the suite."""
    raw: Mapping[str, Json] = field(default_factory=dict, compare=False, repr=False)
    positions: Positions = field(default=Positions(""), compare=False, repr=False)

    def axis(self, name: str) -> AxisSpec | None:
        """The axis as the suite asks for it, or None where it takes its normal value."""
        return self.axes.get(name)
