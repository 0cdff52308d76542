"""The record of every decision: who asked for what, at which gate, what was decided and why."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from copilot.entitlements import Decision

__all__ = ["Asked", "AuditLog"]

TEXT_MAX = 200
"""Characters kept of a name that came from outside."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request on its way through the app."""

    tenant: str
    actor: str
    """Who began it: `user`, or `agent for user`."""
    request: str
    """Id that all records of one request share."""
    surface: str
    """Gate at which it stands: interaction, orchestration or tool."""


class AuditLog:
    """Appends to the database and never changes what stands there."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def record(self, asked: Asked, tool: str, decision: Decision, *, now: datetime) -> None:
        """Keep one decision. Arguments and texts of customers are left out on purpose."""
        detail = {"limit": decision.limit} if decision.limit is not None else {}
        self._database.execute(
            "INSERT INTO audit (at, tenant, actor, request, surface, tool, effect, reason, detail) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                now.isoformat(),
                asked.tenant[:TEXT_MAX],
                asked.actor,
                asked.request,
                asked.surface,
                tool[:TEXT_MAX],
                decision.effect,
                decision.reason,
                json.dumps(detail),
            ),
        )

    def of_tenant(self, tenant: str, *, rows_max: int = 100) -> list[dict[str, Any]]:
        """The newest records of one tenant, oldest first."""
        rows = self._database.execute(
            "SELECT at, actor, request, surface, tool, effect, reason, detail FROM audit WHERE tenant = ? "
            "ORDER BY number DESC LIMIT ?",
            (tenant, rows_max),
        ).fetchall()
        names = ("at", "actor", "request", "surface", "tool", "effect", "reason")
        return [{**dict(zip(names, row[:7], strict=True)), "detail": json.loads(row[7])} for row in reversed(rows)]
