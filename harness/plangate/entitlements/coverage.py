"""Which reasons a catalog can produce, and which of them no suite asks for (law L4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from plangate.documents.catalog import Capability, Exemption, Lane, PlanCatalog, Setting, SettingKind
from plangate.documents.positions import Pointer
from plangate.documents.problems import problem_at
from plangate.documents.suite import Suite
from plangate.entitlements.decision import Reason
from plangate.entitlements.plans import ResolvedPlan, resolve
from plangate.errors import Problem

__all__ = ["Witness", "possible_reasons", "uncovered_reasons", "unused_exemptions"]


@dataclass(frozen=True, slots=True)
class Witness:
    """Why a catalog can produce a reason: in words, with the place."""

    text: str
    pointer: Pointer


_AXIS: Final[Mapping[str, str]] = {
    Reason.UNKNOWN_CAPABILITY: "capability: all+unknown",
    Reason.PROHIBITED: "capability: all",
    Reason.TENANT_NOT_LINKED: "linked: [true, false]",
    Reason.NOT_ACTIVATED: "state: all",
    Reason.SUSPENDED: "state: all",
    Reason.UNSUBSCRIBED: "state: all",
    Reason.UNKNOWN_STATE: "state: all+unknown",
    Reason.UNKNOWN_PLAN: "plan: all+unknown",
    Reason.REVOKED: "override: boundary",
    Reason.NOT_IN_PLAN: "plan: all and capability: all",
    Reason.CONSENT_REQUIRED: "consent: boundary",
    Reason.OUT_OF_SCOPE: "setting: boundary",
    Reason.LIMIT_EXCEEDED: "usage: boundary",
    Reason.APPROVAL_REQUIRED: "capability: all",
    Reason.ENTITLED: "plan: all and capability: all",
    Reason.SOFT_LIMIT: "usage: boundary",
}
_STATES: Final[Mapping[str, Reason]] = {
    "PendingFulfillmentStart": Reason.NOT_ACTIVATED,
    "Suspended": Reason.SUSPENDED,
    "Unsubscribed": Reason.UNSUBSCRIBED,
}


def uncovered_reasons(
    catalog: PlanCatalog, seen: Collection[str], *, suites: Sequence[Suite] | None = None
) -> list[Problem]:
    """A warning for each reason that `catalog` and the axes of `suites` can produce and that is not among `seen`.

    `seen` holds the reasons of all cells. Raises InputError `extends-circle` or `unknown-name` for plans that cannot be
    resolved.
    """
    problems = []
    for reason, witness in possible_reasons(catalog, suites=suites).items():
        if reason not in seen:
            problem = problem_at(
                catalog.positions.of(*witness.pointer),
                code="reason-not-covered",
                message=f"no suite has a cell that expects {reason}: {witness.text}",
                hint=_hint(reason, suites or ()),
                severity="warning",
            )
            problems.append(problem)
    return sorted(problems)


def unused_exemptions(
    catalog: PlanCatalog, seen: Collection[str], *, suites: Sequence[Suite] | None = None
) -> Iterator[Problem]:
    """A warning for each exemption from the law `covered` without which `uncovered_reasons` would say the same."""
    for number, one in enumerate(catalog.exemptions):
        if one.law == "covered" and not _excuses(catalog, number, seen, suites=suites):
            yield problem_at(
                catalog.positions.of("exemptions", number),
                code="exemption-unused",
                message=f"exemptions[{number}]: no reason lacks a cell on account of what it excuses",
                hint="remove it, or name what no suite asks",
                severity="warning",
            )


def _excuses(catalog: PlanCatalog, number: int, seen: Collection[str], *, suites: Sequence[Suite] | None) -> bool:
    """Whether an exemption takes a witness away by itself, or a reason together with the others."""
    others = tuple(other for place, other in enumerate(catalog.exemptions) if place != number)

    def lacking(*exemptions: Exemption) -> set[str]:
        found = possible_reasons(replace(catalog, exemptions=exemptions), suites=suites)
        return set(found) - set(seen)

    def witnesses(*exemptions: Exemption) -> set[_Found]:
        narrowed = replace(catalog, exemptions=exemptions)
        return {(reason, one) for reason, one in _all(narrowed, resolve(narrowed)) if reason in unexcused}

    one, unexcused = catalog.exemptions[number], lacking()
    alone = one.expects in unexcused or witnesses(one) != witnesses()
    return alone or lacking(*others) != lacking(one, *others)


def _hint(reason: str, suites: Iterable[Suite]) -> str:
    wanted = [part.partition(": ") for part in _AXIS.get(reason, _AXIS[Reason.SUSPENDED]).split(" and ")]
    lacking = [f"{axis}: {word}" for axis, _, word in wanted if not any(_asks(one, axis, word) for one in suites)]
    if lacking:
        return f"give a suite the axis {' and '.join(lacking)}"
    exemption = f'{{law: covered, expects: {reason}, reason: "..."}}'
    return f"the suites ask for it and exclude it: look at their exclude, or write under exemptions: {exemption}"


def _asks(suite: Suite, axis: str, word: str) -> bool:
    spec = suite.axis(axis)
    if spec is None:
        return word == "all"  # the normal value of plan, state and capability
    return spec.word in (word, f"{word}+unknown") or (axis == "linked" and False in spec.values)


def possible_reasons(catalog: PlanCatalog, *, suites: Sequence[Suite] | None = None) -> Mapping[str, Witness]:
    """Every reason that some subject and request can get from `catalog`, each with the first witness, in rule order.

    Of names that no catalog can know it counts unknown ones; of values it counts those the catalog declares; of
    capabilities it counts those that a plan grants. What no catalog says (tenants that are not linked, overrides) it
    counts where one of `suites` asks for it, or where they are not given. An exemption from the law `covered` takes its
    witnesses away.
    """
    found: dict[str, Witness] = {}
    for reason, witness in _all(catalog, resolve(catalog)):
        found.setdefault(reason, witness)
    for reason, axis, word in _BESIDE_CATALOG:
        if suites is not None and not any(_asks(suite, axis, word) for suite in suites):
            found.pop(reason, None)
    exempt = {one.expects for one in catalog.exemptions if one.law == "covered" and one.reason.strip()}
    in_order = [*Reason, *(reason for reason in found if reason not in set(Reason))]
    return {reason: found[reason] for reason in in_order if reason in found and reason not in exempt}


_BESIDE_CATALOG: Final = (
    (Reason.TENANT_NOT_LINKED, "linked", "[true, false]"),
    (Reason.REVOKED, "override", "boundary"),
)
_Found = tuple[str, Witness]


def _all(catalog: PlanCatalog, plans: Mapping[str, ResolvedPlan]) -> Iterator[_Found]:
    usable = [capability for capability in catalog.capabilities.values() if not capability.prohibited]
    yield Reason.UNKNOWN_CAPABILITY, Witness("an app may be asked for a capability it does not sell", ("capabilities",))
    for capability in catalog.capabilities.values():
        if capability.prohibited:
            text = f"{capability.name} is prohibited"
            yield Reason.PROHIBITED, Witness(text, ("capabilities", capability.name, "prohibited"))
    if not usable:
        return
    yield Reason.UNKNOWN_PLAN, Witness("a subject may name a plan that is not sold", ("plans",))
    if not all(_exempt(catalog, name) for name in plans):
        yield Reason.TENANT_NOT_LINKED, Witness("a tenant may not be linked", ("capabilities",))
        yield from _from_states(catalog, usable)
    for plan in plans.values():
        for capability in usable:
            yield from _from_plan(catalog, plan, capability)


def _from_states(catalog: PlanCatalog, usable: list[Capability]) -> Iterator[_Found]:
    """D4: declared states in which some capability is not retained, and, beside them, one that is not declared."""
    for name, state in catalog.states.items():
        if any(capability.name not in state.retains for capability in usable):
            reason = state.reason or _STATES.get(name, Reason.UNKNOWN_STATE)
            yield reason, Witness(f"a subscription may be {name}", ("states", name))
    if catalog.states:
        yield Reason.UNKNOWN_STATE, Witness("a subject may be in a state that is not declared", ("states",))


def _from_plan(catalog: PlanCatalog, plan: ResolvedPlan, capability: Capability) -> Iterator[_Found]:
    """D6 to D11 of one capability in one plan."""
    name = capability.name
    if _exempt(catalog, plan.name, capability=name):
        return
    place: Pointer = ("capabilities", name)
    yield Reason.REVOKED, Witness(f"an override may revoke {name}", place)
    grant = plan.grants.get(name)
    if grant is None:
        yield Reason.NOT_IN_PLAN, Witness(f"{plan.name} does not grant {name}", ("plans", plan.name))
        return
    if capability.scopes:
        text = f"{name} in {plan.name} needs {capability.scopes[0].name}"
        yield Reason.CONSENT_REQUIRED, Witness(text, (*place, "scopes"))
    yield from _from_settings(catalog, plan, capability)
    lane = plan.lanes[name].value if name in plan.lanes else capability.lane
    fits = True
    for limit, cost in capability.consumes.items():
        bounded = _bounded(catalog, plan, limit)
        if not bounded or _exempt(catalog, plan.name, limit=limit):
            continue
        soft = limit in catalog.limits and catalog.limits[limit].soft
        fits = fits and (soft or _ever_fits(plan, limit, cost=cost))
        if not soft:
            yield Reason.LIMIT_EXCEEDED, Witness(f"{name} in {plan.name} counts against {limit}", bounded)
        elif lane is Lane.AUTOMATIC:
            yield Reason.SOFT_LIMIT, Witness(f"{name} in {plan.name} counts against {limit}, which is soft", bounded)
    if fits:
        approval = lane is Lane.APPROVAL
        text = f"{plan.name} grants {name}" + (", with approval" if approval else "")
        yield (Reason.APPROVAL_REQUIRED if approval else Reason.ENTITLED), Witness(text, grant)


def _bounded(catalog: PlanCatalog, plan: ResolvedPlan, limit: str) -> Pointer | None:
    """Place of the plan's limit, or of the plan where it sets none; None where it is unlimited."""
    declared = plan.limits.get(limit)
    if declared is None or limit not in catalog.limits:
        return ("plans", plan.name)
    return None if declared.value.number is None else declared.pointer


