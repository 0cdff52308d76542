"""`plangate hold ENV`: nothing enters an environment, until somebody says otherwise."""

from __future__ import annotations

from pathlib import Path

import click

from plangate.cli.options import load_workspace, workspace_option
from plangate.cli.signing import signer_of, signing_options

__all__ = ["command"]


@click.command(
    "hold", epilog="\b\nExample:\n  plangate hold prod --lift --key alice.key --as alice --reason 'mended in 4.2.1'\n"
)
@click.argument("environment", metavar="ENV")
@click.option("--lift", is_flag=True, help="Let releases in again.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the ledger.")
@signing_options
@workspace_option
def command(
    environment: str,
    *,
    workspace: Path,
    lift: bool,
    reason: str,
    key: Path | None,
    person: str | None,
    passphrase_env: str | None,
) -> int:
    """Keep every release out of ENV, or lift what does. A rollback sets a hold by itself.

    Exit status: 0 recorded, 2 the input is wrong.
    """
    from plangate.cli.promoting import change_hold
    from plangate.cli.settling import finish_interrupted
    from plangate.cli.world import real_world

    opened = load_workspace(workspace)
    signer = signer_of(key, person=person, passphrase_env=passphrase_env)
    finish_interrupted(opened)
    return change_hold(opened, environment, lift=lift, reason=reason, signer=signer, world=real_world())
