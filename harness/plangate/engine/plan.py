"""What a run will do, decided before it does anything: suites, passes, order, limits. Pure values."""

from __future__ import annotations

import hashlib
import random
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from plangate.documents.suite import Determinism, Order, Suite
from plangate.matrix.cell import AxisValue, Cell
from plangate.matrix.shards import in_shard
from plangate.store.documents import PassRecord
from plangate.verdicts.result import Expected, RunHeader

__all__ = [
    "DEFAULT_LIMITS",
    "EVERYTHING",
    "CellMatrix",
    "Limits",
    "RunPlan",
    "Selection",
    "SuitePlan",
    "numbers_in_order",
    "passes_of",
]


class CellMatrix(Protocol):
    """What the engine needs of a matrix (`matrix.expansion.Matrix` is one)."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Cell]: ...
    def cells(self, numbers: Iterator[int]) -> Iterator[Cell]:
        """The cells of these numbers, in this order, lazily."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of a run; everything has one."""

    run_s: float | None = None
    """The whole run; None = as long as its cells take."""
    retries_max: int = 2
    """Retries of a transport fault for one observation; a decision is never asked for twice."""
    retry_wait_s: float = 0.05
    """Wait before the first retry; four times as long before the next."""
    faults_in_a_row_max: int = 5
    """Unreachable or broken answers in a row after which the target counts as down."""
    timeouts_in_a_row_max: int = 3
    """Timeouts in a row after which the target counts as down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which cells of a matrix a run is about. All parts must match; an empty part matches all."""

    shard: tuple[int, int] | None = None
    cells: frozenset[bytes] = frozenset()
    axes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Place of the axis in AXES is resolved by the caller: axis name -> values as text."""

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.shard is None and not self.cells and not self.axes

    def describe(self) -> str:
        """The hand-made part of the selection in words; empty where only a shard narrows it."""
        chosen = [f"{axis}={','.join(sorted(values))}" for axis, values in sorted(self.axes.items())]
        cells = [f"{len(self.cells)} cells by id"] if self.cells else []
        return "; ".join(chosen + cells)

    def __contains__(self, cell: Cell) -> bool:
        if self.shard is not None and not in_shard(cell.digest, *self.shard):
            return False
        if self.cells and cell.digest not in self.cells:
            return False
        return all(_axis_text(cell, axis) in values for axis, values in self.axes.items())


_WINDOW = 65_536
DEFAULT_LIMITS = Limits()
EVERYTHING = Selection()


def _axis_text(cell: Cell, axis: str) -> str:
    from plangate.documents.suite import AXES

    value = cell.axes[AXES.index(axis)]
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuitePlan:
    """One suite of a run."""

    suite: Suite
    digest: str
    matrix: CellMatrix
    axes: Mapping[str, tuple[AxisValue, ...]]
    coverage: str
    expected: Callable[[Cell], Expected]
    passes: tuple[PassRecord, ...]
    cache_key: str
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Axis -> names of the catalog that the suite asks nothing about."""
    covers: tuple[str, ...] = ()
    """Requirements that the suite shows where it passes at this environment's targets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """Everything a run will do."""

    header: RunHeader
    suites: tuple[SuitePlan, ...]
    selection: Selection = EVERYTHING
    limits: Limits = DEFAULT_LIMITS
    made: dict[str, dict[int, Cell]] = field(default_factory=dict, compare=False, repr=False)
    """Cells of the first suite by number, as they were made for its expected set, until its first pass takes them."""


def passes_of(determinism: Determinism, *, seed: int) -> tuple[PassRecord, ...]:
    """The passes of a suite: one for each repeat, round robin over orders, concurrency levels and fresh processes."""
    return tuple(_pass(determinism, number, seed=seed) for number in range(determinism.repeats))


def _pass(determinism: Determinism, number: int, *, seed: int) -> PassRecord:
    orders, levels, process = determinism.orders, determinism.concurrency, number % determinism.processes
    # Lists of equal length would always meet in the same pairs; each round shifts one against the other.
    shift = number // len(orders) if len(levels) == len(orders) else 0
    return PassRecord(
        number=number,
        order=orders[number % len(orders)],
        concurrency=levels[(number + shift) % len(levels)],
        process=process,
        seed=_derived(seed, f"order {number}"),
        hash_seed=_derived(seed, f"process {process}") if determinism.processes > 1 else None,
    )


def _derived(seed: int, purpose: str) -> int:
    """A seed for one purpose, so that no two random choices share theirs: below 2^32, as PYTHONHASHSEED wants."""
    return int.from_bytes(hashlib.sha256(f"{seed} {purpose}".encode()).digest()[:4], "big")


def numbers_in_order(size: int, one_pass: PassRecord) -> Iterator[int]:
    """Cell numbers 0 to size-1 in the order of a pass.

    A shuffle is whole up to 65,536 cells. A larger matrix is shuffled in windows of that size, in a shuffled order of
    windows: memory stays flat, and neighbours in time are still strangers in the matrix.
    """
    if one_pass.order == Order.FORWARD:
        return iter(range(size))
    if one_pass.order == Order.REVERSE:
        return iter(range(size - 1, -1, -1))
    return _shuffled(size, random.Random(one_pass.seed))  # noqa: S311 - an order, not a secret


def _shuffled(size: int, chance: random.Random) -> Iterator[int]:
    windows = list(range(0, size, _WINDOW))
    chance.shuffle(windows)
    for first in windows:
        numbers = array("Q", range(first, min(first + _WINDOW, size)))
        chance.shuffle(numbers)
        yield from numbers