def _ever_fits(plan: ResolvedPlan, limit: str, *, cost: int) -> bool:
    """Whether one use fits for some quantity."""
    declared = plan.limits.get(limit)
    number = declared.value.number if declared else 0
    return number is None or number >= cost or bool(number and declared and declared.value.per_quantity)


def _from_settings(catalog: PlanCatalog, plan: ResolvedPlan, capability: Capability) -> Iterator[_Found]:
    """D8: settings of which the catalog declares a value beyond the plan's."""
    for name in capability.uses:
        setting = catalog.settings.get(name)
        if setting is None or _exempt(catalog, plan.name, setting=name) or not _value_beyond(setting, plan):
            continue
        declared = plan.settings.get(name)
        place = declared.pointer if declared else ("plans", plan.name)
        yield Reason.OUT_OF_SCOPE, Witness(f"{capability.name} in {plan.name} is judged on {name}", place)


def _value_beyond(setting: Setting, plan: ResolvedPlan) -> bool:
    declared = plan.settings.get(setting.name)
    if declared is None or setting.kind is SettingKind.INTEGER:
        return True
    own = declared.value
    if setting.kind is SettingKind.ORDER:
        return own != setting.values[-1]
    return any(value not in own for value in setting.values) if isinstance(own, tuple) else True


def _exempt(
    catalog: PlanCatalog,
    plan: str,
    *,
    capability: str | None = None,
    limit: str | None = None,
    setting: str | None = None,
) -> bool:
    """Whether an exemption from the law `covered` takes this part of the plan away, or the plan as a whole."""
    about = (capability, limit, setting)
    return any(
        one.law == "covered"
        and one.plan == plan
        and one.expects is None
        and bool(one.reason.strip())
        and all(n is None or n == part for n, part in zip((one.capability, one.limit, one.setting), about, strict=True))
        for one in catalog.exemptions
    )
