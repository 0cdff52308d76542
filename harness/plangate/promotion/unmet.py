"""What still keeps a release out, and the times it is said in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from plangate.errors import InputError

__all__ = ["Unmet", "duration", "end_of_word", "instant", "spoken"]

_DURATION = re.compile(r"P(?=.)(?:(\d{1,6})W|(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?)")


@dataclass(frozen=True, slots=True, order=True)
class Unmet:
    """One demand that is not met: the rule of domain.md it comes from, and what is missing, for a person."""

    rule: str
    text: str
    name: str = ""
    """Which of the rule's demands: a suite, `soak`, `window`; empty where the rule has one only."""

    @property
    def demand(self) -> str:
        """What a bypass names: `P1/gating`, `P8/soak`, `P5`."""
        return f"{self.rule}/{self.name}" if self.name else self.rule


def duration(text: str) -> timedelta:
    """An ISO 8601 duration of weeks, or of days and times. Raises InputError `bad-format`."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise InputError(f"{text!r} is not a duration", code="bad-format", hint="write PT24H or P7D")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def instant(text: str) -> datetime:
    """An RFC 3339 time. Raises InputError `bad-format`, and for one without an offset: a time zone is never guessed."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    try:
        if when is not None and when.tzinfo is not None:
            return when.astimezone(UTC)
    except OverflowError:  # the first and the last day that Python knows, in a zone where it is the day beside
        pass
    raise InputError(f"{text!r} is not a time", code="bad-format", hint="write it as 2026-11-22T10:00:00Z")


def end_of_word(expires: str) -> datetime | None:
    """When a signed word ends; None where nobody can read that: such a word counts for nothing, and stops nobody."""
    try:
        return instant(expires)
    except InputError:
        return None


def spoken(length: timedelta) -> str:
    """A length of time in words: `2 d 3 h`, `45 min`; a rest below a minute counts as one."""
    minutes = max(1, -(-int(length.total_seconds()) // 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes if not days else 0, "min")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 min"
