"""What the verbs of promotion do between their options and their exit status."""

from __future__ import annotations

from pathlib import Path

import click

from plangate.cli.clock import signing_time
from plangate.cli.observing import observe_all
from plangate.cli.output import print_document
from plangate.cli.placing import placed_at, placed_commands
from plangate.cli.screen import echo_wrapped
from plangate.cli.signing import Signer
from plangate.documents.environment import Environment
from plangate.documents.workspace import Workspace
from plangate.engine.invocation import World, start_run
from plangate.engine.plan import EVERYTHING, Selection
from plangate.engine.session import Prepared, prepare
from plangate.errors import ExitCode, InputError
from plangate.evidence.envelope import seal
from plangate.evidence.statements import Statement
from plangate.promotion.acts import after, approval_of, bypass_of, hold_of, promotion_of
from plangate.promotion.apply import Checkpoint, apply, promoting
from plangate.promotion.approvals import counted_approvals
from plangate.promotion.bypasses import require_bypassable
from plangate.promotion.candidate import candidate_folder
from plangate.promotion.evidence_of_runs import harness_digest, results_of_run, summary_of_gates
from plangate.promotion.gates import GateResult, GateState
from plangate.promotion.plan import Readiness, policy_digest
from plangate.promotion.plan_text import plan_lines, plan_markdown
from plangate.promotion.proposal import Proposal, catalog_digests, keep_plan, propose_again
from plangate.promotion.readiness import gates_of
from plangate.promotion.record import Record
from plangate.promotion.unmet import duration, instant
from plangate.releases.release import ReleaseIdentity, identify
from plangate.store.reader import StoredRun

__all__ = [
    "apply_plan",
    "bypass_demand",
    "change_hold",
    "ledger_time",
    "observe_cells",
    "run_suites",
    "say_on_plan",
    "show_plan",
    "validate",
    "validate_present",
]

_OPEN = (GateResult.MISSING, GateResult.STALE, GateResult.UNDECIDED)


def show_plan(ready: Readiness, proposal: Proposal, *, form: str, keep: bool) -> ExitCode:
    """Print the plan as `text`, `json` or `markdown`, and remember it to be approved; 0 where it is ready, else 1."""
    if keep:
        keep_plan(proposal)
    if form == "json":
        print_document(ready.document())
    else:
        place = placed_at(proposal.workspace.root)
        for line in plan_markdown(ready) if form == "markdown" else plan_lines(ready):
            if line.lstrip().startswith("plangate "):
                click.echo(f"{line}{place}")
            elif form == "text" and line[2:3].isalnum():  # a diff stays as it is
                echo_wrapped(line, hanging=6)
            else:
                click.echo(line)
    return ExitCode.PASSED if ready.ready else ExitCode.FAILED


def validate(proposal: Proposal, record: Record, *, signer: Signer, world: World) -> None:
    """Run the gates' suites on the candidate, with the environment's bindings; record each result and the decision.

    Raises InputError, DriverError or EvidenceError; a run that fails is recorded as failed.
    """
    candidate = proposal.candidate
    with candidate_folder(proposal.workspace, candidate) as workspace:
        _judged(workspace, candidate.environment, candidate.identity, record, signer=signer, world=world)


def validate_present(workspace: Workspace, name: str, *, signer: Signer, world: World, form: str) -> ExitCode:
    """The same for what is in the environment already: its bindings changed, or its results grew old."""
    environment, record = workspace.environment(name), Record.read(workspace)
    identity = identify(workspace, environment)
    gates = _judged(workspace, environment, identity, record, signer=signer, world=world)
    if form == "json":
        told = [{"suite": gate.suite, "result": gate.result.value, "run": gate.run} for gate in gates]
        print_document({"environment": name, "release": identity.release, "gates": told})
    else:
        for gate in gates:
            click.echo(f"{gate.suite}  {gate.result.value}  {gate.run}")
    return ExitCode.FAILED if any(gate.unmet for gate in gates) else ExitCode.PASSED


