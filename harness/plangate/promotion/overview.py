"""Where every environment stands, and how it came there: projections of manifests and ledger. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plangate.documents.environment import Environment
from plangate.promotion.soak import soaked_since
from plangate.promotion.state import Hold, State
from plangate.promotion.unmet import instant, spoken
from plangate.releases.release import ReleaseIdentity

__all__ = ["Standing", "standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One environment as it is now."""

    environment: str
    revision: int
    release: str
    validated: str
    """When its gates last passed for exactly what it is; empty: never, or they failed since."""
    since: str
    """How long the release has been there; empty: nobody recorded it."""
    by: str
    holds: tuple[Hold, ...]
    bypassed: tuple[str, ...]
    """What the promotion skipped that brought in the release; empty once its gates have passed for it after all."""
    let_through: bool
    """Whether its gates last passed by letting through what a suite found."""
    drift: str
    """What the newest look at what runs there found, if it was about exactly this; empty: nobody looked."""
    astray: str
    """How manifest and ledger contradict each other; empty where they agree or the ledger says nothing."""


def standing(environment: Environment, identity: ReleaseIdentity, *, state: State | None, now: datetime) -> Standing:
    """How `environment` stands at `now`; without a `state` (no trust policy) only what its manifest says. Total."""
    name = environment.name
    known = (state or State()).environment(name)
    stay = soaked_since(state, environment=name, release=identity.release) if state else None
    length = spoken(max(now, instant(known.now.at) if known.now else now) - stay[0]) if stay and not stay[1] else ""
    return Standing(
        environment=name,
        revision=environment.revision,
        release=identity.release,
        validated=(state.summaries.get((name, identity.release, identity.effective), "") if state else ""),
        since=length,
        by=known.now.person if known.now else "",
        holds=known.holds,
        bypassed=known.now.bypassed if known.now and not known.validated_since else (),
        let_through=bool(state and (name, identity.release, identity.effective) in state.let_through),
        drift=_drift(name, identity, state),
        astray=_astray(environment, identity, state),
    )


def _drift(name: str, identity: ReleaseIdentity, state: State | None) -> str:
    look = state.drifts.get(name) if state else None
    if look is None or (look.release, look.effective) != (identity.release, identity.effective):
        return ""
    if look.verdict == "drifted":
        more = f" and {len(look.texts) - 1} more" if len(look.texts) > 1 else ""
        return f"DRIFTED, seen {look.at}: {''.join(look.texts[:1])}{more}"
    return f"no drift, seen {look.at}" if look.verdict == "none" else f"drift could not be judged {look.at}"


def _astray(environment: Environment, identity: ReleaseIdentity, state: State | None) -> str:
    last = state.environment(environment.name).now if state else None
    if last is None:
        return ""
    if last.revision != environment.revision:
        return f"the ledger says revision {last.revision}"
    return "" if last.release == identity.release else "its release was changed by hand since it was promoted"
