"""`plangate run ENV`: observe, judge, say what leaks."""

from __future__ import annotations

from pathlib import Path

import click

from plangate.cli.options import json_option, load_workspace, report_option, workspace_option

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate run stage
  plangate run stage --report report.html --report junit.xml
  plangate run stage --plan free --capability report.export
  plangate run stage --cell c-0123456789abcdef0123 --seed 7
  plangate run stage --shard 1/4        then: plangate merge RUN RUN RUN RUN
  plangate run stage --resume
"""


@click.command(epilog=_EPILOG)
@click.argument("environment", metavar="ENV")
@workspace_option
@click.option("--suite", "suites", multiple=True, metavar="NAME", help="Only this suite of the release. Repeatable.")
@click.option("--plan", "plans", multiple=True, metavar="NAME", help="Only cells of this plan. Repeatable.")
@click.option("--state", "states", multiple=True, metavar="NAME", help="Only cells in this state. Repeatable.")
@click.option("--capability", "capabilities", multiple=True, metavar="NAME", help="Only this capability. Repeatable.")
@click.option("--surface", "surfaces", multiple=True, metavar="NAME", help="Only this surface. Repeatable.")
@click.option("--cell", "cells", multiple=True, metavar="ID", help="Only this cell. Repeatable.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Seed for every suite, instead of its own.")
@click.option(
    "--repeats", type=click.IntRange(1, 1000), help="Observe each cell this often, instead of as the suite says."
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, help="Processes that observe side by side.")
@click.option("--shard", metavar="I/N", help="Only the I-th of N parts, for N machines; see plangate merge.")
@click.option("--resume", is_flag=False, flag_value="", metavar="[RUN]", help="Go on with an unfinished run.")
@click.option(
    "--cache/--no-cache", "cache", default=None, help="Take what an identical earlier run observed, or never."
)
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0.1), metavar="SECONDS", help="End the run after this."
)
@report_option
@json_option
def command(environment: str, *, workspace: Path, **options: object) -> int:
    """Run the suites of ENV's release against its app: every cell of the plan matrix, observed and judged.

    Exit status: 0 nothing differs from what was bought, 1 something leaks, is locked out or wavers, 2 the input is
    wrong, 3 it could not be judged, 130 interrupted (the command that resumes is printed).
    """
    from plangate.cli.running import RunOptions, run_environment

    return int(run_environment(load_workspace(workspace), environment, options=RunOptions.of(**options)))
