"""What a plan catalog must mean, beyond its shape: names are declared (law L3), `extends` ends, values are in range.

Laws that need resolved plans (L2, L4) are `entitlements.laws`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from plangate.documents.catalog import LimitValue, PlanCatalog, PlanDeclaration, Setting, SettingKind, SettingValue
from plangate.documents.positions import Pointer
from plangate.documents.problems import problem_at, unknown_key, unknown_value
from plangate.documents.wording import listed, shown
from plangate.errors import Problem

__all__ = ["catalog_problems", "resolved_limits"]

_NO_DENIALS: Final = frozenset({"entitled", "soft_limit", "approval_required"})


def catalog_problems(catalog: PlanCatalog) -> Iterator[Problem]:
    """What is wrong with `catalog` as a whole. Total."""
    yield from _capability_names(catalog)
    yield from _plan_names(catalog)
    yield from _other_names(catalog)
    circles = list(_circles(catalog))
    yield from circles
    if not circles:
        yield from _limits_not_set(catalog)
    yield from _setting_values(catalog)
    yield from _contradictions(catalog)
    yield from _unused(catalog)


def _values(
    catalog: PlanCatalog, pointer: Pointer, what: str, names: Iterable[str], known: Mapping[str, object]
) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name not in known:
            yield unknown_value(catalog.positions, (*pointer, index), what, name, known)


def _keys(
    catalog: PlanCatalog, pointer: Pointer, what: str, names: Iterable[str], known: Mapping[str, object]
) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            yield unknown_key(catalog.positions, (*pointer, name), what, known)


def _capability_names(catalog: PlanCatalog) -> Iterator[Problem]:
    for name, capability in catalog.capabilities.items():
        place = ("capabilities", name)
        yield from _keys(catalog, (*place, "consumes"), "limit", capability.consumes, catalog.limits)
        yield from _values(catalog, (*place, "uses"), "setting", capability.uses, catalog.settings)


def _plan_names(catalog: PlanCatalog) -> Iterator[Problem]:
    for name, plan in catalog.plans.items():
        place = ("plans", name)
        if plan.extends is not None and plan.extends not in catalog.plans:
            yield unknown_value(catalog.positions, (*place, "extends"), "plan", plan.extends, catalog.plans)
        yield from _values(catalog, (*place, "grants"), "capability", plan.grants, catalog.capabilities)
        yield from _values(catalog, (*place, "revokes"), "capability", plan.revokes, catalog.capabilities)
        yield from _keys(catalog, (*place, "limits"), "limit", plan.limits, catalog.limits)
        yield from _keys(catalog, (*place, "settings"), "setting", plan.settings, catalog.settings)
        yield from _keys(catalog, (*place, "lanes"), "capability", plan.lanes, catalog.capabilities)


def _other_names(catalog: PlanCatalog) -> Iterator[Problem]:
    yield from _values(catalog, ("tiers",), "plan", catalog.tiers, catalog.plans)
    for name, state in catalog.states.items():
        yield from _values(catalog, ("states", name, "retains"), "capability", state.retains, catalog.capabilities)
        if state.reason in _NO_DENIALS:
            yield problem_at(
                catalog.positions.of("states", name, "reason"),
                code="bad-value",
                message=f"states.{name}.reason: {shown(state.reason)} is the reason of something that goes through",
                hint="write a reason of your own, such as subscription_canceled",
            )
    for name, addon in catalog.addons.items():
        yield from _values(catalog, ("addons", name, "grants"), "capability", addon.grants, catalog.capabilities)
        yield from _keys(catalog, ("addons", name, "limits"), "limit", addon.limits, catalog.limits)
    for index, exemption in enumerate(catalog.exemptions):
        tables: tuple[tuple[str, str | None, Mapping[str, object]], ...] = (
            ("plan", exemption.plan, catalog.plans),
            ("capability", exemption.capability, catalog.capabilities),
            ("limit", exemption.limit, catalog.limits),
            ("setting", exemption.setting, catalog.settings),
        )
        for what, named, known in tables:
            if named is not None and named not in known:
                yield unknown_value(catalog.positions, ("exemptions", index, what), what, named, known)


def _circles(catalog: PlanCatalog) -> Iterator[Problem]:
    """Each circle once, at its first plan in file order."""
    settled: set[str] = set()
    for start in catalog.plans:
        path: dict[str, None] = {}
        name: str | None = start
        while name is not None and name in catalog.plans and name not in settled and name not in path:
            path[name] = None
            name = catalog.plans[name].extends
        settled.update(path)
        if name is not None and name in path:
            circle = list(path)[list(path).index(name) :]
            yield problem_at(
                catalog.positions.of("plans", name, "extends"),
                code="extends-circle",
                message=f"plans.{name}.extends: goes in a circle: {' -> '.join([*circle, name][:12])}",
                hint="let one of them extend nothing",
            )


def lineage(catalog: PlanCatalog, plan: PlanDeclaration) -> list[PlanDeclaration]:
    """The plan and those it extends, farthest first. Ends at a name that is not declared, and where a circle closes."""
    chain: dict[str, PlanDeclaration] = {}
    current: PlanDeclaration | None = plan
    while current is not None and current.name not in chain:
        chain[current.name] = current
        current = catalog.plans.get(current.extends or "")
    return list(chain.values())[::-1]


def resolved_limits(catalog: PlanCatalog, plan: PlanDeclaration) -> dict[str, LimitValue]:
    """The limits that the plan sets itself or inherits."""
    limits: dict[str, LimitValue] = {}
    for ancestor in lineage(catalog, plan):
        limits.update(ancestor.limits)
    return limits


def _limits_not_set(catalog: PlanCatalog) -> Iterator[Problem]:
    """Law L1 for limits: a granted capability that consumes a limit which neither the plan nor its lineage sets."""
    missing: dict[str, set[tuple[str, str]]] = {}
    for name, plan in _parents_first(catalog):
        # What is revoked again counts too: it is only missing here if it is missing where it is granted.
        granted: dict[str, None] = {}
        limits: set[str] = set()
        for ancestor in lineage(catalog, plan):
            granted.update(dict.fromkeys(ancestor.grants))
            limits.update(ancestor.limits)
        missing[name] = {pair for pair in _consumed(catalog, granted) if pair[1] not in limits}
        inherited = missing.get(plan.extends or "", set())
        for capability, limit in sorted(missing[name] - inherited):
            yield _limit_not_set(catalog, plan, capability, limit)


def _parents_first(catalog: PlanCatalog) -> Iterator[tuple[str, PlanDeclaration]]:
    ordered: dict[str, PlanDeclaration] = {}
    for plan in catalog.plans.values():
        for ancestor in lineage(catalog, plan):
            ordered.setdefault(ancestor.name, ancestor)
    yield from ordered.items()


def _consumed(catalog: PlanCatalog, granted: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in granted:
        capability = catalog.capabilities.get(name)
        if capability is None or capability.prohibited:
            continue
        for limit in capability.consumes:
            if limit in catalog.limits:
                yield name, limit


def _limit_not_set(catalog: PlanCatalog, plan: PlanDeclaration, capability: str, limit: str) -> Problem:
    place = catalog.positions.of_key("plans", plan.name)
    if capability in plan.grants:
        place = catalog.positions.of("plans", plan.name, "grants", plan.grants.index(capability))
    return problem_at(
        place,
        code="limit-not-set",
        message=f"plans.{plan.name}: {shown(capability)} consumes {shown(limit)}, a limit that the plan does not set",
        hint=f"write limits: {{{limit}: N}} or {{{limit}: unlimited}}",
    )


def _setting_values(catalog: PlanCatalog) -> Iterator[Problem]:
    for plan_name, plan in catalog.plans.items():
        for name, value in plan.settings.items():
            setting = catalog.settings.get(name)
            if setting is None:
                continue
            if complaint := _out_of_range(setting, value):
                yield problem_at(
                    catalog.positions.of("plans", plan_name, "settings", name),
                    code="setting-out-of-range",
                    message=f"plans.{plan_name}.settings.{name}: {complaint[0]}",
                    hint=complaint[1],
                )


def _out_of_range(setting: Setting, value: SettingValue) -> tuple[str, str] | None:
    """Why `value` is none of the setting's, and what to write; None where it is one."""
    if setting.kind is SettingKind.INTEGER:
        if not isinstance(value, int):
            return "must be a whole number", f"write {setting.minimum} or more"
        return (
            (f"{value} is below the minimum", f"write {setting.minimum} or more") if value < setting.minimum else None
        )
    wanted = f"one of {listed(setting.values)}"
    if setting.kind is SettingKind.ORDER:
        if isinstance(value, str) and value in setting.values:
            return None
        return f"{_as_written(value)} is not in the declared order", f"write {wanted}"
    if not isinstance(value, tuple):
        return "must be a list", f"write a list of {listed(setting.values)}"
    strangers = [member for member in value if member not in setting.values]
    return (f"{shown(strangers[0])} is not in the declared set", f"write {wanted}") if strangers else None


