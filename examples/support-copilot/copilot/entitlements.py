"""The entitlement service: may this customer use this tool now? One rule a method; the first that speaks decides.

The language model is never asked. Whatever no rule knows is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from copilot.calendars import next_reset
from copilot.plans import Extra, PlanBook, Tool

__all__ = ["ALLOWED", "Ask", "Customer", "Decision", "EntitlementService", "HousePolicy", "Override"]

EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(slots=True)
class Override:
    """A tool given to, or taken from, one customer; for good, or until `until`."""

    tool: str
    gives: bool
    until: datetime | None


@dataclass(slots=True)
class Customer:
    """What the app knows of a tenant when it decides."""

    tenant: str
    plan: str
    state: str
    seats: int = 1
    extras: tuple[str, ...] = ()
    linked: bool = True
    consents: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Permission -> who granted it."""
    usage: Mapping[str, int] = field(default_factory=dict)
    """Meter -> units already used in the current window."""
    overrides: tuple[Override, ...] = ()


@dataclass(slots=True)
class Ask:
    """One use of one tool."""

    tool: str
    named: Mapping[str, Any] = field(default_factory=dict)
    """Bounds the request names: data_scope, models, max_steps."""
    spends: Mapping[str, int] = field(default_factory=dict)
    """Units the caller expects to spend; never less than the tool's own."""
    now: str = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Decision:
    """effect: allow, deny or require_approval; `limit` says which meter is full, where one is."""

    effect: str
    reason: str
    limit: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class HousePolicy:
    """What the operator of this installation forbids or slows down, whatever a customer bought."""

    never: frozenset[str] = frozenset()
    ask_a_person: frozenset[str] = frozenset()
    steps_max: int | None = None


def deny(reason: str, limit: Mapping[str, Any] | None = None) -> Decision:
    """A refusal."""
    return Decision("deny", reason, limit)


ALLOWED = Decision("allow", "entitled")
APPROVAL = Decision("require_approval", "approval_required")
UNKNOWN_CAPABILITY = deny("unknown_capability")
PROHIBITED = deny("prohibited")
NOT_LINKED = deny("tenant_not_linked")
UNKNOWN_STATE = deny("unknown_state")
UNKNOWN_PLAN = deny("unknown_plan")
REVOKED = deny("revoked")
NOT_IN_PLAN = deny("not_in_plan")
NO_CONSENT = deny("consent_required")
OUT_OF_SCOPE = deny("out_of_scope")

ADMINISTRATORS = frozenset({"admin", "preauthorized"})
Rule = Callable[[Customer, Tool, Ask], Decision | None]


