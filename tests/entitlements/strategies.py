"""Random plan catalogs, policies, subjects and requests as raw documents: small pools of names, so that things meet.

A case is read off a string of random bytes, one byte a choice: forty times faster than composing strategies, and it
still shrinks, because a zero always chooses the plainest thing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st

__all__ = ["Case", "cases"]

T = TypeVar("T")
Raw = dict[str, Any]

_REQUEST_BYTES = 48
_CATALOG_BYTES = 200

CAPABILITIES = ["kb.search", "report.export", "ticket.write", "data.purge"]
PLANS = ["free", "pro", "max"]
LIMITS = ["messages", "exports", "tokens"]
SCOPES = ["Tickets.Read", "Tickets.Write"]
LEVELS = ["preauthorized", "admin", "user"]
ADDONS = ["pack", "suite"]
STATES = ["PendingFulfillmentStart", "Suspended", "Unsubscribed", "Trial"]
WINDOWS = ["day", "hour", "month", "rolling PT1H", "run", "term", "week", "billing P1M"]
LANES = ["automatic", "approval"]
MALFORMED: list[Any] = [-1, True, "2", 1.5, None]
SETTINGS: Raw = {
    "data_scope": {"order": ["own", "team", "org"]},
    "models": {"set": ["small", "large"]},
    "max_steps": {"integer": {"minimum": 1}},
}
TIMES = [
    "2026-01-01T00:00:00Z",
    "2026-02-28T23:30:00.5Z",
    "2026-12-31T23:00:00-05:00",
    "2026-12-15T10:20:30Z",
    "2024-02-29t23:59:60z",
    "2026-03-01T00:30:00+01:00",
    "9999-12-31T23:30:00Z",
    "soon",
]
EXPIRIES = [
    None,
    "9999-01-01T00:00:00Z",
    "2000-01-01T00:00:00Z",
    *TIMES,
    "2026-01-01T00:00:00.000001Z",
    "2025-12-31T23:59:59.999999Z",
    "2026-01-01T01:00:00+01:00",
    "2026-01-01",
    "20260101T000000Z",
    "2026-13-01T00:00:00Z",
]


class Case(NamedTuple):
    """A catalog, an environment's policy, and a few subjects with a request each."""

    catalog: Raw
    policy: Raw
    asked: list[tuple[Raw, Raw]]


class Choices:
    """Choices read off bytes, one byte each; zeros once the bytes are used up."""

    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)

    def number(self, below: int) -> int:
        return next(self._bytes, 0) % below

    def one(self, pool: Sequence[T]) -> T:
        return pool[self.number(len(pool))]

    def rarely(self, times: int) -> bool:
        """True once in so many `times`, never for a zero."""
        return self.number(times) == times - 1

    def some(self, pool: Sequence[T], *, most: int = 3) -> list[T]:
        """Up to `most` of the pool, possibly one of them twice."""
        return [self.one(pool) for _ in range(self.number(most + 1))]

    def mapping(self, keys: Sequence[str], make: Callable[[], Any], *, most: int = 3) -> Raw:
        return {key: make() for key in self.some(keys, most=most)}

    def shuffled(self, pool: Sequence[T]) -> list[T]:
        left = list(pool)
        return [left.pop(self.number(len(left))) for _ in pool]


def cases(*, asked: int = 5) -> st.SearchStrategy[Case]:
    """Cases in which every rule can decide something; with undeclared names, contradictions and malformed values."""
    size = _CATALOG_BYTES + _REQUEST_BYTES * asked
    return st.binary(min_size=size, max_size=size).map(lambda data: _case(data, asked=asked))


def _case(data: bytes, *, asked: int) -> Case:
    # Who asks and what is read first, so that its bytes stay put while the catalog shrinks.
    starts = range(0, _REQUEST_BYTES * asked, _REQUEST_BYTES)
    requests = [Choices(data[start : start + _REQUEST_BYTES]) for start in starts]
    choices = Choices(data[_REQUEST_BYTES * asked :])
    return Case(_catalog(choices), _policy(choices), [(_subject(one), _request(one)) for one in requests])


def _catalog(c: Choices) -> Raw:
    return {
        "plans": _plans(c),
        "capabilities": {name: _capability(c) for name in CAPABILITIES},
        "limits": {
            name: {"window": c.one(WINDOWS), "enforcement": c.one(["hard", "hard", "soft"])}
            for name in c.shuffled(LIMITS)
        },
        "settings": SETTINGS,
        "states": c.mapping(STATES, lambda: _state(c), most=4),
        "addons": {
            name: {
                "grants": c.some(CAPABILITIES, most=2),
                "limits": c.mapping(LIMITS, lambda: {"add": 1 + c.number(3)}, most=2),
            }
            for name in ADDONS
        },
    }


