"""Plans with `extends` resolved: what each plan has in the end, and on which line each piece of it was declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from plangate.documents.catalog import Lane, LimitValue, PlanCatalog, PlanDeclaration, SettingValue
from plangate.documents.positions import Pointer
from plangate.errors import InputError

__all__ = ["Declared", "ResolvedPlan", "resolve"]

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Declared(Generic[V]):
    """A value, and where in the catalog it was written."""

    value: V
    pointer: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedPlan:
    """A plan with all that it inherits. Every mapping keeps the order of declaration, ancestors first."""

    name: str
    lineage: tuple[str, ...]
    """The plan itself, then its parent, and so on."""
    grants: Mapping[str, Pointer]
    """Capability -> the entry of a `grants` list that gives it."""
    revokes: Mapping[str, Pointer]
    """Capability that is not granted -> the entry of a `revokes` list that took it away."""
    limits: Mapping[str, Declared[LimitValue]]
    settings: Mapping[str, Declared[SettingValue]]
    lanes: Mapping[str, Declared[Lane]]


def resolve(catalog: PlanCatalog) -> Mapping[str, ResolvedPlan]:
    """Every plan of `catalog` with `extends` applied, in the catalog's order.

    A child adds grants, overrides limits, settings and lanes, and takes away what its `revokes` list names; a
    capability that one plan both grants and revokes is revoked (fail closed; `laws.check` refuses it as an error).
    Raises InputError `extends-circle` or `unknown-name` (of a parent); reading a workspace refuses both before.
    """
    resolved: dict[str, ResolvedPlan] = {}
    for name in catalog.plans:
        for ancestor in reversed(_lineage(catalog, name, known=resolved)):
            declaration = catalog.plans[ancestor]
            parent = None if declaration.extends is None else resolved[declaration.extends]
            resolved[ancestor] = _inherit(declaration, parent=parent)
    return MappingProxyType({name: resolved[name] for name in catalog.plans})


def _lineage(catalog: PlanCatalog, name: str, *, known: Mapping[str, ResolvedPlan]) -> list[str]:
    """The plan and those ancestors that are not resolved yet, nearest first."""
    chain: list[str] = []
    following: str | None = name
    while following is not None and following not in known:
        if following in chain:
            circle = " -> ".join([*chain[chain.index(following) :], following])
            raise InputError(
                f"plans.{following}.extends: plans extend each other in a circle: {circle}",
                code="extends-circle",
                where=str(catalog.positions.of("plans", following, "extends")),
                hint="let one of them extend nothing",
            )
        if following not in catalog.plans:
            raise InputError(
                f"plans.{chain[-1]}.extends: unknown plan {following!r}",
                code="unknown-name",
                where=str(catalog.positions.of("plans", chain[-1], "extends")),
                hint="name a plan of this catalog",
            )
        chain.append(following)
        following = catalog.plans[following].extends
    return chain


def _inherit(declaration: PlanDeclaration, *, parent: ResolvedPlan | None) -> ResolvedPlan:
    at = ("plans", declaration.name)
    grants = dict(parent.grants) if parent else {}
    revokes = dict(parent.revokes) if parent else {}
    for number, capability in enumerate(declaration.grants):
        grants[capability] = (*at, "grants", number)
        revokes.pop(capability, None)
    for number, capability in enumerate(declaration.revokes):
        grants.pop(capability, None)
        revokes[capability] = (*at, "revokes", number)
    return ResolvedPlan(
        name=declaration.name,
        lineage=(declaration.name, *(parent.lineage if parent else ())),
        grants=MappingProxyType(grants),
        revokes=MappingProxyType(revokes),
        limits=_overlay(parent.limits if parent else {}, declaration.limits, at=(*at, "limits")),
        settings=_overlay(parent.settings if parent else {}, declaration.settings, at=(*at, "settings")),
        lanes=_overlay(parent.lanes if parent else {}, declaration.lanes, at=(*at, "lanes")),
    )


def _overlay(inherited: Mapping[str, Declared[V]], own: Mapping[str, V], *, at: Pointer) -> Mapping[str, Declared[V]]:
    declared = {name: Declared(value, (*at, name)) for name, value in own.items()}
    return MappingProxyType({**inherited, **declared})
