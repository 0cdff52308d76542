"""`plangate show RUN`: a stored run, or one cell of it."""

from __future__ import annotations

from pathlib import Path

import click

from plangate.cli.options import json_option, load_workspace, report_option, workspace_option
from plangate.cli.placing import placed_at

__all__ = ["command"]


@click.command(
    epilog="""\b
Examples:
  plangate show latest
  plangate show latest --report report.html
  plangate show r-20261122-101500-a1b2c3 --cell c-0123456789abcdef0123
"""
)
@click.argument("run", metavar="RUN")
@workspace_option
@click.option("--cell", metavar="ID", help="Only this cell: what was expected, why, and what was observed.")
@report_option
@json_option
def command(run: str, *, workspace: Path, cell: str | None, reports: tuple[Path, ...], as_json: bool) -> int:
    """Show a stored run as it was judged. RUN is an id, the beginning of one, `latest`, or a run file.

    Exit status is the run's: 0 passed, 1 failed, 3 undecided.
    """
    from plangate.cli.running import show_cell, show_run
    from plangate.store.folder import RunFolder

    root = load_workspace(workspace).root
    path, place = RunFolder(root).find(run), placed_at(root)
    if cell is not None:
        return int(show_cell(path, cell, as_json=as_json, place=place))
    return int(show_run(path, as_json=as_json, reports=reports, place=place))
