"""Questions in the AuthZEN shape, and who asks them."""

from __future__ import annotations

from typing import Any

NOW = "2026-01-01T00:00:00Z"
EVERY_CONSENT = [
    {"name": "Tickets.Read", "level": "admin"},
    {"name": "Tickets.ReadWrite", "level": "admin"},
    {"name": "Crm.Read", "level": "admin"},
    {"name": "Crm.ReadWrite", "level": "admin"},
]


def question(tool: str, /, *, named: dict[str, Any] | None = None, tenant: str = "t-1", **told: Any) -> dict[str, Any]:
    """May this customer use this tool now? A pro customer in good standing, unless `told` says otherwise."""
    properties = {
        "plan": "pro", "state": "Subscribed", "quantity": 1, "addons": [], "tenant_linked": True,
        "consents": EVERY_CONSENT, "usage": {}, "overrides": [], **told,
    }  # fmt: skip
    return {
        "subject": {"type": "tenant", "id": tenant, "properties": properties},
        "action": {"name": tool},
        "resource": {"type": "capability", "id": tool, "properties": named or {}},
        "context": {"surface": "tool", "cost": {}, "phrasing": None, "time": NOW},
    }


def override(tool: str, effect: str, expires: str | None = None) -> list[dict[str, Any]]:
    """One override, as a subject carries it."""
    return [{"capability": tool, "effect": effect, "expires": expires}]


def evaluate(asked: dict[str, Any], *, book: str = "3.2.0") -> dict[str, Any]:
    """What the app's decision point answers while it sells by the plan book of this version."""
    from copilot.bugs import parts_for

    parts = parts_for("")
    answer: dict[str, Any] = parts.decision_point(parts.entitlements(parts.read_plans(book))).evaluate(asked)
    return answer
