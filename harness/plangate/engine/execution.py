"""A run from first to last: the expected set is stored, then each pass observes what is left; events tell of it."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

from plangate.documents.suite import AXES
from plangate.drivers.protocol import BlockingDriver, Driver, EvaluationRequest
from plangate.engine.cell_cache import CellCache, worth_holding
from plangate.engine.events import Event, PassStarted, Planned, Progress, RunEnded, RunStarted
from plangate.engine.health import Health
from plangate.engine.plan import RunPlan, SuitePlan, numbers_in_order
from plangate.engine.recording import PassRecorder, Tally
from plangate.engine.tasks import observe_in_tasks
from plangate.engine.threads import Seen, observe_in_threads
from plangate.matrix.cell import Cell
from plangate.store.documents import PassRecord, SuiteRecord
from plangate.store.pending import PendingCells, expectations_of, expected_numbers, observations_in, suites_of
from plangate.store.rows import AxisCodec, expected_key
from plangate.store.writer import CellRow, RunWriter

__all__ = ["Clock", "FreshProcesses", "OpenTargets", "Part", "execute", "observe_pass", "store_plan"]

_CELLS_IN_COMMIT = 4_000
Clock = Callable[[], int]
"""Nanoseconds from any start; only differences count."""
Part = tuple[int, int]
"""(k, n): the k-th of n workers, counted from 0; takes each n-th pending cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTargets:
    """Open drivers by surface, with the deadline of each."""

    driver_of: Mapping[str, Driver]
    timeout_of: Mapping[str, float]
    request_of: Callable[[Cell], EvaluationRequest]
    opened: Mapping[str, Driver] = field(default_factory=dict)
    """The same drivers by the name of their target."""


class FreshProcesses(Protocol):
    """Runs passes, one after the other, in processes of their own and relays what they say (`cli` provides one)."""

    def __call__(
        self, suite: str, passes: Sequence[PassRecord], workers: int
    ) -> AsyncIterator[tuple[PassRecord, Progress]]:
        """What came since, and in which pass, of all workers in turn. Raises DriverError or StoreError as they did."""
        ...


@dataclass(slots=True, kw_only=True)
class Execution:
    """What one invocation of the engine carries along."""

    plan: RunPlan
    writer: RunWriter
    clock: Clock
    workers: int = 1
    tally: Tally = field(default_factory=Tally)
    stopped: str = ""
    _expected: tuple[str, array[int]] = ("", array("I"))
    _cells: tuple[str, CellCache | None] = ("", None)

    def expected_numbers(self, record: SuiteRecord) -> array[int]:
        """The expectation number of each cell; read once a suite, whatever the number of its passes."""
        if self._expected[0] != record.name:
            self._expected = (record.name, expected_numbers(self.writer.path, record))
        return self._expected[1]

    def cells_of(self, suite: SuitePlan, record: SuiteRecord) -> CellCache:
        """The cells of one suite, for all its passes; those of the suite before are let go of."""
        name, cells = self._cells
        if cells is None or name != record.name:
            cells = CellCache(suite.matrix, passes=len(record.passes), made=self.plan.made.pop(record.name, None))
            self._cells = (record.name, cells)
        return cells


def store_plan(plan: RunPlan, writer: RunWriter) -> None:
    """Compute the expected set and store it whole, before anything is observed (rule R2)."""
    first = 0
    for number, suite in enumerate(plan.suites):
        cells = _store_cells(plan, suite, writer, first)
        writer.add_suites([_record_of(suite, number=number, first=first, cells=cells)])
        first += len(suite.matrix)


