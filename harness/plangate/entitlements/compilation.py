"""From a plan catalog and an environment's policy to gates: everything that needs no subject, computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from plangate.documents.catalog import Addon, Capability, Lane, PlanCatalog, SettingKind
from plangate.documents.environment import Policy
from plangate.documents.positions import Pointer
from plangate.entitlements.decision import Decision, Effect, Reason
from plangate.entitlements.gate import AddonTerms, Bound, Gate, NeededScope, SettingBound, undeclared_bound
from plangate.entitlements.plans import ResolvedPlan

__all__ = ["KnownCapability", "StateTerms", "addon_terms", "known_capabilities", "state_terms"]

_MAX_STEPS: Final = "max_steps"
_STATE_REASONS: Final[Mapping[str, Reason]] = {
    "PendingFulfillmentStart": Reason.NOT_ACTIVATED,
    "Suspended": Reason.SUSPENDED,
    "Unsubscribed": Reason.UNSUBSCRIBED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCapability:
    """A capability of the catalog: its refusals by D2 and D3, and its gate in each plan."""

    prohibited: Decision | None
    not_linked: Decision
    gates: Mapping[str, Gate]


@dataclass(frozen=True, slots=True)
class StateTerms:
    """What a state other than Subscribed leaves usable, and the refusal of all else (D4)."""

    retains: frozenset[str]
    refusal: Decision


def state_terms(catalog: PlanCatalog) -> Mapping[str, StateTerms]:
    """Terms of every state that has a reason of its own or an entry in the catalog; any other retains nothing."""
    terms = {}
    for name in [*_STATE_REASONS, *catalog.states]:
        state = catalog.states.get(name)
        pointer: Pointer = ("states", name, "retains") if state else ("states",)
        refusal = Decision(Effect.DENY, _STATE_REASONS.get(name, Reason.UNKNOWN_STATE), "D4", pointer)
        terms[name] = StateTerms(frozenset(state.retains if state else ()), refusal)
    return terms


def addon_terms(addon: Addon) -> AddonTerms:
    """What an add-on brings, with the place of each piece."""
    at = ("addons", addon.name)
    grants: dict[str, Decision] = {}
    for number, capability in enumerate(addon.grants):
        grants.setdefault(capability, Decision(Effect.ALLOW, Reason.ENTITLED, "D11", (*at, "grants", number)))
    return AddonTerms(grants, {name: (number, (*at, "limits", name)) for name, number in addon.limits.items()})


def known_capabilities(
    catalog: PlanCatalog, plans: Mapping[str, ResolvedPlan], *, policy: Policy
) -> Mapping[str, KnownCapability]:
    """Every capability of `catalog` with its gate in each of `plans`, under `policy`."""
    addons = {name: addon_terms(addon) for name, addon in catalog.addons.items()}
    limits = {name: {limit: _bound(catalog, plan, limit) for limit in catalog.limits} for name, plan in plans.items()}
    soft = frozenset(name for name, limit in catalog.limits.items() if limit.soft)
    known = {}
    for name, capability in catalog.capabilities.items():
        gates = {
            plan.name: _gate(
                catalog, capability, plan, policy=policy, limits=limits[plan.name], soft=soft, addons=addons
            )
            for plan in plans.values()
        }
        not_linked = Decision(Effect.DENY, Reason.TENANT_NOT_LINKED, "D3", ("capabilities", name))
        known[name] = KnownCapability(
            prohibited=_prohibited(capability, policy=policy), not_linked=not_linked, gates=gates
        )
    return known


def _prohibited(capability: Capability, *, policy: Policy) -> Decision | None:
    """D2: the catalog's own mark first, then the environment's `denied` list, which adds to it."""
    if capability.prohibited:
        return Decision(Effect.DENY, Reason.PROHIBITED, "D2", ("capabilities", capability.name, "prohibited"))
    if capability.name in policy.denied:
        pointer = ("bindings", "policy", "denied", policy.denied.index(capability.name))
        return Decision(Effect.DENY, Reason.PROHIBITED, "D2", pointer, in_environment=True)
    return None


def _gate(
    catalog: PlanCatalog,
    capability: Capability,
    plan: ResolvedPlan,
    *,
    policy: Policy,
    limits: Mapping[str, Bound],
    soft: frozenset[str],
    addons: Mapping[str, AddonTerms],
) -> Gate:
    name = capability.name
    at: Pointer = ("capabilities", name)
    grant = plan.grants.get(name)
    taken = plan.revokes.get(name, ("plans", plan.name, "grants"))
    bounds = _counted(capability, limits=limits)
    return Gate(
        capability=name,
        granted=grant is not None,
        entitled=Decision(Effect.ALLOW, Reason.ENTITLED, "D11", at if grant is None else grant),
        approval=_approval(capability, plan, policy=policy),
        not_in_plan=Decision(Effect.DENY, Reason.NOT_IN_PLAN, "D6", taken),
        revoked=Decision(Effect.DENY, Reason.REVOKED, "D6", at),
        scopes=_scopes(capability),
        settings=tuple(_setting(catalog, plan, used, at=(*at, "uses"), policy=policy) for used in capability.uses),
        consumes=capability.consumes,
        hard=tuple(bound for bound in bounds if bound.name not in soft),
        soft=tuple(bound for bound in bounds if bound.name in soft),
        addons=addons,
        limit_order=limits,
        soft_names=soft,
    )


def _scopes(capability: Capability) -> tuple[NeededScope, ...]:
    needed = []
    for number, scope in enumerate(capability.scopes):
        pointer = ("capabilities", capability.name, "scopes", number)
        refusal = Decision(Effect.DENY, Reason.CONSENT_REQUIRED, "D7", pointer, setting=scope.name)
        needed.append(NeededScope(scope.name, scope.consent.rank, refusal))
    return tuple(needed)


def _setting(catalog: PlanCatalog, plan: ResolvedPlan, name: str, *, at: Pointer, policy: Policy) -> SettingBound:
    """How the plan bounds a setting. One that it does not set, or sets to another kind of value, lets nothing in."""
    setting = catalog.settings.get(name)
    declared = plan.settings.get(name)
    if setting is None:
        return SettingBound(name, None, None, _out_of_scope(name, at))
    if declared is None:
        return SettingBound(name, None, None, _out_of_scope(name, ("plans", plan.name, "settings")))
    value, refusal = declared.value, _out_of_scope(name, declared.pointer)
    if setting.kind is SettingKind.ORDER:
        reach = setting.values.index(value) + 1 if value in setting.values else 0
        return SettingBound(name, frozenset(setting.values[:reach]), None, refusal)
    if setting.kind is SettingKind.SET:
        return SettingBound(name, frozenset(value if isinstance(value, tuple) else ()), None, refusal)
    most = value if isinstance(value, int) and not isinstance(value, bool) else None
    if name != _MAX_STEPS or policy.max_steps is None:
        return SettingBound(name, None, most, refusal)
    tighter = _out_of_scope(name, ("bindings", "policy", _MAX_STEPS), in_environment=True)
    return SettingBound(name, None, most, refusal, policy.max_steps, tighter)


def _out_of_scope(name: str, pointer: Pointer, *, in_environment: bool = False) -> Decision:
    return Decision(Effect.DENY, Reason.OUT_OF_SCOPE, "D8", pointer, setting=name, in_environment=in_environment)


def _bound(catalog: PlanCatalog, plan: ResolvedPlan, name: str) -> Bound:
    """The plan's share of a limit, with cost zero; a limit that the plan does not set is zero."""
    window = catalog.limits[name].window
    declared = plan.limits.get(name)
    if declared is None:
        return Bound(name, 0, 0, False, window, ("plans", plan.name, "limits"), declared=False)  # noqa: FBT003
    return Bound(name, 0, declared.value.number, declared.value.per_quantity, window, declared.pointer)


