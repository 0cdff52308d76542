"""Puts cells to the app through the engine and keeps what came of it, item by item.

The targets are opened once and stay open until the session ends. In a plain session the first item asks for all that
are selected, in one go, so that orders and concurrency mean what the suite says; a worker of pytest-xdist asks for what
it was handed. Runs are kept in a temporary folder: a stored run of the workspace is `plangate run`'s. What the app
prints goes to `.plangate/logs/pytest-ENV.log`, anew in each session, and never into what pytest prints.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from plangate import __version__
from plangate.drivers.app_output import kept_output
from plangate.drivers.probe import probe_app
from plangate.drivers.protocol import DriverContext
from plangate.drivers.redaction import Redactor
from plangate.drivers.references import resolve_secrets
from plangate.drivers.registry import make_driver
from plangate.engine.events import RunEnded
from plangate.engine.execution import OpenTargets, execute, store_plan
from plangate.engine.invocation import World, driver_context, look_at
from plangate.engine.plan import RunPlan, Selection
from plangate.engine.running_app import RunningApp
from plangate.engine.session import Prepared, check_targets, open_targets
from plangate.errors import PlangateError
from plangate.store.reader import StoredRun
from plangate.store.writer import RunWriter
from plangate.verdicts.result import CellResult, RunHeader, RunSummary, Verdict

__all__ = ["Asking", "Wanted", "Witness"]

_WORST_KEPT = 10
_WORST_FIRST = (Verdict.LEAK, Verdict.FLAKY, Verdict.LOCKOUT, Verdict.MISMATCH, Verdict.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wanted:
    """What one item asks about: cells of one suite."""

    suite: str
    cells: tuple[bytes, ...]
    """Digests."""


@dataclass(slots=True, kw_only=True)
class Witness:
    """What was observed for one item. Only cells that were observed in every pass and passed are no failure."""

    wanted: int
    passes: int
    counts: dict[Verdict, int] = field(default_factory=dict)
    worst: list[CellResult] = field(default_factory=list)
    complete: int = 0
    stopped: str = ""
    """Why the rest was not observed."""
    differences: tuple[str, ...] = ()
    """How what ran is not what the manifest declares: then nothing passed (rule R14)."""

    @property
    def passed(self) -> bool:
        """Whether every cell was observed in every pass, and passed, on what was declared to run."""
        return (
            not self.differences
            and self.wanted > 0
            and self.complete == self.wanted == self.counts.get(Verdict.PASS, 0)
        )

    def add(self, result: CellResult) -> None:
        """Take in one observed cell."""
        self.counts[result.verdict] = self.counts.get(result.verdict, 0) + 1
        self.complete += sum(seen.count for seen in result.observed) >= self.passes
        if result.verdict is not Verdict.PASS:
            self.worst = sorted([*self.worst, result], key=_severity)[:_WORST_KEPT]


def _severity(result: CellResult) -> tuple[int, str]:
    return _WORST_FIRST.index(result.verdict), result.cell


class Asking:
    """One environment's app, and the witnesses so far."""

    def __init__(self, prepared: Prepared, *, environ: Mapping[str, str]) -> None:
        self._prepared = prepared
        self._world = World(
            environ=environ,
            make_driver=make_driver,
            clock=time.perf_counter_ns,
            now=str,
            new_run_id=str,
            version=__version__,
            resolve_secrets=resolve_secrets,
            ask_probe=probe_app,
        )
        worker = environ.get("PYTEST_XDIST_WORKER")
        self._run = "-".join(["pytest", prepared.environment.name, *([worker] if worker else [])])
        self._context: DriverContext | None = None
        self._runner = asyncio.Runner()
        self._open = AsyncExitStack()
        self._targets: OpenTargets | None = None
        self._app: RunningApp | None = None
        self._refused: PlangateError | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="plangate-pytest-")
        self._runs = 0
        self._witnesses: dict[Wanted, Witness] = {}
        self.summaries: list[RunSummary] = []
        """One for each time that cells were asked."""

    def witness(self, wanted: Wanted, *, together: Iterable[Wanted]) -> Witness:
        """What was observed for `wanted`; asked now, together with others, where it was not asked before.

        Raises the PlangateError for which nothing can be observed at all, once and for each later call.
        """
        if wanted not in self._witnesses:
            if self._refused is not None:
                raise self._refused
            fresh = {one for one in together if one not in self._witnesses} | {wanted}
            try:
                with self._kept_output(), _going_on():
                    self._runner.run(self._ask(fresh))
            except PlangateError as error:
                self._refused = error
                raise
        return self._witnesses[wanted]

    def _driver_context(self) -> DriverContext:
        """The session's own. Raises InputError for a secret that is missing."""
        if self._context is None:
            self._context = driver_context(self._prepared, world=self._world, run=self._run)
            if self._context.log is not None:
                self._context.log.unlink(missing_ok=True)
        return self._context

    @contextmanager
    def _kept_output(self) -> Iterator[None]:
        context = self._driver_context()
        redactor = Redactor(context.secrets.values())
        with kept_output(context.output, log=context.log, redactor=redactor, guest=True):
            yield

    @property
    def app_wrote(self) -> str:
        """That the app wrote, how much, and where that is kept; empty where it did not."""
        written = self._context.output.bytes if self._context is not None else 0
        return replace(self.summaries[-1].header, app_output=written).app_wrote if self.summaries else ""

    async def _ask(self, wanted: set[Wanted]) -> None:
        context = self._driver_context()
        if self._targets is None:
            check_targets(self._prepared, make_driver=make_driver, context=context)
            opening = open_targets(self._prepared, make_driver=make_driver, context=context)
            self._targets = await self._open.enter_async_context(opening)
            ask = self._world.ask_probe
            self._app = RunningApp.of(self._prepared, self._targets.opened, ask=ask, context=context)
        plan, path = self._plan(wanted)
        writer = RunWriter.create(path, plan.header)
        stopped = ""
        try:
            store_plan(plan, writer)
            await look_at(self._app, writer)
            async for event in execute(plan, writer, targets=self._targets, clock=self._world.clock):
                if isinstance(event, RunEnded):
                    stopped = event.stopped
            await look_at(self._app, writer, last=True)
        finally:
            writer.close()
        self._read(path, wanted, stopped=stopped)
        path.unlink(missing_ok=True)

    def _plan(self, wanted: set[Wanted]) -> tuple[RunPlan, Path]:
        prepared = self._prepared
        names = {one.suite for one in wanted}
        header = RunHeader(
            run=self._run,
            environment=prepared.environment.name,
            tier=prepared.environment.tier,
            release=prepared.identity.release,
            effective=prepared.identity.effective,
            seed=prepared.suites[0].suite.seed,
            started="",
            finished="",
            duration_s=0.0,
            plangate=__version__,
            app=prepared.environment.release.app_name,
            model=prepared.environment.release.model_text,
            target="",
        )
        self._runs += 1
        plan = RunPlan(
            header=header,
            suites=tuple(suite for suite in prepared.suites if suite.suite.name in names),
            selection=Selection(cells=frozenset(digest for one in wanted for digest in one.cells)),
        )
        return plan, Path(self._folder.name) / f"{self._runs}.sqlite"

    def _read(self, path: Path, wanted: set[Wanted], *, stopped: str) -> None:
        passes = {suite.suite.name: len(suite.passes) for suite in self._prepared.suites}
        owners: dict[tuple[str, str], Witness] = {}
        for one in wanted:
            witness = Witness(wanted=len(one.cells), passes=passes[one.suite], stopped=stopped)
            self._witnesses[one] = witness
            owners.update({(one.suite, "c-" + digest.hex()): witness for digest in one.cells})
        with StoredRun(path) as run:
            for witness in owners.values():
                witness.differences = run.header.ran_differences
            self.summaries.append(run.summary())
            for result in run.cells():
                owners[result.suite, result.cell].add(result)

    def close(self) -> None:
        """Close the targets, stop what was launched, drop the runs. Safe to call twice."""
        if self._targets is not None:
            self._targets = None
            with self._kept_output():
                self._runner.run(self._open.aclose())
        self._runner.close()
        self._folder.cleanup()


@contextmanager
def _going_on() -> Iterator[None]:
    """Asked in pytest's own process, an app that ends it is one that failed: status 0 would be a pass of everything.

    A child that it forks is no process of ours, and ends as it likes.
    """
    leave, ours = os._exit, os.getpid()

    def end(status: int) -> NoReturn:
        if os.getpid() != ours:
            leave(status)
        raise SystemExit(f"os._exit({status})")

    os._exit = end
    try:
        yield
    finally:
        os._exit = leave
