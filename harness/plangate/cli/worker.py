"""`plangate worker`: passes of a run, or a part of them, in a process of its own. Started by `plangate run`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from pathlib import Path

import click

from plangate.cli.options import load_workspace, workspace_option
from plangate.engine.events import Progress
from plangate.errors import DriverError, ExitCode, PlangateError

__all__ = ["command"]


@click.command(hidden=True)
@click.argument("environment")
@workspace_option
@click.option("--run-file", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--suite", required=True)
@click.option("--pass", "passes", type=int, required=True, multiple=True)
@click.option("--part", default="0/1")
@click.option("--home", type=click.Path(path_type=Path))
@click.option("--progress-to", "descriptor", type=int, help="Where progress is written; else to standard output.")
def command(
    environment: str,
    *,
    workspace: Path,
    run_file: Path,
    suite: str,
    passes: tuple[int, ...],
    part: str,
    home: Path | None,
    descriptor: int | None,
) -> int:
    """Observe a part of passes of a run that another process has started; tells it the progress as JSON lines."""
    from plangate.cli.observing import until_done

    mine, _, parts = part.partition("/")
    place = (int(mine), int(parts))
    # Not 1: an app prints there. (Where standard output it is, `start` has moved it to a number of its own.)
    channel = sys.stdout.fileno() if descriptor is None else descriptor

    def say(told: Mapping[str, object]) -> None:
        os.write(channel, json.dumps(told).encode() + b"\n")

    work = _work(
        environment, workspace, run_file, suite=suite, passes=passes, part=place, home=home, say=say
    )  # fmt: skip
    try:
        until_done(work)
    except PlangateError as error:
        # Said to the process that started this one: a line of its own would run into the progress on the terminal.
        say({"stopped": " ".join(f"{one.message}{f' ({one.hint})' if one.hint else ''}" for one in error.problems)})
        return error.exit_code
    except BrokenPipeError:  # whoever started this is gone, so nobody wants the rest
        return ExitCode.INTERRUPTED
    say({"done": True})  # an app may end this process at any time, with any status
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
    say: Callable[[Mapping[str, object]], object],
) -> None:
    from plangate.cli.world import real_world
    from plangate.engine.execution import Execution, observe_pass
    from plangate.engine.invocation import as_begun, driver_context, look_at, output_noted
    from plangate.engine.plan import RunPlan
    from plangate.engine.running_app import RunningApp
    from plangate.engine.session import open_targets, prepare
    from plangate.store.pending import PendingCells, suites_of
    from plangate.store.reader import StoredRun
    from plangate.store.writer import RunWriter

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
        async with AsyncExitStack() as stack:
            stack.enter_context(output_noted(context, writer))
            opening = open_targets(prepared, make_driver=world.make_driver, context=context)
            targets = await stack.enter_async_context(opening)
            app = RunningApp.of(prepared, targets.opened, ask=world.ask_probe, context=context)
            await look_at(app, writer)
            for one, left in zip(chosen, pending, strict=True):
                events = observe_pass(run, prepared.suite(suite), record, one, targets=targets, pending=left, part=part)
                async with aclosing(events):  # type: ignore[type-var]
                    async for event in events:
                        say({"pass": one.number} | _since(told, event))
                        told = event
                if run.stopped:
                    break
            else:
                await look_at(app, writer, last=True)
    finally:
        writer.close()
    if run.stopped:
        raise DriverError(run.stopped, code="target-down", hint="start it again, then go on")


def _since(before: Progress, now: Progress) -> dict[str, int]:
    """What came since the last line: the process that started this one adds up."""
    return {
        "observed": now.observed - before.observed,
        "leaks": now.leaks - before.leaks,
        "others": now.others - before.others,
    }
