"""Observing over connections: many cells in flight, each with a deadline and bounded retries of transport faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

from plangate.drivers.protocol import BatchDriver, BlockingDriver, Driver, EvaluationRequest, PreparingDriver
from plangate.engine.health import TRANSPORT, Health
from plangate.engine.plan import Limits
from plangate.engine.threads import Seen
from plangate.matrix.cell import Cell
from plangate.verdicts.observation import Fault, Observed

__all__ = ["observe_in_tasks"]

_FLUSH_EVERY_S = 0.2
_BUFFER_MAX = 4_000
_YIELD_EVERY = 64
_HELD_MAX = 16_384
"""Prepared requests held for later passes at the most: some 600 bytes each, 10 MB."""
_AHEAD = 32
"""Requests prepared in a row: with warm caches each takes half the time that it takes between two answers."""
_GRACE_S = 1.0
"""How much later than the driver itself the engine gives a cell up: drivers know their target's deadline better."""


_NEVER_NS = 2**63
_Ask = Callable[[EvaluationRequest], Awaitable[Observed]]


class _InFlight:
    """The cell that a task waits for. One watch looks at all of them: a timer for each would cost more than asking."""

    __slots__ = ("due_ns", "late", "task")

    def __init__(self, task: asyncio.Task[None]) -> None:
        self.task = task
        self.due_ns = _NEVER_NS
        self.late = False


