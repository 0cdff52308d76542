"""The plan matrix as people read it: what each plan gets, state by state, with nothing used up and all consented."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from plangate.documents.catalog import SUBSCRIBED, Capability, Limit
from plangate.entitlements.decision import Decision, Effect
from plangate.entitlements.request import Request, Subject
from plangate.matrix.boundaries import full_consents, own_settings

if TYPE_CHECKING:
    from plangate.entitlements.oracle import Oracle

__all__ = ["TableEntry", "decision_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEntry:
    """One decision of the plan matrix."""

    plan: str
    state: str
    capability: str
    effect: Effect
    reason: str
    note: str = ""
    """Limits of what is granted: `20/day`, `9/month per seat`, `~5,000/1h` (soft), `unlimited`; empty = not counted."""


def decision_table(
    oracle: Oracle,
    *,
    plans: Sequence[str] | None = None,
    states: Sequence[str] | None = None,
    capabilities: Sequence[str] | None = None,
) -> Iterator[TableEntry]:
    """The decision for every state, capability and plan (all of the catalog unless named), in that order, lazily.

    Asked with zero usage, the plan's own settings, every consent, one seat, no add-on, by a linked tenant.
    """
    catalog = oracle.catalog
    consents = full_consents(catalog)
    chosen = (
        (SUBSCRIBED, *(state for state in catalog.states if state != SUBSCRIBED)) if states is None else states,
        tuple(catalog.capabilities) if capabilities is None else capabilities,
        tuple(catalog.plans) if plans is None else plans,
    )
    for state, name, plan in product(*chosen):
        capability = catalog.capabilities.get(name, Capability(name=name))
        subject = Subject(plan=plan, state=state, consents=consents, usage=dict.fromkeys(catalog.limits, 0))
        resolved = oracle.plans.get(plan)
        own = {key: one.value for key, one in resolved.settings.items()} if resolved else {}
        settings = own_settings(capability.uses, own=own)
        decision = oracle.decide(subject, Request(capability=name, settings=settings, cost=capability.consumes))
        yield TableEntry(
            plan=plan,
            state=state,
            capability=name,
            effect=decision.effect,
            reason=decision.reason,
            note=_note(oracle, decision, capability=capability, plan=plan),
        )


def _note(oracle: Oracle, decision: Decision, *, capability: Capability, plan: str) -> str:
    if decision.effect is Effect.DENY:
        return ""
    limits = [oracle.catalog.limits[name] for name in capability.consumes if name in oracle.catalog.limits]
    bounds = [bound for limit in limits if (bound := _bound(oracle, limit, plan=plan))]
    return ", ".join(bounds) if bounds or not limits else "unlimited"


def _bound(oracle: Oracle, limit: Limit, *, plan: str) -> str:
    """How much of a limit the plan has: `20/day`, `~500/month per seat`; empty = unlimited."""
    declared = oracle.plans[plan].limits.get(limit.name)
    number = declared.value.number if declared else 0
    if number is None:
        return ""
    kind, _, length = limit.window.partition(" ")
    window = length or kind
    if kind == "rolling":
        window = window.removeprefix("P").removeprefix("T").lower()
    seat = " per seat" if declared and declared.value.per_quantity else ""
    return f"{'~' if limit.soft else ''}{number:,}/{window}{seat}"
