"""Whether enough people approved a plan: distinct keys and people, nobody's own, none expired, none against (P5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from plangate.promotion.state import Approval
from plangate.promotion.unmet import Unmet, end_of_word

__all__ = ["counted_approvals", "unmet_approvals"]


def counted_approvals(
    approvals: Sequence[Approval], *, roles: Sequence[str], excluded: Sequence[str], now: datetime
) -> tuple[Approval, ...]:
    """Those that count, one for each person and each key; `excluded` are people whose word does not."""
    people: set[str] = set()
    keys: set[bytes] = set()
    found = []
    for approval in approvals:
        alone = approval.person not in people and approval.key not in keys
        fits = not roles or approval.role in roles
        end = end_of_word(approval.expires)
        alive = end is not None and end > now
        if alone and fits and alive and approval.person not in excluded:
            people.add(approval.person)
            keys.add(approval.key)
            found.append(approval)
    return tuple(found)


def unmet_approvals(
    approvals: Sequence[Approval],
    rejections: Sequence[Approval],
    *,
    count: int,
    roles: Sequence[str],
    excluded: Sequence[str],
    now: datetime,
) -> list[Unmet]:
    """What is missing, reasons included. One rejection blocks the plan for good: make another."""
    found = [
        Unmet(
            "P5", f"{one.person} ({one.role}) rejected this plan{': ' + one.reason if one.reason else ''}", "rejection"
        )
        for one in rejections
    ]
    counted = counted_approvals(approvals, roles=roles, excluded=excluded, now=now)
    left = count - len(counted)
    if left > 0:
        of = f" by {' or '.join(roles)}" if roles else ""
        people = ", ".join(one.person for one in counted)
        so_far = f" (so far: {people})" if people else ""
        found.append(Unmet("P5", f"{left} more approval{'s' * (left > 1)}{of}{so_far}"))
        found += [
            Unmet("P5", f"the approval of {one.person} does not count: {why}")
            for one in approvals
            if one not in counted and (why := _why(one, roles=roles, excluded=excluded, now=now))
        ]
    return found


def _why(one: Approval, *, roles: Sequence[str], excluded: Sequence[str], now: datetime) -> str:
    if one.person in excluded:
        return "who asks for a promotion, or made the release, does not approve it"
    if roles and one.role not in roles:
        return f"{one.role} is not a role that may approve here"
    end = end_of_word(one.expires)
    if end is None:
        return f"{one.expires!r}, where it should say until when it stands, is not a time"
    return "it expired" if end <= now else "same person or key as another"
