"""What the engine says while it runs: typed events, consumed unseen by terminal, store and tests."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Event", "PassStarted", "Planned", "Progress", "RunEnded", "RunStarted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The run has a file and an id."""

    run: str
    environment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The expected set is computed and stored; nothing has been observed yet."""

    cells: int
    observations: int
    already: int
    """Observations that are there from before: of a resumed run, or taken from a cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassStarted:
    """A walk over the cells of a suite begins."""

    suite: str
    number: int
    passes: int
    order: str
    concurrency: int
    seed: int
    hash_seed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Stored until now. Counts are of observations of this invocation, for people; totals come from rows."""

    observed: int
    leaks: int
    others: int
    """Observations that were neither as expected nor a leak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """Nothing more is observed. `stopped` says why, where the run ended early."""

    run: str
    stopped: str = ""


Event = RunStarted | Planned | PassStarted | Progress | RunEnded
