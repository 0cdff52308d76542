"""What each tenant used of each meter, counted in windows that follow from the instant of use."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime

from copilot.calendars import window_start
from copilot.plans import Meter

__all__ = ["UsageCounters"]


class UsageCounters:
    """Counts in the database. A sliding meter is kept by the minute, any other by the start of its window."""

    def __init__(self, database: sqlite3.Connection, meters: Mapping[str, Meter]) -> None:
        self._database = database
        self._meters = meters

    def used(self, tenant: str, meters: Iterable[str], now: datetime) -> dict[str, int]:
        """Units used of each meter in the window that `now` lies in."""
        return {meter: self._used(tenant, self._meters[meter], now) for meter in meters}

    def _used(self, tenant: str, meter: Meter, now: datetime) -> int:
        since = window_start(meter.resets, now, seconds=meter.seconds).isoformat()
        row = self._database.execute(
            "SELECT SUM(units) FROM usage WHERE tenant = ? AND meter = ? AND since >= ?", (tenant, meter.name, since)
        ).fetchone()
        return row[0] or 0

    def spend(self, tenant: str, spends: Iterable[tuple[str, int]], now: datetime) -> None:
        """Count one use."""
        self._database.executemany(
            "INSERT INTO usage VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET units = units + excluded.units",
            [(tenant, meter, self._bucket(self._meters[meter], now), units) for meter, units in spends],
        )

    def arrange(self, tenant: str, usage: Mapping[str, int], now: datetime) -> None:
        """Set what the tenant has used in the windows of `now`; all else is forgotten."""
        self._database.execute("DELETE FROM usage WHERE tenant = ?", (tenant,))
        self.spend(tenant, [(meter, units) for meter, units in usage.items() if meter in self._meters and units], now)

    def _bucket(self, meter: Meter, now: datetime) -> str:
        if meter.resets == "sliding":
            return now.replace(second=0, microsecond=0).isoformat()
        return window_start(meter.resets, now).isoformat()
