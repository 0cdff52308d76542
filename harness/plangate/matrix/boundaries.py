"""Where decisions flip: values of the axes that follow from plan and capability, none typed by hand (rule R1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from plangate.documents.catalog import Capability, ConsentLevel, PlanCatalog, Scope, Setting, SettingKind, SettingValue
from plangate.entitlements.request import Consent, Override

__all__ = [
    "CATALOG_COST",
    "COST_MORE",
    "HUGE",
    "NO_CAPABILITY",
    "OVERRIDES",
    "USAGES",
    "ZERO",
    "SettingPoint",
    "UsagePoint",
    "addon_sets",
    "consent_names",
    "consents_of",
    "cost_of",
    "full_consents",
    "override_of",
    "own_settings",
    "setting_points",
    "usage_points",
]

HUGE = 1_000_000_000
"""Usage that must not matter where a limit is unlimited."""

EXPIRES_NEVER = "9999-01-01T00:00:00Z"
EXPIRED = "2000-01-01T00:00:00Z"
PREAUTHORIZED = "preauthorized"
"""The value of the consent axis, which no scope can be taken for: theirs have a colon."""


class UsagePoint(NamedTuple):
    """One value of the usage axis: its name, and the one limit that is not at zero (empty = none)."""

    name: str
    limit: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class SettingPoint:
    """One value of the setting axis: its name, and the settings a request then names."""

    name: str
    values: Mapping[str, str | int]


CATALOG_COST, COST_MORE = "catalog", "more"
"""The values of the cost axis."""

ZERO = UsagePoint("zero")
USAGES = ("last_fit", "first_over", "exact", "far_over", "huge")
"""Kinds of usage points that a limit can have, in the order of the axis."""

OVERRIDES = (
    "none",
    "grant",
    "grant_expired",
    "grant_ended_now",
    "grant_other",
    "revoke",
    "revoke_expired",
    "revoke_ended_now",
    "revoke_other",
    "grant_and_revoke",
)
"""The values of the override axis."""


def usage_points(consumes: Mapping[str, int], *, limit_of: Callable[[str], int | None]) -> tuple[UsagePoint, ...]:
    """Usage boundaries of a capability: zero, and for each limit it consumes both sides of it and far beyond it.

    Both sides: the last use that fits, the first that does not, and where the cost is above one exactly the limit. Far:
    twice the limit and the cost, as a downgrade or a race leaves it. `limit_of` gives the subject's limit: None =
    unlimited, 0 = none set. A point that is there already under another name is left out.
    """
    points = [ZERO]
    for limit, cost in consumes.items():
        number = limit_of(limit)
        if number is None:
            points.append(UsagePoint(f"huge:{limit}", limit, HUGE))
            continue
        edges = {
            "last_fit": number - cost,
            "first_over": number - cost + 1,
            "exact": number if cost > 1 else 0,
            "far_over": 2 * number + cost,
        }
        points.extend(UsagePoint(f"{kind}:{limit}", limit, used) for kind, used in edges.items() if used > 0)
    return tuple(points)


def own_settings(uses: Iterable[str], *, own: Mapping[str, SettingValue]) -> dict[str, str | int]:
    """The plan's own value of each used setting; of a set, the first it lists. What the plan does not set is absent."""
    named: dict[str, str | int] = {}
    for name in uses:
        value = own.get(name)
        if isinstance(value, tuple):
            if value:
                named[name] = value[0]
        elif value is not None:
            named[name] = value
    return named


def setting_points(
    uses: Sequence[str], *, settings: Mapping[str, Setting], own: Mapping[str, SettingValue]
) -> tuple[SettingPoint, ...]:
    """Setting boundaries of a capability in a plan: each value of each used setting, the others at the plan's own.

    A capability that uses no setting has the one point `plan`. An integer takes the plan's number and one more; where
    the plan sets none, the setting's minimum (which is then out of scope).
    """
    normal = own_settings(uses, own=own)
    points = [
        SettingPoint(f"{name}={value}", {**normal, name: value})
        for name in dict.fromkeys(uses)
        if name in settings
        for value in _values(settings[name], own.get(name))
    ]
    return tuple(points) or (SettingPoint("plan", normal),)


def _values(setting: Setting, own: SettingValue | None) -> Iterable[str | int]:
    if setting.kind is not SettingKind.INTEGER:
        return dict.fromkeys(setting.values)
    return (own, own + 1) if isinstance(own, int) else (setting.minimum,)


def full_consents(catalog: PlanCatalog) -> tuple[Consent, ...]:
    """Every scope that any capability of the catalog names, at admin level, in order of first mention."""
    names = dict.fromkeys(scope.name for capability in catalog.capabilities.values() for scope in capability.scopes)
    return tuple(Consent(name, ConsentLevel.ADMIN.value) for name in names)


def consent_names(scopes: Iterable[Scope]) -> tuple[str, ...]:
    """Consent boundaries of a capability: full, none, each scope missing, each one level short, all preauthorized.

    One level below `user` is no consent at all, so a scope that needs `user` is only ever missing.
    """
    names = ["full", "none"]
    for scope in scopes:
        names.append(f"missing:{scope.name}")
        if scope.consent.rank > ConsentLevel.USER.rank:
            names.append(f"short:{scope.name}")
    return tuple(dict.fromkeys([*names, PREAUTHORIZED]))


def consents_of(name: str, *, full: tuple[Consent, ...]) -> tuple[Consent, ...]:
    """The consents behind a value of the consent axis."""
    if name == "full":
        return full
    kind, _, scope = name.partition(":")
    if kind == "none":
        return ()
    if name == PREAUTHORIZED:
        return tuple(Consent(consent.name, ConsentLevel.PREAUTHORIZED.value) for consent in full)
    if kind == "missing":
        return tuple(consent for consent in full if consent.name != scope)
    return tuple(Consent(scope, ConsentLevel.USER.value) if consent.name == scope else consent for consent in full)


def override_of(name: str, *, capability: str, time: str) -> tuple[Override, ...]:
    """The overrides behind a value of the override axis; `time` is the request's, `capability` the one they name."""
    if name == "none":
        return ()
    if name == "grant_and_revoke":
        return (Override(capability, "grant", EXPIRES_NEVER), Override(capability, "revoke"))
    effect, _, how = name.partition("_")
    live = EXPIRES_NEVER if effect == "grant" else None
    return (Override(capability, effect, {"expired": EXPIRED, "ended_now": time}.get(how, live)),)


def cost_of(name: str, *, consumes: Mapping[str, int]) -> Mapping[str, int]:
    """What a request costs at a value of the cost axis: the catalog's, or one unit more of each limit."""
    return consumes if name == CATALOG_COST else {limit: cost + 1 for limit, cost in consumes.items()}


def addon_sets(word: str, *, addons: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Values of the addon axis: `none`, `each` (none and each alone), `all` (each subset of at most two)."""
    names = tuple(addons)
    sizes = {"none": 0, "each": 1, "all": 2}[word]
    return tuple(chosen for size in range(sizes + 1) for chosen in combinations(names, size))


NO_CAPABILITY = Capability(name="")
"""What an unknown capability consumes, uses and needs: nothing."""