def _counted(capability: Capability, *, limits: Mapping[str, Bound]) -> tuple[Bound, ...]:
    """The limits that a use costs something of, in catalog order; those the catalog lacks come last, by name."""
    consumes = capability.consumes
    known = [limits[name]._replace(cost=consumes[name]) for name in limits if consumes.get(name, 0) > 0]
    unknown = [
        undeclared_bound(name, capability=capability.name, cost=cost)
        for name, cost in sorted(consumes.items())
        if name not in limits and cost > 0
    ]
    return (*known, *unknown)


def _approval(capability: Capability, plan: ResolvedPlan, *, policy: Policy) -> Decision | None:
    """D10: the plan's lane, else the capability's; the environment may force approval, never lift it."""
    name = capability.name
    lane = plan.lanes.get(name)
    if (lane.value if lane else capability.lane) is Lane.APPROVAL:
        pointer: Pointer = lane.pointer if lane else ("capabilities", name, "lane")
        return Decision(Effect.REQUIRE_APPROVAL, Reason.APPROVAL_REQUIRED, "D10", pointer)
    if policy.lanes.get(name) is Lane.APPROVAL:
        pointer = ("bindings", "policy", "lanes", name)
        return Decision(Effect.REQUIRE_APPROVAL, Reason.APPROVAL_REQUIRED, "D10", pointer, in_environment=True)
    return None
