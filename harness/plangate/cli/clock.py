"""What time it is: the only module that asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["now", "signing_time"]


def now() -> str:
    """RFC 3339 UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def signing_time(clock: str, *, last_at: str) -> str:
    """The time a verb signs under: what `clock` says, or the ledger's last entry where that is a little later.

    Time never runs backwards in evidence. One rule for every verb that signs: raises EvidenceError `clock-behind` where
    the clock is more than a day behind the ledger.
    """
    from plangate.errors import EvidenceError
    from plangate.promotion.unmet import instant

    if last_at and instant(last_at) - instant(clock) > timedelta(days=1):
        raise EvidenceError(
            f"the clock says {clock}, and the ledger's last entry is of {last_at}",
            code="clock-behind",
            hint="set the clock right: soak, windows and expiry cannot be decided",
        )
    return max(clock, last_at)