def _state(c: Choices) -> Raw:
    reason = c.one([None, None, "subscription_canceled", "suspended"])
    return {"retains": c.some(CAPABILITIES), **({} if reason is None else {"reason": reason})}


def _plans(c: Choices) -> Raw:
    """Three plans; each may extend any that comes before it in PLANS, in whichever order the file has them."""
    bodies = {}
    for number, name in enumerate(PLANS):
        parent = c.one([None, *PLANS[:number]])
        bodies[name] = {
            **({} if parent is None else {"extends": parent}),
            "grants": c.some(CAPABILITIES, most=4),
            "revokes": c.some(CAPABILITIES, most=1),
            "limits": c.mapping(LIMITS, lambda: _limit_value(c)),
            "settings": _plan_settings(c),
            "lanes": c.mapping(CAPABILITIES, lambda: c.one(LANES), most=1),
        }
    return {name: bodies[name] for name in c.shuffled(PLANS)}


def _limit_value(c: Choices) -> Any:
    number = c.number(5)
    return c.one([number, number, "unlimited", {"per_quantity": number}])


def _plan_settings(c: Choices) -> Raw:
    own = {
        "data_scope": c.one(["own", "team", "org", "own", "team", "galaxy"]),
        "models": c.some(["small", "large"], most=2),
        "max_steps": 1 + c.number(4),
    }
    return {name: value for name, value in own.items() if c.number(4)}


def _capability(c: Choices) -> Raw:
    return {
        "consumes": c.mapping([*LIMITS, *LIMITS, *LIMITS, "undeclared"], lambda: 1 + c.number(3), most=2),
        "uses": c.some([*SETTINGS, *SETTINGS, "undeclared"], most=2),
        "lane": c.one([*LANES, "automatic"]),
        "scopes": [{"name": c.one(SCOPES), "consent": c.one(LEVELS)} for _ in range(c.one([0, 0, 1, 2]))],
        "prohibited": c.rarely(8),
    }


def _policy(c: Choices) -> Raw:
    policy = {
        "max_steps": 1 + c.number(4),
        "denied": c.some(CAPABILITIES, most=1),
        "lanes": c.mapping(CAPABILITIES, lambda: c.one(LANES), most=2),
    }
    return {name: value for name, value in policy.items() if c.rarely(2)}


def _subject(c: Choices) -> Raw:
    return {
        "plan": c.one([*PLANS, *PLANS, *PLANS, "ghost"]),
        "state": c.one([*["Subscribed"] * 9, *STATES, "Limbo"]),
        "usage": c.mapping(LIMITS, lambda: c.one(MALFORMED) if c.rarely(9) else c.number(6)),
        "addons": c.some([*ADDONS, "ghost-pack"], most=2),
        "quantity": "2" if c.rarely(20) else c.one([-1, 0, 1, 2, 3, None]),
        "tenant_linked": c.one([True] * 12 + [False, "yes"]),
        "consents": [{"name": c.one(SCOPES), "level": c.one([*LEVELS, "owner"])} for _ in range(c.number(4))],
        "overrides": [
            {
                "capability": c.one(CAPABILITIES),
                "effect": c.one([*["grant"] * 6, *["revoke"] * 5, "extend"]),
                "expires": c.one(EXPIRIES),
            }
            for _ in range(c.one([0, 1, 0, 2]))
        ],
    }


def _request(c: Choices) -> Raw:
    named = {
        "data_scope": c.one(["own", "team", "org", "own", "team", "galaxy", 1, ""]),
        "models": c.one(["small", "large", "small", "large", "huge", "", True]),
        "max_steps": c.one([1, 2, 3, 4, 5, 0, True, "3", 2.0]),
        "undeclared": "x",
    }
    return {
        "capability": c.one([*CAPABILITIES, *CAPABILITIES, *CAPABILITIES, "nothing.known"]),
        "settings": {name: value for name, value in named.items() if c.rarely(2)},
        "cost": c.mapping([*LIMITS, *LIMITS, "undeclared"], lambda: c.one([1, 2, 3, 0, *MALFORMED]), most=2),
        "time": c.one(TIMES),
    }
