"""What is decided for one capability in one known plan: rules D6 to D11, with all that can be computed beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from plangate.documents.catalog import ConsentLevel
from plangate.documents.positions import Pointer
from plangate.entitlements.decision import Decision, Effect, LimitDetail, Reason
from plangate.entitlements.instants import instant_of, resets_at
from plangate.entitlements.request import Override, Request, Subject

__all__ = [
    "AddonTerms",
    "Bound",
    "Gate",
    "NeededScope",
    "SettingBound",
    "is_live",
    "seats",
    "undeclared_bound",
    "units_used",
]

_RANKS: Final[Mapping[str, int]] = {level.value: level.rank for level in ConsentLevel}


class NeededScope(NamedTuple):
    """A scope the capability needs, and the refusal where nobody consented to it at `rank` or above."""

    name: str
    rank: int
    refusal: Decision


class SettingBound(NamedTuple):
    """A setting the capability is judged on. Exactly one of `allowed` and `most` is set; neither = nothing fits."""

    name: str
    allowed: Set[str] | None
    """order, set: the values within the plan."""
    most: int | None
    """integer: the plan's number."""
    refusal: Decision
    policy_most: int | None = None
    """integer: the environment's number, where it has one."""
    policy_refusal: Decision | None = None

    def refusal_of(self, value: object) -> Decision | None:
        """The refusal for a request that names `value`, or None where it is within the plan."""
        if self.allowed is not None:
            return None if isinstance(value, str) and value in self.allowed else self.refusal
        if self.most is None or not isinstance(value, int) or isinstance(value, bool) or value > self.most:
            return self.refusal
        if self.policy_most is not None and value > self.policy_most:
            return self.policy_refusal
        return None


class Bound(NamedTuple):
    """A limit that a use of the capability counts against, as the plan has it."""

    name: str
    cost: int
    number: int | None
    """None = unlimited."""
    per_quantity: bool
    window: str
    pointer: Pointer
    declared: bool = True
    """Whether the plan sets it; a limit that nothing sets is zero."""


