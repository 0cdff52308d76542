"""What `promote` and `rollback` share: print a plan, validate it first where asked, or apply the one that was named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plangate.cli.promoting import apply_plan, show_plan, validate
from plangate.cli.settling import finish_interrupted
from plangate.cli.signing import Signer
from plangate.cli.world import real_world
from plangate.documents.workspace import Workspace
from plangate.errors import ExitCode, InputError
from plangate.promotion.proposal import Proposal
from plangate.promotion.record import Record

__all__ = ["Planned", "plan_or_apply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Options of `promote` and `rollback`, as one value."""

    environment: str
    signer: Signer | None
    validate: bool
    digest: str | None
    reason: str
    dry_run: bool
    form: str
    """text | json | markdown"""


def plan_or_apply(workspace: Workspace, propose: Callable[[], Proposal], *, asked: Planned) -> ExitCode:
    """Exit status of the verb. Raises InputError, DriverError, StoreError or EvidenceError."""
    if asked.dry_run and (asked.validate or asked.digest):
        raise InputError("--dry-run writes nothing, so it neither validates nor applies", code="contradicting-options")
    world = real_world()
    if not asked.dry_run:
        finish_interrupted(workspace)
    if asked.digest is not None and asked.signer is not None:
        return apply_plan(
            workspace,
            asked.digest,
            name=asked.environment,
            signer=asked.signer,
            world=world,
            reason=asked.reason,
            form=asked.form,
        )
    proposal = propose()
    record = Record.read_or_none(workspace)
    if asked.validate and asked.signer is not None:
        record = Record.read(workspace)
        validate(proposal, record, signer=asked.signer, world=world)
    ready = proposal.readiness(record, now=world.now())
    return show_plan(ready, proposal, form=asked.form, keep=not asked.dry_run)
