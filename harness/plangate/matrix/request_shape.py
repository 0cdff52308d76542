"""The one request shape: a cell as an AuthZEN 1.0 evaluation (documents.md)."""

from __future__ import annotations

from typing import Any, Final

from plangate.matrix.cell import Cell

__all__ = ["CONTEXT_FIELDS", "SUBJECT_PROPERTIES", "evaluation_request"]

SUBJECT_PROPERTIES: Final = (
    "plan",
    "state",
    "quantity",
    "addons",
    "tenant_linked",
    "consents",
    "usage",
    "overrides",
)
"""What every request says of its subject; `usage` maps limits to numbers."""
CONTEXT_FIELDS: Final = ("surface", "cost", "phrasing", "time")
"""What every request says of its circumstances; `cost` maps limits to numbers."""


def evaluation_request(cell: Cell) -> dict[str, Any]:
    """The evaluation that asks a cell's question. Every dict and list in it is new: the receiver may change them."""
    subject, request = cell.subject, cell.request
    capability = request.capability
    return {
        "subject": {
            "type": "tenant",
            "id": cell.subject_id,
            "properties": {
                "plan": subject.plan,
                "state": subject.state,
                "quantity": subject.quantity,
                "addons": [*subject.addons],
                "tenant_linked": subject.tenant_linked,
                "consents": [{"name": one.name, "level": one.level} for one in subject.consents],
                "usage": {**subject.usage},
                "overrides": [
                    {"capability": one.capability, "effect": one.effect, "expires": one.expires}
                    for one in subject.overrides
                ]
                if subject.overrides
                else [],
            },
        },
        "action": {"name": capability},
        "resource": {"type": "capability", "id": capability, "properties": {**request.settings}},
        "context": {
            "surface": request.surface,
            "cost": {**request.cost},
            "phrasing": request.phrasing,
            "time": request.time,
        },
    }
