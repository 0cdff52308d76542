"""What is so, as a fold over the ledger: releases, verdicts, approvals, holds (rule P9). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from plangate.documents.environment import Json
from plangate.evidence.claims import Claims, claims_of, undemanded
from plangate.evidence.statements import (
    APPROVAL,
    BYPASS,
    DRIFT,
    HOLD,
    LET_THROUGH,
    NO_GATES,
    PROMOTION,
    RELEASE_SUBJECT,
    TEST_RESULT,
    VERIFICATION_SUMMARY,
    Statement,
)
from plangate.promotion.drift import Baseline, Drift, recorded_drift
from plangate.promotion.voices import Voice, lacking

if TYPE_CHECKING:
    from plangate.evidence.trust import Accepted

__all__ = [
    "Approval",
    "Bypass",
    "EnvironmentState",
    "Hold",
    "Moved",
    "Recorded",
    "State",
    "Validation",
    "environment_of",
    "fold",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A statement that the ledger holds and the trust policy accepts."""

    index: int
    at: str
    digest: str
    statement: Statement
    signer: Accepted
    threshold: int = 1
    """How many must say so in the signer's role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What one suite said about one release in one environment."""

    suite: str
    suite_digest: str
    passed: bool
    """As its signer says; whether enough say so: `lacking`."""
    undecided: bool
    at: str
    run: str
    totals: Mapping[str, int]
    fingerprint: str
    index: int
    digest: str
    """Of its envelope."""
    claims: Claims = field(default_factory=Claims)
    """What its signer says beside the result."""
    voices: tuple[Voice, ...] = ()
    """Who has said the same of the same suite, since somebody last said otherwise."""

    @property
    def lacking(self) -> str:
        """Why too few say so: `1 of 2 in the role ci`; empty where enough do."""
        return lacking(self.voices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's word on one plan."""

    plan: str
    environment: str
    """What its signer may speak about was judged for this one: for another environment's plan it is no word at all."""
    person: str
    key: bytes
    """SPKI: two names for one key are one key."""
    role: str
    expires: str
    reason: str
    at: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bypass:
    """One person's word that one demand on one plan is skipped."""

    plan: str
    environment: str
    demand: str
    """As `Unmet.demand`: `P1/gating`, `P8/soak`."""
    person: str
    reason: str
    expires: str
    at: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why nothing enters an environment."""

    reason: str
    person: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A release that came into an environment."""

    kind: str
    """promotion | rollback | adoption"""
    environment: str
    release: str
    effective: str
    revision: int
    previous: str
    """Release before it."""
    source: str
    person: str
    at: str
    index: int
    plan: str
    approvals: tuple[str, ...]
    """Who approved."""
    bypassed: tuple[str, ...] = ()
    """What was skipped, on whose word and why: `P8/soak by sue: customers wait`."""
    unproven: tuple[str, ...] = ()
    """What its gates did not demand: `no gate was required`, `gating failed, and only warns`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentState:
    """One environment as the ledger tells it."""

    promotions: tuple[Moved, ...] = ()
    holds: tuple[Hold, ...] = ()
    validated_since: bool = False
    """Whether its gates passed, for what is there, after the promotion that brought it in."""

    @property
    def now(self) -> Moved | None:
        """What brought in the release that is there, or None where nothing was ever promoted into it."""
        return self.promotions[-1] if self.promotions else None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything the ledger says. Built by `fold`; nobody else fills its tables."""

    environments: dict[str, EnvironmentState] = field(default_factory=dict)
    validations: dict[tuple[str, str, str], dict[str, Validation]] = field(default_factory=dict)
    """(environment, release, effective) -> suite -> the newest result."""
    first_seen: dict[tuple[str, str], str] = field(default_factory=dict)
    """(environment, release) -> when a result about it was first recorded."""
    summaries: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """(environment, release, effective) -> when its gates last passed; gone where they failed since."""
    let_through: set[tuple[str, str, str]] = field(default_factory=set)
    """(environment, release, effective) whose gates last passed by letting through what a suite found."""
    summary_voices: dict[tuple[str, str, str], tuple[Voice, ...]] = field(default_factory=dict)
    """(environment, release, effective) -> who said since the last failure that its gates passed."""
    approvals: dict[str, list[Approval]] = field(default_factory=dict)
    """Plan digest -> approvals."""
    rejections: dict[str, list[Approval]] = field(default_factory=dict)
    bypasses: dict[str, list[Bypass]] = field(default_factory=dict)
    """Plan digest -> bypasses."""
    drifts: dict[str, Drift] = field(default_factory=dict)
    """Environment -> the newest look at what runs there."""
    baselines: dict[tuple[str, str], Baseline] = field(default_factory=dict)
    """(environment, what it rests on) -> what was recorded of the model."""
    authors: dict[str, str] = field(default_factory=dict)
    """Release -> who first promoted it anywhere."""

    def environment(self, name: str) -> EnvironmentState:
        """State of an environment; an empty one where the ledger says nothing about it."""
        return self.environments.get(name, EnvironmentState())

    def approvals_of(self, plan: str, *, environment: str) -> list[Approval]:
        """Approvals of a plan by those who may speak about its environment."""
        return [one for one in self.approvals.get(plan, ()) if one.environment == environment]

    def bypasses_of(self, plan: str, *, environment: str) -> list[Bypass]:
        """Bypasses of a plan's demands by those who may speak about its environment."""
        return [one for one in self.bypasses.get(plan, ()) if one.environment == environment]


def fold(entries: Iterable[Recorded], *, onto: State | None = None) -> State:
    """The state after `entries`, which come in the ledger's order, added to `onto` where they are not the first. What
    it does not know, it passes over. Total."""
    state = onto or State()
    for entry in entries:
        step = _STEPS.get(entry.statement.predicate_type)
        if step is not None:
            step(state, entry)
    return state


def environment_of(statement: Statement) -> str | None:
    """The environment a statement is about: said in its predicate, or by its `effective/<name>.json` subject."""
    named = statement.predicate.get("environment")
    if isinstance(named, str):
        return named
    for subject in statement.subjects:
        if subject.name.startswith("effective/") and subject.name.endswith(".json"):
            return subject.name[len("effective/") : -len(".json")]
    return None


def _about(statement: Statement) -> tuple[str, str, str] | None:
    environment, release = environment_of(statement), statement.digest_of(RELEASE_SUBJECT)
    effective = statement.digest_of(f"effective/{environment}.json")
    return (environment, release, effective) if environment and release and effective else None


def _test_result(state: State, entry: Recorded) -> None:
    about, predicate = _about(entry.statement), entry.statement.predicate
    configuration = predicate.get("configuration")
    first = configuration[0] if isinstance(configuration, list) and configuration else None
    if about is None or not isinstance(first, dict):
        return
    suite = _text(first.get("name")).removeprefix("suite/")
    digest = first.get("digest")
    told = predicate.get("totals")
    totals = {name: n for name, n in told.items() if isinstance(n, int)} if isinstance(told, dict) else {}
    suite_digest = "sha256:" + _text(digest.get("sha256") if isinstance(digest, dict) else None)
    passed = predicate.get("result") == "PASSED"
    state.first_seen.setdefault(about[:2], entry.at)
    newest = state.validations.setdefault(about, {})
    before, claims = newest.get(suite), claims_of(predicate)
    if before and before.suite_digest == suite_digest and passed > before.passed and claims.began_before(before.claims):
        return
    same = before is not None and (before.suite_digest, before.passed) == (suite_digest, passed)
    agreed = before.voices if before and same and (passed or before.totals == totals) else ()
    newest[suite] = Validation(
        suite=suite,
        suite_digest=suite_digest,
        passed=passed,
        voices=(*agreed, _voice(entry)),
        undecided=predicate.get("verdict") == "undecided",
        claims=claims,
        at=entry.at,
        run=_text(predicate.get("run")),
        totals=totals,
        fingerprint=_text(predicate.get("fingerprint")),
        index=entry.index,
        digest=entry.digest,
    )


def _summary(state: State, entry: Recorded) -> None:
    about = _about(entry.statement)
    if about is None:
        return
    told = entry.statement.predicate.get("verifiedLevels")
    levels = list(map(_text, told)) if isinstance(told, list) else []
    if entry.statement.predicate.get("verificationResult") == "PASSED":
        if NO_GATES in levels:  # nothing was demanded, and so nothing is shown
            return
        voices = state.summary_voices[about] = (*state.summary_voices.get(about, ()), _voice(entry))
        if lacking(voices):
            return
        state.summaries[about] = entry.at
        state.let_through.discard(about)
        if any(level.endswith(LET_THROUGH) for level in levels):
            state.let_through.add(about)
        if (there := state.environment(about[0])).now and (there.now.release, there.now.effective) == about[1:]:
            state.environments[about[0]] = replace(there, validated_since=True)
    else:
        state.summaries.pop(about, None)
        state.summary_voices.pop(about, None)


def _approval(state: State, entry: Recorded) -> None:
    predicate = entry.statement.predicate
    approval = Approval(
        plan=_text(predicate.get("plan")),
        environment=environment_of(entry.statement) or "",
        person=entry.signer.person,
        key=entry.signer.key.spki,
        role=_text(predicate.get("role")),
        expires=_text(predicate.get("expires")),
        reason=_text(predicate.get("reason")),
        at=entry.at,
        digest=entry.digest,
    )
    table = state.approvals if predicate.get("decision") == "approve" else state.rejections
    table.setdefault(approval.plan, []).append(approval)


def _promotion(state: State, entry: Recorded) -> None:
    about, predicate = _about(entry.statement), entry.statement.predicate
    end, begin = predicate.get("to"), predicate.get("from")
    if about is None or not isinstance(end, dict) or not isinstance(begin, dict):
        return
    revision = end.get("revision")
    moved = Moved(
        kind=_text(predicate.get("kind")),
        environment=about[0],
        release=about[1],
        effective=about[2],
        revision=revision if isinstance(revision, int) else 0,
        previous=_text(begin.get("release")),
        source=_text(predicate.get("source")),
        person=entry.signer.person,
        at=entry.at,
        index=entry.index,
        plan=_text(predicate.get("plan")),
        approvals=tuple(_text(one.get("person")) for one in _objects(predicate.get("approvals"))),
        bypassed=tuple(
            f"{_text(one.get('demand'))} by {_text(one.get('person'))}: {_text(one.get('reason'))}"
            for one in _objects(predicate.get("bypass"))
        ),
        unproven=undemanded(predicate),
    )
    before = state.environment(moved.environment)
    holds = before.holds
    if moved.kind == "rollback":  # the same entry sets the hold: there is no moment without it (rule P7)
        reason = _text(predicate.get("reason")) or f"rolled back to revision {_text(predicate.get('restores'))}"
        holds = (*holds, Hold(reason=reason, person=moved.person, at=moved.at))
    if moved.kind != "adoption":  # who carries a publisher's release in has not written it
        state.authors.setdefault(moved.release, moved.person)
    state.environments[moved.environment] = EnvironmentState(promotions=(*before.promotions, moved), holds=holds)


def _hold(state: State, entry: Recorded) -> None:
    name, predicate = environment_of(entry.statement), entry.statement.predicate
    if name is None:
        return
    before = state.environment(name)
    placed = Hold(reason=_text(predicate.get("reason")), person=entry.signer.person, at=entry.at)
    holds = () if predicate.get("action") == "lift" else (*before.holds, placed)
    state.environments[name] = replace(before, holds=holds)


def _bypass(state: State, entry: Recorded) -> None:
    predicate = entry.statement.predicate
    bypass = Bypass(
        plan=_text(predicate.get("plan")),
        environment=environment_of(entry.statement) or "",
        demand=_text(predicate.get("demand")),
        person=entry.signer.person,
        reason=_text(predicate.get("reason")),
        expires=_text(predicate.get("expires")),
        at=entry.at,
        digest=entry.digest,
    )
    state.bypasses.setdefault(bypass.plan, []).append(bypass)


def _drift(state: State, entry: Recorded) -> None:
    if (about := _about(entry.statement)) is None:
        return
    name, release, effective = about
    predicate = entry.statement.predicate
    state.drifts[name], model = recorded_drift(predicate, at=entry.at, release=release, effective=effective)
    if model is not None:
        state.baselines[name, model[0]] = model[1]


def _voice(entry: Recorded) -> Voice:
    signer = entry.signer
    return Voice(role=signer.role, threshold=entry.threshold, key=signer.key.spki, person=signer.person)


def _objects(value: Json) -> list[Mapping[str, Json]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Json) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


_STEPS = {
    APPROVAL: _approval,
    BYPASS: _bypass,
    DRIFT: _drift,
    HOLD: _hold,
    PROMOTION: _promotion,
    TEST_RESULT: _test_result,
    VERIFICATION_SUMMARY: _summary,
}
