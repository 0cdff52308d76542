"""Observing plain functions: in threads, so that a call that hangs is seen and calls interleave on purpose.

The threads are daemons and own nothing: one that never returns is left behind and its cell is a timeout.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from time import sleep

from plangate.drivers.protocol import BlockingDriver, EvaluationRequest
from plangate.engine.health import Health
from plangate.matrix.cell import Cell
from plangate.verdicts.observation import Fault, Observed

__all__ = ["Seen", "observe_in_threads"]

Seen = tuple[int, Observed, int]
"""Cell number in the matrix, what was observed, latency in microseconds."""

_CHUNK_MAX = 512
_CHUNKS_WAITING_MAX = 16
_WATCH_EVERY_S = 0.05
_SWITCH_EVERY_S = 0.001
_SMALL = 10_000


class _Worker(threading.Thread):
    """Takes cells in chunks, calls, hands over what it saw. `at` and `since` let the watch see a call that hangs."""

    def __init__(self, pool: _Pool, *, first: list[Cell] | None = None) -> None:
        super().__init__(daemon=True, name="plangate-observer")
        self.pool = pool
        self.first = first or []
        self.at: Cell | None = None
        self.since = 0
        self.rest: Iterator[Cell] = iter(())
        self.seen: list[Seen] = []
        self.abandoned = False

    def run(self) -> None:
        try:
            self.pool.meet()
            if not self.pool.stopped:
                self.observe(iter(self.first))
            while not self.abandoned and (chunk := self.pool.take()):
                self.observe(iter(chunk))
        except BaseException as error:
            self.pool.fail(error)
        finally:
            self.pool.leave(self)

    def observe(self, cells: Iterator[Cell]) -> None:
        pool, clock, request_of, driver_of = self.pool, self.pool.clock, self.pool.request_of, self.pool.driver_of
        self.rest, self.seen = cells, []
        append = self.seen.append
        for cell in cells:
            request = request_of(cell)
            observe_now = driver_of[cell.request.surface].observe_now
            self.since = started = clock()
            self.at = cell
            observed = observe_now(request)
            self.at = None
            if self.abandoned:
                return
            append((cell.number, observed, (clock() - started) // 1000))
            if pool.stopped:
                break
        if self.seen:
            pool.deliver(self.seen)


class _Pool:
    """The threads of one pass, and the queue to the event loop."""

    def __init__(
        self,
        cells: Iterator[Cell],
        *,
        driver_of: dict[str, BlockingDriver],
        request_of: Callable[[Cell], EvaluationRequest],
        clock: Callable[[], int],
        chunk: int,
        concurrency: int,
    ) -> None:
        self.driver_of, self.request_of, self.clock = driver_of, request_of, clock
        self._cells, self._chunk = cells, chunk
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self.arrived: asyncio.Queue[list[Seen] | BaseException | None] = asyncio.Queue()
        self.workers: set[_Worker] = set()
        self.stopped = False
        self._here = 0
        self._all = concurrency

    def meet(self) -> None:
        """Wait, awake, until all threads are there: a small matrix would else be done before the second one is."""
        with self._lock:
            self._here += 1
        while self._here < self._all and not self.stopped:
            sleep(0)

    def take(self) -> list[Cell]:
        """The next cells; none at the end. Waits while the loop is behind, so that memory stays flat."""
        while self.arrived.qsize() > _CHUNKS_WAITING_MAX and not self.stopped:
            sleep(_SWITCH_EVERY_S)
        with self._lock:
            return [] if self.stopped else list(islice(self._cells, self._chunk))

    def deliver(self, seen: list[Seen]) -> None:
        self._call(self.arrived.put_nowait, seen)

    def fail(self, error: BaseException) -> None:
        self._call(self.arrived.put_nowait, error)

    def leave(self, worker: _Worker) -> None:
        self._call(self._left, worker)

    def _left(self, worker: _Worker) -> None:
        self.workers.discard(worker)
        if not self.workers:
            self.arrived.put_nowait(None)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        # A thread that was left behind may come back after the loop has gone: then nobody waits for it.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def start(self, worker: _Worker) -> None:
        self.workers.add(worker)
        worker.start()

    def replace_hanging(self, *, timeout_s: float) -> list[Seen]:
        """Leave threads behind whose call is over its time; others go on with the rest of their chunk."""
        late: list[Seen] = []
        for worker in list(self.workers):
            cell, waited_s = worker.at, (self.clock() - worker.since) / 1e9
            if cell is None or waited_s <= timeout_s:
                continue
            worker.abandoned = True
            fault = Observed(fault=Fault.TIMEOUT, detail=f"no answer within {timeout_s:g} s")
            late += [*worker.seen, (cell.number, fault, int(waited_s * 1e6))]
            self.workers.discard(worker)
            self.start(_Worker(self, first=list(worker.rest)))
        return late


async def observe_in_threads(
    cells: Iterator[Cell],
    *,
    driver_of: dict[str, BlockingDriver],
    request_of: Callable[[Cell], EvaluationRequest],
    concurrency: int,
    size: int,
    timeout_s: float,
    health: Health,
    clock: Callable[[], int],
) -> AsyncIterator[list[Seen]]:
    """Observe each cell once with `concurrency` threads; yields what was seen in batches, in no particular order.

    `size` is the number of cells (for chunks that give each thread work); `clock` counts nanoseconds. Stops taking
    cells when `health` says that the target hangs.
    """
    chunk = max(1, min(_CHUNK_MAX, size // (concurrency * 4)))
    pool = _Pool(cells, driver_of=driver_of, request_of=request_of, clock=clock, chunk=chunk, concurrency=concurrency)
    before = sys.getswitchinterval()
    sys.setswitchinterval(_switch_every_s(concurrency=concurrency, size=size))
    try:
        pool.workers = {_Worker(pool) for _ in range(concurrency)}
        for worker in list(pool.workers):
            worker.start()
        while True:
            batch = await _next_batch(pool, timeout_s=timeout_s)
            if batch is None:
                return
            _take_note(health, batch)
            pool.stopped = bool(health.down)
            if batch:
                yield batch
    finally:
        pool.stopped = True
        for worker in pool.workers:
            worker.abandoned = True
        sys.setswitchinterval(before)


def _take_note(health: Health, batch: list[Seen]) -> None:
    """One answer in a batch says that the target lives; only its faults are looked at one by one."""
    faults = [observed for _, observed, _ in batch if observed.fault is not None]
    if len(faults) < len(batch):
        health.answered(surface="")
    for observed in faults:
        health.record(observed, surface="")


def _switch_every_s(*, concurrency: int, size: int) -> float:
    """How often threads take turns: calls of microseconds must be cut in their middle to meet one another.

    Turns cost time, so a large matrix, which has many chances, takes fewer.
    """
    if concurrency == 1:
        return _SWITCH_EVERY_S
    return 0.000_02 if size <= _SMALL else 0.000_2


async def _next_batch(pool: _Pool, *, timeout_s: float) -> list[Seen] | None:
    """The next rows; an empty list when only the watch woke up; None at the end. Raises what a thread raised."""
    try:
        arrived = await asyncio.wait_for(pool.arrived.get(), _WATCH_EVERY_S)
    except TimeoutError:
        return pool.replace_hanging(timeout_s=timeout_s)
    if isinstance(arrived, BaseException):
        raise arrived
    return arrived
