"""When a meter's window began and when it ends, from the instant of the request; never from a clock of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

__all__ = ["next_reset", "window_start"]


def window_start(resets: str, now: datetime, *, seconds: int = 0) -> datetime:
    """First instant of the window that `now` lies in."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if resets == "daily":
        return day
    if resets == "monthly":
        return day.replace(day=1)
    if resets == "sliding":
        # Sliding meters are counted by the minute: the oldest minute counts whole, so nobody gains by it.
        return now.replace(second=0, microsecond=0) - timedelta(seconds=seconds)
    return datetime.min.replace(tzinfo=UTC)


@lru_cache(maxsize=1024)  # pure: the same question has the same answer for ever
def next_reset(resets: str, now: str) -> str | None:
    """When a daily or monthly meter starts again (RFC 3339), or None where that is not a fixed moment."""
    try:
        moment = datetime.fromisoformat(now).astimezone(UTC)
    except ValueError:
        return None
    start = window_start(resets, moment)
    if resets == "daily":
        return _text(start + timedelta(days=1))
    if resets == "monthly":
        return _text((start + timedelta(days=32)).replace(day=1))
    return None


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
