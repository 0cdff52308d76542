"""A rollback that is tried and not kept: would it work now, under today's bindings?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from plangate.cli.output import print_document
from plangate.cli.promoting import ledger_time, run_suites
from plangate.cli.signing import Signer
from plangate.engine.invocation import World
from plangate.errors import EvidenceError, ExitCode, InputError
from plangate.evidence.envelope import seal
from plangate.evidence.statements import Statement
from plangate.evidence.trust import Accepted
from plangate.promotion.acts import drill_of
from plangate.promotion.candidate import candidate_folder
from plangate.promotion.evidence_of_runs import harness_digest, results_of_run
from plangate.promotion.gates import GateResult
from plangate.promotion.plan import Readiness
from plangate.promotion.proposal import Proposal, catalog_digests
from plangate.promotion.readiness import readiness
from plangate.promotion.record import Record
from plangate.promotion.state import Recorded, State, fold
from plangate.promotion.unmet import instant
from plangate.releases.release import identify
from plangate.store.reader import StoredRun

__all__ = ["drill"]


def drill(proposal: Proposal, *, signer: Signer, world: World, as_json: bool) -> ExitCode:
    """Try the rollback of `proposal`: verify the ledger, make the old manifest, run its gates on it. Nothing is kept
    but the signed record of that.

    0 it would work, 1 a gate or a rule says no, 3 a suite could not be judged. Raises EvidenceError, DriverError,
    InputError.
    """
    record, candidate = Record.read(proposal.workspace), proposal.candidate
    for problem in record.ledger.verify():
        raise EvidenceError(problem.message, code=problem.code, where=problem.path, hint="`plangate ledger verify`")
    at = ledger_time(record, world)
    rehearsal = drill_of(proposal.readiness(record, now=at), restores=0, person=signer.person, at=at)
    accepted = record.require(seal(rehearsal, key=signer.key), person=signer.person, at=at)
    results = _results(proposal, world=world)
    state = fold(
        _believed(results, accepted, record, at=ledger_time(record, world)),
        onto=State(environments=dict(record.state.environments)),
    )
    now = ledger_time(record, world)
    ready = readiness(proposal.plan, candidate.environment, state=state, sources={}, now=instant(now))
    statement = drill_of(ready, restores=candidate.source_revision, person=signer.person, at=now)
    record.refresh()
    record.add([statement], key=signer.key, person=signer.person, at=now)
    if as_json:
        print_document(_document(ready, proposal))
    else:
        click.echo("\n".join(_lines(ready, proposal, entries=record.size - 1)))
    if ready.ready:
        return ExitCode.PASSED
    undecided = any(gate.result is GateResult.UNDECIDED and gate.unmet in ready.missing for gate in ready.gates)
    return ExitCode.UNDECIDED if undecided else ExitCode.FAILED


def _results(proposal: Proposal, *, world: World) -> tuple[Statement, ...]:
    """What the gates' suites say of the old release, in a folder in which its manifest was restored."""
    candidate = proposal.candidate
    name = candidate.environment.name
    suites = tuple(gate.suite for gate in candidate.environment.gates if gate.mode != "off")
    with candidate_folder(proposal.workspace, candidate) as workspace:
        restored = workspace.environment(name)
        if identify(workspace, restored).release != proposal.plan.release:
            raise InputError("documents changed during the drill", code="plan-changed", hint="drill again")
        if not suites:
            return ()
        with StoredRun(run_suites(workspace, name, suites=suites, world=world)) as run:
            digests = catalog_digests(workspace, restored)
            return results_of_run(run, catalogs=digests, harness=harness_digest())


def _believed(results: tuple[Statement, ...], signer: Accepted, record: Record, *, at: str) -> Iterator[Recorded]:
    """Results of the drill as if they were recorded, for the length of the drill."""
    for statement in results:
        yield Recorded(index=record.size, at=at, digest="", statement=statement, signer=signer)


def _document(ready: Readiness, proposal: Proposal) -> dict[str, Any]:
    whole = ready.document()
    kept = ("plan", "environment", "current", "effective", "gates", "missing")
    return {
        **{name: whole[name] for name in kept},
        "release": ready.plan.release,
        "restores": proposal.candidate.source_revision,
        "works": ready.ready,
    }


def _lines(ready: Readiness, proposal: Proposal, *, entries: int) -> Iterator[str]:
    plan, back = ready.plan, proposal.candidate.source_revision
    verdict = "would work" if ready.ready else "would NOT work"
    yield f"{plan.environment}: going back to the release of revision {back} ({plan.release[:19]}) {verdict}"
    yield f"  evidence  {entries:,} entries of the ledger verify"
    yield f"  manifest  envs/{plan.environment}.yaml can be made as it would be"
    for gate in ready.gates:
        why = f"  ({gate.why})" if gate.why else ""
        yield f"  gate      {gate.suite}  {gate.result.value}  {gate.run}{why}"
    if not ready.gates:
        yield "  gate      none: this environment asks for no suite"
    shown = {gate.unmet for gate in ready.gates}
    yield from (f"  missing   {one.rule}  {one.text}" for one in ready.missing if one not in shown)
    yield f"nothing was changed: {plan.environment} is still at revision {plan.revision}; the drill is on record"
