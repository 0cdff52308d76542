"""Options that several verbs share, and the one way a verb opens its workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plangate.cli.output import note_workspace

if TYPE_CHECKING:
    from plangate.documents.workspace import Workspace

__all__ = ["json_option", "load_workspace", "report_option", "workspace_option"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def workspace_option(command: _Command) -> _Command:
    """Adds `-w/--workspace DIR`; the command receives it as `workspace: Path`. Pass it to `load_workspace`."""
    return click.option(
        "-w",
        "--workspace",
        type=click.Path(path_type=Path),
        default=".",
        show_default="this folder",
        metavar="DIR",
        help="Folder that holds envs/, prompts/ and evals/.",
    )(command)


def json_option(command: _Command) -> _Command:
    """Adds `--json`; the command receives it as `as_json: bool`. One document goes to standard output."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document to standard output instead of text."
    )(command)


def report_option(command: _Command) -> _Command:
    """Adds `--report FILE`, repeatable; the command receives `reports: tuple[Path, ...]`."""
    return click.option(
        "--report",
        "reports",
        multiple=True,
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Write a report; the ending says which: .html, .xml (JUnit), .md, .json, .txt. Repeatable.",
    )(command)


def load_workspace(path: Path) -> Workspace:
    """The workspace at `path`.

    Raises InputError (`not-a-workspace`) where that folder is none. Documents are read later, when asked for.
    """
    from plangate.documents.workspace import Workspace

    opened = Workspace.open(path)
    note_workspace(opened.root)
    return opened
