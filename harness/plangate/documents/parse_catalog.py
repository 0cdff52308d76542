"""Validated values -> PlanCatalog. What it means together is `catalog_rules`' business."""

from __future__ import annotations

from typing import Any

from plangate.documents.catalog import (
    SUBSCRIBED,
    UNLIMITED,
    Addon,
    Capability,
    ConsentLevel,
    Exemption,
    Lane,
    Limit,
    LimitValue,
    Offer,
    PlanCatalog,
    PlanDeclaration,
    Scope,
    Setting,
    SettingKind,
    SettingValue,
    State,
)
from plangate.documents.positions import Positions

__all__ = ["parse_catalog"]


def parse_catalog(raw: dict[str, Any], positions: Positions) -> PlanCatalog:
    """The catalog in `raw`, which must satisfy the PlanCatalog schema."""
    metadata, offer = raw["metadata"], raw["offer"]
    return PlanCatalog(
        name=metadata["name"],
        version=metadata["version"],
        offer=Offer(model=offer["model"], id=offer["id"]),
        capabilities={name: _capability(name, part) for name, part in raw["capabilities"].items()},
        plans={name: _plan(name, part) for name, part in raw["plans"].items()},
        limits={name: _limit(name, part) for name, part in raw.get("limits", {}).items()},
        settings={name: _setting(name, part) for name, part in raw.get("settings", {}).items()},
        states={
            name: State(name=name, retains=tuple(part.get("retains", ())), reason=part.get("reason"))
            for name, part in raw.get("states", {}).items()
            if name != SUBSCRIBED
        },
        tiers=tuple(raw.get("tiers", ())),
        addons={name: _addon(name, part) for name, part in raw.get("addons", {}).items()},
        exemptions=tuple(Exemption(**part) for part in raw.get("exemptions", ())),
        positions=positions,
    )


def _capability(name: str, raw: dict[str, Any]) -> Capability:
    return Capability(
        name=name,
        effect=raw.get("effect", "read"),
        consumes=raw.get("consumes", {}),
        uses=tuple(raw.get("uses", ())),
        lane=Lane(raw.get("lane", Lane.AUTOMATIC)),
        scopes=tuple(
            Scope(name=scope["name"], consent=ConsentLevel(scope.get("consent", ConsentLevel.USER)))
            for scope in raw.get("scopes", ())
        ),
        prohibited=raw.get("prohibited", False),
    )


def _limit(name: str, raw: dict[str, Any]) -> Limit:
    window = raw["window"]
    if isinstance(window, dict):
        window = f"{window['anchor']} {window['every']}"
    return Limit(name=name, unit=raw["unit"], window=window, soft=raw.get("enforcement") == "soft")


def _setting(name: str, raw: dict[str, Any]) -> Setting:
    if "integer" in raw:
        return Setting(name=name, kind=SettingKind.INTEGER, minimum=raw["integer"].get("minimum", 0))
    kind = SettingKind.ORDER if "order" in raw else SettingKind.SET
    return Setting(name=name, kind=kind, values=tuple(raw[kind.value]))


def _plan(name: str, raw: dict[str, Any]) -> PlanDeclaration:
    return PlanDeclaration(
        name=name,
        extends=raw.get("extends"),
        grants=tuple(raw.get("grants", ())),
        revokes=tuple(raw.get("revokes", ())),
        limits={limit: _limit_value(value) for limit, value in raw.get("limits", {}).items()},
        settings={setting: _setting_value(value) for setting, value in raw.get("settings", {}).items()},
        lanes={capability: Lane(lane) for capability, lane in raw.get("lanes", {}).items()},
    )


def _limit_value(raw: Any) -> LimitValue:
    if raw == "unlimited":
        return UNLIMITED
    if isinstance(raw, dict):
        return LimitValue(raw["per_quantity"], per_quantity=True)
    return LimitValue(raw)


def _setting_value(raw: Any) -> SettingValue:
    value: SettingValue = tuple(raw) if isinstance(raw, list) else raw
    return value


def _addon(name: str, raw: dict[str, Any]) -> Addon:
    return Addon(
        name=name,
        grants=tuple(raw.get("grants", ())),
        limits={limit: part["add"] for limit, part in raw.get("limits", {}).items()},
    )
