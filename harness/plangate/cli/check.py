"""`plangate check`: every document of the workspace, how they fit together, the laws of the plans, and the lock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.output import print_document
from plangate.cli.placing import placed_commands
from plangate.errors import ExitCode, InputError, Problem

if TYPE_CHECKING:
    from plangate.documents.workspace import Workspace

__all__ = ["all_problems", "command"]

_EPILOG = """\b
Examples:
  plangate check                     every problem of this folder, each with its line and what to write
  plangate check -w shop --strict    warnings count as errors; law L4 looks at every cell
  plangate check --json              {"ok": ..., "problems": [...]} for a program
"""


@click.command("check", epilog=_EPILOG)
@workspace_option
@json_option
@click.option("--strict", is_flag=True, help="Warnings count as errors, and law L4 looks at every cell of every suite.")
def command(workspace: Path, *, as_json: bool, strict: bool) -> int:
    """Check every document of the workspace, how they fit together, and the laws of its plans.

    Exit status: 0 nothing is wrong, 2 something is.
    """
    opened = load_workspace(workspace)
    problems = all_problems(opened, strict=strict)
    failed = [problem for problem in problems if strict or problem.severity == "error"]
    if as_json:
        _print_json(problems, ok=not failed, root=opened.root)
    else:
        _print_text(problems, strict=strict, root=opened.root)
    return ExitCode.INPUT if failed else ExitCode.PASSED


def all_problems(workspace: Workspace, *, strict: bool = False) -> list[Problem]:
    """Everything that is wrong, sorted by place, each once.

    Law L4 needs the cells of all suites: `strict` looks at each of them, otherwise only where that takes a moment.
    """
    problems = set(workspace.check())
    problems.update(_target_problems(workspace))
    problems.update(_lock_problems(workspace))
    problems.update(_untold_releases(workspace))
    sound = not any(problem.severity == "error" for problem in problems)
    problems.update(_law_problems(workspace, suites_too=sound, quick=not strict))
    return sorted(problems)


def _target_problems(workspace: Workspace) -> list[Problem]:
    from plangate.documents.problems import capped
    from plangate.drivers.target_check import target_problems

    problems: list[Problem] = []
    for name in workspace.environment_names():
        try:
            environment = workspace.environment(name)
        except InputError:  # its problems are listed already
            continue
        try:
            catalogs = [workspace.catalog(*pin) for pin in environment.release.plans.items()]
        except InputError:  # likewise; names of its limits and settings cannot be known
            catalogs = None
        problems += capped(target_problems(environment, catalogs, root=workspace.root))
    return problems


def _untold_releases(workspace: Workspace) -> Iterator[Problem]:
    """Releases that were promoted, where nothing says whether they are what runs (rule R14)."""
    from plangate.documents.environment import Tier
    from plangate.documents.problems import problem_at

    for name in workspace.environment_names():
        try:
            environment = workspace.environment(name)
        except InputError:  # its problems are listed already
            continue
        promoted = environment.promotion.sources or environment.tier is Tier.PRODUCTION
        if promoted and environment.bindings.probe is None and environment.release.app_digest is None:
            yield problem_at(
                environment.positions.of_key("bindings"),
                code="what-runs-unknown",
                message=f"nothing says whether the release of {name} is what runs there",
                hint=f"add bindings.probe, or pin the app's code: `plangate pin app {name} PATH`",
                severity="warning",
            )


def _lock_problems(workspace: Workspace) -> list[Problem]:
    from plangate.documents.environment import Tier
    from plangate.releases.lock import compare, read_lock
    from plangate.releases.pins import pins_of
    from plangate.releases.release import lockable

    try:
        lock = read_lock(workspace.lock_bytes())
    except InputError as error:
        return list(error.problems)
    pinned: set[str] = set()
    for name in workspace.environment_names():
        try:
            environment = workspace.environment(name)
        except InputError:  # its problems are listed already
            continue
        # Where releases begin, documents still change from hour to hour; what was promoted must not.
        if environment.promotion.sources or environment.tier is Tier.PRODUCTION:
            pinned.update(pin.lock_key for pin in pins_of(environment))
    return compare(lock, lockable(workspace), pinned=pinned)


def _law_problems(workspace: Workspace, *, suites_too: bool, quick: bool) -> list[Problem]:
    from plangate.cli.reasons import expected_reasons
    from plangate.entitlements import laws

    problems: list[Problem] = []
    for name, version in workspace.catalog_versions():
        try:
            catalog = workspace.catalog(name, version)
        except InputError:  # laws speak about catalogs that can be read
            continue
        try:
            found = expected_reasons(workspace, catalog, quick=quick) if suites_too else None
        except InputError as error:  # a suite whose matrix is empty or cannot be spanned
            problems += error.problems
            found = None
        covered, suites = found or (None, None)
        problems += laws.check(catalog, covered=covered, suites=suites)
    return problems


def _print_json(problems: list[Problem], *, ok: bool, root: Path) -> None:
    entries = [
        {
            "code": problem.code,
            "path": problem.path,
            "line": problem.line,
            "column": problem.column,
            "severity": problem.severity,
            "message": problem.message,
            "hint": placed_commands(problem.hint, root=root),
        }
        for problem in problems
    ]
    print_document({"ok": ok, "problems": entries})


def _print_text(problems: list[Problem], *, strict: bool, root: Path) -> None:
    for problem in problems:
        label = "warning: " if problem.severity == "warning" and not strict else ""
        place = f"{problem.where}: " if problem.where else ""
        hint = f" ({placed_commands(problem.hint, root=root)})" if problem.hint else ""
        click.echo(f"{place}{label}{problem.message}{hint} [{problem.code}]")
    errors = sum(1 for problem in problems if problem.severity == "error")
    click.echo(_summary(errors, len(problems) - errors))


def _summary(errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return "Nothing is wrong."
    counts = [(errors, "error"), (warnings, "warning")]
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts if count) + "."
