"""PlanCatalog: what each plan grants, as it stands in `envs/plans/<name>/<version>.yaml` (documents.md).

Values here are as declared; `entitlements.plans` resolves `extends`, add-ons and quantities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from plangate.documents.positions import Positions

__all__ = [
    "SUBSCRIBED",
    "UNLIMITED",
    "Addon",
    "Capability",
    "ConsentLevel",
    "Exemption",
    "Lane",
    "Limit",
    "LimitValue",
    "Offer",
    "PlanCatalog",
    "PlanDeclaration",
    "Scope",
    "Setting",
    "SettingKind",
    "SettingValue",
    "State",
]

SUBSCRIBED: Final = "Subscribed"
"""The state that needs no entry in a catalog: everything the plan grants is available."""


class Lane(StrEnum):
    """How an entitled action proceeds: at once, or after a person approves."""

    AUTOMATIC = "automatic"
    APPROVAL = "approval"


class ConsentLevel(StrEnum):
    """Who consented: a user, or an administrator; `preauthorized` counts as `admin`."""

    USER = "user"
    ADMIN = "admin"
    PREAUTHORIZED = "preauthorized"

    @property
    def rank(self) -> int:
        """0 for user, 1 for admin and preauthorized: a scope is met at its own rank or above."""
        return 0 if self is ConsentLevel.USER else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A permission a capability needs, and the level of consent it needs."""

    name: str
    consent: ConsentLevel = ConsentLevel.USER


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One thing a customer can buy and an app can refuse."""

    name: str
    effect: str = "read"
    """read | write | external | irreversible"""
    consumes: Mapping[str, int] = field(default_factory=dict)
    """Cost per use: limit name -> positive integer."""
    uses: tuple[str, ...] = ()
    """Names of the settings it is judged on."""
    lane: Lane = Lane.AUTOMATIC
    scopes: tuple[Scope, ...] = ()
    prohibited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A counted resource."""

    name: str
    unit: str
    window: str
    """hour | day | week | month (UTC calendar, a week from Monday), `rolling PT1H`, run, term, or `billing P1M`:
    a period that begins on the day of the subscription's billing.
    """
    soft: bool = False


@dataclass(frozen=True, slots=True)
class LimitValue:
    """How much of a limit a plan has: a number, a number per quantity (seat), or unlimited."""

    number: int | None
    """None = unlimited."""
    per_quantity: bool = False

    def at(self, quantity: int) -> int | None:
        """The limit for a subscription of `quantity` seats; None = unlimited."""
        if self.number is None:
            return None
        return self.number * quantity if self.per_quantity else self.number


UNLIMITED: Final = LimitValue(None)


class SettingKind(StrEnum):
    """How values of a setting compare: by position, by membership, by number."""

    ORDER = "order"
    SET = "set"
    INTEGER = "integer"


SettingValue = str | int | tuple[str, ...]
"""order: a name; set: a tuple of names; integer: a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A value a request may name and a plan bounds."""

    name: str
    kind: SettingKind
    values: tuple[str, ...] = ()
    """The order from least to most, or the members of the set; empty for integers."""
    minimum: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A subscription state other than Subscribed and what remains usable in it."""

    name: str
    retains: tuple[str, ...] = ()
    reason: str | None = None
    """The reason of a denial in this state; None = the one that rule D4 gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDeclaration:
    """A plan as written, before `extends` is resolved."""

    name: str
    extends: str | None = None
    grants: tuple[str, ...] = ()
    revokes: tuple[str, ...] = ()
    limits: Mapping[str, LimitValue] = field(default_factory=dict)
    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    lanes: Mapping[str, Lane] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addon:
    """Something bought beside a plan: grants, and numbers added on top of the plan's limits."""

    name: str
    grants: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A declared exception to a law, with its reason. One of capability, limit or setting may narrow it."""

    law: str
    reason: str
    plan: str | None = None
    """None only where the law is `covered` and `expects` names what is excepted."""
    capability: str | None = None
    limit: str | None = None
    setting: str | None = None
    expects: str | None = None
    """Law `covered`: the reason that no cell of any suite needs to expect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The Marketplace offer this catalog is sold through."""

    model: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCatalog:
    """Everything one version of an offer sells. Order of every mapping is the file's."""

    name: str
    version: str
    offer: Offer
    capabilities: Mapping[str, Capability]
    plans: Mapping[str, PlanDeclaration]
    limits: Mapping[str, Limit] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    states: Mapping[str, State] = field(default_factory=dict)
    """Without Subscribed, which needs no entry."""
    tiers: tuple[str, ...] = ()
    addons: Mapping[str, Addon] = field(default_factory=dict)
    exemptions: tuple[Exemption, ...] = ()
    positions: Positions = field(default=Positions(""), compare=False, repr=False)
