"""One invocation of a run: start or resume its file, open what it needs, observe, and close it whatever happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from plangate.documents.environment import Environment, Target
from plangate.documents.suite import Suite
from plangate.drivers.app_output import kept_output
from plangate.drivers.protocol import DriverContext
from plangate.drivers.redaction import Redactor
from plangate.engine.code import code_digest, surroundings_digest, unknown_code
from plangate.engine.collecting import seldom_collecting
from plangate.engine.events import Event, RunEnded
from plangate.engine.execution import Clock, FreshProcesses, execute, store_plan
from plangate.engine.plan import DEFAULT_LIMITS, EVERYTHING, Limits, RunPlan, Selection
from plangate.engine.running_app import AskProbe, RunningApp
from plangate.engine.session import MakeDriver, Prepared, check_targets, log_path, open_targets
from plangate.errors import InputError, PlangateError
from plangate.store.documents import SuiteRecord
from plangate.store.folder import RunFolder
from plangate.store.reader import StoredRun
from plangate.store.reuse import reuse_observations
from plangate.store.writer import RunWriter
from plangate.verdicts.result import RunHeader

__all__ = ["World", "as_begun", "driver_context", "look_at", "observe_run", "output_noted", "resume_run", "start_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything a run takes from outside: nothing below reads clock, environment or chance by itself."""

    environ: Mapping[str, str]
    make_driver: MakeDriver
    clock: Clock
    now: Callable[[], str]
    """The time as RFC 3339 UTC, for the header only."""
    new_run_id: Callable[[], str]
    version: str
    resolve_secrets: Callable[[Mapping[str, str], Path, Mapping[str, str]], Mapping[str, str]]
    """(references, workspace, environ) -> secrets by name; raises InputError for one that is missing."""
    ask_probe: AskProbe | None = None
    """Asks an app what it runs; None where nobody does: then what ran was not checked."""


def start_run(
    prepared: Prepared,
    *,
    world: World,
    selection: Selection = EVERYTHING,
    limits: Limits = DEFAULT_LIMITS,
    reuse: bool = False,
) -> tuple[RunPlan, RunWriter]:
    """Create the run's file with its expected set. Raises InputError where the selection leaves nothing to run.

    `reuse` takes over what an earlier run of the same everything observed; not where nobody knows which code ran.
    """
    folder = RunFolder(prepared.folder)
    context = driver_context(prepared, world=world, run="")
    check_targets(prepared, make_driver=world.make_driver, context=context)
    header = _header(prepared, world=world, selection=selection)
    plan = RunPlan(header=header, suites=prepared.suites, selection=selection, limits=limits)
    writer = RunWriter.create(folder.path_of(header.run), header)
    try:
        with seldom_collecting():
            store_plan(plan, writer)
        _require_cells(writer)
        if reuse and not unknown_code(prepared.environment, folder=prepared.folder):
            writer.note_reuse(reuse_observations(writer.path, folder))
    except BaseException:
        writer.discard()
        raise
    return plan, writer


def _require_cells(writer: RunWriter) -> None:
    with StoredRun(writer.path) as run:
        if not any(suite.cells for suite in run.suites):
            raise InputError(
                "no cell is left by this selection: nothing would be judged",
                code="nothing-selected",
                hint=f"`plangate matrix {run.header.environment} --cells` lists what there is",
            )


def as_begun(path: Path) -> tuple[tuple[str, ...], Callable[[Suite], Suite]]:
    """The suites a run began with, and what makes a suite of the workspace like the run's: its seed."""
    with StoredRun(path) as run:
        seeds = {suite.name: suite.seed for suite in run.suites}

    def adjust(suite: Suite) -> Suite:
        return replace(suite, seed=seeds.get(suite.name, suite.seed))

    return tuple(seeds), adjust


def resume_run(prepared: Prepared, path: Path, *, limits: Limits = DEFAULT_LIMITS) -> tuple[RunPlan, RunWriter]:
    """Go on with an unfinished run. Raises InputError where it was about other documents, or is finished."""
    with StoredRun(path) as run:
        header, suites = run.header, run.suites
    if header.finished:
        raise InputError(f"run {header.run} has finished", code="run-finished", hint=f"`plangate show {header.run}`")
    if changed := _changed(prepared, header, suites):
        raise InputError(
            f"run {header.run} cannot go on: {changed} changed since it started, and two builds are no one run",
            code="resume-mismatch",
            hint=f"`plangate run {header.environment}` starts a new one",
        )
    plan = RunPlan(header=header, suites=prepared.suites, limits=limits)
    return plan, RunWriter.reopen(path)


def _changed(prepared: Prepared, header: RunHeader, suites: Sequence[SuiteRecord]) -> str:
    """What is no longer as it was when the run began, in words; empty where all is."""
    identity = prepared.identity
    now = {suite.suite.name: (suite.digest, suite.cache_key) for suite in prepared.suites}
    if changed := [suite.name for suite in suites if now.get(suite.name, ("",))[0] != suite.digest]:
        return f"suite {', '.join(changed)}"
    if header.release != identity.release:
        return "the release"
    if header.effective != identity.effective:
        return "the bindings"
    if any(now[suite.name][1] != suite.cache_key for suite in suites):
        return "what a reference in the bindings stands for"
    if header.code != code_digest(prepared.environment, folder=prepared.folder):
        return "the app's code in the workspace"
    return ""