def _store_cells(plan: RunPlan, suite: SuitePlan, writer: RunWriter, first: int) -> int:
    pack = AxisCodec(suite.axes).pack
    numbers: dict[int, int] = {}
    kept: list[object] = []  # an id is only an id while its object lives
    rows: list[CellRow] = []
    stored = 0
    chosen = None if plan.selection.everything else plan.selection
    made: dict[int, Cell] | None = None
    if chosen is None and suite is plan.suites[0] and worth_holding(suite.matrix, passes=len(suite.passes)):
        made = plan.made[suite.suite.name] = {}
    for cell in suite.matrix:
        if chosen is not None and cell not in chosen:
            continue
        expected = suite.expected(cell)
        number = numbers.get(id(expected))
        if number is None:
            number = numbers[id(expected)] = writer.number_of_expectation(expected_key(expected))
            kept.append(expected)
        rows.append((first + cell.number, cell.digest, number, pack(cell.axes)))
        if made is not None:
            made[cell.number] = cell
        if len(rows) >= _CELLS_IN_COMMIT:
            stored += _commit_cells(writer, rows)
    return stored + _commit_cells(writer, rows)


def _commit_cells(writer: RunWriter, rows: list[CellRow]) -> int:
    with writer.transaction():
        writer.add_cells(rows)
    stored = len(rows)
    rows.clear()
    return stored


def _record_of(plan: SuitePlan, *, number: int, first: int, cells: int) -> SuiteRecord:
    suite = plan.suite
    spanned = {"plan", "state", "capability", "surface", *suite.axes}
    return SuiteRecord(
        number=number,
        name=suite.name,
        version=suite.version,
        digest=plan.digest,
        first_cell=first,
        span=len(plan.matrix),
        cells=cells,
        seed=suite.seed,
        judge=suite.judge,
        axes=plan.axes,
        spanned=tuple(axis for axis in AXES if axis in spanned),
        covers=plan.covers,
        coverage=plan.coverage,
        passes=plan.passes,
        cache_key=plan.cache_key,
        left_out=plan.left_out,
        type=suite.type,
        excluded=tuple(_in_words(rule) for rule in suite.exclude),
    )


def _in_words(rule: Mapping[str, tuple[str, ...]]) -> str:
    """`plan free with state Suspended or Unsubscribed`."""
    return " with ".join(f"{axis} {' or '.join(map(str, values))}" for axis, values in rule.items())


async def execute(
    plan: RunPlan,
    writer: RunWriter,
    *,
    targets: OpenTargets | None,
    clock: Clock,
    fresh: FreshProcesses | None = None,
    workers: int = 1,
) -> AsyncIterator[Event]:
    """Observe every pending cell of every pass, suite by suite.

    The expected set must be stored (`store_plan`). `fresh` runs the passes that need a process of their own, and all
    passes where `workers` > 1; `targets` may be None only where no other pass remains. Ends with RunEnded, whose
    `stopped` says why where the target was down or the run's time was over.
    """
    run = Execution(plan=plan, writer=writer, clock=clock, workers=workers)
    if targets is None:
        plan.made.clear()  # whoever observes makes them anew
    yield RunStarted(run=plan.header.run, environment=plan.header.environment)
    records = suites_of(writer.path)
    yield Planned(
        cells=sum(record.cells for record in records),
        observations=sum(record.cells * len(record.passes) for record in records),
        already=observations_in(writer.path),
    )
    try:
        async with asyncio.timeout(plan.limits.run_s):
            for suite, record in zip(plan.suites, records, strict=True):
                async for event in _suite(run, suite, record, targets=targets, fresh=fresh):
                    yield event
                if run.stopped:
                    break
    except TimeoutError:
        run.stopped = f"the run's time of {plan.limits.run_s:g} s is over"
    yield RunEnded(run=plan.header.run, stopped=run.stopped)


async def _suite(
    run: Execution, suite: SuitePlan, record: SuiteRecord, *, targets: OpenTargets | None, fresh: FreshProcesses | None
) -> AsyncIterator[Event]:
    for passes in _sittings(record.passes, workers=run.workers):
        if fresh is not None and (passes[0].hash_seed is not None or run.workers > 1):
            if any(PendingCells.of(run.writer.path, record, one).left for one in passes):
                async for event in _apart(run, record, passes, fresh=fresh):
                    yield event
        elif targets is not None:
            for one in passes:
                if (pending := PendingCells.of(run.writer.path, record, one)).left:
                    yield _started(record, one)
                    async for event in observe_pass(run, suite, record, one, targets=targets, pending=pending):
                        yield event
        if run.stopped:
            return


