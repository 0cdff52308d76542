"""`plangate bypass DIGEST`: skip one demand on one plan, signed, for a reason, for a short time."""

from __future__ import annotations

from pathlib import Path

import click

from plangate.cli.options import load_workspace, workspace_option
from plangate.cli.signing import signer_of, signing_options

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate bypass sha256:... --demand P8/soak --reason "customers cannot log in" --key sue.key --as sue --role security
  plangate bypass sha256:... --demand P1/pairwise --expires PT4H --reason "..." --key sue.key --as sue --role security
"""


@click.command("bypass", epilog=_EPILOG)
@click.argument("digest", metavar="DIGEST")
@click.option("--demand", required=True, metavar="DEMAND", help="What to skip: P1/SUITE, P5, P8/soak or P8/window.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; shown until the release is validated after all.")
@click.option("--expires", default="P1D", show_default=True, metavar="DURATION", help="At most P7D.")
@click.option("--role", required=True, metavar="ROLE", help="The role of envs/trust.yaml you speak in.")
@signing_options
@workspace_option
def command(
    digest: str,
    *,
    workspace: Path,
    demand: str,
    reason: str,
    expires: str,
    role: str,
    key: Path | None,
    person: str | None,
    passphrase_env: str | None,
) -> int:
    """Skip one demand that the promotion plan DIGEST does not meet: that one, in that plan, and no other.

    Who applies the plan cannot use a bypass of his own. Data in the wrong place, holds and rejections are never
    skipped. Exit status: 0 recorded, 2 the input is wrong (nothing to skip; a key that is not trusted for this).
    """
    from plangate.cli.promoting import bypass_demand
    from plangate.cli.settling import finish_interrupted
    from plangate.cli.world import real_world

    opened = load_workspace(workspace)
    signer = signer_of(key, person=person, passphrase_env=passphrase_env)
    finish_interrupted(opened)
    return bypass_demand(
        opened,
        digest,
        demand=demand,
        role=role,
        expires=expires,
        reason=reason,
        signer=signer,
        world=real_world(),
    )
