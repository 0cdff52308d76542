"""`plangate drift ENV`: does what runs there still follow the manifest?"""

from __future__ import annotations

from pathlib import Path

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.signing import signing_options

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate drift prod                                      pins, and a canary of cells
  plangate drift prod --key ci.key --as ci                 on record: status shows it, and the model is held to it
  plangate drift prod --accept --reason "provider moved to build 41" --key ci.key --as ci

Where the app is asked: bindings.probe in envs/ENV.yaml.
"""


@click.command("drift", epilog=_EPILOG)
@click.argument("environment", metavar="ENV")
@click.option("--no-canary", "skip_canary", is_flag=True, help="Ask what runs, and observe no cell.")
@click.option("--accept", is_flag=True, help="Record the model as it answers now as the one to be held to.")
@click.option("--reason", default="", metavar="TEXT", help="Why; needed with --accept.")
@signing_options
@workspace_option
@json_option
def command(environment: str, *, workspace: Path, **options: object) -> int:
    """Ask the running app what it runs, compare each pin, and observe a few cells of every plan and capability again.

    A model that was exchanged behind its name shows by its system fingerprint and by its answers to the manifest's
    questions, compared with those on record.

    Exit status: 0 no drift, 1 something differs, 2 the input is wrong, 3 it could not be seen (nobody answers, or a pin
    of which the app says nothing), 4 evidence does not verify.
    """
    from plangate.cli.drifting import DriftOptions, look

    return int(look(load_workspace(workspace), environment, options=DriftOptions(**options)))  # type: ignore[arg-type]
