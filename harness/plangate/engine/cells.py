"""Observing chosen cells and getting their results back: what the pytest plugin and scripts need of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import aclosing

from plangate.engine.invocation import World, observe_run, start_run
from plangate.engine.plan import Selection
from plangate.engine.session import Prepared
from plangate.store.reader import StoredRun
from plangate.verdicts.result import CellResult

__all__ = ["observe_cells"]


def observe_cells(
    prepared: Prepared, chosen: Mapping[str, Collection[bytes]], *, world: World
) -> Mapping[tuple[str, bytes], CellResult]:
    """Run the chosen cells of each suite (suite name -> cell digests) and return their results by suite and digest.

    A cell that was not observed, because the target went down first, is missing from the answer: never a pass.
    Passes that a suite wants in fresh processes run in this one. Raises PlangateError as a run does.
    """
    digests = frozenset(digest for of_suite in chosen.values() for digest in of_suite)
    plan, writer = start_run(prepared, world=world, selection=Selection(cells=digests))

    async def observe() -> None:
        events = observe_run(prepared, plan, writer, world=world)
        async with aclosing(events):  # type: ignore[type-var]
            async for _ in events:
                pass

    asyncio.run(observe())
    with StoredRun(writer.path) as run:
        results = {(result.suite, bytes.fromhex(result.cell[2:])): result for result in run.cells()}
    return {key: result for key, result in results.items() if key[1] in chosen.get(key[0], ())}
