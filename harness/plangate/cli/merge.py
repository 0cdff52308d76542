"""`plangate merge RUN RUN ...`: the shards of one run, as one."""

from __future__ import annotations

from pathlib import Path

import click

from plangate.cli.options import json_option, load_workspace, report_option, workspace_option
from plangate.cli.placing import placed_at

__all__ = ["command"]


@click.command(
    epilog="""\b
Examples:
  plangate merge r-20261122-101500-a1b2c3 r-20261122-101502-d4e5f6
  plangate merge shard-1.sqlite shard-2.sqlite --report report.html
"""
)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@workspace_option
@report_option
@json_option
def command(runs: tuple[str, ...], *, workspace: Path, reports: tuple[Path, ...], as_json: bool) -> int:
    """Merge the runs of all shards into one run, and judge it whole.

    RUN is a run id or a run file. Refused where a shard is missing or the runs were of different releases or suites.
    """
    from plangate.cli.running import show_run
    from plangate.cli.world import real_world
    from plangate.store.folder import RunFolder
    from plangate.store.merge import merge_runs

    root = load_workspace(workspace).root
    folder = RunFolder(root)
    run = real_world().new_run_id()
    merge_runs([folder.find(one) for one in runs], folder.path_of(run), run=run)
    return int(show_run(folder.path_of(run), as_json=as_json, reports=reports, place=placed_at(root)))