def _judged(
    workspace: Workspace,
    environment: Environment,
    identity: ReleaseIdentity,
    record: Record,
    *,
    signer: Signer,
    world: World,
) -> tuple[GateState, ...]:
    suites = tuple(gate.suite for gate in environment.gates if gate.mode != "off")
    if not suites:
        raise InputError(f"{environment.name} has no gate to validate", code="nothing-selected", hint="add gates:")
    # A key that may not say so is told before minutes are spent.
    rehearsal, _ = _summary(environment, identity, record, world=world)
    record.require(seal(rehearsal, key=signer.key), person=signer.person, at=ledger_time(record, world))
    with StoredRun(run_suites(workspace, environment.name, suites=suites, world=world)) as run:
        digests = catalog_digests(workspace, environment)
        results = results_of_run(run, catalogs=digests, harness=harness_digest())
        header = run.header
    if (header.release, header.effective) != (identity.release, identity.effective):
        raise InputError("documents changed while the suites ran", code="plan-changed", hint="validate again")
    record.refresh()
    at = ledger_time(record, world)
    record.add(results, key=signer.key, person=signer.person, at=at)
    summary, gates = _summary(environment, identity, record, world=world)
    record.add([summary], key=signer.key, person=signer.person, at=at)
    return gates


def apply_plan(
    workspace: Workspace,
    digest: str,
    *,
    name: str,
    signer: Signer,
    world: World,
    reason: str = "",
    form: str = "text",
    checkpoint: Checkpoint = lambda step: None,
) -> ExitCode:
    """Apply exactly the plan of this digest; suites not judged yet run first. 1 where something is missing."""
    proposal, record = _asked(workspace, digest, name), Record.read(workspace)
    ready = proposal.readiness(record, now=world.now(), requester=signer.person)
    if any(gate.result in _OPEN and gate.unmet in ready.missing for gate in ready.gates):
        validate(proposal, record, signer=signer, world=world)
    with promoting(workspace) as told:
        for line in told:
            click.echo(line, err=True)
        # Read again what others may have changed meanwhile: everything is decided at this moment (rule P8).
        proposal, record = _asked(Workspace.open(workspace.root), digest, name), Record.read(workspace)
        at = ledger_time(record, world)
        ready = proposal.readiness(record, now=at, requester=signer.person)
        if not ready.ready:
            return show_plan(ready, proposal, form=form, keep=False)
        candidate, promotion = proposal.candidate, proposal.candidate.environment.promotion
        approvals = counted_approvals(
            record.state.approvals_of(digest, environment=name),
            roles=promotion.approval_roles,
            excluded=[signer.person, record.state.authors.get(ready.plan.release, "")],
            now=instant(at),
        )
        statement = promotion_of(candidate, ready, approvals=approvals, person=signer.person, reason=reason, at=at)
        envelope = seal(statement, key=signer.key)
        record.require(envelope, person=signer.person, at=at)
        entry = apply(proposal.workspace, candidate, envelope, key=signer.key, at=at, checkpoint=checkpoint)
    plan = ready.plan
    if form == "json":
        print_document({
            "applied": True, "plan": digest, "environment": name, "revision": plan.revision + 1,
            "release": plan.release, "entry": entry.index,
        })  # fmt: skip
        return ExitCode.PASSED
    click.echo(f"{name} is at revision {plan.revision + 1}: {plan.release[:19]} (ledger entry {entry.index})")
    if plan.kind == "rollback":
        lift = f"nothing enters before `plangate hold {name} --lift --key FILE --as PERSON --reason TEXT`"
        click.echo(placed_commands(lift, root=workspace.root))
    return ExitCode.PASSED