class _Pass:
    """What the tasks of one pass share."""

    def __init__(
        self,
        cells: Iterator[Cell],
        *,
        driver_of: dict[str, Driver],
        request_of: Callable[[Cell], EvaluationRequest],
        timeout_of: dict[str, float],
        limits: Limits,
        health: Health,
        clock: Callable[[], int],
        held: dict[int, object] | None = None,
    ) -> None:
        self.driver_of, self.request_of, self.timeout_of = driver_of, request_of, timeout_of
        self.limits, self.health, self.clock = limits, health, clock
        self._given_ns = {surface: int((given + _GRACE_S) * 1e9) for surface, given in timeout_of.items()}
        self.seen: list[Seen] = []
        self.batch = max((_batch_max(driver) for driver in driver_of.values()), default=1)
        # Whether a driver has some ability is asked once a pass: asking costs a quarter of what a cell does.
        self._ask_of = {surface: _asking(driver) for surface, driver in driver_of.items()}
        self._preparing = {
            surface: driver
            for surface, driver in driver_of.items()
            if isinstance(driver, PreparingDriver) and not _answers_here(driver)
        }
        self._ask_prepared = {surface: driver.observe_prepared for surface, driver in self._preparing.items()}
        self._held = held
        self._prepared: dict[int, object] = {}
        self.cells = self._ahead(cells) if self._preparing else cells
        self._in_flight: list[_InFlight] = []

    def _ahead(self, cells: Iterator[Cell]) -> Iterator[Cell]:
        """The same cells; some of them are prepared before the first of these is given."""
        while chunk := list(islice(cells, _AHEAD)):
            for cell in chunk:
                if (driver := self._preparing.get(cell.request.surface)) is not None:
                    self._prepared[cell.number] = self._prepared_by(driver, cell)
            yield from chunk

    def _prepared_by(self, driver: PreparingDriver, cell: Cell) -> object:
        held = self._held
        if held is not None and (known := held.get(cell.number)) is not None:
            return known
        try:
            prepared = driver.prepare(self.request_of(cell))
        except Exception as error:  # as in `_ask`
            return _broken(error)
        if held is not None and driver.small and len(held) < _HELD_MAX:
            held[cell.number] = prepared
        return prepared

    def cancel_late(self) -> None:
        """Give up the cells whose deadline has passed."""
        now = self.clock()
        for one in self._in_flight:
            if one.due_ns <= now and not one.late:
                one.late = True
                one.task.cancel()

    def note_ended(self) -> None:
        """See whether a target has ended for good: no answer is worth waiting for then."""
        for surface, driver in self.driver_of.items():
            alive = getattr(driver, "alive", None)
            if callable(alive) and not alive():
                self.health.gone(surface=surface)

    async def work(self) -> None:
        """Observe until no cell is left or the target is down."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs is a task's
        mine = _InFlight(task)
        self._in_flight.append(mine)
        done = 0
        while not self.health.down and (chunk := tuple(islice(self.cells, self.batch))):
            if len(chunk) == 1:
                # Without `_one`: each coroutine between here and the client costs every cell.
                cell = chunk[0]
                started = self.clock()
                observed = await self._ask(cell, mine, started)
                if observed.fault in TRANSPORT:
                    await self._again(cell, mine, observed, started)
                else:
                    self._record(cell, observed, started)
            else:
                await self._many(chunk, mine)
            done += len(chunk)
            if done % _YIELD_EVERY == 0 or len(self.seen) > _BUFFER_MAX:
                # An answer that needs no waiting would keep the other tasks, the watch and Ctrl-C out.
                await asyncio.sleep(0 if len(self.seen) <= _BUFFER_MAX else _FLUSH_EVERY_S)

    async def _many(self, chunk: Sequence[Cell], mine: _InFlight) -> None:
        by_surface: dict[str, list[Cell]] = {}
        for cell in chunk:
            by_surface.setdefault(cell.request.surface, []).append(cell)
        for surface, cells in by_surface.items():
            driver = self.driver_of[surface]
            if isinstance(driver, BatchDriver) and _batch_max(driver) > 1:
                await self._batch(driver, cells, mine, timeout_s=self.timeout_of[surface])
            else:
                for cell in cells:
                    await self._one(cell, mine)

    async def _one(self, cell: Cell, mine: _InFlight, *, retries: int = 0) -> None:
        """Ask for one cell, `retries` of whose tries were used up already."""
        started = self.clock()
        await self._again(cell, mine, await self._ask(cell, mine, started), started, retries=retries)

    async def _again(self, cell: Cell, mine: _InFlight, observed: Observed, started: int, *, retries: int = 0) -> None:
        """Ask again as long as nothing was decided and tries are left, and record what came of it."""
        while observed.fault in TRANSPORT and retries < self.limits.retries_max and not self.health.down:
            await asyncio.sleep(self.limits.retry_wait_s * 4**retries)
            retries += 1
            started = self.clock()
            observed = await self._ask(cell, mine, started)
        if retries:
            observed = replace(observed, retries=observed.retries + retries)
        self._record(cell, observed, started)

    async def _ask(self, cell: Cell, mine: _InFlight, started: int) -> Observed:
        surface = cell.request.surface
        mine.due_ns = started + self._given_ns[surface]
        try:
            if (prepared := self._prepared.get(cell.number)) is None:
                return await self._ask_of[surface](self.request_of(cell))
            if prepared.__class__ is Observed:
                return prepared
            return await self._ask_prepared[surface](prepared)
        except asyncio.CancelledError:
            if mine.late and mine.task.uncancel() == 0:
                return self._late(surface)
            raise
        except TimeoutError:
            return self._late(surface)
        except Exception as error:  # a driver of others may break its promise; the run must not
            return _broken(error)
        finally:
            mine.due_ns, mine.late = _NEVER_NS, False

    def _late(self, surface: str) -> Observed:
        return Observed(fault=Fault.TIMEOUT, detail=f"no answer within {self.timeout_of[surface]:g} s")

    async def _batch(self, driver: BatchDriver, cells: list[Cell], mine: _InFlight, *, timeout_s: float) -> None:
        started = self.clock()
        answers: Sequence[Observed] = ()
        fault = Observed(fault=Fault.TIMEOUT, detail=f"no answer within {timeout_s:g} s")
        try:
            async with asyncio.timeout(timeout_s + _GRACE_S):
                answers = await driver.observe_batch([self.request_of(cell) for cell in cells])
        except TimeoutError:
            answers = [fault] * len(cells)
        except Exception as error:  # a driver of others may break its promise; the run must not
            answers = [_broken(error)] * len(cells)
        if len(answers) != len(cells):
            wrong = f"{len(answers)} answers to {len(cells)} requests"
            answers = [Observed(fault=Fault.MALFORMED, detail=wrong)] * len(cells)
        for cell, observed in zip(cells, answers, strict=True):
            if observed.fault in TRANSPORT:
                await self._one(cell, mine, retries=1)
            else:
                self._record(cell, observed, started)

    def _record(self, cell: Cell, observed: Observed, started: int) -> None:
        self._prepared.pop(cell.number, None)
        if observed.fault is not None or self.health.troubled:
            self.health.record(observed, surface=cell.request.surface)
        self.seen.append((cell.number, observed, (self.clock() - started) // 1000))


def _broken(error: Exception) -> Observed:
    return Observed(fault=Fault.RAISED, detail=f"the driver raised {type(error).__name__}: {error}"[:2000])


async def _in_a_thread(driver: BlockingDriver, request: EvaluationRequest) -> Observed:
    return await asyncio.to_thread(driver.observe_now, request)


def _answers_here(driver: Driver) -> bool:
    return isinstance(driver, BlockingDriver) and driver.blocking


def _asking(driver: Driver) -> _Ask:
    if isinstance(driver, BlockingDriver) and driver.blocking:
        return partial(_in_a_thread, driver)
    return driver.observe


def _batch_max(driver: Driver) -> int:
    return driver.batch_max if isinstance(driver, BatchDriver) else 1


async def observe_in_tasks(
    cells: Iterator[Cell],
    *,
    driver_of: dict[str, Driver],
    request_of: Callable[[Cell], EvaluationRequest],
    timeout_of: dict[str, float],
    concurrency: int,
    limits: Limits,
    health: Health,
    clock: Callable[[], int],
    held: dict[int, object] | None = None,
) -> AsyncIterator[list[Seen]]:
    """Observe each cell once with `concurrency` in flight; yields what was seen every 0.2 s, in no particular order.

    Stops when `health` says that the target is down. `clock` counts nanoseconds. `held` is what earlier passes
    prepared, by number of the cell; None where nothing is to be held.
    """
    shared = _Pass(
        cells,
        driver_of=driver_of,
        request_of=request_of,
        timeout_of=timeout_of,
        limits=limits,
        health=health,
        clock=clock,
        held=held,
    )
    tasks = {asyncio.create_task(shared.work()) for _ in range(concurrency)}
    try:
        pending = tasks
        while pending:
            done, pending = await asyncio.wait(pending, timeout=_FLUSH_EVERY_S)
            shared.cancel_late()
            if pending:
                shared.note_ended()
            if shared.seen:
                batch, shared.seen = shared.seen, []
                yield batch
            for task in done:
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
