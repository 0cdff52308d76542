"""Entitlement services that get one rule wrong. They are wrong at every surface alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from copilot.entitlements import ALLOWED, NOT_IN_PLAN, Ask, Customer, Decision, EntitlementService, deny
from copilot.plans import PlanBook, Tool, read_plan_book


def free_gains_export(version: str) -> PlanBook:
    """A plan book in which somebody typed one tool too many."""
    book = read_plan_book(version)
    free = book.packages["free"]
    generous = replace(free, tools=free.tools | {"report.export"}, room={**free.room, "exports": _room_of(book)})
    return replace(book, packages={**book.packages, "free": generous})


def _room_of(book: PlanBook) -> Any:
    return book.packages["pro"].room["exports"]


class OffByOneLimit(EntitlementService):
    """Looks at what was used, not at what is being used: the use that goes over still passes."""

    def overfills(self, customer: Customer, meter: str, units: int, room: int) -> bool:
        return customer.usage.get(meter, 0) > room


class OffByOneEarly(EntitlementService):
    """Takes the last use that was paid for as one too many."""

    def overfills(self, customer: Customer, meter: str, units: int, room: int) -> bool:
        return customer.usage.get(meter, 0) + units >= room


class UnknownPlanFailsOpen(EntitlementService):
    """A plan name that the table does not have is served as the plan most customers are on."""

    def decide(self, customer: Customer, ask: Ask) -> Decision:
        if customer.plan not in self.book.packages:
            customer = replace(customer, plan="pro")
        return super().decide(customer, ask)


class UnknownStateFailsOpen(EntitlementService):
    """A state that nobody handles falls through to active."""

    def subscription_is_active(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        known = customer.state in self.book.lifecycle
        return super().subscription_is_active(customer, tool, ask) if known else None


class UnknownToolAllowed(EntitlementService):
    """A tool that no table lists needs no entitlement."""

    def unknown_tool(self, customer: Customer, ask: Ask) -> Decision:
        return ALLOWED


class SuspendedKeepsWorking(EntitlementService):
    """Checks the plan, and forgets the subscription behind it."""

    def subscription_is_active(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        suspended = customer.state == "Suspended"
        return None if suspended else super().subscription_is_active(customer, tool, ask)


class PendingIsActive(EntitlementService):
    """A purchase counts before it was activated."""

    def subscription_is_active(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        pending = customer.state == "PendingFulfillmentStart"
        return None if pending else super().subscription_is_active(customer, tool, ask)


class SuspendedLosesOwnData(EntitlementService):
    """Shuts everything, what the customer keeps included."""

    def subscription_is_active(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        phase = self.book.lifecycle.get(customer.state)
        if phase is not None and not phase.open:
            return deny(phase.refuses_with)
        return super().subscription_is_active(customer, tool, ask)


class TenantLinkIgnored(EntitlementService):
    """Serves whoever signs in, whether or not a subscription was ever linked."""

    def tenant_is_ours(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        return None


class ProhibitedToolOpen(EntitlementService):
    """The maintenance tool that no customer may reach is callable, since it is on no price list."""

    def permitted_here(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        return ALLOWED if tool.never else super().permitted_here(customer, tool, ask)


class HousePolicyIgnored(EntitlementService):
    """Reads the plan, and not what this installation tightens."""

    def permitted_here(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        return super().permitted_here(customer, tool, ask) if tool.never else None

    def no_person_needed(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        here = tool.name in self.policy.ask_a_person
        return None if here else super().no_person_needed(customer, tool, ask)


class ConsentIgnored(EntitlementService):
    """Permissions are shown on the consent screen and never looked at again."""

    def permissions_are_granted(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        return None


class UserConsentCountsAsAdmin(EntitlementService):
    """Any consent is consent, whoever gave it."""

    def grant_suffices(self, granted_by: frozenset[str], level: str) -> bool:
        return bool(granted_by)


class ScopeWidened(EntitlementService):
    """Counts a ladder from one instead of from zero: each plan reaches one step too far."""

    def within(self, customer: Customer, name: str, value: Any) -> bool:
        ladder = self.book.bounds[name].ladder
        most = self.book.packages[customer.plan].bounds.get(name)
        if ladder and most is not None and value in ladder:
            return ladder.index(value) <= ladder.index(most) + 1
        return super().within(customer, name, value)


class ModelTierOpen(EntitlementService):
    """The model picker hides what is not included; the request may name it all the same."""

    def within(self, customer: Customer, name: str, value: Any) -> bool:
        return bool(self.book.bounds[name].choice) or super().within(customer, name, value)


class AutonomyUnbounded(EntitlementService):
    """The step limit is advice to the agent, not a bound."""

    def within(self, customer: Customer, name: str, value: Any) -> bool:
        return name == "max_steps" or super().within(customer, name, value)


class ApprovalLaneSkipped(EntitlementService):
    """What should wait for a person runs at once."""

    def no_person_needed(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        return None


class OverrideNeverExpires(EntitlementService):
    """A temporary grant has an end that nobody looks at."""

    def live_overrides(self, customer: Customer, tool: Tool, ask: Ask) -> tuple[bool, ...]:
        return tuple(each.gives for each in customer.overrides if each.tool == tool.name)


class RevokeIgnored(EntitlementService):
    """Grants are added up; what was taken away is not subtracted."""

    def live_overrides(self, customer: Customer, tool: Tool, ask: Ask) -> tuple[bool, ...]:
        return tuple(gives for gives in super().live_overrides(customer, tool, ask) if gives)


class AddonStacksTwice(EntitlementService):
    """An add-on is counted when it is bought and again when it is renewed."""

    def room(self, customer: Customer, meter: str) -> int | None:
        room = super().room(customer, meter)
        return room if room is None else room + sum(extra.room.get(meter, 0) for extra in self.extras(customer))


class QuantityIgnored(EntitlementService):
    """Charges for every seat and grants one."""

    def room(self, customer: Customer, meter: str) -> int | None:
        return super().room(replace(customer, seats=1), meter)


class SoftLimitHard(EntitlementService):
    """Stops at a limit that was sold as one that keeps working."""

    def allowed(self, customer: Customer, tool: Tool, ask: Ask) -> Decision:
        decision = super().allowed(customer, tool, ask)
        return deny("limit_exceeded", decision.limit) if decision.reason == "soft_limit" else decision


class WrongReason(EntitlementService):
    """Tells a customer whose payment failed to buy a bigger plan."""

    def subscription_is_active(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        refused = super().subscription_is_active(customer, tool, ask)
        return NOT_IN_PLAN if refused is not None and refused.reason == "suspended" else refused


class WrongLimitReported(EntitlementService):
    """Refuses at the right number and names another: the plan's own, without seats and extras."""

    def full(self, customer: Customer, meter: str, room: int, ask: Ask) -> dict[str, Any]:
        planned = self.book.packages[customer.plan].room.get(meter)
        said = planned.units or 0 if planned else 0
        return {**super().full(customer, meter, room, ask), "limit": said}


class RolloutByPythonHash(EntitlementService):
    """Metered tools are rolled out in stages; the buckets are drawn with `hash()`, salted anew in every process."""

    def plan_includes(self, customer: Customer, tool: Tool, ask: Ask) -> Decision | None:
        if tool.spends and hash(customer.tenant) % 2:
            return NOT_IN_PLAN
        return super().plan_includes(customer, tool, ask)


class FirstAnswerCached(EntitlementService):
    """Remembers an answer under plan and tool, as if nothing else bore on it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.seen: dict[tuple[str, str], Decision] = {}

    def decide(self, customer: Customer, ask: Ask) -> Decision:
        key = (customer.plan, ask.tool)
        if key not in self.seen:
            self.seen[key] = super().decide(customer, ask)
        return self.seen[key]