def say_on_plan(
    workspace: Workspace,
    digest: str,
    *,
    approve: bool,
    role: str,
    expires: str,
    reason: str,
    signer: Signer,
    world: World,
) -> ExitCode:
    """Record an approval or rejection of a plan that still holds, and say what it leaves to do."""
    proposal, record = propose_again(workspace, digest), Record.read(workspace)
    at = ledger_time(record, world)
    ready = proposal.readiness(record, now=at)
    statement = approval_of(
        ready,
        approve=approve,
        person=signer.person,
        role=role,
        expires=after(at, duration(expires)),
        reason=reason,
        at=at,
    )
    record.add([statement], key=signer.key, person=signer.person, at=at)
    left = proposal.readiness(record, now=at).missing
    click.echo(
        f"{signer.person} ({role}) {'approved' if approve else 'rejected'} {digest[:19]} for {ready.plan.environment}"
    )
    for one in left:
        click.echo(f"  still missing: {one.rule}  {one.text}")
    return ExitCode.PASSED


def bypass_demand(
    workspace: Workspace,
    digest: str,
    *,
    demand: str,
    role: str,
    expires: str,
    reason: str,
    signer: Signer,
    world: World,
) -> ExitCode:
    """Record that one demand on a plan that still holds is skipped. Raises InputError `bad-bypass`."""
    proposal, record = propose_again(workspace, digest), Record.read(workspace)
    at = ledger_time(record, world)
    ready = proposal.readiness(record, now=at)
    require_bypassable(demand, missing=ready.missing, expires=expires)
    until = after(at, duration(expires))
    statement = bypass_of(ready, demand=demand, person=signer.person, role=role, expires=until, reason=reason, at=at)
    record.add([statement], key=signer.key, person=signer.person, at=at)
    click.echo(
        f"{signer.person} ({role}) bypassed {demand} of {digest[:19]} for {ready.plan.environment} until {until}"
    )
    return ExitCode.PASSED


def change_hold(workspace: Workspace, name: str, *, lift: bool, reason: str, signer: Signer, world: World) -> ExitCode:
    """Set or lift a hold. Raises InputError `no-hold` where there is none to lift."""
    environment, record = workspace.environment(name), Record.read(workspace)
    holds = record.state.environment(name).holds
    if lift and not holds:
        raise InputError(f"{name} is not held", code="no-hold", hint="`plangate status` shows what is")
    identity, at = identify(workspace, environment), ledger_time(record, world)
    statement = hold_of(
        environment=name,
        release=identity.release,
        effective=identity.effective,
        lift=lift,
        person=signer.person,
        reason=reason,
        at=at,
    )
    record.add([statement], key=signer.key, person=signer.person, at=at)
    click.echo(f"{name} is {'free again' if lift else 'held'}: {reason}")
    return ExitCode.PASSED


def _asked(workspace: Workspace, digest: str, name: str) -> Proposal:
    proposal = propose_again(workspace, digest)
    if proposal.plan.environment != name:
        raise InputError(
            f"this plan is about {proposal.plan.environment}, not {name}",
            code="plan-of-another",
            where=digest[:19],
            hint=f"`plangate promote {proposal.plan.environment} --apply {digest}`",
        )
    return proposal


def run_suites(workspace: Workspace, name: str, *, suites: tuple[str, ...], world: World) -> Path:
    """Observe `suites` on the environment `name` and say how far it is on standard error; the run's file."""
    return observe_cells(prepare(workspace, name, environ=world.environ, suites=suites), world=world)


def observe_cells(prepared: Prepared, *, world: World, selection: Selection = EVERYTHING) -> Path:
    """Observe what is prepared, or the part selected, and say how far it is on standard error; the run's file."""
    plan, writer = start_run(prepared, world=world, selection=selection)
    observe_all(prepared, plan, writer, world=world)
    return writer.path.resolve()


def _summary(
    environment: Environment, identity: ReleaseIdentity, record: Record, *, world: World
) -> tuple[Statement, tuple[GateState, ...]]:
    at = ledger_time(record, world)
    gates = gates_of(
        environment,
        state=record.state,
        release=identity.release,
        effective=identity.effective,
        suites=identity.suites,
        now=instant(at),
    )
    policy = policy_digest(environment)
    return summary_of_gates(environment, identity, gates, policy=policy, version=world.version, at=at), gates


def ledger_time(record: Record, world: World) -> str:
    """The time to sign under, after what is in `record`. Raises EvidenceError `clock-behind`."""
    return signing_time(world.now(), last_at=record.last_at)
