"""A whole run inside this process, timed: documents, matrix, oracle, driver, records, verdict, fingerprint."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.workspaces import ENVIRONMENT

__all__ = ["cells_of", "observe_all", "timed"]


def timed(work: Callable[[], int]) -> dict[str, Any]:
    """Call `work`, which returns how many observations it made: their number, seconds of wall and of CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    count = work()
    cpu_s, wall_s = time.process_time() - cpu, time.perf_counter() - wall
    return {"observations": count, "wall_s": wall_s, "cpu_s": cpu_s, "per_s": count / wall_s}


def observe_all(root: str) -> dict[str, Any]:
    """Run the workspace's environment as `plangate run` does; every cell must pass. Imports are not timed.

    Some happen when a document is first read: so it is read once before, and again in time; those of the driver are
    done before, as those of the client it is compared with.
    """
    from plangate.cli.world import real_world
    from plangate.documents.workspace import Workspace
    from plangate.drivers.registry import driver_class
    from plangate.engine.invocation import observe_run, start_run
    from plangate.engine.session import prepare
    from plangate.store.reader import StoredRun

    world = real_world()
    first = prepare(Workspace.open(Path(root)), ENVIRONMENT, environ=world.environ)
    for target in first.environment.bindings.targets.values():
        driver_class(target.driver)
        if target.driver == "http":
            importlib.import_module("pyreqwest.client")
    del first

    def work() -> int:
        prepared = prepare(Workspace.open(Path(root)), ENVIRONMENT, environ=world.environ)
        plan, writer = start_run(prepared, world=world)

        async def observe() -> None:
            async for _ in observe_run(prepared, plan, writer, world=world):
                pass

        asyncio.run(observe())
        with StoredRun(writer.path) as run:
            summary = run.summary()
        assert summary.verdict == "passed", summary.totals
        assert summary.totals.executed == summary.totals.expected == sum(len(one.matrix) for one in prepared.suites)
        return summary.totals.observations

    return timed(work)


def cells_of(root: str) -> tuple[list[Any], Any]:
    """Every cell of the workspace's suite, and the oracle that knows what each must get."""
    from plangate.documents.workspace import Workspace
    from plangate.engine.session import prepare

    prepared = prepare(Workspace.open(Path(root)), ENVIRONMENT, environ={})
    return list(prepared.matrices["gating"]), prepared.oracles["gating"]
