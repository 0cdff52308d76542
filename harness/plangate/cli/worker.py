"""`plangate worker`: passes of a run, or a part of them, in a process of its own. Started by `plangate run`."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import click

from plangate.cli.options import load_workspace, workspace_option
from plangate.engine.events import Progress
from plangate.errors import DriverError, ExitCode

__all__ = ["command"]


@click.command(hidden=True)
@click.argument("environment")
@workspace_option
@click.option("--run-file", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--suite", required=True)
@click.option("--pass", "passes", type=int, required=True, multiple=True)
@click.option("--part", default="0/1")
@click.option("--home", type=click.Path(path_type=Path))
def command(
    environment: str,
    *,
    workspace: Path,
    run_file: Path,
    suite: str,
    passes: tuple[int, ...],
    part: str,
    home: Path | None,
) -> int:
    """Observe a part of passes of a run that another process has started; prints progress as JSON lines."""
    mine, _, parts = part.partition("/")
    place = (int(mine), int(parts))
    work = _work(environment, workspace, run_file, suite=suite, passes=passes, part=place, home=home)
    try:
        asyncio.run(work)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return ExitCode.INTERRUPTED
    return ExitCode.PASSED


async def _work(
    environment: str,
    workspace: Path,
    run_file: Path,
    *,
    suite: str,
    passes: tuple[int, ...],
    part: tuple[int, int],
    home: Path | None,
) -> None:
    from plangate.cli.world import real_world
    from plangate.engine.execution import Execution, observe_pass
    from plangate.engine.invocation import as_begun, driver_context, look_at
    from plangate.engine.plan import RunPlan
    from plangate.engine.running_app import RunningApp
    from plangate.engine.session import open_targets, prepare
    from plangate.store.pending import PendingCells, suites_of
    from plangate.store.reader import StoredRun
    from plangate.store.writer import RunWriter

    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    world = real_world()
    _, adjust = as_begun(run_file)
    loaded = load_workspace(workspace)
    prepared = prepare(loaded, environment, environ=world.environ, suites=[suite], adjust=adjust)
    prepared = replace(prepared, home=home)
    with StoredRun(run_file) as stored:
        header = stored.header
    record = next(one for one in suites_of(run_file) if one.name == suite)
    chosen = [record.passes[number] for number in passes]
    # Looked up before any is observed: where nothing is stored yet, that takes no time.
    pending = [PendingCells.of(run_file, record, one) for one in chosen]
    writer = RunWriter.reopen(run_file, exclusive=False)
    run = Execution(plan=RunPlan(header=header, suites=prepared.suites), writer=writer, clock=world.clock)
    context = driver_context(prepared, world=world, run=header.run, hash_seed=chosen[0].hash_seed)
    told = Progress(observed=0, leaks=0, others=0)
    try:
        async with open_targets(prepared, make_driver=world.make_driver, context=context) as targets:
            app = RunningApp.of(prepared, targets.opened, ask=world.ask_probe, context=context)
            await look_at(app, writer)
            for one, left in zip(chosen, pending, strict=True):
                events = observe_pass(run, prepared.suite(suite), record, one, targets=targets, pending=left, part=part)
                async with aclosing(events):  # type: ignore[type-var]
                    async for event in events:
                        click.echo(json.dumps({"pass": one.number} | _since(told, event)))
                        told = event
                if run.stopped:
                    break
            else:
                await look_at(app, writer, last=True)
    finally:
        writer.close()
    if run.stopped:
        raise DriverError(run.stopped, code="target-down", hint="start it again, then plangate run --resume")


def _since(before: Progress, now: Progress) -> dict[str, int]:
    """What came since the last line: the process that started this one adds up."""
    return {
        "observed": now.observed - before.observed,
        "leaks": now.leaks - before.leaks,
        "others": now.others - before.others,
    }