class AddonTerms(NamedTuple):
    """What one add-on brings."""

    grants: Mapping[str, Decision]
    """Capability -> D11, whose `pointer` is the add-on's grant."""
    limits: Mapping[str, tuple[int, Pointer]]
    """Limit -> what is added to it, and where that is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Rules D6 to D11 for one capability in one plan; every decision that does not depend on a number is ready made."""

    capability: str
    granted: bool
    """Whether the plan itself grants it."""
    entitled: Decision
    """D11 where the plan grants it; `pointer` is the grant."""
    approval: Decision | None
    """D10, where the lane is approval."""
    not_in_plan: Decision
    revoked: Decision
    scopes: tuple[NeededScope, ...]
    settings: tuple[SettingBound, ...]
    consumes: Mapping[str, int]
    hard: tuple[Bound, ...]
    """In catalog order."""
    soft: tuple[Bound, ...]
    """In catalog order."""
    addons: Mapping[str, AddonTerms]
    limit_order: Mapping[str, Bound]
    """Every limit of the catalog with cost zero, for requests that carry costs of their own."""
    soft_names: Set[str]

    def decide(self, subject: Subject, request: Request) -> Decision:  # noqa: PLR0911 - a return for each rule
        """The decision once rules D1 to D5 have let the subject through. Total: never raises."""
        entitled = self.entitled
        if not self.granted or subject.overrides:
            entitled = self.granted_by(subject, request)
            if entitled.effect is not Effect.ALLOW:
                return entitled
        if self.scopes and (refusal := self._refused_scope(subject)):
            return refusal
        if self.settings and request.settings and (refusal := self._refused_setting(request)):
            return refusal
        hard, soft = self.bounds_of(request) if request.cost else (self.hard, self.soft)
        if hard and (exceeded := self._first_exceeded(hard, subject, request, effect=Effect.DENY)):
            return exceeded
        if self.approval:
            return self.approval
        if soft and (exceeded := self._first_exceeded(soft, subject, request, effect=Effect.ALLOW)):
            return exceeded
        return entitled

    def granted_by(self, subject: Subject, request: Request) -> Decision:
        """D6: the allowing decision whose pointer is what grants it, or the refusal."""
        name = self.capability
        live = [override for override in subject.overrides if override.capability == name]
        live = [override for override in live if is_live(override, time=request.time)]
        if any(override.effect != "grant" for override in live):
            return self.revoked
        if self.granted:
            return self.entitled
        for addon in subject.addons:
            terms = self.addons.get(addon)
            if terms and name in terms.grants:
                return terms.grants[name]
        return self.entitled if live else self.not_in_plan

    def _refused_scope(self, subject: Subject) -> Decision | None:
        """D7: the refusal of the first scope that is not consented at its level."""
        for name, rank, refusal in self.scopes:
            for consent in subject.consents:
                if consent.name == name and _RANKS.get(consent.level, -1) >= rank:
                    break
            else:
                return refusal
        return None

    def _refused_setting(self, request: Request) -> Decision | None:
        """D8: the refusal of the first setting that the request names beyond the plan."""
        named = request.settings
        for bound in self.settings:
            if bound.name in named and (refusal := bound.refusal_of(named[bound.name])):
                return refusal
        return None

    def _first_exceeded(
        self, bounds: tuple[Bound, ...], subject: Subject, request: Request, *, effect: Effect
    ) -> Decision | None:
        """D9, and for soft limits D11: the decision of the first limit that this use would exceed."""
        usage = subject.usage
        for name, cost, number, per_quantity, window, pointer, declared in bounds:
            if number is None:
                continue
            limit, place = number, pointer
            if per_quantity:
                limit *= seats(subject)
            if subject.addons:
                extra, added_at = self._added(name, subject)
                limit, place = limit + extra, pointer if declared else added_at or pointer
            used = usage.get(name, 0)
            if used.__class__ is not int or used < 0:
                used = units_used(used, limit=limit)
            if used + cost > limit:
                remaining, resets = max(0, limit - used), resets_at(window, time=request.time)
                return _exceeded(effect, name, place, limit=limit, remaining=remaining, resets=resets)
        return None

    def _added(self, limit: str, subject: Subject) -> tuple[int, Pointer | None]:
        """What the subject's add-ons add to `limit`, and the first of them. One that is named twice counts once."""
        total, place = 0, None
        for addon in dict.fromkeys(subject.addons):
            terms = self.addons.get(addon)
            if terms and limit in terms.limits:
                number, pointer = terms.limits[limit]
                total, place = total + number, place or pointer
        return total, place

    def bounds_of(self, request: Request) -> tuple[tuple[Bound, ...], tuple[Bound, ...]]:
        """Hard and soft limits that a request counts against. Its own costs may raise the catalog's, not lower them."""
        cost = request.cost
        if not cost or cost == self.consumes:
            return self.hard, self.soft
        names = [*self.limit_order, *sorted({*cost, *self.consumes} - set(self.limit_order))]
        bounds = [
            self.limit_order.get(name, undeclared_bound(name, capability=self.capability))._replace(cost=units)
            for name in names
            if (units := _units(cost.get(name), at_least=self.consumes.get(name, 0))) > 0
        ]
        hard = tuple(bound for bound in bounds if bound.name not in self.soft_names)
        return hard, tuple(bound for bound in bounds if bound.name in self.soft_names)


def undeclared_bound(name: str, *, capability: str, cost: int = 0) -> Bound:
    """The bound of a limit that the catalog does not have: hard and zero, so that nothing unknown is allowed."""
    place = ("capabilities", capability, "consumes")
    return Bound(name=name, cost=cost, number=0, per_quantity=False, window="", pointer=place, declared=False)


def seats(subject: Subject) -> int:
    """The subscription's quantity: one where it has none, zero where it is malformed."""
    quantity = subject.quantity
    if quantity is None:
        return 1
    return quantity if quantity.__class__ is int and quantity > 0 else 0


def units_used(value: object, *, limit: int) -> int:
    """Usage as it counts against `limit`: never below zero, and a malformed one has used up everything."""
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else max(0, limit)


def is_live(override: Override, *, time: str) -> bool:
    """Whether an override counts at `time`: it has no expiry, or one that lies after `time`.

    What cannot be read is decided against the subject: such a grant is not live, such a revoke is.
    """
    if override.expires is None:
        return True
    expires, now = instant_of(override.expires), instant_of(time)
    if expires is None or now is None:
        return override.effect != "grant"
    return expires > now


def _units(value: object, *, at_least: int) -> int:
    return max(value, at_least) if isinstance(value, int) and not isinstance(value, bool) else at_least


@lru_cache(maxsize=4096)
def _exceeded(
    effect: Effect, name: str, pointer: Pointer, *, limit: int, remaining: int, resets: str | None
) -> Decision:
    reason, rule = (Reason.LIMIT_EXCEEDED, "D9") if effect is Effect.DENY else (Reason.SOFT_LIMIT, "D11")
    return Decision(effect, reason, rule, pointer, limit=LimitDetail(name, limit, remaining, resets))
