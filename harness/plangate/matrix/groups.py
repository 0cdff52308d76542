"""What a plan and a capability have in store: the local axes of their cells, computed once and shared where alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from plangate.documents.catalog import Capability, SettingValue
from plangate.documents.suite import Suite
from plangate.entitlements.request import Subject
from plangate.errors import InputError
from plangate.matrix.boundaries import (
    CATALOG_COST,
    NO_CAPABILITY,
    USAGES,
    ZERO,
    SettingPoint,
    UsagePoint,
    consent_names,
    cost_of,
    own_settings,
    setting_points,
    usage_points,
)
from plangate.matrix.cell import AxisValue
from plangate.matrix.levels import Levels

if TYPE_CHECKING:
    from plangate.entitlements.oracle import Oracle

__all__ = ["Group", "Groups", "Shape", "UsageTable"]

_Consumes = tuple[tuple[str, int], ...]
"""What a use costs: limit and units."""


@dataclass(frozen=True, slots=True)
class UsageTable:
    """The usage axis of a plan and what a capability consumes, for each add-on set, quantity and cost."""

    names: tuple[str, ...]
    points: tuple[tuple[UsagePoint | None, ...], ...]
    """points[usage][addon x quantity x cost]; None where that subject has no such point."""

    @property
    def usable(self) -> tuple[tuple[bool, ...], ...] | None:
        """Which points exist; None = all."""
        if all(None not in row for row in self.points):
            return None
        return tuple(tuple(point is not None for point in row) for row in self.points)


@dataclass(frozen=True, slots=True)
class Shape:
    """Names along the local axes, in their order, and which usage points exist. Equal for many groups."""

    axes: tuple[tuple[AxisValue, ...], ...]
    usable: tuple[tuple[bool, ...], ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """All that the cells of one plan and capability share. One object for all that are alike, equal only to itself."""

    shape: Shape
    usage: UsageTable
    settings: tuple[SettingPoint, ...]


class _Needs(NamedTuple):
    """What a capability asks of a plan; many capabilities are alike in it."""

    number: int
    consumes: _Consumes
    uses: tuple[str, ...]
    consents: tuple[str, ...]
    costs: tuple[str, ...]


class Groups:
    """Builds groups; equal parts are computed once, so that 50 plans x 400 capabilities start in an instant."""

    def __init__(self, suite: Suite, oracle: Oracle, *, levels: Levels) -> None:
        self._suite, self._oracle, self._levels = suite, oracle, levels
        self._usages: dict[tuple[str, _Consumes, tuple[str, ...]], UsageTable] = {}
        self._usages_alike: dict[UsageTable, UsageTable] = {}
        self._settings: dict[tuple[str, tuple[str, ...]], tuple[SettingPoint, ...]] = {}
        self._settings_alike: dict[object, tuple[SettingPoint, ...]] = {}
        self._shapes: dict[Shape, Shape] = {}
        self._needs: dict[str, _Needs] = {}
        self._needs_alike: dict[object, _Needs] = {}
        self._built: dict[tuple[str, int], Group] = {}
        self._groups_alike: dict[object, Group] = {}
        self._limits: dict[tuple[str, int, str], int | None] = {}
        self._probes: dict[str, tuple[Subject, ...]] = {}

    def capability(self, name: str) -> Capability:
        """The capability as declared, or one without needs where the catalog has none of that name."""
        return self._oracle.catalog.capabilities.get(name, NO_CAPABILITY)

    def of(self, plan: str, *, capability: str) -> Group:
        """The group of a plan and a capability, either of which may be unknown."""
        needs = self._needs.get(capability) or self._needs_of(capability)
        key = (plan, needs.number)
        group = self._built.get(key)
        if group is None:
            group = self._built[key] = self._build(plan, needs)
        return group

    def _needs_of(self, capability: str) -> _Needs:
        declared = self.capability(capability)
        boundary = self._levels.consent_at_boundary
        consumes = tuple(declared.consumes.items()) if self._levels.usage_at_boundary else ()
        consents = consent_names(declared.scopes) if boundary else ("full",)
        costs = self._levels.costs if declared.consumes else (CATALOG_COST,)
        alike = (consumes, declared.uses, consents, costs)
        needs = self._needs_alike.setdefault(alike, _Needs(len(self._needs_alike), *alike))
        self._needs[capability] = needs
        return needs

    def _build(self, plan: str, needs: _Needs) -> Group:
        usage, settings = self._usage(plan, needs), self._setting(plan, needs.uses)
        alike = (id(usage), id(settings), needs.consents, needs.costs)
        group = self._groups_alike.get(alike)
        if group is None:
            shape = self._shape(usage, settings, needs)
            group = self._groups_alike[alike] = Group(shape, usage, settings)
        return group

    def _shape(self, usage: UsageTable, settings: tuple[SettingPoint, ...], needs: _Needs) -> Shape:
        levels = self._levels
        names = tuple(point.name for point in settings)
        if len(set(names)) != len(names):
            raise InputError(
                "two values of the setting axis have one name",
                code="ambiguous-axis-value",
                where=str(self._oracle.catalog.positions.of("settings")),
                hint="`=` separates a setting's name from its value here: take it out of one of them",
            )
        axes: tuple[tuple[AxisValue, ...], ...] = (
            levels.surfaces,
            usage.names,
            names,
            levels.addon_names,
            levels.quantities,
            needs.consents,
            levels.linked,
            levels.overrides,
            needs.costs,
            levels.phrasings,
        )
        shape = Shape(axes, usage.usable)
        return self._shapes.setdefault(shape, shape)

    def _usage(self, plan: str, needs: _Needs) -> UsageTable:
        key = (plan, needs.consumes, needs.costs)
        table = self._usages.get(key)
        if table is None:
            table = self._usage_table(plan, dict(needs.consumes), costs=needs.costs)
            table = self._usages[key] = self._usages_alike.setdefault(table, table)
        return table

    def _usage_table(self, plan: str, consumes: Mapping[str, int], *, costs: tuple[str, ...]) -> UsageTable:
        columns = []
        places = range(len(self._levels.addons) * len(self._levels.quantities))
        for place, cost in product(places, costs):
            points = usage_points(cost_of(cost, consumes=consumes), limit_of=self._limit_of(plan, place))
            columns.append({point.name: point for point in points})
        order = (ZERO.name, *(f"{kind}:{limit}" for limit, kind in product(consumes, USAGES)))
        names = tuple(name for name in order if any(name in column for column in columns))
        return UsageTable(names, tuple(tuple(column.get(name) for column in columns) for name in names))

    def _limit_of(self, plan: str, place: int) -> Callable[[str], int | None]:
        def limit_of(name: str) -> int | None:
            key = (plan, place, name)
            if key not in self._limits:
                self._limits[key] = self._oracle.limit_of(self._probe(plan, place), name)
            return self._limits[key]

        return limit_of

    def _probe(self, plan: str, place: int) -> Subject:
        probes = self._probes.get(plan)
        if probes is None:
            pairs = product(self._levels.addons, self._levels.quantities)
            probes = self._probes[plan] = tuple(
                Subject(plan=plan, state="Subscribed", addons=addons, quantity=quantity) for addons, quantity in pairs
            )
        return probes[place]

    def _setting(self, plan: str, uses: tuple[str, ...]) -> tuple[SettingPoint, ...]:
        points = self._settings.get((plan, uses))
        if points is None:
            points = self._setting_points(plan, uses)
            alike = tuple((point.name, tuple(point.values.items())) for point in points)
            points = self._settings[plan, uses] = self._settings_alike.setdefault(alike, points)
        return points

    def _setting_points(self, plan: str, uses: tuple[str, ...]) -> tuple[SettingPoint, ...]:
        resolved = self._oracle.plans.get(plan)
        own: dict[str, SettingValue] = {}
        if resolved is not None:
            own = {name: declared.value for name, declared in resolved.settings.items()}
        if self._levels.setting_at_boundary:
            return setting_points(uses, settings=self._oracle.catalog.settings, own=own)
        return (SettingPoint("plan", own_settings(uses, own=own)),)