def _sittings(passes: Sequence[PassRecord], *, workers: int) -> Iterator[tuple[PassRecord, ...]]:
    """Passes that share processes: starting one costs as much as thousands of cells.

    Fresh passes of one number share theirs, so that it is asked for a cell more than once: some apps decide otherwise
    the second time.
    """
    for plain, some in groupby(passes, key=lambda one: one.hash_seed is None):
        together = tuple(some)
        if not plain:
            for process in dict.fromkeys(one.process for one in together):
                yield tuple(one for one in together if one.process == process)
        elif workers > 1:
            yield together
        else:
            yield from ((one,) for one in together)


async def _apart(
    run: Execution, record: SuiteRecord, passes: Sequence[PassRecord], *, fresh: FreshProcesses
) -> AsyncIterator[Event]:
    latest = None
    async for one, progress in fresh(record.name, passes, run.workers):
        if latest is None or one.number > latest.number:
            latest = one
            yield _started(record, one)
        yield _added(run.tally, progress)


def _started(record: SuiteRecord, one: PassRecord) -> PassStarted:
    return PassStarted(
        suite=record.name,
        number=one.number + 1,
        passes=len(record.passes),
        order=one.order,
        concurrency=one.concurrency,
        seed=one.seed,
        hash_seed=one.hash_seed,
    )


def _added(tally: Tally, progress: Progress) -> Progress:
    tally.observed += progress.observed
    tally.leaks += progress.leaks
    tally.others += progress.others
    return Progress(observed=tally.observed, leaks=tally.leaks, others=tally.others)


async def observe_pass(
    run: Execution,
    suite: SuitePlan,
    record: SuiteRecord,
    one: PassRecord,
    *,
    targets: OpenTargets,
    pending: PendingCells,
    part: Part = (0, 1),
) -> AsyncIterator[Progress]:
    """Observe what one pass has not seen yet, or a worker's part of it; each batch is stored before it is told."""
    numbers = pending.numbers(numbers_in_order(len(suite.matrix), one), part=part)
    recorder = PassRecorder(
        run.writer,
        first_cell=record.first_cell,
        pass_number=one.number,
        expected_numbers=run.expected_numbers(record),
        expectations=expectations_of(run.writer.path),
        mode=record.judge,
        tally=run.tally,
    )
    health = Health(run.plan.limits, concurrency=one.concurrency)
    cells = run.cells_of(suite, record)
    async for batch in _observe(run, cells, numbers, one, targets=targets, health=health, size=pending.left // part[1]):
        recorder.record(batch)
        yield Progress(observed=run.tally.observed, leaks=run.tally.leaks, others=run.tally.others)
    run.stopped = health.down


def _observe(
    run: Execution,
    cells: CellCache,
    numbers: Iterator[int],
    one: PassRecord,
    *,
    targets: OpenTargets,
    health: Health,
    size: int,
) -> AsyncIterator[Sequence[Seen]]:
    blocking = _all_blocking(targets.driver_of)
    if blocking is not None:
        return observe_in_threads(
            cells.in_order(numbers),
            driver_of=blocking,
            request_of=targets.request_of,
            concurrency=one.concurrency,
            size=size,
            timeout_of=targets.timeout_of,
            health=health,
            clock=run.clock,
        )
    return observe_in_tasks(
        cells.in_order(numbers),
        driver_of=dict(targets.driver_of),
        request_of=targets.request_of,
        timeout_of=dict(targets.timeout_of),
        concurrency=one.concurrency,
        limits=run.plan.limits,
        health=health,
        clock=run.clock,
        held=cells.prepared,
    )


def _all_blocking(drivers: Mapping[str, Driver]) -> dict[str, BlockingDriver] | None:
    """The same drivers, where every one of them answers in this thread."""
    blocking = {
        surface: driver for surface, driver in drivers.items() if isinstance(driver, BlockingDriver) and driver.blocking
    }
    return blocking if len(blocking) == len(drivers) else None
