"""Why a decision is what it is: each rule passed on the way, in words and with its place, and the one that decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from plangate.documents.catalog import SUBSCRIBED
from plangate.documents.positions import Pointer
from plangate.entitlements.decision import Decision, Reason
from plangate.entitlements.gate import Bound, Gate, units_used
from plangate.entitlements.oracle import Oracle
from plangate.entitlements.request import Request, Subject

__all__ = ["RuleStep", "why"]

_RULES: Final = tuple(f"D{number}" for number in range(1, 12))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStep:
    """One rule on the way to a decision."""

    rule: str
    """`D1` to `D11`."""
    text: str
    """Why it was passed, or what it decided."""
    pointer: Pointer
    """Place it rests on, in the catalog or, with `in_environment`, in the environment."""
    where: str
    """That place as `path:line:column`."""
    in_environment: bool = False
    decision: Decision | None = None
    """Set on the last step only: the rule that decided."""


@dataclass(frozen=True, slots=True)
class _Asked:
    oracle: Oracle
    subject: Subject
    request: Request


_Passed = tuple[str, Pointer]


def why(oracle: Oracle, subject: Subject, request: Request) -> tuple[RuleStep, ...]:
    """Each rule from D1 on, in order, ending with the rule that decides; its `decision` is `oracle.decide`'s own.

    Total: never raises.
    """
    decision = oracle.decide(subject, request)
    asked = _Asked(oracle, subject, request)
    steps = [_passed(rule, asked) for rule in _RULES[: _RULES.index(decision.rule)]]
    last = RuleStep(
        rule=decision.rule,
        text=_DECIDED.get(decision.reason, _refused_by_state)(asked, decision),
        pointer=decision.pointer,
        where=oracle.where(decision),
        in_environment=decision.in_environment,
        decision=decision,
    )
    return (*steps, last)


def _passed(rule: str, asked: _Asked) -> RuleStep:
    text, pointer = _PASSED[rule](asked)
    return RuleStep(rule=rule, text=text, pointer=pointer, where=asked.oracle.place(pointer))


def _known(asked: _Asked) -> _Passed:
    name = asked.request.capability
    return f"the catalog has {name}", ("capabilities", name)


def _not_prohibited(asked: _Asked) -> _Passed:
    name = asked.request.capability
    return "neither the catalog prohibits it nor the environment denies it", ("capabilities", name)


def _linked(asked: _Asked) -> _Passed:
    return "the tenant is linked", ("capabilities", asked.request.capability)


def _state_passed(asked: _Asked) -> _Passed:
    state = asked.subject.state
    if state == SUBSCRIBED:
        return "the state is Subscribed", ("states",)
    retains = asked.oracle.catalog.states[state].retains
    place = ("states", state, "retains", retains.index(asked.request.capability))
    return f"the state {state} retains it", place


def _plan_known(asked: _Asked) -> _Passed:
    return f"the catalog has the plan {asked.subject.plan}", ("plans", asked.subject.plan)


def _granted(asked: _Asked) -> _Passed:
    name, plan = asked.request.capability, asked.oracle.plans[asked.subject.plan]
    place = plan.grants.get(name)
    if place is not None:
        origin = "" if place[1] == plan.name else f", inherited from {place[1]}"
        return f"the plan {plan.name} grants it{origin}", place
    pointer = _gate(asked).granted_by(asked.subject, asked.request).pointer
    if pointer[0] == "addons":
        return f"the add-on {pointer[1]} grants it", pointer
    return "a live override of the subject grants it", pointer


def _consented(asked: _Asked) -> _Passed:
    scopes = asked.oracle.catalog.capabilities[asked.request.capability].scopes
    place = ("capabilities", asked.request.capability, "scopes")
    if not scopes:
        return "it needs no consent", place
    return "consented: " + ", ".join(f"{scope.name} ({scope.consent.value})" for scope in scopes), place


def _in_scope(asked: _Asked) -> _Passed:
    uses = asked.oracle.catalog.capabilities[asked.request.capability].uses
    own = asked.oracle.plans[asked.subject.plan].settings
    named = [name for name in uses if name in asked.request.settings]
    if not named:
        judged = f", of those it is judged on: {', '.join(uses)}" if uses else ""
        return f"the request names no setting{judged}", ("capabilities", asked.request.capability, "uses")
    within = [f"{name}={asked.request.settings[name]} (plan: {_said(own[name].value)})" for name in named]
    return "within the plan: " + ", ".join(within), own[named[0]].pointer


def _within_limits(asked: _Asked) -> _Passed:
    hard, _ = _gate(asked).bounds_of(asked.request)
    if not hard:
        return "it counts against no hard limit", ("capabilities", asked.request.capability, "consumes")
    return "; ".join(_fits(asked, bound) for bound in hard), hard[0].pointer


def _automatic(asked: _Asked) -> _Passed:
    name = asked.request.capability
    lane = asked.oracle.plans[asked.subject.plan].lanes.get(name)
    return "the lane is automatic", lane.pointer if lane else ("capabilities", name, "lane")


def _fits(asked: _Asked, bound: Bound) -> str:
    limit = asked.oracle.limit_of(asked.subject, bound.name)
    if limit is None:
        return f"{bound.name}: unlimited"
    used = units_used(asked.subject.usage.get(bound.name, 0), limit=limit)
    return f"{bound.name}: {used} used + {bound.cost} = {used + bound.cost} of {limit}"


def _gate(asked: _Asked) -> Gate:
    return asked.oracle.gate(plan=asked.subject.plan, capability=asked.request.capability)


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


_PASSED: Final[Mapping[str, Callable[[_Asked], _Passed]]] = {
    "D1": _known,
    "D2": _not_prohibited,
    "D3": _linked,
    "D4": _state_passed,
    "D5": _plan_known,
    "D6": _granted,
    "D7": _consented,
    "D8": _in_scope,
    "D9": _within_limits,
    "D10": _automatic,
}


def _prohibited(asked: _Asked, decision: Decision) -> str:
    return "the environment denies it" if decision.in_environment else "the catalog prohibits it, whatever the plan"


def _refused_by_state(asked: _Asked, _: Decision) -> str:
    state = asked.subject.state
    known = state in asked.oracle.catalog.states
    return f"the state is {state}, which " + ("does not retain it" if known else "the catalog does not have")


def _not_granted(asked: _Asked, decision: Decision) -> str:
    taken = f"; {decision.pointer[1]} revokes it" if "revokes" in decision.pointer else ""
    return f"neither the plan {asked.subject.plan}, nor an add-on, nor a live override grants it{taken}"


def _no_consent(asked: _Asked, decision: Decision) -> str:
    scopes = asked.oracle.catalog.capabilities[asked.request.capability].scopes
    levels = " and ".join(scope.consent.value for scope in scopes if scope.name == decision.setting)
    return f"it needs {decision.setting} at level {levels}, to which nobody consented"


def _beyond(asked: _Asked, decision: Decision) -> str:
    name = decision.setting or ""
    asked_for = f"{name}={asked.request.settings.get(name)}"
    if decision.in_environment:
        return f"{asked_for} is above the environment's {asked.oracle.policy.max_steps}"
    own = asked.oracle.plans[asked.subject.plan].settings.get(name)
    if own is None:
        return f"{asked_for} is named, but the plan {asked.subject.plan} does not set {name}"
    return f"{asked_for} is beyond the plan's {_said(own.value)}"


def _over(asked: _Asked, decision: Decision) -> str:
    limit = decision.limit
    if limit is None:
        return "a limit is exceeded"
    used = asked.subject.usage.get(limit.name, 0)
    resets = f"; it starts again at {limit.resets_at}" if limit.resets_at else ""
    return f"{limit.name}: {used} used, {limit.remaining} of {limit.limit} left, and this use needs more{resets}"


def _soft(asked: _Asked, decision: Decision) -> str:
    return f"allowed beyond a soft limit, with an audit record due: {_over(asked, decision)}"


def _approval(asked: _Asked, decision: Decision) -> str:
    if decision.in_environment:
        return "the environment wants an approval"
    return f"the {'plan' if decision.pointer[0] == 'plans' else 'capability'}'s lane is approval"


_DECIDED: Final[Mapping[str, Callable[[_Asked, Decision], str]]] = {
    Reason.UNKNOWN_CAPABILITY: lambda asked, _: f"the catalog has no capability {asked.request.capability}",
    Reason.PROHIBITED: _prohibited,
    Reason.TENANT_NOT_LINKED: lambda _, __: "the tenant is not linked",
    Reason.NOT_ACTIVATED: _refused_by_state,
    Reason.SUSPENDED: _refused_by_state,
    Reason.UNSUBSCRIBED: _refused_by_state,
    Reason.UNKNOWN_STATE: _refused_by_state,
    Reason.UNKNOWN_PLAN: lambda asked, _: f"the catalog has no plan {asked.subject.plan}",
    Reason.REVOKED: lambda _, __: "an override of the subject revokes it, whatever the plan",
    Reason.NOT_IN_PLAN: _not_granted,
    Reason.CONSENT_REQUIRED: _no_consent,
    Reason.OUT_OF_SCOPE: _beyond,
    Reason.LIMIT_EXCEEDED: _over,
    Reason.APPROVAL_REQUIRED: _approval,
    Reason.ENTITLED: lambda _, __: "nothing stands against it",
    Reason.SOFT_LIMIT: _soft,
}
