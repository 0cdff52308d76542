"""The oracle: what must be decided for a subject and a request, by rules D1 to D11 (domain.md 2), first that applies.

It knows the catalog and the environment's policy, and nothing of any app: it shares no code with what it judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from plangate.documents.catalog import SUBSCRIBED, PlanCatalog
from plangate.documents.environment import Policy
from plangate.documents.positions import Pointer, Position, Positions
from plangate.entitlements.compilation import (
    KnownCapability,
    StateTerms,
    addon_terms,
    known_capabilities,
    state_terms,
)
from plangate.entitlements.decision import Decision, Effect, Reason
from plangate.entitlements.gate import AddonTerms, Gate, seats
from plangate.entitlements.plans import ResolvedPlan, resolve
from plangate.entitlements.request import Request, Subject

__all__ = ["Oracle"]

_UNKNOWN_CAPABILITY: Final = Decision(Effect.DENY, Reason.UNKNOWN_CAPABILITY, "D1", ("capabilities",))
_UNKNOWN_STATE: Final = Decision(Effect.DENY, Reason.UNKNOWN_STATE, "D4", ("states",))
_UNKNOWN_PLAN: Final = Decision(Effect.DENY, Reason.UNKNOWN_PLAN, "D5", ("plans",))
_NO_POLICY: Final = Policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """Answers every request about one plan catalog in one environment. Build it with `Oracle.of`; it never changes."""

    catalog: PlanCatalog
    policy: Policy
    plans: Mapping[str, ResolvedPlan]
    """Plan name -> the plan with `extends` resolved, in the catalog's order."""
    environment_positions: Positions | None = field(default=None, compare=False, repr=False)
    _known: Mapping[str, KnownCapability] = field(compare=False, repr=False)
    _states: Mapping[str, StateTerms] = field(compare=False, repr=False)
    _addons: Mapping[str, AddonTerms] = field(compare=False, repr=False)

    @classmethod
    def of(
        cls, catalog: PlanCatalog, policy: Policy = _NO_POLICY, *, environment_positions: Positions | None = None
    ) -> Oracle:
        """The oracle for `catalog` as tightened by an environment's `policy`.

        `environment_positions` lets decisions of the policy point at their line. Raises InputError `extends-circle` or
        `unknown-name` for plans that cannot be resolved.
        """
        plans = resolve(catalog)
        return cls(
            catalog=catalog,
            policy=policy,
            plans=plans,
            environment_positions=environment_positions,
            _known=known_capabilities(catalog, plans, policy=policy),
            _states=state_terms(catalog),
            _addons={name: addon_terms(addon) for name, addon in catalog.addons.items()},
        )

    def decide(self, subject: Subject, request: Request) -> Decision:
        """The expected decision, with its rule, reason and place. Total: never raises."""
        known = self._known.get(request.capability)
        if known is None:
            return _UNKNOWN_CAPABILITY
        if known.prohibited:
            return known.prohibited
        if subject.tenant_linked is not True:
            return known.not_linked
        if subject.state != SUBSCRIBED:
            terms = self._states.get(subject.state)
            if terms is None or request.capability not in terms.retains:
                return terms.refusal if terms else _UNKNOWN_STATE
        gate = known.gates.get(subject.plan)
        return gate.decide(subject, request) if gate else _UNKNOWN_PLAN

    def gate(self, *, plan: str, capability: str) -> Gate:
        """Rules D6 to D11 for one capability in one plan. Raises KeyError where the catalog lacks either."""
        return self._known[capability].gates[plan]

    def limit_of(self, subject: Subject, limit_name: str) -> int | None:
        """The subject's limit in the limit's unit, add-ons included; None = unlimited, 0 = set by nothing.

        Zero also for a plan or a limit that the catalog does not have. Total: never raises.
        """
        plan = self.plans.get(subject.plan)
        if plan is None or limit_name not in self.catalog.limits:
            return 0
        declared = plan.limits.get(limit_name)
        number = declared.value.at(seats(subject)) if declared else 0
        if number is None:
            return None
        bought = [self._addons[addon] for addon in dict.fromkeys(subject.addons) if addon in self._addons]
        return number + sum(terms.limits[limit_name][0] for terms in bought if limit_name in terms.limits)

    def where(self, decision: Decision) -> str:
        """Place that decided, as `path:line:column`. Total: never raises."""
        return self.place(decision.pointer, in_environment=decision.in_environment)

    def place(self, pointer: Pointer, *, in_environment: bool = False) -> str:
        """`path:line:column` of a place in the catalog, or in the environment that tightens it.

        Without the environment's positions, its places are named by their keys: `bindings.policy.denied.0`.
        """
        position = self.position(pointer, in_environment=in_environment)
        return ".".join(map(str, pointer)) if position is None else str(position)

    def position(self, pointer: Pointer, *, in_environment: bool = False) -> Position | None:
        """Position of a place in the catalog or the environment; None where the environment's are not known.

        A section or a named entry of one (`plans.free`) is where its key stands: its value may start lines below.
        """
        positions = self.environment_positions if in_environment else self.catalog.positions
        if positions is None:
            return None
        return positions.of_key(*pointer) if len(pointer) <= 2 else positions.of(*pointer)
