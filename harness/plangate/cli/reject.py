"""`plangate reject DIGEST`: refuse exactly one plan, signed."""

from __future__ import annotations

from pathlib import Path

import click

from plangate.cli.options import load_workspace, workspace_option
from plangate.cli.signing import signer_of, signing_options

__all__ = ["command"]

_EPILOG = """\b
Example:
  plangate reject sha256:... --key alice.key --as alice --role release-manager
"""


@click.command("reject", epilog=_EPILOG)
@click.argument("digest", metavar="DIGEST")
@click.option("--role", required=True, metavar="ROLE", help="The role of envs/trust.yaml you speak in.")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept in the ledger.")
@signing_options
@workspace_option
def command(
    digest: str,
    *,
    workspace: Path,
    role: str,
    reason: str,
    key: Path | None,
    person: str | None,
    passphrase_env: str | None,
) -> int:
    """Reject the promotion plan DIGEST, as plangate promote printed it. It can never be applied then;
    a changed plan is another one.

    Exit status: 0 recorded, 2 the input is wrong (no such plan, or it changed; a key that is not trusted for this).
    """
    from plangate.cli.promoting import say_on_plan
    from plangate.cli.settling import finish_interrupted
    from plangate.cli.world import real_world

    opened = load_workspace(workspace)
    signer = signer_of(key, person=person, passphrase_env=passphrase_env)
    finish_interrupted(opened)
    return say_on_plan(
        opened,
        digest,
        approve=False,
        role=role,
        expires="P3650D",  # a rejection stands: make another plan
        reason=reason,
        signer=signer,
        world=real_world(),
    )
