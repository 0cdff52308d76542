"""Which demands a bypass may skip, and which bypasses count: named, signed, reasoned, and soon over (rule P6). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from plangate.errors import InputError
from plangate.promotion.state import Bypass
from plangate.promotion.unmet import Unmet, duration, end_of_word, instant

__all__ = ["BYPASS_MAX", "idle_bypasses", "live_bypasses", "may_be_bypassed", "require_bypassable"]

BYPASS_MAX = timedelta(days=7)
"""A bypass for longer is a policy: change the manifest."""
_RULES = ("P1", "P5", "P8")
_NEVER = ("P1/trust", "P5/rejection")
"""Without a trust policy no word counts, a bypass neither; and nobody overrules a rejection: make another plan."""


def may_be_bypassed(demand: str) -> bool:
    """Whether this demand may be skipped: gates, approvals, soak and windows. Data in the wrong place, holds, and a
    release that its source does not run are facts, not judgements."""
    return demand.partition("/")[0] in _RULES and demand not in _NEVER


def require_bypassable(demand: str, *, missing: Iterable[Unmet], expires: str) -> None:
    """Raise InputError `bad-bypass` where `demand` is not missing, may never be skipped, or would be for too long."""
    open_now = sorted({one.demand for one in missing if may_be_bypassed(one.demand)})
    hint = f"missing, and may be bypassed: {', '.join(open_now)}" if open_now else "nothing that is missing may be"
    if not may_be_bypassed(demand):
        raise InputError(f"{demand} can never be bypassed", code="bad-bypass", hint=hint)
    if demand not in open_now:
        raise InputError(f"{demand} is not missing: there is nothing to bypass", code="bad-bypass", hint=hint)
    if not timedelta(0) < duration(expires) <= BYPASS_MAX:
        raise InputError(
            f"a bypass stands for at most {BYPASS_MAX.days} days, not {expires}",
            code="bad-bypass",
            hint="--expires P1D",
        )


def live_bypasses(bypasses: Sequence[Bypass], *, now: datetime, requester: str | None) -> dict[str, Bypass]:
    """Demand -> the newest bypass of it that counts at `now`; who applies the plan does not excuse himself from it."""
    return {one.demand: one for one in bypasses if not _against(one, now=now, requester=requester)}


def idle_bypasses(
    bypasses: Sequence[Bypass], *, missing: Iterable[Unmet], now: datetime, requester: str | None
) -> list[Unmet]:
    """What is signed to skip one of the `missing` demands and does not count, each with the reason."""
    names = {one.demand: one for one in missing}
    return [
        Unmet(owed.rule, f"the bypass of {one.demand} by {one.person} does not count: {why}", owed.name)
        for one in bypasses
        if (owed := names.get(one.demand)) and (why := _against(one, now=now, requester=requester))
    ]


def _against(one: Bypass, *, now: datetime, requester: str | None) -> str:
    end = end_of_word(one.expires)
    if not may_be_bypassed(one.demand):
        return "nobody can skip this"
    if not one.reason:
        return "it gives no reason"
    if end is None:
        return f"{one.expires!r}, where it should say until when it stands, is not a time"
    if end <= now:
        return "it expired"
    if end > instant(one.at) + BYPASS_MAX:
        return f"it stands for more than {BYPASS_MAX.days} days"
    return "who applies the plan does not excuse himself from it" if one.person == requester else ""
