"""One gate: knows the customer, asks the entitlement service, keeps the decision. Every surface passes through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from copilot.audit import Asked, AuditLog
from copilot.customers import CustomerBook
from copilot.entitlements import Ask, Customer, Decision, EntitlementService
from copilot.usage import UsageCounters

__all__ = ["Clock", "Gate", "clock_at", "wall_clock"]

Clock = Callable[[], datetime]
STEPS_USUAL = 3
NOBODY = Decision("deny", "tenant_not_linked")


def wall_clock() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def clock_at(text: str) -> Clock:
    """A clock that stands still."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return lambda: moment


class Gate:
    """Decides from the app's own records, never from what a request says about its customer."""

    def __init__(
        self,
        *,
        service: EntitlementService,
        customers: CustomerBook,
        usage: UsageCounters,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self.service = service
        self.customers = customers
        self.usage = usage
        self.audit = audit
        self.clock = clock

    def check(self, asked: Asked, tool: str, named: Mapping[str, Any]) -> Decision:
        """The decision for one use, kept in the audit log before anybody acts on it."""
        now = self.clock()
        customer = self.customers.customer(asked.tenant)
        decision = NOBODY if customer is None else self._decide(customer, tool, named, now)
        self.audit.record(asked, tool, decision, now=now)
        return decision

    def offers(self, tenant: str) -> tuple[str, ...]:
        """Tools that this tenant could use now, for the agent to choose from; a list, not a permission."""
        now = self.clock()
        customer = self.customers.customer(tenant)
        if customer is None:
            return ()
        book = self.service.book
        customer = replace(customer, usage=self.usage.used(tenant, book.meters, now))
        at = now.isoformat()
        return tuple(
            name for name in book.tools if self.service.decide(customer, Ask(name, {}, {}, at)).effect != "deny"
        )

    def spend(self, tenant: str, tool: str) -> None:
        """Count one use of a tool."""
        known = self.service.book.tools.get(tool)
        if known is not None and known.spends:
            self.usage.spend(tenant, known.spends, self.clock())

    def steps_max(self, tenant: str, named: Mapping[str, Any]) -> int:
        """Steps the agent may take for this tenant: the least of plan, installation and request."""
        customer = self.customers.customer(tenant)
        package = self.service.book.packages.get(customer.plan) if customer else None
        planned = package.bounds.get("max_steps", STEPS_USUAL) if package else 1
        bounds = (planned, self.service.policy.steps_max, named.get("max_steps"))
        return max(1, min(bound for bound in bounds if type(bound) is int))

    def _decide(self, customer: Customer, tool: str, named: Mapping[str, Any], now: datetime) -> Decision:
        known = self.service.book.tools.get(tool)
        if known is not None and known.spends:
            meters = [meter for meter, _ in known.spends]
            customer = replace(customer, usage=self.usage.used(customer.tenant, meters, now))
        return self.service.decide(customer, Ask(tool, named, {}, now.isoformat()))
