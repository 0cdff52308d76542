"""What `plangate run` does between its options and its exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plangate.cli.observing import observe_all
from plangate.cli.output import print_document, say_error
from plangate.cli.placing import placed_at
from plangate.cli.screen import screen_width, wants_colour
from plangate.cli.world import real_world
from plangate.documents.suite import Suite
from plangate.documents.workspace import Workspace
from plangate.engine.code import unknown_code
from plangate.engine.invocation import World, as_begun, resume_run, start_run
from plangate.engine.plan import Limits, RunPlan, Selection
from plangate.engine.session import Prepared, prepare
from plangate.errors import ExitCode, InputError, PlangateError
from plangate.matrix.shards import parse_shard
from plangate.reports.write import report_suffix
from plangate.store.folder import RunFolder
from plangate.store.reader import StoredRun
from plangate.store.writer import RunWriter
from plangate.verdicts.result import RunHeader, RunVerdict, Verdict

if TYPE_CHECKING:
    from plangate.reports.survey import Survey

__all__ = ["RunOptions", "run_environment", "show_cell", "show_run"]

_EXIT_CODES = {
    RunVerdict.PASSED: ExitCode.PASSED,
    RunVerdict.FAILED: ExitCode.FAILED,
    RunVerdict.UNDECIDED: ExitCode.UNDECIDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of `plangate run`, as one value."""

    suites: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    surfaces: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    seed: int | None = None
    repeats: int | None = None
    workers: int = 1
    shard: str | None = None
    resume: str | None = None
    cache: bool | None = None
    timeout_s: float | None = None
    reports: tuple[Path, ...] = ()
    as_json: bool = False

    @classmethod
    def of(cls, **options: object) -> RunOptions:
        """From what the command line parsed. Raises InputError for options that contradict each other."""
        made = cls(**options)  # type: ignore[arg-type]
        narrowed = made.plans or made.states or made.capabilities or made.surfaces or made.cells or made.shard
        if made.resume is not None and (narrowed or made.repeats or made.seed is not None or made.suites):
            raise InputError(
                "--resume goes on with the cells its run began with; it takes no other choice",
                code="contradicting-options",
            )
        return made

    def selection(self) -> Selection:
        """The part of the matrix that is asked for. Raises InputError for a cell id or shard that is none."""
        chosen = {
            "plan": self.plans, "state": self.states, "capability": self.capabilities, "surface": self.surfaces
        }  # fmt: skip
        return Selection(
            shard=parse_shard(self.shard) if self.shard else None,
            cells=frozenset(_digest(cell) for cell in self.cells),
            axes={axis: frozenset(values) for axis, values in chosen.items() if values},
        )

    def adjust(self, suite: Suite) -> Suite:
        """The suite with the seed and repeats asked for."""
        if self.seed is not None:
            suite = replace(suite, seed=self.seed)
        if self.repeats is None:
            return suite
        processes = min(suite.determinism.processes, self.repeats)
        return replace(suite, determinism=replace(suite.determinism, repeats=self.repeats, processes=processes))


def _digest(cell: str) -> bytes:
    try:
        digest = bytes.fromhex(cell.removeprefix("c-"))
    except ValueError:
        digest = b""
    if len(digest) != 10:
        raise InputError(
            f"{cell!r} is not a cell id",
            code="bad-cell-id",
            hint="an id is c- and 20 hexadecimal digits, as `plangate show latest` prints it",
        )
    return digest


def run_environment(workspace: Workspace, environment: str, *, options: RunOptions) -> ExitCode:
    """Run, print, write reports; returns the exit status. A report that cannot be written is refused before the run."""
    for report in options.reports:
        report_suffix(report)
    world = real_world()
    path, ended_by = _run(workspace, environment, options=options, world=world)
    ended = ended_by if isinstance(ended_by, PlangateError) else None
    exit_code = show_run(
        path, as_json=options.as_json, reports=options.reports, ended_by=ended, place=placed_at(workspace.root)
    )
    with StoredRun(path) as run:
        header = run.header
    if ended is not None:
        say_error(ended, root=workspace.root)
    if header.stopped:
        click.echo(_resume_command(workspace, header), err=True)
    if ended is not None:
        return ended.exit_code
    return ExitCode.INTERRUPTED if ended_by else exit_code


