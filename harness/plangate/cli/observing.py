"""How every verb that observes does it: followed on standard error, and ended alike by Ctrl-C and by SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, TypeVar

from plangate.cli.following import following
from plangate.cli.processes import fresh_processes
from plangate.engine.invocation import World, observe_run
from plangate.engine.plan import RunPlan
from plangate.engine.session import Prepared
from plangate.store.writer import RunWriter

__all__ = ["observe_all", "until_done"]

_Result = TypeVar("_Result")


def observe_all(prepared: Prepared, plan: RunPlan, writer: RunWriter, *, world: World, workers: int = 1) -> None:
    """Observe what a run still lacks, and say how far it is on standard error.

    Raises KeyboardInterrupt where it is interrupted: the run is then stored, and can be resumed.
    """

    async def observe() -> None:
        fresh = fresh_processes(prepared, run_file=writer.path)
        events = observe_run(prepared, plan, writer, world=world, fresh=fresh, workers=workers)
        with following(sys.stderr, clock=time.monotonic) as tell:
            async with aclosing(events):  # type: ignore[type-var]
                async for event in events:
                    tell(event)

    until_done(observe())


def until_done(work: Coroutine[Any, Any, _Result]) -> _Result:
    """What `work` returns. SIGTERM interrupts as Ctrl-C does: all is put away, then KeyboardInterrupt is raised."""

    async def terminable() -> _Result:
        with _sigterm_cancels():
            return await work

    with asyncio.Runner() as runner:
        try:
            return runner.run(terminable())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


@contextmanager
def _sigterm_cancels() -> Iterator[None]:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is None or sys.platform == "win32":  # there nobody sends it
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    # A CI system ends a job with SIGTERM: that is an interruption too. A second one does not disturb the putting away.
    loop.add_signal_handler(signal.SIGTERM, lambda: task.cancel() if not task.cancelling() else None)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, before)
