"""Tenants as the app knows them: what they bought, who consented to what, and the key they sign in with."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from copilot.authzen import consents_from, overrides_from
from copilot.entitlements import Customer

__all__ = ["CustomerBook", "MalformedTenantError"]


class MalformedTenantError(ValueError):
    """A tenant's record cannot be read, so it is not kept."""


class CustomerBook:
    """Keeps tenants in the database and reads them anew for each request: a change counts at once."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def keep(self, tenant: str, record: Mapping[str, Any]) -> None:
        """Keep a tenant, in place of what was kept. Raises MalformedTenantError."""
        try:
            self._customer(tenant, record)
            key = record["api_key"]
            digest = _digest(key)
        except (KeyError, TypeError, AttributeError) as error:
            raise MalformedTenantError(f"tenant cannot be read: {error!r}") from error
        kept = {name: value for name, value in record.items() if name not in {"api_key", "usage"}}
        self._database.execute(
            "INSERT INTO tenants VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET key_digest = excluded.key_digest, "
            "record = excluded.record",
            (tenant, digest, json.dumps(kept)),
        )

    def customer(self, tenant: str) -> Customer | None:
        """The tenant without its usage, or None where there is no such tenant."""
        row = self._database.execute("SELECT record FROM tenants WHERE tenant = ?", (tenant,)).fetchone()
        return self._customer(tenant, json.loads(row[0])) if row else None

    def signs_in(self, tenant: str, key: str) -> bool:
        """Whether the key is this tenant's own."""
        row = self._database.execute("SELECT key_digest FROM tenants WHERE tenant = ?", (tenant,)).fetchone()
        return bool(row) and hmac.compare_digest(row[0], _digest(key))

    def _customer(self, tenant: str, record: Mapping[str, Any]) -> Customer:
        return Customer(
            tenant=tenant,
            plan=str(record["plan"]),
            state=str(record["state"]),
            seats=_seats(record.get("quantity")),
            extras=tuple(record.get("addons") or ()),
            linked=record.get("linked") is True,
            consents=consents_from(record.get("consents") or ()),
            overrides=overrides_from(record.get("overrides") or ()),
        )


def _seats(value: Any) -> int:
    if value is None:
        return 1
    if type(value) is not int or value < 0:
        raise TypeError(f"quantity must be a whole number, not {value!r}")
    return value


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
