"""How long a release has been in the environments it comes from, by the ledger's times (rule P8). Pure."""

from __future__ import annotations

from datetime import datetime

from plangate.promotion.state import State
from plangate.promotion.unmet import Unmet, duration, instant, spoken

__all__ = ["soaked_since", "unmet_soak"]


def soaked_since(state: State, *, environment: str, release: str) -> tuple[datetime, datetime | None] | None:
    """When the release's latest stay began, and when it ended (None: it is still there). None: nobody recorded it.

    A release that was never promoted into its environment (the first one, by hand) counts from its first result there.
    """
    moves = state.environment(environment).promotions
    stay: tuple[datetime, datetime | None] | None = None
    if (seen := state.first_seen.get((environment, release))) and not any(one.release == release for one in moves):
        later = [one for one in moves if one.at > seen]
        return instant(seen), instant(later[0].at) if later else None
    for place, move in enumerate(moves):
        if move.release != release:
            continue
        if place and moves[place - 1].release == release and stay is not None:
            stay = (stay[0], None)
        else:
            stay = (instant(move.at), None)
        if place + 1 < len(moves):  # the next one of the same release opens the stay again
            stay = (stay[0], instant(moves[place + 1].at))
    return stay


def unmet_soak(state: State, *, source: str, release: str, soak: str | None, now: datetime) -> list[Unmet]:
    """What is left of the soak in `source`. A clock that was set back makes no soak shorter: what counts is the later
    of `now` and the ledger's own time."""
    if soak is None:
        return []
    stay = soaked_since(state, environment=source, release=release)
    if stay is None:
        return [
            Unmet(
                "P8",
                f"nothing in the ledger says since when this release is in {source}; it needs {soak} there",
                "soak",
            )
        ]
    left = duration(soak) - ((stay[1] or now) - stay[0])
    if left.total_seconds() <= 0:
        return []
    if stay[1] is not None:
        return [Unmet("P8", f"this release left {source} before its soak of {soak} was over", "soak")]
    return [Unmet("P8", f"soak in {source}: {spoken(left)} left of {soak}", "soak")]
