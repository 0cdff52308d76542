"""What people state about plans and environments: approval, rejection, bypass, promotion, rollback, hold. Pure.

Shapes of these predicates: docs/decisions/0008-promotion.md. They are signed and kept: fields may be added, none
renamed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from plangate.documents.environment import Json
from plangate.evidence.statements import APPROVAL, BYPASS, DRIFT, DRILL, HOLD, PROMOTION, Statement, subjects_of
from plangate.promotion.candidate import Candidate
from plangate.promotion.drift import DriftReport
from plangate.promotion.plan import Readiness
from plangate.promotion.state import Approval
from plangate.promotion.unmet import instant
from plangate.releases.canonical import digest_of_bytes
from plangate.releases.release import ReleaseIdentity

__all__ = ["adoption_of", "after", "approval_of", "bypass_of", "drift_of", "drill_of", "hold_of", "promotion_of"]


def after(at: str, length: timedelta) -> str:
    """The instant `length` after `at`, RFC 3339 UTC."""
    return (instant(at) + length).strftime("%Y-%m-%dT%H:%M:%SZ")


def approval_of(
    ready: Readiness, *, approve: bool, person: str, role: str, expires: str, reason: str, at: str
) -> Statement:
    """One person's word on one plan; any change of the plan voids it, because its digest is what is approved."""
    plan = ready.plan
    predicate: dict[str, Json] = {
        "decision": "approve" if approve else "reject",
        "plan": plan.digest,
        "environment": plan.environment,
        "approver": person,
        "role": role,
        "expires": expires,
        "reason": reason,
        "at": at,
    }
    subjects = subjects_of(plan.release, environment=plan.environment, effective=plan.effective)
    return Statement(subjects=subjects, predicate_type=APPROVAL, predicate=predicate)


def bypass_of(
    ready: Readiness, *, demand: str, person: str, role: str, expires: str, reason: str, at: str
) -> Statement:
    """That one demand on one plan is skipped, until `expires`; nothing else is."""
    plan = ready.plan
    predicate: dict[str, Json] = {
        "plan": plan.digest,
        "environment": plan.environment,
        "demand": demand,
        "person": person,
        "role": role,
        "expires": expires,
        "reason": reason,
        "at": at,
    }
    subjects = subjects_of(plan.release, environment=plan.environment, effective=plan.effective)
    return Statement(subjects=subjects, predicate_type=BYPASS, predicate=predicate)


def promotion_of(
    candidate: Candidate,
    ready: Readiness,
    *,
    approvals: Sequence[Approval],
    person: str,
    reason: str,
    at: str,
) -> Statement:
    """That a release entered an environment: what was there, what came, on which plan, evidence and approvals."""
    plan = ready.plan
    counted: list[Json] = [
        {"person": one.person, "role": one.role, "evidence": one.digest, "expires": one.expires} for one in approvals
    ]
    gates: list[Json] = [
        {
            "suite": gate.suite,
            "result": gate.result.value,
            "mode": gate.mode,
            "letThrough": gate.let_through,
            "evidence": gate.evidence,
        }
        for gate in ready.gates
    ]
    bypassed: list[Json] = [
        {"demand": one.demand, "person": by.person, "reason": by.reason, "expires": by.expires, "evidence": by.digest}
        for one, by in ready.bypassed
    ]
    promotion = candidate.environment.promotion
    predicate: dict[str, Json] = {
        "kind": plan.kind,
        "environment": plan.environment,
        "source": plan.source,
        "sourceRevision": plan.source_revision,
        "from": {"revision": plan.revision, "release": plan.release_before},
        "to": {"revision": plan.revision + 1, "release": plan.release, "effective": plan.effective},
        "plan": plan.digest,
        "policy": plan.policy,
        "gates": gates,
        "approvals": counted,
        "soak": promotion.soak,
        "windows": dict(promotion.windows),
        "bypass": bypassed or None,
        "requester": person,
        "reason": reason,
        "manifest": {"before": digest_of_bytes(candidate.current_text), "after": digest_of_bytes(candidate.text)},
        "at": at,
    }
    if plan.kind == "rollback":
        predicate["restores"] = candidate.source_revision
    subjects = subjects_of(plan.release, environment=plan.environment, effective=plan.effective)
    return Statement(subjects=subjects, predicate_type=PROMOTION, predicate=predicate)


def adoption_of(
    identity: ReleaseIdentity,
    *,
    source: str,
    revision: int,
    publisher: str,
    release_before: str,
    fingerprint: str,
    person: str,
    at: str,
) -> Statement:
    """That a publisher's release arrived in `source`, the customer's environment that only holds what may come in."""
    predicate: dict[str, Json] = {
        "kind": "adoption",
        "environment": source,
        "source": publisher,
        "from": {"revision": revision - 1, "release": release_before},
        "to": {"revision": revision, "release": identity.release, "effective": identity.effective},
        "fingerprint": fingerprint,
        "requester": person,
        "at": at,
    }
    subjects = subjects_of(identity.release, environment=source, effective=identity.effective)
    return Statement(subjects=subjects, predicate_type=PROMOTION, predicate=predicate)


def drill_of(ready: Readiness, *, restores: int, person: str, at: str) -> Statement:
    """That a rollback was tried without being kept, and whether it would have been."""
    plan = ready.plan
    gates: list[Json] = [
        {"suite": gate.suite, "result": gate.result.value, "mode": gate.mode, "run": gate.run} for gate in ready.gates
    ]
    missing: list[Json] = [{"rule": one.rule, "demand": one.demand, "text": one.text} for one in ready.missing]
    predicate: dict[str, Json] = {
        "environment": plan.environment,
        "restores": restores,
        "revision": plan.revision,
        "gates": gates,
        "missing": missing,
        "works": ready.ready,
        "person": person,
        "at": at,
    }
    subjects = subjects_of(plan.release, environment=plan.environment, effective=plan.effective)
    return Statement(subjects=subjects, predicate_type=DRILL, predicate=predicate)


def drift_of(
    report: DriftReport,
    identity: ReleaseIdentity,
    *,
    environment: str,
    model: Mapping[str, Json],
    recorded: bool,
    person: str,
    reason: str,
    at: str,
) -> Statement:
    """What a look at the running app found. `recorded`: what it says of the model is what later looks are held to."""
    differing: list[Json] = [{"pin": one.pin, "pinned": one.pinned, "told": one.told} for one in report.differences]
    predicate: dict[str, Json] = {
        "environment": environment,
        "verdict": report.verdict,
        "differences": differing,
        "untold": [one.pin for one in report.untold],
        "texts": list(report.texts),
        "canary": {"result": report.canary, "run": report.run},
        "model": dict(model),
        "recorded": recorded,
        "notChecked": list(report.not_checked),
        "person": person,
        "reason": reason,
        "at": at,
    }
    subjects = subjects_of(identity.release, environment=environment, effective=identity.effective)
    return Statement(subjects=subjects, predicate_type=DRIFT, predicate=predicate)


def hold_of(
    *, environment: str, release: str, effective: str, lift: bool, person: str, reason: str, at: str
) -> Statement:
    """That nothing enters an environment any more, or that something may again."""
    predicate: dict[str, Json] = {
        "action": "lift" if lift else "set",
        "environment": environment,
        "person": person,
        "reason": reason,
        "at": at,
    }
    subjects = subjects_of(release, environment=environment, effective=effective)
    return Statement(subjects=subjects, predicate_type=HOLD, predicate=predicate)
