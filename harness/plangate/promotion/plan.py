"""The promotion plan: what would change, as a value with a digest that approvals sign (rules P2, P3). Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from plangate.documents.catalog import PlanCatalog
from plangate.documents.environment import Environment
from plangate.documents.prompt import Prompt
from plangate.entitlements.decision_diff import DecisionDiff, decision_changes
from plangate.entitlements.diff_sentences import sentences
from plangate.entitlements.oracle import Oracle
from plangate.promotion.candidate import Candidate
from plangate.promotion.gates import GateState
from plangate.promotion.state import Bypass
from plangate.promotion.unmet import Unmet
from plangate.releases.canonical import digest
from plangate.releases.diff import Change, changes

__all__ = ["PromotionPlan", "PromptChange", "Readiness", "make_plan", "policy_digest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptChange:
    """A prompt that says something else afterwards."""

    prompt: str
    before: str
    """Version; empty where it is new."""
    after: str
    """Version; empty where it is gone."""
    diff: tuple[str, ...]
    """Unified diff of the templates, without its head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionPlan:
    """What applying would do. Nothing in it depends on the time or on evidence."""

    kind: str
    environment: str
    source: str
    source_revision: int
    revision: int
    """The environment's revision now: applying compares and swaps on it."""
    release_before: str
    release: str
    effective: str
    suites: Mapping[str, str]
    release_changes: tuple[Change, ...]
    diffs: Mapping[str, DecisionDiff]
    """Plan catalog -> what is decided otherwise."""
    sentences: tuple[str, ...]
    prompt_changes: tuple[PromptChange, ...]
    policy: str
    """Digest of gates, approvals, soak and windows."""
    digest: str


def make_plan(
    candidate: Candidate,
    *,
    before: Mapping[str, PlanCatalog],
    after: Mapping[str, PlanCatalog],
    prompts: tuple[Mapping[str, Prompt], Mapping[str, Prompt]],
) -> PromotionPlan:
    """The plan for `candidate`, whose catalogs are `before` and `after` by name, and `prompts` likewise. Total."""
    environment, identity = candidate.environment, candidate.identity
    diffs = {name: _diff(candidate, before[name], after[name]) for name in after if name in before}
    told = [sentence for diff in diffs.values() for sentence in sentences(diff)]
    told += [f"the plan catalog {name} is new here: every plan of it begins" for name in after if name not in before]
    told += [f"the plan catalog {name} is gone: every plan of it ends" for name in before if name not in after]
    policy = policy_digest(environment)
    bound: dict[str, Any] = {
        "version": 1,
        "kind": candidate.kind,
        "environment": environment.name,
        "source": {"environment": candidate.source, "revision": candidate.source_revision},
        "from": {"revision": candidate.current.revision, "release": candidate.current_identity.release},
        "to": {"revision": environment.revision, "release": identity.release},
        "effective": identity.effective,
        "suites": dict(identity.suites),
        "decisions": digest({name: _changes(diff) for name, diff in diffs.items()}),
        "policy": policy,
    }
    return PromotionPlan(
        kind=candidate.kind,
        environment=environment.name,
        source=candidate.source,
        source_revision=candidate.source_revision,
        revision=candidate.current.revision,
        release_before=candidate.current_identity.release,
        release=identity.release,
        effective=identity.effective,
        suites=identity.suites,
        release_changes=changes(_release(candidate.current.raw), _release(environment.raw)),
        diffs=diffs,
        sentences=tuple(told),
        prompt_changes=_prompt_changes(*prompts),
        policy=policy,
        digest=digest(bound),
    )


def policy_digest(environment: Environment) -> str:
    """Identity of what an environment demands: its gates, approvals, soak, windows and sources."""
    return digest({"gates": environment.raw.get("gates", []), "promotion": environment.raw.get("promotion", {})})


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """A plan, and what evidence and time say of it."""

    plan: PromotionPlan
    gates: tuple[GateState, ...]
    missing: tuple[Unmet, ...]
    bypassed: tuple[tuple[Unmet, Bypass], ...] = ()
    """What is missing too, and by whose signed word it need not be met."""

    @property
    def ready(self) -> bool:
        """Whether it may be applied now."""
        return not self.missing

    def document(self) -> dict[str, Any]:
        """What `plangate promote ENV --json` prints (documents.md)."""
        plan = self.plan
        every = [_changes(diff) for diff in plan.diffs.values()]
        return {
            "plan": plan.digest,
            "kind": plan.kind,
            "environment": plan.environment,
            "from": {"environment": plan.source, "revision": plan.source_revision, "release": plan.release},
            "current": {"revision": plan.revision, "release": plan.release_before},
            "to": {"revision": plan.revision + 1, "release": plan.release},
            "effective": plan.effective,
            "sentences": list(plan.sentences),
            "release_changes": [asdict(change) for change in plan.release_changes],
            "prompt_changes": [asdict(change) for change in plan.prompt_changes],
            "decision_changes": [change for each in every for change in each["decisions"]],
            "limit_changes": [change for each in every for change in each["limits"]],
            "setting_changes": [change for each in every for change in each["settings"]],
            "gates": [
                {"suite": gate.suite, "result": gate.result.value, "run": gate.run, "mode": gate.mode, "why": gate.why}
                for gate in self.gates
            ],
            "missing": [{"rule": one.rule, "demand": one.demand, "text": one.text} for one in self.missing],
            "bypassed": [
                {
                    "rule": one.rule,
                    "demand": one.demand,
                    "text": one.text,
                    "person": by.person,
                    "reason": by.reason,
                    "expires": by.expires,
                }
                for one, by in self.bypassed
            ],
            "ready": self.ready,
        }


def _prompt_changes(before: Mapping[str, Prompt], after: Mapping[str, Prompt]) -> tuple[PromptChange, ...]:
    found = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old is not None and new is not None and old.version == new.version:
            continue
        gone, come = ((one.template.splitlines() if one else []) for one in (old, new))
        found.append(
            PromptChange(
                prompt=name,
                before=old.version if old else "",
                after=new.version if new else "",
                diff=tuple(difflib.unified_diff(gone, come, n=1, lineterm=""))[2:],
            )
        )
    return tuple(found)


def _diff(candidate: Candidate, before: PlanCatalog, after: PlanCatalog) -> DecisionDiff:
    """Both under the target's own policy, which a promotion never changes."""
    policy = candidate.environment.bindings.policy
    return decision_changes(Oracle.of(before, policy), Oracle.of(after, policy))


def _changes(diff: DecisionDiff) -> dict[str, Any]:
    return {
        "decisions": [asdict(change) for change in diff.decision_changes],
        "limits": [_value(change, "limit") for change in diff.limit_changes],
        "settings": [_value(change, "setting") for change in diff.setting_changes],
        "terms": [asdict(change) for change in diff.term_changes],
    }


def _value(change: Any, kind: str) -> dict[str, Any]:
    return {"plan": change.plan, kind: change.name, "before": change.before, "after": change.after}


def _release(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    release: Mapping[str, Any] = raw["release"]
    return release