@dataclass(slots=True)
class EntitlementService:
    """Decides by a plan book. Stateless: what it needs to know comes in with each question."""

    book: PlanBook
    policy: HousePolicy = HousePolicy()
    _rules: tuple[Rule, ...] = field(init=False, repr=False)
    _refusals: dict[str, Decision] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._refusals = {phase.name: deny(phase.refuses_with) for phase in self.book.lifecycle.values()}
        self._rules = (
            self.permitted_here,
            self.tenant_is_ours,
            self.subscription_is_active,
            self.plan_is_sold,
            self.plan_includes,
            self.permissions_are_granted,
            self.bounds_hold,
            self.meters_have_room,
            self.no_person_needed,
        )

    def decide(self, customer: Customer, ask: Ask) -> Decision:
        """The decision for one use. Total: every question has an answer."""
        tool = self.book.tools.get(ask.tool)
        if tool is None:
            return self.unknown_tool(customer, ask)
        for rule in self._rules:
            decision = rule(customer, tool, ask)
            if decision is not None:
                return decision
        return self.allowed(customer, tool, ask)

    def unknown_tool(self, customer: Customer, ask: Ask) -> Decision:
        """What nobody built, nobody may use."""
        return UNKNOWN_CAPABILITY

    def permitted_here(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        """Some things are never done, and some not in this installation."""
        return PROHIBITED if tool.never or tool.name in self.policy.never else None

    def tenant_is_ours(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        """No tenant is served before it was linked to a subscription."""
        return None if customer.linked is True else NOT_LINKED

    def subscription_is_active(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        """A subscription that is not open keeps only what its state says."""
        phase = self.book.lifecycle.get(customer.state)
        if phase is None:
            return UNKNOWN_STATE
        return None if phase.open or tool.name in phase.keeps else self._refusals[phase.name]

    def plan_is_sold(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        """A plan nobody knows grants nothing."""
        return None if customer.plan in self.book.packages else UNKNOWN_PLAN

    def plan_includes(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        """Taken away beats everything; else plan, extra or override must bring the tool."""
        live = self.live_overrides(customer, tool, ask) if customer.overrides else ()
        if False in live:
            return REVOKED
        if True in live or tool.name in self.book.packages[customer.plan].tools:
            return None
        return None if any(tool.name in extra.tools for extra in self.extras(customer)) else NOT_IN_PLAN

    def live_overrides(self, customer: Customer, tool: Tool, ask: Ask) -> tuple[bool, ...]:
        """For each override in force: does it give the tool (True) or take it (False)?"""
        now = instant(ask.now)
        return tuple(each.gives for each in customer.overrides if each.tool == tool.name and self.lasts(each, now))

    def lasts(self, override: Override, now: datetime | None) -> bool:
        """Whether an override is in force. Where time cannot be told, what takes lasts and what gives does not."""
        if override.until is None:
            return True
        return override.until > now if now is not None else not override.gives

    def extras(self, customer: Customer) -> list[Extra]:
        """The add-ons the customer holds, each once, those that were never sold left out."""
        known = self.book.extras
        return [known[name] for name in dict.fromkeys(customer.extras) if name in known]

    def permissions_are_granted(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        """Each permission needs a grant by the right person: what a user may grant, an administrator may too."""
        for permission, level in tool.permissions:
            granted_by = customer.consents.get(permission)
            if not granted_by or not self.grant_suffices(granted_by, level):
                return NO_CONSENT
        return None

    def grant_suffices(self, granted_by: frozenset[str], level: str) -> bool:
        """Whether grants by these people meet the level."""
        return not granted_by.isdisjoint(ADMINISTRATORS) or (level == "user" and "user" in granted_by)

    def bounds_hold(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        """What the request names must lie within what the plan sets; a bound the plan does not set is out of reach."""
        if not ask.named or not tool.bounded_by:
            return None
        for name in tool.bounded_by:
            value = ask.named.get(name)
            if value is not None and not self.within(customer, name, value):
                return OUT_OF_SCOPE
        return None

    def within(self, customer: Customer, name: str, value: Any) -> bool:
        """Whether one named value lies within the plan."""
        most = self.book.packages[customer.plan].bounds.get(name)
        if most is None:
            return False
        bound = self.book.bounds[name]
        if bound.ladder:
            return value in bound.ladder and bound.ladder.index(value) <= bound.ladder.index(most)
        if bound.choice:
            return value in most
        return type(value) is int and value <= most

    def meters_have_room(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        """The first hard meter that this use would overfill refuses it."""
        for name, units in tool.spends:
            meter = self.book.meters[name]
            if meter.soft:
                continue
            room = self.room(customer, name)
            if room is not None and self.overfills(customer, name, max(units, ask.spends.get(name, 0)), room):
                return deny("limit_exceeded", self.full(customer, name, room, ask))
        return None

    def overfills(self, customer: Customer, meter: str, units: int, room: int) -> bool:
        """Whether so many units more are too many."""
        return customer.usage.get(meter, 0) + units > room

    def room(self, customer: Customer, meter: str) -> int | None:
        """Units the customer has in the meter's window: plan by seats, and extras on top; None = no end."""
        planned = self.book.packages[customer.plan].room.get(meter)
        base = 0 if planned is None else planned.for_seats(customer.seats)
        if base is None or not customer.extras:
            return base
        return base + sum(extra.room.get(meter, 0) for extra in self.extras(customer))

    def full(self, customer: Customer, meter: str, room: int, ask: Ask) -> dict[str, Any]:
        """What a refusal says about the meter."""
        return {
            "name": meter,
            "limit": room,
            "remaining": max(0, room - customer.usage.get(meter, 0)),
            "resets_at": next_reset(self.book.meters[meter].resets, ask.now),
        }

    def no_person_needed(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        """Some uses wait for a person: by plan, or because this installation says so."""
        planned = self.book.packages[customer.plan].ask_a_person.get(tool.name, tool.ask_a_person)
        return APPROVAL if planned or tool.name in self.policy.ask_a_person else None

    def allowed(self, customer: Customer, tool: Tool, ask: Ask) -> Decision:
        """Nothing speaks against it; the first soft meter that is overfilled is named, so that it can be recorded."""
        for name, units in tool.spends:
            if not self.book.meters[name].soft:
                continue
            room = self.room(customer, name)
            if room is not None and self.overfills(customer, name, max(units, ask.spends.get(name, 0)), room):
                return Decision("allow", "soft_limit", self.full(customer, name, room, ask))
        return ALLOWED


def instant(text: str) -> datetime | None:
    """RFC 3339 text as a moment; None where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
