"""Where decisions flip: values of the axes that follow from plan and capability, none typed by hand (rule R1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from plangate.documents.catalog import Capability, ConsentLevel, PlanCatalog, Scope, Setting, SettingKind, SettingValue
from plangate.entitlements.request import Consent, Override

__all__ = [
    "HUGE",
    "NO_CAPABILITY",
    "ZERO",
    "SettingPoint",
    "UsagePoint",
    "addon_sets",
    "consent_names",
    "consents_of",
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


ZERO = UsagePoint("zero")


def usage_points(consumes: Mapping[str, int], *, limit_of: Callable[[str], int | None]) -> tuple[UsagePoint, ...]:
    """Usage boundaries of a capability: zero, and for each limit it consumes the last use that fits and the first not.

    `limit_of` gives the subject's limit: None = unlimited, 0 = none set. A point that would be zero usage again (a
    limit equal to the cost, or below it) is left out: `zero` is that point already.
    """
    points = [ZERO]
    for limit, cost in consumes.items():
        number = limit_of(limit)
        if number is None:
            points.append(UsagePoint(f"huge:{limit}", limit, HUGE))
            continue
        if number - cost > 0:
            points.append(UsagePoint(f"last_fit:{limit}", limit, number - cost))
        if number - cost + 1 > 0:
            points.append(UsagePoint(f"first_over:{limit}", limit, number - cost + 1))
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
    """Consent boundaries of a capability: full, none, each scope missing, each one level short.

    One level below `user` is no consent at all, so a scope that needs `user` is only ever missing.
    """
    names = ["full", "none"]
    for scope in scopes:
        names.append(f"missing:{scope.name}")
        if scope.consent.rank > ConsentLevel.USER.rank:
            names.append(f"short:{scope.name}")
    return tuple(dict.fromkeys(names))


def consents_of(name: str, *, full: tuple[Consent, ...]) -> tuple[Consent, ...]:
    """The consents behind a value of the consent axis."""
    if name == "full":
        return full
    kind, _, scope = name.partition(":")
    if kind == "none":
        return ()
    if kind == "missing":
        return tuple(consent for consent in full if consent.name != scope)
    return tuple(Consent(scope, ConsentLevel.USER.value) if consent.name == scope else consent for consent in full)


def override_of(name: str, *, capability: str) -> tuple[Override, ...]:
    """The overrides behind a value of the override axis."""
    if name == "none":
        return ()
    if name == "revoke":
        return (Override(capability, "revoke"),)
    return (Override(capability, "grant", EXPIRES_NEVER if name == "grant" else EXPIRED),)


def addon_sets(word: str, *, addons: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Values of the addon axis: `none`, `each` (none and each alone), `all` (each subset of at most two)."""
    names = tuple(addons)
    sizes = {"none": 0, "each": 1, "all": 2}[word]
    return tuple(chosen for size in range(sizes + 1) for chosen in combinations(names, size))


NO_CAPABILITY = Capability(name="")
"""What an unknown capability consumes, uses and needs: nothing."""
