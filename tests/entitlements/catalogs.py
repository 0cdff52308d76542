"""Plan catalogs for tests: the sample of the specification, and the way from a raw document to a frozen PlanCatalog.

The way is the tests' own, so that a test of the oracle does not rest on the reader of documents.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from plangate.documents.catalog import (
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
    State,
)
from plangate.documents.environment import Policy
from plangate.documents.positions import Positions
from plangate.entitlements.request import Consent, Override, Request, Subject

__all__ = ["SAMPLE", "catalog_of", "policy_of", "request_of", "sample", "subject_of"]

SAMPLE: dict[str, Any] = {
    "metadata": {"name": "support-copilot", "version": "3.2.0"},
    "offer": {"model": "saas", "id": "contoso-support-copilot"},
    "capabilities": {
        "kb.search": {"effect": "read", "consumes": {"messages": 1}, "uses": ["data_scope"]},
        "report.export": {"effect": "read", "consumes": {"exports": 1}, "uses": ["data_scope"]},
        "ticket.write": {
            "effect": "write",
            "lane": "approval",
            "scopes": [{"name": "Tickets.ReadWrite", "consent": "admin"}],
        },
        "data.purge": {"effect": "irreversible", "prohibited": True},
        "data.export_own": {"effect": "read"},
        "agent.run": {"effect": "write", "uses": ["max_steps", "models"], "consumes": {"messages": 2, "tokens": 100}},
        "crm.sync": {"effect": "external"},
    },
    "limits": {
        "messages": {"unit": "message", "window": "day"},
        "exports": {"unit": "export", "window": "month", "enforcement": "hard"},
        "tokens": {"unit": "token", "window": "hour", "enforcement": "soft"},
    },
    "settings": {
        "data_scope": {"order": ["own", "team", "org"]},
        "models": {"set": ["small", "large"]},
        "max_steps": {"integer": {"minimum": 1}},
    },
    "states": {
        "PendingFulfillmentStart": {"retains": []},
        "Suspended": {"retains": ["data.export_own"]},
        "Unsubscribed": {"retains": []},
    },
    "tiers": ["free", "pro", "enterprise"],
    "plans": {
        "free": {
            "grants": ["kb.search", "data.export_own"],
            "limits": {"messages": 20},
            "settings": {"data_scope": "own", "max_steps": 3},
        },
        "pro": {
            "extends": "free",
            "grants": ["report.export", "ticket.write", "agent.run"],
            "limits": {"messages": 500, "exports": 50, "tokens": 1000},
            "settings": {"data_scope": "team", "models": ["small"]},
        },
        "enterprise": {
            "extends": "pro",
            "grants": ["crm.sync"],
            "limits": {"messages": "unlimited", "exports": {"per_quantity": 100}},
            "settings": {"data_scope": "org", "models": ["small", "large"]},
        },
    },
    "addons": {"export-pack": {"limits": {"exports": {"add": 100}}}, "crm": {"grants": ["crm.sync"]}},
}


def sample(**changes: Any) -> PlanCatalog:
    """The sample catalog; a change names a path with double underscores: `plans__free__grants=[...]`."""
    raw = deepcopy(SAMPLE)
    for path, value in changes.items():
        *parents, last = path.split("__")
        target = raw
        for parent in parents:
            target = target.setdefault(parent.replace("_dot_", "."), {})
        target[last.replace("_dot_", ".")] = value
    return catalog_of(raw)


def catalog_of(raw: dict[str, Any], *, positions: Positions = Positions("")) -> PlanCatalog:  # noqa: B008 - frozen
    """A raw document, as the specification shows it, as a PlanCatalog."""
    return PlanCatalog(
        name=raw.get("metadata", {}).get("name", "sample"),
        version=raw.get("metadata", {}).get("version", "1.0.0"),
        offer=Offer(**raw.get("offer", {"model": "saas", "id": "sample"})),
        capabilities={name: _capability(name, body) for name, body in raw["capabilities"].items()},
        plans={name: _plan(name, body) for name, body in raw["plans"].items()},
        limits={
            name: Limit(
                name=name,
                unit=body.get("unit", "unit"),
                window=body["window"],
                soft=body.get("enforcement", "hard") == "soft",
            )
            for name, body in raw.get("limits", {}).items()
        },
        settings={name: _setting(name, body) for name, body in raw.get("settings", {}).items()},
        states={
            name: State(name=name, retains=tuple(body.get("retains", ())), reason=body.get("reason"))
            for name, body in raw.get("states", {}).items()
        },
        tiers=tuple(raw.get("tiers", ())),
        addons={
            name: Addon(
                name=name,
                grants=tuple(body.get("grants", ())),
                limits={limit: value["add"] for limit, value in body.get("limits", {}).items()},
            )
            for name, body in raw.get("addons", {}).items()
        },
        exemptions=tuple(Exemption(**body) for body in raw.get("exemptions", ())),
        positions=positions,
    )


def _capability(name: str, body: dict[str, Any]) -> Capability:
    return Capability(
        name=name,
        effect=body.get("effect", "read"),
        consumes=body.get("consumes", {}),
        uses=tuple(body.get("uses", ())),
        lane=Lane(body.get("lane", "automatic")),
        scopes=tuple(
            Scope(name=one["name"], consent=ConsentLevel(one.get("consent", "user"))) for one in body.get("scopes", ())
        ),
        prohibited=body.get("prohibited", False),
    )


def _setting(name: str, body: dict[str, Any]) -> Setting:
    ((kind, content),) = body.items()
    if kind == "integer":
        return Setting(name=name, kind=SettingKind.INTEGER, minimum=content.get("minimum", 0))
    return Setting(name=name, kind=SettingKind(kind), values=tuple(content))


def _plan(name: str, body: dict[str, Any]) -> PlanDeclaration:
    return PlanDeclaration(
        name=name,
        extends=body.get("extends"),
        grants=tuple(body.get("grants", ())),
        revokes=tuple(body.get("revokes", ())),
        limits={limit: _limit_value(value) for limit, value in body.get("limits", {}).items()},
        settings={
            setting: tuple(value) if isinstance(value, list) else value
            for setting, value in body.get("settings", {}).items()
        },
        lanes={capability: Lane(lane) for capability, lane in body.get("lanes", {}).items()},
    )


def _limit_value(value: Any) -> LimitValue:
    if value == "unlimited":
        return LimitValue(None)
    if isinstance(value, dict):
        return LimitValue(value["per_quantity"], per_quantity=True)
    return LimitValue(value)


def policy_of(raw: dict[str, Any]) -> Policy:
    """A raw `bindings.policy` as a Policy."""
    lanes = {capability: Lane(lane) for capability, lane in raw.get("lanes", {}).items()}
    return Policy(max_steps=raw.get("max_steps"), denied=tuple(raw.get("denied", ())), lanes=lanes)


def subject_of(properties: dict[str, Any]) -> Subject:
    """The `subject.properties` of the one request shape, as a Subject."""
    return Subject(
        plan=properties["plan"],
        state=properties["state"],
        quantity=properties.get("quantity", 1),
        addons=tuple(properties.get("addons", ())),
        tenant_linked=properties.get("tenant_linked", True),
        consents=tuple(Consent(one["name"], one["level"]) for one in properties.get("consents", ())),
        usage=properties.get("usage", {}),
        overrides=tuple(
            Override(one["capability"], one["effect"], one.get("expires")) for one in properties.get("overrides", ())
        ),
    )


def request_of(raw: dict[str, Any]) -> Request:
    """A raw request `{capability, settings, cost, time}` as a Request."""
    return Request(
        capability=raw["capability"],
        settings=raw.get("settings", {}),
        cost=raw.get("cost", {}),
        time=raw.get("time", "2026-01-01T00:00:00Z"),
    )
