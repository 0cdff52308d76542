"""Everything that a plan still needs, decided from the state of the ledger and the time (rules P1 to P8). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from plangate.documents.environment import Environment
from plangate.documents.placement_rules import placement_problems
from plangate.promotion.approvals import unmet_approvals
from plangate.promotion.bypasses import idle_bypasses, live_bypasses
from plangate.promotion.gates import GateState, decide_gates
from plangate.promotion.graph import unmet_sources
from plangate.promotion.plan import PromotionPlan, Readiness
from plangate.promotion.soak import unmet_soak
from plangate.promotion.state import State
from plangate.promotion.unmet import Unmet
from plangate.promotion.windows import unmet_windows
from plangate.releases.release import ReleaseIdentity

__all__ = ["Source", "gates_of", "readiness", "unmet_separation"]

Source = tuple[Environment, ReleaseIdentity]


def readiness(
    plan: PromotionPlan,
    environment: Environment,
    *,
    state: State,
    sources: Mapping[str, Source],
    now: datetime,
    requester: str | None = None,
) -> Readiness:
    """What `plan` for `environment` (as it would be) still needs at `now`.

    `sources` are the environments it may come from, as they are. A rollback needs evidence only: no approval, soak or
    window keeps a customer from what worked before. `requester` is whose own approval would not count.
    """
    gates = gates_of(
        environment, state=state, release=plan.release, effective=plan.effective, suites=plan.suites, now=now
    )
    missing = [unmet for gate in gates if (unmet := gate.unmet)]
    missing += unmet_separation(environment)
    if plan.kind == "rollback":
        if not any(gate.mode == "require" for gate in gates):
            missing += _never_here(state, plan)
        return Readiness(plan=plan, gates=gates, missing=tuple(missing))
    missing += _holds(state, plan)
    missing += _sources(plan, environment, state=state, sources=sources, now=now)
    missing += _approvals(plan, environment, state=state, now=now, requester=requester)
    missing += unmet_windows(environment.promotion.windows, now=now)
    signed = state.bypasses_of(plan.digest, environment=plan.environment)
    allowed = live_bypasses(signed, now=now, requester=requester)
    left = [one for one in missing if one.demand not in allowed]
    return Readiness(
        plan=plan,
        gates=gates,
        missing=(*left, *idle_bypasses(signed, missing=left, now=now, requester=requester)),
        bypassed=tuple((one, allowed[one.demand]) for one in missing if one.demand in allowed),
    )


def gates_of(
    environment: Environment,
    *,
    state: State,
    release: str,
    effective: str,
    suites: Mapping[str, str],
    now: datetime,
) -> tuple[GateState, ...]:
    """What each gate of `environment` says of exactly these digests."""
    found = state.validations.get((environment.name, release, effective), {})
    return decide_gates(environment.gates, found=found, suites=suites, now=now)


def unmet_separation(environment: Environment) -> list[Unmet]:
    """App or data in the wrong place (rule P4): production data outside production, a region that is not allowed."""
    return [Unmet("P4", one.message) for one in placement_problems(environment) if one.severity == "error"]


def _holds(state: State, plan: PromotionPlan) -> list[Unmet]:
    return [
        Unmet("P7", f"{plan.environment} is held by {hold.person} since {hold.at}: {hold.reason}")
        for hold in state.environment(plan.environment).holds
    ]


def _sources(
    plan: PromotionPlan, environment: Environment, *, state: State, sources: Mapping[str, Source], now: datetime
) -> list[Unmet]:
    present = {name: identity.release for name, (_, identity) in sources.items()}
    failing: dict[str, list[Unmet]] = {}
    for name, (manifest, identity) in sources.items():
        gates = gates_of(
            manifest,
            state=state,
            release=identity.release,
            effective=identity.effective,
            suites=identity.suites,
            now=now,
        )
        failing[name] = [
            *(
                Unmet(unmet.rule, f"in {name}, {unmet.text}", f"{name}/{unmet.name}")
                for gate in gates
                if (unmet := gate.unmet)
            ),
            *unmet_soak(state, source=name, release=plan.release, soak=environment.promotion.soak, now=now),
        ]
    return unmet_sources(environment, release=plan.release, failing=failing, present=present)


def _approvals(
    plan: PromotionPlan, environment: Environment, *, state: State, now: datetime, requester: str | None
) -> list[Unmet]:
    excluded = {name for name in (requester, state.authors.get(plan.release)) if name}
    return unmet_approvals(
        state.approvals_of(plan.digest, environment=plan.environment),
        [one for one in state.rejections.get(plan.digest, ()) if one.environment == plan.environment],
        count=environment.promotion.approvals_count,
        roles=environment.promotion.approval_roles,
        excluded=sorted(excluded),
        now=now,
    )


def _never_here(state: State, plan: PromotionPlan) -> list[Unmet]:
    """Without gates to ask, the release must at least have come in by a promotion that still verifies."""
    if any(move.release == plan.release for move in state.environment(plan.environment).promotions):
        return []
    return [Unmet("P7", f"the ledger does not say that this release was ever in {plan.environment}")]
