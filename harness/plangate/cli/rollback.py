"""`plangate rollback ENV`: back to the release of an earlier revision, with a hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.signing import Signer, signer_of, signing_options
from plangate.errors import InputError

if TYPE_CHECKING:
    from plangate.documents.workspace import Workspace

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate rollback prod                                   the plan: what customers get back or lose
  plangate rollback prod --apply sha256:... --key alice.key --as alice --reason "exports fail"
  plangate rollback prod --to 3 --validate --key ci.key --as ci
  plangate rollback prod --drill --key ci.key --as ci      would it work? nothing is changed
"""


@click.command("rollback", epilog=_EPILOG)
@click.argument("environment", metavar="ENV")
@click.option("--to", "revision", type=click.IntRange(min=1), metavar="REVISION", help="Default: the one before.")
@click.option("--validate", is_flag=True, help="Run the gates' suites on that release now and record what they say.")
@click.option("--apply", "digest", metavar="DIGEST", help="Apply the plan of this digest, and no other.")
@click.option("--drill", is_flag=True, help="Try it without keeping it: verify, restore, run the gates, record that.")
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
    drill: bool,
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

    Exit status: 0 ready (or applied, or the drill says that it would work), 1 something is missing, 2 the input is
    wrong, 3 a suite could not be judged, 4 evidence does not verify.
    """
    from plangate.cli.planning import Planned, plan_or_apply
    from plangate.promotion.proposal import propose_rollback

    opened = load_workspace(workspace)
    signer = None
    if drill and (validate or digest is not None or dry_run):
        raise InputError("--drill goes alone: it validates, and keeps nothing", code="contradicting-options")
    if drill or validate or digest is not None:
        signer = signer_of(key, person=person, passphrase_env=passphrase_env)
    if drill and signer is not None:
        return _drilled(opened, environment, revision, signer=signer, as_json=as_json)
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


def _drilled(workspace: Workspace, environment: str, revision: int | None, *, signer: Signer, as_json: bool) -> int:
    from plangate.cli.drilling import drill
    from plangate.cli.settling import finish_interrupted
    from plangate.cli.world import real_world
    from plangate.promotion.proposal import propose_rollback

    finish_interrupted(workspace)
    proposal = propose_rollback(workspace, environment, revision=revision)
    return drill(proposal, signer=signer, world=real_world(), as_json=as_json)