def _as_written(value: SettingValue) -> str:
    return "a list" if isinstance(value, tuple) else shown(value)


def _contradictions(catalog: PlanCatalog) -> Iterator[Problem]:
    for name, plan in catalog.plans.items():
        for index, capability in enumerate(plan.revokes):
            if capability in plan.grants:
                yield problem_at(
                    catalog.positions.of("plans", name, "revokes", index),
                    code="grants-and-revokes",
                    message=f"plans.{name}: grants and revokes {shown(capability)}",
                    hint="keep one of the two",
                )


def _unused(catalog: PlanCatalog) -> Iterator[Problem]:
    plans, capabilities = catalog.plans.values(), catalog.capabilities.values()
    granted = {name for plan in plans for name in plan.grants}
    granted |= {name for addon in catalog.addons.values() for name in addon.grants}
    retained = {name for state in catalog.states.values() for name in state.retains}
    prohibited = {capability.name for capability in capabilities if capability.prohibited}
    consumed = {limit for capability in capabilities for limit in capability.consumes}
    judged = {setting for capability in capabilities for setting in capability.uses}
    judged |= {setting for plan in plans for setting in plan.settings}
    yield from _never(
        catalog, "capabilities", "no plan or add-on grants it", catalog.capabilities, granted | retained | prohibited
    )
    yield from _never(catalog, "limits", "no capability consumes it", catalog.limits, consumed)
    yield from _never(catalog, "settings", "no capability uses it and no plan sets it", catalog.settings, judged)


def _never(catalog: PlanCatalog, section: str, why: str, names: Iterable[str], used: set[str]) -> Iterator[Problem]:
    for name in names:
        if name not in used:
            yield problem_at(
                catalog.positions.of_key(section, name),
                code="unused-name",
                message=f"{section}.{name}: {why}",
                hint="remove it, or use it",
                severity="warning",
            )
