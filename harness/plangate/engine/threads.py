"""Observing plain functions: in threads, so that a call that hangs is seen and calls interleave on purpose.

The threads are daemons and own nothing: one that never returns is left behind and its cell is a timeout.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from itertools import islice
from time import sleep

from plangate.drivers.protocol import BlockingDriver, EvaluationRequest
from plangate.engine.health import Health
from plangate.matrix.cell import Cell
from plangate.verdicts.observation import Fault, Observed

__all__ = ["Seen", "observe_in_threads"]

Seen = tuple[int, Observed, int]
"""Cell number in the matrix, what was observed, latency in microseconds."""

_Rows = tuple[list[Seen], list[Cell]]
"""What was seen, and the cells that were asked, in the same order; of the cells, there may be more."""

_CHUNK_MAX = 512
_CHUNKS_WAITING_MAX = 16
_WATCH_EVERY_S = 0.05
_ROWS_MAX = 4_096
_GATHER_NS = 100_000_000
"""Rows that are handed on together: as many as this, or what came in 0.1 s. Each commit writes whole pages anew, and a
shuffled pass touches a page for every row: few large commits cost a third of many small ones."""
_HELD_NS = 200_000_000
"""How long a thread keeps what it saw: where calls take seconds, what was measured is stored before its chunk ends."""
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
        self.cells: list[Cell] = []
        self.rest: Iterator[Cell] = iter(())
        self.seen: list[Seen] = []
        self.abandoned = False

    def run(self) -> None:
        try:
            self.pool.meet()
            if not self.pool.stopped:
                self.observe(self.first)
            while not self.abandoned and (chunk := self.pool.take()):
                self.observe(chunk)
        except BaseException as error:
            self.pool.fail(error)
        finally:
            self.pool.leave(self)

    def observe(self, cells: list[Cell]) -> None:
        pool, clock, request_of, asking_of = self.pool, self.pool.clock, self.pool.request_of, self.pool.asking_of
        self.cells, self.rest, self.seen = cells, iter(cells), []
        append, handed_over = self.seen.append, clock()
        for cell in self.rest:
            request = request_of(cell)
            observe_now, due_us = asking_of[cell.request.surface]
            self.since = started = clock()
            self.at = cell
            observed = observe_now(request)
            self.at = None
            if self.abandoned:
                return
            ended = clock()
            took_us = (ended - started) // 1000
            append((cell.number, observed if took_us <= due_us else _late(due_us), took_us))
            if pool.stopped:
                break
            if ended - handed_over > _HELD_NS:
                self.hand_over()
                append, handed_over = self.seen.append, ended
        self.hand_over()

    def hand_over(self) -> None:
        """Give the pool what was seen since the last time, and keep the cells that are still to ask."""
        if self.seen:
            self.pool.deliver((self.seen, self.cells))
            self.cells = self.cells[len(self.seen) :]
            self.seen = []


class _Pool:
    """The threads of one pass, and the queue to the event loop."""

    def __init__(
        self,
        cells: Iterator[Cell],
        *,
        driver_of: Mapping[str, BlockingDriver],
        request_of: Callable[[Cell], EvaluationRequest],
        timeout_of: Mapping[str, float],
        clock: Callable[[], int],
        chunk: int,
        concurrency: int,
    ) -> None:
        self.request_of, self.clock = request_of, clock
        # Each surface has a deadline of its own (rule R15): a patient target buys no time for another one.
        self.asking_of = {
            surface: (driver.observe_now, int(timeout_of[surface] * 1e6)) for surface, driver in driver_of.items()
        }
        self._cells, self._chunk = cells, chunk
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self.arrived: asyncio.Queue[_Rows | BaseException | None] = asyncio.Queue()
        self.last: tuple[BaseException | None, ...] = ()
        """What ends the pass, once it has come behind rows: nothing, or what a thread raised."""
        self._watched = clock()
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

    def deliver(self, rows: _Rows) -> None:
        self._call(self.arrived.put_nowait, rows)

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

    def replace_hanging(self) -> _Rows:
        """Leave threads behind whose call is over its time; others go on with the rest of their chunk."""
        late: list[Seen] = []
        cells: list[Cell] = []
        now = self.clock()
        if now - self._watched < _WATCH_EVERY_S * 1e9:
            return late, cells
        self._watched = now
        for worker in list(self.workers):
            cell, waited_us = worker.at, (now - worker.since) // 1000
            if cell is None or waited_us <= (due_us := self.asking_of[cell.request.surface][1]):
                continue
            worker.abandoned = True
            seen = list(worker.seen)
            late += [*seen, (cell.number, _late(due_us), waited_us)]
            cells += [*worker.cells[: len(seen)], cell]
            self.workers.discard(worker)
            self.start(_Worker(self, first=list(worker.rest)))
        return late, cells


def _late(due_us: int) -> Observed:
    """What stands for a call that is past its deadline, even where it answers after all."""
    return Observed(fault=Fault.TIMEOUT, detail=f"no answer within {due_us / 1e6:g} s")


async def observe_in_threads(
    cells: Iterator[Cell],
    *,
    driver_of: Mapping[str, BlockingDriver],
    request_of: Callable[[Cell], EvaluationRequest],
    timeout_of: Mapping[str, float],
    concurrency: int,
    size: int,
    health: Health,
    clock: Callable[[], int],
) -> AsyncIterator[list[Seen]]:
    """Observe each cell once with `concurrency` threads; yields what was seen in batches, in no particular order.

    `size` is the number of cells (for chunks that give each thread work); `clock` counts nanoseconds. Stops taking
    cells when `health` says that the target of a surface hangs.
    """
    chunk = max(1, min(_CHUNK_MAX, size // (concurrency * 4)))
    pool = _Pool(
        cells,
        driver_of=driver_of,
        request_of=request_of,
        timeout_of=timeout_of,
        clock=clock,
        chunk=chunk,
        concurrency=concurrency,
    )
    before = sys.getswitchinterval()
    sys.setswitchinterval(_switch_every_s(concurrency=concurrency, size=size))
    try:
        pool.workers = {_Worker(pool) for _ in range(concurrency)}
        for worker in list(pool.workers):
            worker.start()
        while True:
            rows = await _next_rows(pool)
            if rows is None:
                return
            for seen, asked in (rows, pool.replace_hanging()):
                _take_note(health, seen, asked)
                if seen:
                    yield seen
            pool.stopped = bool(health.down)
    finally:
        pool.stopped = True
        for worker in pool.workers:
            worker.abandoned = True
        sys.setswitchinterval(before)


def _take_note(health: Health, seen: list[Seen], cells: list[Cell]) -> None:
    """Tell `health` what each surface answered, one by one; not where all is well and was before."""
    if health.troubled or any(observed.fault is not None for _, observed, _ in seen):
        for cell, (_, observed, _) in zip(cells, seen, strict=False):
            health.record(observed, surface=cell.request.surface)


def _switch_every_s(*, concurrency: int, size: int) -> float:
    """How often threads take turns: calls of microseconds must be cut in their middle to meet one another.

    Turns cost time, so a large matrix, which has many chances, takes fewer.
    """
    if concurrency == 1:
        return _SWITCH_EVERY_S
    return 0.000_02 if size <= _SMALL else 0.000_2


async def _next_rows(pool: _Pool) -> _Rows | None:
    """What came in a moment; nothing when only the watch woke up; None at the end. Raises what a thread raised."""
    seen: list[Seen] = []
    asked: list[Cell] = []
    if pool.last:
        return _ended(pool.last[0])
    until = pool.clock() + _GATHER_NS
    while len(seen) < _ROWS_MAX and pool.clock() < until:
        try:
            # Not `wait_for`: on Python 3.11 it swallows a cancellation that comes together with an item.
            async with asyncio.timeout(_WATCH_EVERY_S):
                arrived = await pool.arrived.get()
        except TimeoutError:
            break
        if isinstance(arrived, tuple):
            seen += arrived[0]
            asked += arrived[1][: len(arrived[0])]
        else:  # what came before the end, or before a thread failed, is handed on first
            if not seen:
                return _ended(arrived)
            pool.last = (arrived,)
            break
    return seen, asked


def _ended(last: BaseException | None) -> _Rows | None:
    if last is not None:
        raise last
    return None
