"""When a release may enter: RFC 5545 rules in a named time zone; a denial wins (rule P8). Pure but for the zone data.

A rule covers whole days of the zone's wall clock; with BYHOUR or FREQ=HOURLY whole hours, with BYMINUTE or
FREQ=MINUTELY whole minutes. What would depend on a start date (COUNT, INTERVAL, FREQ=WEEKLY without BYDAY) is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from plangate.documents.environment import Json
from plangate.errors import InputError
from plangate.promotion.unmet import Unmet

if TYPE_CHECKING:
    from dateutil.rrule import rrule

__all__ = ["unmet_windows"]

_NEEDS: Final = {
    "WEEKLY": ("BYDAY",),
    "MONTHLY": ("BYMONTHDAY", "BYDAY"),
    "YEARLY": ("BYMONTHDAY", "BYDAY", "BYYEARDAY", "BYWEEKNO", "BYEASTER"),
    "DAILY": (),
    "HOURLY": (),
    "MINUTELY": (),
}
_LOOK_AHEAD_H: Final = 24 * 15


def unmet_windows(windows: Mapping[str, Json], *, now: datetime) -> list[Unmet]:
    """Why nothing may enter at `now`, and when it may. Raises InputError `bad-window` for a zone or rule that is none.

    With `allow` rules, only their times are open; `deny` closes whatever it covers.
    """
    if not windows:
        return []
    zone = _zone(windows.get("timezone"))
    deny, allow = (_rules(windows.get(name)) for name in ("deny", "allow"))
    if (closed := _closed(now.astimezone(zone), deny=deny, allow=allow)) is None:
        return []
    opens = _opens(now, zone, deny=deny, allow=allow)
    when = f"; it opens {opens:%a %Y-%m-%d %H:%M} {zone.key}" if opens else "; it does not open within 15 days"
    return [Unmet("P8", f"the window is closed ({closed}){when}", "window")]


def _opens(now: datetime, zone: ZoneInfo, *, deny: list[str], allow: list[str]) -> datetime | None:
    hour = now.replace(minute=0, second=0, microsecond=0)
    for step in range(1, _LOOK_AHEAD_H):
        local = (hour + timedelta(hours=step)).astimezone(zone)
        if _closed(local, deny=deny, allow=allow) is None:
            return local
    return None


def _closed(local: datetime, *, deny: list[str], allow: list[str]) -> str | None:
    wall = local.replace(tzinfo=None)
    denied = next((rule for rule in deny if _covers(rule, wall)), None)
    if denied:
        return f"denied by {denied}"
    return "no allowed time" if allow and not any(_covers(rule, wall) for rule in allow) else None


def _covers(rule: str, wall: datetime) -> bool:
    parts = _parts(rule)
    minutes = "BYMINUTE" in parts or parts["FREQ"] == "MINUTELY"
    hours = minutes or "BYHOUR" in parts or parts["FREQ"] == "HOURLY"
    unit = wall.replace(second=0, microsecond=0)
    unit = unit if minutes else unit.replace(minute=0)
    unit = unit if hours else unit.replace(hour=0)
    start = unit.replace(hour=0, minute=0) if parts["FREQ"] in ("HOURLY", "MINUTELY") else datetime(unit.year, 1, 1)  # noqa: DTZ001 - wall clock of the zone
    return bool(_rule(rule, start).between(unit, unit, inc=True))


def _rule(rule: str, start: datetime) -> rrule:
    from dateutil.rrule import rrulestr

    try:
        return rrulestr(rule.removeprefix("RRULE:"), dtstart=start)  # type: ignore[return-value]
    except (ValueError, KeyError, TypeError) as error:
        raise _bad(rule, str(error)) from None


def _rules(value: Json) -> list[str]:
    rules = [str(one) for one in value] if isinstance(value, list) else []
    for rule in rules:
        parts = _parts(rule)
        if parts.get("FREQ") not in _NEEDS:
            raise _bad(rule, f"FREQ is one of {', '.join(_NEEDS)}")
        needs = _NEEDS[parts["FREQ"]]
        if needs and not any(name in parts for name in needs):
            raise _bad(rule, f"{parts['FREQ']} needs {' or '.join(needs)}")
        for name in ("COUNT", "INTERVAL", "DTSTART", "BYSECOND"):
            if name in parts:
                raise _bad(rule, f"{name} depends on a start that nobody wrote")
        _rule(rule, datetime(2026, 1, 1))  # noqa: DTZ001 - only to see that it can be read
    return rules


def _parts(rule: str) -> dict[str, str]:
    text = rule.removeprefix("RRULE:").upper()
    return {name: value for name, _, value in (part.partition("=") for part in text.split(";"))}


def _zone(name: Json) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(
            f"there is no time zone {name!r}", code="bad-window", hint="use an IANA name such as Europe/Berlin"
        ) from None


def _bad(rule: str, why: str) -> InputError:
    return InputError(
        f"{rule!r} is no window: {why}", code="bad-window", hint="write an RFC 5545 rule: FREQ=WEEKLY;BYDAY=FR,SA,SU"
    )
