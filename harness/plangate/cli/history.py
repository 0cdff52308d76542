"""`plangate history ENV`: what was in an environment, since when, and on whose word."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.output import print_document
from plangate.errors import ExitCode

__all__ = ["command"]


@click.command("history", epilog="\b\nExamples:\n  plangate history prod\n  plangate history prod --json\n")
@click.argument("environment", metavar="ENV")
@workspace_option
@json_option
def command(environment: str, *, workspace: Path, as_json: bool) -> int:
    """List every promotion and rollback of ENV, newest first, from the ledger.

    Exit status: 0; 2 the input is wrong; 4 where the ledger does not verify.
    """
    from plangate.cli.settling import finish_interrupted
    from plangate.promotion.glance import glance

    opened = load_workspace(workspace)
    opened.environment(environment)
    finish_interrupted(opened)
    opened.trust()  # without one, the ledger cannot be believed, and an empty history would be a lie
    seen = glance(opened)
    moves = seen.state.environment(environment).promotions[::-1] if seen else ()
    if as_json:
        print_document({"environment": environment, "history": [asdict(move) for move in moves]})
    elif not moves:
        click.echo(f"nothing was ever promoted into {environment}")
    for move in moves if not as_json else ():
        approved = f", approved by {', '.join(move.approvals)}" if move.approvals else ""
        skipped = f"; bypassed {'; '.join(move.bypassed)}" if move.bypassed else ""
        unproven = f"; {'; '.join(move.unproven)}" if move.unproven else ""
        origin = "" if move.kind == "rollback" else f" from {move.source}"
        what = f"{move.at}  revision {move.revision}  {move.release[7:19]}  {move.kind}{origin}"
        click.echo(f"{what} by {move.person}{approved}{skipped}{unproven}")
    return ExitCode.PASSED
