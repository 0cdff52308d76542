"""`plangate rollback ENV`: back to the release of an earlier revision, with a hold."""

from __future__ import annotations

from pathlib import Path

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.signing import signer_of, signing_options

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate rollback prod                                   the plan: what customers get back or lose
  plangate rollback prod --apply sha256:... --key alice.key --as alice --reason "exports fail"
  plangate rollback prod --to 3 --validate --key ci.key --as ci
"""


@click.command("rollback", epilog=_EPILOG)
@click.argument("environment", metavar="ENV")
@click.option("--to", "revision", type=click.IntRange(min=1), metavar="REVISION", help="Default: the one before.")
@click.option("--validate", is_flag=True, help="Run the gates' suites on that release now and record what they say.")
@click.option("--apply", "digest", metavar="DIGEST", help="Apply the plan of this digest, and no other.")
@click.option("--reason", default="", metavar="TEXT", help="Why; the hold shows it.")
@click.option("--dry-run", is_flag=True, help="Write nothing, not even which plan was shown.")
@signing_options
@workspace_option
@json_option
def command(
    environment: str,
    *,
    workspace: Path,
    revision: int | None,
    validate: bool,
    digest: str | None,
    reason: str,
    dry_run: bool,
    key: Path | None,
    person: str | None,
    passphrase_env: str | None,
    as_json: bool,
) -> int:
    """Show or apply the way back: the release of an earlier revision, with today's bindings.

    It needs gates that passed for exactly that, and no approval, soak or window. Applying it holds ENV: nothing is
    promoted into it until `plangate hold ENV --lift`.

    Exit status: 0 ready (or applied), 1 something is missing, 2 the input is wrong, 4 evidence does not verify.
    """
    from plangate.cli.planning import Planned, plan_or_apply
    from plangate.promotion.proposal import propose_rollback

    opened = load_workspace(workspace)
    signer = None
    if validate or digest is not None:
        signer = signer_of(key, person=person, passphrase_env=passphrase_env)
    asked = Planned(
        environment=environment,
        signer=signer,
        validate=validate,
        digest=digest,
        reason=reason,
        dry_run=dry_run,
        form="json" if as_json else "text",
    )
    return plan_or_apply(opened, lambda: propose_rollback(opened, environment, revision=revision), asked=asked)
