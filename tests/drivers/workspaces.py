"""Small workspaces with an app in them, for drivers that load one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plangate.drivers.protocol import DriverContext

__all__ = ["REQUEST", "context_in", "request_for", "write_module"]


def request_for(capability: str = "kb.search", *, subject: str = "t-1", **context: Any) -> dict[str, Any]:
    """An evaluation request of documents.md."""
    return {
        "subject": {
            "type": "tenant",
            "id": subject,
            "properties": {
                "plan": "pro",
                "state": "Subscribed",
                "quantity": 5,
                "addons": [],
                "tenant_linked": True,
                "consents": [],
                "usage": {"messages": 3},
            },
        },
        "action": {"name": capability},
        "resource": {"type": "capability", "id": capability, "properties": {"data_scope": "team"}},
        "context": {"surface": "default", "cost": {}, "phrasing": None, "time": "2026-01-01T00:00:00Z", **context},
    }


REQUEST = request_for()


def context_in(workspace: Path, **fields: Any) -> DriverContext:
    """A context that knows nothing but the workspace and what is given."""
    return DriverContext(workspace=workspace, environ=fields.pop("environ", {}), **fields)


def write_module(workspace: Path, name: str, source: str) -> None:
    """Put a module into the root of a workspace."""
    (workspace / f"{name}.py").write_text(source, encoding="utf-8")
