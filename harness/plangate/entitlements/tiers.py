"""What a plan has less of than the tier below it: capabilities, limits, settings, lanes (law L2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plangate.documents.catalog import Lane, LimitValue, PlanCatalog, Setting, SettingKind, SettingValue
from plangate.documents.positions import Pointer
from plangate.entitlements.plans import Declared, ResolvedPlan

__all__ = ["Loss", "losses", "number_words"]

_NOTHING = LimitValue(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One thing that a plan has less of than the tier below. Exactly one of capability, limit and setting is set."""

    plan: str
    code: str
    text: str
    hint: str
    pointer: Pointer
    capability: str | None = None
    limit: str | None = None
    setting: str | None = None


def losses(catalog: PlanCatalog, *, lower: ResolvedPlan, higher: ResolvedPlan) -> Iterator[Loss]:
    """Everything that `higher` has less of than `lower`. Capabilities that nobody may use are left out."""
    yield from _capabilities(catalog, lower, higher)
    yield from _limits(catalog, lower, higher)
    yield from _settings(catalog, lower, higher)


def _capabilities(catalog: PlanCatalog, lower: ResolvedPlan, higher: ResolvedPlan) -> Iterator[Loss]:
    for name, capability in catalog.capabilities.items():
        if capability.prohibited or name not in lower.grants:
            continue
        if name not in higher.grants:
            yield Loss(
                plan=higher.name,
                code="tier-loses-capability",
                text=f"loses {name}, which the lower tier {lower.name} has",
                hint="grant it",
                pointer=higher.revokes.get(name, ("plans", higher.name)),
                capability=name,
            )
            continue
        lanes = [plan.lanes[name].value if name in plan.lanes else capability.lane for plan in (lower, higher)]
        if lanes == [Lane.AUTOMATIC, Lane.APPROVAL]:
            yield Loss(
                plan=higher.name,
                code="tier-tightens-lane",
                text=f"needs approval for {name}, which is automatic in the lower tier {lower.name}",
                hint=f"write lanes: {{{name}: automatic}}",
                pointer=higher.lanes[name].pointer if name in higher.lanes else ("plans", higher.name),
                capability=name,
            )


def _limits(catalog: PlanCatalog, lower: ResolvedPlan, higher: ResolvedPlan) -> Iterator[Loss]:
    for name in catalog.limits:
        below, above = _limit(lower, name), _limit(higher, name)
        if seats := _fewer_at(below, above):
            seen = f" (seen at {seats} seats)" if seats > 1 else ""
            yield Loss(
                plan=higher.name,
                code="tier-shrinks-limit",
                text=f"the limit {name} shrinks to {number_words(above)}; the lower tier {lower.name} has "
                f"{number_words(below)}{seen}",
                hint="raise it",
                pointer=_place(higher.limits.get(name), higher),
                limit=name,
            )


def _limit(plan: ResolvedPlan, name: str) -> LimitValue:
    return plan.limits[name].value if name in plan.limits else _NOTHING


def _fewer_at(below: LimitValue, above: LimitValue) -> int | None:
    """The smallest quantity (from one seat up) at which `above` is less than `below`; None where it never is."""
    if above.number is None:
        return None
    if below.number is None:
        return 1
    if above.at(1) < below.at(1):  # type: ignore[operator]  # both are numbers
        return 1
    # At one seat it is enough. A difference that grows with the seats can only be that of a limit per seat.
    if below.per_quantity and not above.per_quantity and below.number > 0:
        return above.number // below.number + 1
    return None


def number_words(value: LimitValue) -> str:
    """`50`, `100 for each seat`, `unlimited`."""
    if value.number is None:
        return "unlimited"
    return f"{value.number} for each seat" if value.per_quantity else str(value.number)


def _settings(catalog: PlanCatalog, lower: ResolvedPlan, higher: ResolvedPlan) -> Iterator[Loss]:
    for name, setting in catalog.settings.items():
        if name not in lower.settings:
            continue
        below, above = lower.settings[name].value, higher.settings.get(name)
        lost = "is not set" if above is None else _shrunk(setting, below=below, above=above.value)
        if lost:
            yield Loss(
                plan=higher.name,
                code="tier-shrinks-setting",
                text=f"the setting {name} {lost}; the lower tier {lower.name} has {_words(below)}",
                hint="widen it",
                pointer=_place(above, higher),
                setting=name,
            )


def _shrunk(setting: Setting, *, below: SettingValue, above: SettingValue) -> str | None:
    """How `above` is less than `below`, or None where it is not. A value of another kind counts as nothing."""
    if setting.kind is SettingKind.SET:
        lost = [one for one in _members(below) if one not in _members(above)]
        return f"loses {', '.join(lost)}" if lost else None
    if setting.kind is SettingKind.INTEGER:
        fewer = isinstance(below, int) and not (isinstance(above, int) and above >= below)
        return f"shrinks to {_words(above)}" if fewer else None
    return f"shrinks to {_words(above)}" if _rank(setting, above) < _rank(setting, below) else None


def _members(value: SettingValue) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _rank(setting: Setting, value: SettingValue) -> int:
    return setting.values.index(value) if isinstance(value, str) and value in setting.values else -1


def _words(value: SettingValue) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _place(declared: Declared[LimitValue] | Declared[SettingValue] | None, plan: ResolvedPlan) -> Pointer:
    return declared.pointer if declared else ("plans", plan.name)