async def observe_run(
    prepared: Prepared,
    plan: RunPlan,
    writer: RunWriter,
    *,
    world: World,
    fresh: FreshProcesses | None = None,
    workers: int = 1,
) -> AsyncIterator[Event]:
    """Observe all that is pending and finish the run; an interruption leaves it resumable."""
    started = world.clock()
    stopped = "interrupted"
    try:
        events = _observe(prepared, plan, writer, world=world, fresh=fresh, workers=workers)
        async with aclosing(events):  # type: ignore[type-var]
            with seldom_collecting():
                async for event in events:
                    if isinstance(event, RunEnded):
                        stopped = event.stopped
                    yield event
    except PlangateError as error:
        stopped = error.message
        raise
    except Exception as error:
        stopped = f"plangate failed: {type(error).__name__}"
        raise
    finally:
        duration_s = (world.clock() - started) / 1e9
        try:
            writer.finish(finished="" if stopped else world.now(), duration_s=duration_s, stopped=stopped)
        finally:
            writer.close()


async def _observe(
    prepared: Prepared,
    plan: RunPlan,
    writer: RunWriter,
    *,
    world: World,
    fresh: FreshProcesses | None,
    workers: int,
) -> AsyncIterator[Event]:
    apart = fresh is not None and (workers > 1 or all(_in_fresh_processes(suite.passes) for suite in plan.suites))
    if apart:
        async for event in execute(plan, writer, targets=None, clock=world.clock, fresh=fresh, workers=workers):
            yield event
        return
    context = driver_context(prepared, world=world, run=plan.header.run)
    with output_noted(context, writer):
        events = _observe_here(prepared, plan, writer, world=world, context=context, fresh=fresh, workers=workers)
        async with aclosing(events):  # type: ignore[type-var]
            async for event in events:
                yield event


async def _observe_here(
    prepared: Prepared,
    plan: RunPlan,
    writer: RunWriter,
    *,
    world: World,
    context: DriverContext,
    fresh: FreshProcesses | None,
    workers: int,
) -> AsyncIterator[Event]:
    async with open_targets(prepared, make_driver=world.make_driver, context=context) as targets:
        app = RunningApp.of(prepared, targets.opened, ask=world.ask_probe, context=context)
        await look_at(app, writer)
        events = execute(plan, writer, targets=targets, clock=world.clock, fresh=fresh, workers=workers)
        async with aclosing(events):  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, RunEnded) and not event.stopped:
                    await look_at(app, writer, last=True)
                yield event


@contextmanager
def output_noted(context: DriverContext, writer: RunWriter) -> Iterator[None]:
    """Meanwhile what the app writes where it was not asked to goes to the run's log; the run says how much it was."""
    try:
        with kept_output(context.output, log=context.log, redactor=Redactor(context.secrets.values())):
            yield
    finally:
        writer.note_output(context.output.bytes)


async def look_at(app: RunningApp | None, writer: RunWriter, *, last: bool = False) -> None:
    """Ask the app what it runs, and store what is known now. Raises InputError for a probe that is written wrong."""
    if app is not None:
        writer.note_ran(await app.look(), last=last)


def _in_fresh_processes(passes: tuple[object, ...]) -> bool:
    return all(getattr(one, "hash_seed", None) is not None for one in passes)


def driver_context(prepared: Prepared, *, world: World, run: str, hash_seed: int | None = None) -> DriverContext:
    """What the drivers of this environment may know. Raises InputError for a secret that is missing."""
    root = prepared.folder
    secrets = prepared.environment.bindings.secrets
    return DriverContext(
        workspace=root,
        environ=world.environ,
        secrets=world.resolve_secrets(secrets, root, world.environ),
        hash_seed=hash_seed,
        concurrency=prepared.concurrency,
        log=log_path(root, run),
    )


def _header(prepared: Prepared, *, world: World, selection: Selection) -> RunHeader:
    manifest = prepared.environment
    release = manifest.release
    return RunHeader(
        run=world.new_run_id(),
        environment=manifest.name,
        tier=manifest.tier,
        release=prepared.identity.release,
        effective=prepared.identity.effective,
        seed=prepared.suites[0].suite.seed,
        started=world.now(),
        finished="",
        duration_s=0.0,
        plangate=world.version,
        app=f"{release.app_name} {release.app_version}",
        model=release.model_text,
        target=_target_text(manifest),
        shard=f"{selection.shard[0]}/{selection.shard[1]}" if selection.shard else "",
        selection="" if selection.everything else selection.describe(),
        # Documents unpacked elsewhere are run once, and neither resumed nor taken from.
        code=code_digest(manifest, folder=prepared.folder) if prepared.home is None else "",
        surroundings=surroundings_digest(manifest, environ=world.environ),
    )


def _target_text(manifest: Environment) -> str:
    """What is asked, in a few words: `http at interaction, tool; authzen at default; launched: python -m copilot`."""
    places: dict[str, list[str]] = {}
    launched: dict[str, None] = {}
    for name, target in manifest.bindings.targets.items():
        places.setdefault(_place_of(target), []).append(name)
        if target.launch is not None:
            launched[" ".join(part for part in target.launch.command if part not in ("--port", "{port}"))] = None
    texts = [place if names == ["default"] else f"{place} at {', '.join(names)}" for place, names in places.items()]
    return "; ".join([*texts, *(f"launched: {command}" for command in launched)])


def _place_of(target: Target) -> str:
    if target.launch is not None or (target.url or "").startswith("target:"):
        return target.driver
    return f"{target.driver} {target.object or target.url or ' '.join(target.command)}".strip()