def show_run(
    path: Path,
    *,
    as_json: bool,
    reports: Sequence[Path] = (),
    ended_by: PlangateError | None = None,
    place: str = "",
) -> ExitCode:
    """Print a stored run, write the reports asked for; returns the exit status of its verdict.

    `place` is what printed commands need beside (`placed_at`).
    """
    from plangate.reports.survey import survey
    from plangate.reports.write import write_report

    with StoredRun(path, place=place) as run:
        surveyed = survey(run)
        _print(run, surveyed, as_json=as_json, ended_by=ended_by)
        for report in reports:
            write_report(run, report, surveyed=surveyed)
            click.echo(f"wrote {report}", err=True)
        return _EXIT_CODES[surveyed.summary.verdict]


def show_cell(path: Path, cell: str, *, as_json: bool, place: str = "") -> ExitCode:
    """Print one cell of a stored run; exit status 0 where it passed, 3 for an error, else 1."""
    with StoredRun(path, place=place) as run:
        result = run.cell(cell)
    if as_json:
        from plangate.reports.json_report import cell_document

        print_document(cell_document(result))
    else:
        from plangate.reports.cell import cell_lines

        click.echo("\n".join(cell_lines(result)))
    if result.verdict is Verdict.ERROR:
        return ExitCode.UNDECIDED
    return ExitCode.PASSED if result.verdict is Verdict.PASS else ExitCode.FAILED


def _run(
    workspace: Workspace, environment: str, *, options: RunOptions, world: World
) -> tuple[Path, BaseException | None]:
    """The run's file, and what ended it early: what was measured until then is kept, and told (rule R8)."""
    prepared, plan, writer = _begin(workspace, environment, options=options, world=world)
    try:
        observe_all(prepared, plan, writer, world=world, workers=options.workers)
    except (KeyboardInterrupt, PlangateError) as error:
        return writer.path, error
    return writer.path, None


def _begin(
    workspace: Workspace, environment: str, *, options: RunOptions, world: World
) -> tuple[Prepared, RunPlan, RunWriter]:
    limits = Limits(run_s=options.timeout_s)
    folder = RunFolder(workspace.root)
    path = folder.find(options.resume) if options.resume else None
    if options.resume == "":
        path = folder.unfinished(environment)
        if path is None:  # never the last one's verdict: what was passed then may not pass now
            click.echo(f"no run of {environment} is unfinished: this is a new one", err=True)
    if path is not None:
        suites, adjust = as_begun(path)
        prepared = prepare(workspace, environment, environ=world.environ, suites=suites, adjust=adjust)
        return prepared, *resume_run(prepared, path, limits=limits)
    prepared = prepare(workspace, environment, environ=world.environ, suites=options.suites, adjust=options.adjust)
    reuse = prepared.environment.bindings.cache if options.cache is None else options.cache
    if reuse and (why := unknown_code(prepared.environment, folder=prepared.folder)):
        click.echo(f"note: nothing is taken from the cache, every cell is asked: {why}", err=True)
    started = start_run(prepared, world=world, selection=options.selection(), limits=limits, reuse=reuse)
    return prepared, *started


def _print(run: StoredRun, surveyed: Survey, *, as_json: bool, ended_by: PlangateError | None) -> None:
    if as_json:
        from plangate.reports.json_report import run_document

        print_document(run_document(run, surveyed=surveyed), ended_by=ended_by)
        return
    from plangate.reports.terminal import print_report

    colour, width = wants_colour(sys.stdout), screen_width(sys.stdout)
    print_report(run, sys.stdout, surveyed=surveyed, colour=colour, width=width)


def _resume_command(workspace: Workspace, header: RunHeader) -> str:
    place = placed_at(workspace.root)
    return f"resume with: plangate run {header.environment} --resume {header.run}{place}"
