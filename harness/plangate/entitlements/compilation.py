"""From a plan catalog and an environment's policy to gates: everything that needs no subject, computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from plangate.documents.catalog import Addon, Capability, Lane, PlanCatalog, Setting, SettingKind
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
        own = state.reason if state else None
        refusal = Decision(Effect.DENY, own or _STATE_REASONS.get(name, Reason.UNKNOWN_STATE), "D4", pointer)
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
    shared = _Shared(
        soft=frozenset(name for name, limit in catalog.limits.items() if limit.soft),
        addons={name: addon_terms(addon) for name, addon in catalog.addons.items()},
    )
    terms = [_plan_terms(catalog, plan, policy=policy) for plan in plans.values()]
    known = {}
    for name, capability in catalog.capabilities.items():
        at: Pointer = ("capabilities", name)
        scopes = _scopes(capability)
        revoked = Decision(Effect.DENY, Reason.REVOKED, "D6", at)
        known[name] = KnownCapability(
            prohibited=_prohibited(capability, policy=policy),
            not_linked=Decision(Effect.DENY, Reason.TENANT_NOT_LINKED, "D3", at),
            gates={
                one.plan.name: _gate(capability, one, shared, policy=policy, scopes=scopes, revoked=revoked)
                for one in terms
            },
        )
    return known


@dataclass(frozen=True, slots=True)
class _Shared:
    """What every gate of a catalog shares."""

    soft: frozenset[str]
    addons: Mapping[str, AddonTerms]


@dataclass(frozen=True, slots=True)
class _PlanTerms:
    """What every gate of a plan shares."""

    plan: ResolvedPlan
    limits: Mapping[str, Bound]
    settings: Mapping[str, SettingBound]


def _plan_terms(catalog: PlanCatalog, plan: ResolvedPlan, *, policy: Policy) -> _PlanTerms:
    limits = {name: _bound(catalog, plan, name) for name in catalog.limits}
    settings = {name: _setting(setting, plan, policy=policy) for name, setting in catalog.settings.items()}
    return _PlanTerms(plan, limits, settings)


def _prohibited(capability: Capability, *, policy: Policy) -> Decision | None:
    """D2: the catalog's own mark first, then the environment's `denied` list, which adds to it."""
    if capability.prohibited:
        return Decision(Effect.DENY, Reason.PROHIBITED, "D2", ("capabilities", capability.name, "prohibited"))
    if capability.name in policy.denied:
        pointer = ("bindings", "policy", "denied", policy.denied.index(capability.name))
        return Decision(Effect.DENY, Reason.PROHIBITED, "D2", pointer, in_environment=True)
    return None


def _gate(
    capability: Capability,
    terms: _PlanTerms,
    shared: _Shared,
    *,
    policy: Policy,
    scopes: tuple[NeededScope, ...],
    revoked: Decision,
) -> Gate:
    name, plan = capability.name, terms.plan
    grant = plan.grants.get(name)
    taken = plan.revokes.get(name, ("plans", plan.name, "grants"))
    bounds = _counted(capability, limits=terms.limits)
    return Gate(
        capability=name,
        granted=grant is not None,
        entitled=Decision(Effect.ALLOW, Reason.ENTITLED, "D11", grant or ("capabilities", name)),
        approval=_approval(capability, plan, policy=policy),
        not_in_plan=Decision(Effect.DENY, Reason.NOT_IN_PLAN, "D6", taken),
        revoked=revoked,
        scopes=scopes,
        settings=tuple(terms.settings.get(used) or _undeclared(used, capability) for used in capability.uses),
        consumes=capability.consumes,
        hard=tuple(bound for bound in bounds if bound.name not in shared.soft),
        soft=tuple(bound for bound in bounds if bound.name in shared.soft),
        addons=shared.addons,
        limit_order=terms.limits,
        soft_names=shared.soft,
    )


def _scopes(capability: Capability) -> tuple[NeededScope, ...]:
    needed = []
    for number, scope in enumerate(capability.scopes):
        pointer = ("capabilities", capability.name, "scopes", number)
        refusal = Decision(Effect.DENY, Reason.CONSENT_REQUIRED, "D7", pointer, setting=scope.name)
        needed.append(NeededScope(scope.name, scope.consent.rank, refusal))
    return tuple(needed)


def _undeclared(name: str, capability: Capability) -> SettingBound:
    """A setting that the catalog lacks lets nothing in."""
    return SettingBound(name, None, None, _out_of_scope(name, ("capabilities", capability.name, "uses")))


def _setting(setting: Setting, plan: ResolvedPlan, *, policy: Policy) -> SettingBound:
    """How the plan bounds a setting. One that it does not set, or sets to another kind of value, lets nothing in."""
    name, declared = setting.name, plan.settings.get(setting.name)
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


def _counted(capability: Capability, *, limits: Mapping[str, Bound]) -> list[Bound]:
    """The limits that a use costs something of, in catalog order; those the catalog lacks come last, by name."""
    consumes = capability.consumes
    if not consumes:
        return []
    known = [bound._replace(cost=consumes[name]) for name, bound in limits.items() if consumes.get(name, 0) > 0]
    unknown = [
        undeclared_bound(name, capability=capability.name, cost=cost)
        for name, cost in sorted(consumes.items())
        if name not in limits and cost > 0
    ]
    return known + unknown


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
