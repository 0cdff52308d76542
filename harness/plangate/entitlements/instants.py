"""Instants as RFC 3339 writes them, and when a calendar window starts again. No clock: time comes with the request."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final

__all__ = ["Instant", "instant_of", "resets_at"]

Instant = tuple[int, str]
"""Whole seconds of the proleptic Gregorian calendar in UTC, and the digits of the fraction without trailing zeros.

Tuples of this shape compare as the instants do, however many digits a fraction has.
"""

_RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,40}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


@lru_cache(maxsize=4096)
def instant_of(text: str) -> Instant | None:
    """The instant that `text` names (RFC 3339 section 5.6), or None where it names none. Total: never raises.

    A leap second (`:60`) is the first second of the next minute, as POSIX counts it.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    fraction, sign, offset_hour, offset_minute = found.groups()[6:]
    ahead_hour, ahead_minute = int(offset_hour or 0), int(offset_minute or 0)
    if hour > 23 or minute > 59 or second > 60 or ahead_hour > 23 or ahead_minute > 59:
        return None
    try:
        days = date(year, month, day).toordinal()
    except ValueError:
        return None
    ahead = (ahead_hour * _HOUR_S + ahead_minute * 60) * (-1 if sign == "-" else 1)
    seconds = days * _DAY_S + hour * _HOUR_S + minute * 60 + second - ahead
    return seconds, (fraction or "").rstrip("0")


@lru_cache(maxsize=4096)
def resets_at(window: str, *, time: str) -> str | None:
    """When the calendar window (`hour`, `day`, `week`, `month`, in UTC) that holds `time` ends; None for any other.

    None also where `time` is no instant or the window ends after the year 9999. Total: never raises.
    """
    instant = instant_of(time)
    if instant is None or window not in {"hour", "day", "week", "month"}:
        return None
    days, second = divmod(instant[0], _DAY_S)
    try:
        if window == "hour":
            following = (second // _HOUR_S + 1) * _HOUR_S
            days, second = days + following // _DAY_S, following % _DAY_S
            return f"{date.fromordinal(days).isoformat()}T{second // _HOUR_S:02d}:00:00Z"
        if window == "day":
            return f"{date.fromordinal(days + 1).isoformat()}T00:00:00Z"
        today = date.fromordinal(days)
        if window == "week":
            return f"{date.fromordinal(days + 7 - today.weekday()).isoformat()}T00:00:00Z"
        year, month = divmod(today.year * 12 + today.month, 12)
        return f"{date(year, month + 1, 1).isoformat()}T00:00:00Z"
    except (ValueError, OverflowError):
        return None
