"""`plangate promote ENV`: show the plan, validate it, apply it."""

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
  plangate promote stage                                   the plan, and what is missing
  plangate promote stage --validate --key ci.key --as ci   run stage's gates on the candidate, record the results
  plangate promote stage --apply sha256:... --key alice.key --as alice
  plangate promote prod --json --dry-run
"""


@click.command("promote", epilog=_EPILOG)
@click.argument("environment", metavar="ENV")
@click.option("--from", "source", metavar="ENV", help="Which of its sources; the first one declared, if left out.")
@click.option("--validate", is_flag=True, help="Run the gates' suites on the candidate and record what they say.")
@click.option("--present", is_flag=True, help="With --validate: what is in ENV already, not what would come.")
@click.option("--apply", "digest", metavar="DIGEST", help="Apply the plan of this digest, and no other.")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept in the ledger.")
@click.option("--dry-run", is_flag=True, help="Write nothing, not even which plan was shown.")
@click.option("--markdown", is_flag=True, help="Print the plan as Markdown, for a pull request.")
@signing_options
@workspace_option
@json_option
def command(
    environment: str,
    *,
    workspace: Path,
    source: str | None,
    validate: bool,
    present: bool,
    digest: str | None,
    reason: str,
    dry_run: bool,
    markdown: bool,
    key: Path | None,
    person: str | None,
    passphrase_env: str | None,
    as_json: bool,
) -> int:
    """Show what promoting into ENV would change for customers, what its gates say, and what is missing.

    Exit status: 0 ready (or applied), 1 something is missing, 2 the input is wrong, 3 a suite could not be judged,
    4 evidence does not verify.
    """
    from plangate.cli.planning import Planned, plan_or_apply
    from plangate.promotion.proposal import propose

    opened = load_workspace(workspace)
    signer = None
    if validate or digest is not None:
        signer = signer_of(key, person=person, passphrase_env=passphrase_env)
    form = "json" if as_json else "markdown" if markdown else "text"
    if present:
        return _validate_present(opened, environment, signer if validate else None, form=form)
    asked = Planned(
        environment=environment,
        signer=signer,
        validate=validate,
        digest=digest,
        reason=reason,
        dry_run=dry_run,
        form=form,
    )
    return plan_or_apply(opened, lambda: propose(opened, environment, source=source), asked=asked)


def _validate_present(workspace: Workspace, environment: str, signer: Signer | None, *, form: str) -> int:
    from plangate.cli.promoting import validate_present
    from plangate.cli.world import real_world

    if signer is None:
        raise InputError("--present goes with --validate", code="contradicting-options", hint="add --validate")
    return validate_present(workspace, environment, signer=signer, world=real_world(), form=form)
