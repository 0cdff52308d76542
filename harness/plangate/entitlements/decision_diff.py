"""Which decisions, limits and settings differ between two plan catalogs, each under its environment's policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from plangate.documents.catalog import (
    SUBSCRIBED,
    Addon,
    Capability,
    Limit,
    LimitValue,
    PlanCatalog,
    Setting,
    SettingKind,
    SettingValue,
)
from plangate.documents.environment import Json
from plangate.entitlements.decision import Decision, Effect
from plangate.entitlements.oracle import Oracle
from plangate.entitlements.plans import ResolvedPlan
from plangate.entitlements.request import Consent, Request, Subject

__all__ = ["DecisionChange", "DecisionDiff", "Said", "TermChange", "ValueChange", "decision_changes"]


@dataclass(frozen=True, slots=True)
class Said:
    """Effect and reason of a decision."""

    effect: Effect
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionChange:
    """One plan, state and capability that is decided otherwise."""

    plan: str
    state: str
    capability: str
    before: Said
    after: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueChange:
    """A limit or setting of one plan that differs; values as YAML writes them, None = not set."""

    plan: str
    name: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class TermChange:
    """A declaration that differs and that no plan carries: what a capability costs, a limit's window, an add-on."""

    section: str
    """capabilities | limits | settings | addons"""
    name: str
    part: str
    """`consumes`, `window`, ..."""
    before: Json
    """None = not declared."""
    after: Json

    @property
    def what(self) -> str:
        """`capabilities.report.export.consumes`"""
        return f"{self.section}.{self.name}.{self.part}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionDiff:
    """All that differs, in the order of the later catalog; what only the earlier one has comes last."""

    before: Oracle
    after: Oracle
    decision_changes: tuple[DecisionChange, ...]
    limit_changes: tuple[ValueChange, ...]
    setting_changes: tuple[ValueChange, ...]
    term_changes: tuple[TermChange, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.decision_changes or self.limit_changes or self.setting_changes or self.term_changes)


def decision_changes(before: Oracle, after: Oracle) -> DecisionDiff:
    """What `after` decides otherwise than `before`.

    Decisions are those of a tenant with one seat, full consent, no usage and no add-on, for each plan, each state that
    either catalog declares, and each capability, asked without naming a setting. Total: never raises.
    """
    return DecisionDiff(
        before=before,
        after=after,
        decision_changes=tuple(_decisions(before, after)),
        limit_changes=tuple(_values(before, after, _limits)),
        setting_changes=tuple(_values(before, after, _settings)),
        term_changes=tuple(_terms(before.catalog, after.catalog)),
    )


def _either(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return list(dict.fromkeys([*after, *before]))


def _decisions(before: Oracle, after: Oracle) -> Iterator[DecisionChange]:
    old, new = before.catalog, after.catalog
    requests = [Request(capability=name) for name in _either(old.capabilities, new.capabilities)]
    consents = _all_scopes(old, new)
    for plan in _either(old.plans, new.plans):
        for state in (SUBSCRIBED, *_either(old.states, new.states)):
            subject = Subject(plan=plan, state=state, consents=consents)
            for request in requests:
                first, second = before.decide(subject, request), after.decide(subject, request)
                if first.reason != second.reason or first.effect is not second.effect:
                    yield DecisionChange(
                        plan=plan, state=state, capability=request.capability, before=_said(first), after=_said(second)
                    )


def _said(decision: Decision) -> Said:
    return Said(decision.effect, decision.reason)


def _all_scopes(*catalogs: PlanCatalog) -> tuple[Consent, ...]:
    capabilities = [one for catalog in catalogs for one in catalog.capabilities.values()]
    names = dict.fromkeys(scope.name for capability in capabilities for scope in capability.scopes)
    return tuple(Consent(name, "preauthorized") for name in names)


def _values(
    before: Oracle, after: Oracle, values_of: Callable[[ResolvedPlan | None], Mapping[str, Json]]
) -> Iterator[ValueChange]:
    for plan in _either(before.plans, after.plans):
        old, new = values_of(before.plans.get(plan)), values_of(after.plans.get(plan))
        for name in _either(old, new):
            if old.get(name) != new.get(name):
                yield ValueChange(plan=plan, name=name, before=old.get(name), after=new.get(name))


def _limits(plan: ResolvedPlan | None) -> Mapping[str, Json]:
    return {name: _limit(declared.value) for name, declared in plan.limits.items()} if plan else {}


def _settings(plan: ResolvedPlan | None) -> Mapping[str, Json]:
    return {name: _setting(declared.value) for name, declared in plan.settings.items()} if plan else {}


def _limit(value: LimitValue) -> Json:
    if value.number is None:
        return "unlimited"
    return {"per_quantity": value.number} if value.per_quantity else value.number


def _setting(value: SettingValue) -> Json:
    return list(value) if isinstance(value, tuple) else value


def _terms(before: PlanCatalog, after: PlanCatalog) -> Iterator[TermChange]:
    """Declarations apart from plans. Of what is new or gone as a whole, its parts are listed, too."""
    sections: tuple[tuple[str, Callable[[PlanCatalog], Mapping[str, Mapping[str, Json]]]], ...] = (
        ("capabilities", lambda catalog: {name: _capability(one) for name, one in catalog.capabilities.items()}),
        ("limits", lambda catalog: {name: _limit_terms(one) for name, one in catalog.limits.items()}),
        ("settings", lambda catalog: {name: _setting_terms(one) for name, one in catalog.settings.items()}),
        ("addons", lambda catalog: {name: _addon(one) for name, one in catalog.addons.items()}),
    )
    for section, terms_of in sections:
        old, new = terms_of(before), terms_of(after)
        for name in _either(old, new):
            first, second = old.get(name, {}), new.get(name, {})
            for part in _either(first, second):
                if first.get(part) != second.get(part):
                    ends = first.get(part), second.get(part)
                    yield TermChange(section=section, name=name, part=part, before=ends[0], after=ends[1])


def _capability(one: Capability) -> Mapping[str, Json]:
    """Apart from lane and prohibition, which decisions show. Parts at their normal value are left out."""
    terms: dict[str, Json] = {
        "effect": one.effect,
        "consumes": dict(one.consumes),
        "uses": list(one.uses),
        "scopes": [f"{scope.name} ({scope.consent.value})" for scope in one.scopes],
    }
    return {name: value for name, value in terms.items() if value}


def _limit_terms(one: Limit) -> Mapping[str, Json]:
    return {"unit": one.unit, "window": one.window, "enforcement": "soft" if one.soft else "hard"}


def _setting_terms(one: Setting) -> Mapping[str, Json]:
    if one.kind is SettingKind.INTEGER:
        return {"integer": {"minimum": one.minimum}}
    return {one.kind.value: list(one.values)}


def _addon(one: Addon) -> Mapping[str, Json]:
    terms: dict[str, Json] = {
        "grants": list(one.grants),
        "limits": {name: {"add": number} for name, number in one.limits.items()},
    }
    return {name: value for name, value in terms.items() if value}
