"""Reads an answer in the AuthZEN evaluation shape as an `Observed` (documents.md, The one request shape).

    {"decision": true, "context": {"effect": "allow", "reason": "entitled", "limit": {...}}}

Reading is strict: what is not exactly this shape is a fault, never a decision. Fields nobody here knows are ignored, as
AuthZEN 1.0 demands; an optional field that is null counts as left out. `context.error` says that the app could not
decide: a fault too, so that a broken service is never taken for one that refuses.

This runs once an observation, so answers of a shape seen before come from a bounded table and build nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from reprlib import Repr
from typing import Any, Final

from plangate.entitlements.decision import Effect, LimitDetail, Reason
from plangate.verdicts.observation import Fault, Observed

__all__ = [
    "AnswerReader",
    "MalformedAnswerError",
    "Redact",
    "answer_reader",
    "read_answer",
    "read_limit",
    "read_reason",
    "redacted_limit",
    "redacted_reason",
]

Redact = Callable[[str], str]
"""Takes secrets out of a text and bounds its length (`plangate.drivers.redaction`)."""
AnswerReader = Callable[[object], Observed]
"""Turns whatever a target answered into an `Observed`. Total: never raises."""

REASON_CHARS_MAX: Final = 200
NAME_CHARS_MAX: Final = 200
INTEGER_MAX: Final = 2**63 - 1
"""What the store's integers hold."""
_SEEN_MAX: Final = 4096
"""Distinct answers remembered by one reader; an app that words each answer anew only loses the short cut."""
_EXCERPT_CHARS: Final = 600
_TEXT_CHARS: Final = 120

_NOTHING: Final[dict[str, Any]] = {}
_PLAIN_TYPES: Final = frozenset({str, int, type(None)})
_REASONS: Final = frozenset(reason.value for reason in Reason)
_EFFECTS: Final = {effect.value: effect for effect in Effect}


class MalformedAnswerError(Exception):
    """Why an answer is not of the agreed shape."""


def answer_reader(redact: Redact | None = None) -> AnswerReader:
    """A reader with a table of its own. `redact` is applied to every text that it lets through."""
    seen: dict[object, Observed] = {}
    recall = seen.get

    def read(value: object) -> Observed:
        key = _key(value)
        if key is not None:
            try:
                known = recall(key)
            except TypeError:  # unhashable: a list where a word belongs
                return _read(value, redact)
            if known is not None:
                return known
        observed = _read(value, redact)
        if key is not None and observed.fault is None and len(seen) < _SEEN_MAX:
            seen[key] = observed
        return observed

    return read


def _key(value: object) -> tuple[object, ...] | None:
    """What tells two good answers apart; None where the answer must be read with care.

    Types are checked here, before any table is asked: to a dict, 1 and 1.0 and True are one key.
    """
    answer: dict[str, Any] = value if value.__class__ is dict else _NOTHING
    decision = answer.get("decision")
    if decision is not True and decision is not False:
        return None
    context = answer.get("context")
    if context is None:
        return (decision,)
    if context.__class__ is not dict or context.get("error") is not None:
        return None
    limit = context.get("limit")
    if limit is None:
        return (decision, context.get("effect"), context.get("reason"))
    # An empty one is malformed, and would have the key of an answer without any.
    if limit and limit.__class__ is dict and _PLAIN_TYPES.issuperset(map(type, limit.values())):
        return (decision, context.get("effect"), context.get("reason"), *limit, *limit.values())
    return None


def _read(value: object, redact: Redact | None) -> Observed:
    try:
        observed = _decide(value, redact)
    except MalformedAnswerError as error:
        observed = Observed(fault=Fault.MALFORMED, detail=f"{error}: {_excerpt(value, redact)}")
    if redact is None:
        return observed
    return _redacted(observed, redact)


def _redacted(observed: Observed, redact: Callable[[str], str]) -> Observed:
    return Observed(
        effect=observed.effect,
        reason=redacted_reason(observed.reason, redact),
        limit=redacted_limit(observed.limit, redact),
        fault=observed.fault,
        detail=None if observed.detail is None else redact(observed.detail),
    )


def _decide(value: object, redact: Redact | None) -> Observed:
    answer = _object(value, "the answer")
    decision = answer.get("decision")
    if not isinstance(decision, bool):
        raise MalformedAnswerError(f"decision must be true or false, not {_kind(decision)}")
    context = _object({} if answer.get("context") is None else answer["context"], "context")
    error = context.get("error")
    if error is not None:
        return Observed(fault=Fault.RAISED, detail=f"context.error: {_excerpt(error, redact)}")
    return Observed(
        effect=_effect(decision, context.get("effect")),
        reason=read_reason(context.get("reason")),
        limit=read_limit(context.get("limit"), "context.limit"),
    )


def _effect(decision: bool, word: object) -> Effect:  # noqa: FBT001
    if word is None:
        return Effect.ALLOW if decision else Effect.DENY
    effect = _EFFECTS.get(word) if isinstance(word, str) else None
    if effect is None:
        raise MalformedAnswerError(f"context.effect must be one of {', '.join(_EFFECTS)}")
    if decision is not (effect is Effect.ALLOW):
        raise MalformedAnswerError(f"decision {str(decision).lower()} contradicts context.effect {effect.value}")
    return effect


def read_reason(value: object) -> str | None:
    """A reason as an app gives it: text of at most 200 characters, or None. Raises MalformedAnswerError."""
    return _text(value, "the reason", REASON_CHARS_MAX)


def redacted_reason(reason: str | None, redact: Redact) -> str | None:
    """A reason without secrets. Those of the closed list stay, though a careless secret may be a part of one."""
    return reason if reason is None or reason in _REASONS else redact(reason)


def read_limit(value: object, place: str) -> LimitDetail | None:
    """The limit that stands at `place` of an answer; None where nothing stands there. Raises MalformedAnswerError."""
    if value is None:
        return None
    limit = _object(value, place)
    name = _text(limit.get("name"), f"{place}.name", NAME_CHARS_MAX)
    if not name:
        raise MalformedAnswerError(f"{place}.name is missing")
    resets_at = _text(limit.get("resets_at"), f"{place}.resets_at", NAME_CHARS_MAX)
    return LimitDetail(
        name,
        _integer(limit.get("limit"), f"{place}.limit"),
        _integer(limit.get("remaining"), f"{place}.remaining"),
        resets_at,
    )


def redacted_limit(limit: LimitDetail | None, redact: Redact) -> LimitDetail | None:
    """A limit without secrets in its name and in when it starts again."""
    if limit is None:
        return None
    resets_at = None if limit.resets_at is None else redact(limit.resets_at)
    return LimitDetail(redact(limit.name), limit.limit, limit.remaining, resets_at)


def _integer(number: object, place: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise MalformedAnswerError(f"{place} must be an integer, not {_kind(number)}")
    if not -INTEGER_MAX <= number <= INTEGER_MAX:
        raise MalformedAnswerError(f"{place} is beyond 64 bits")
    return int(number)


def _text(value: object, name: str, chars_max: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise MalformedAnswerError(f"{name} must be text, not {_kind(value)}")
    if len(value) > chars_max:
        raise MalformedAnswerError(f"{name} is longer than {chars_max} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise MalformedAnswerError(f"{name} is not valid text (a lone surrogate)") from None
    # A plain str: an app in this process may answer with a StrEnum of its own, which no store should have to know.
    return str.__str__(value)


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedAnswerError(f"{name} must be an object, not {_kind(value)}")
    return value


def _kind(value: object) -> str:
    if value is None:
        return "null or missing"
    return {"bool": "a boolean", "str": "text", "int": "a number", "float": "a number", "list": "a list"}.get(
        type(value).__name__, type(value).__name__
    )


class _Excerpts(Repr):
    """Short descriptions of any value, each text in it redacted before it is cut: half a secret is a secret too."""

    def __init__(self, redact: Redact | None) -> None:
        super().__init__()
        self._redact = redact

    def repr_str(self, value: str, level: int) -> str:
        return repr(self._cut(value))

    def repr_instance(self, value: object, level: int) -> str:
        return self._cut(repr(value))

    def _cut(self, text: str) -> str:
        text = text if self._redact is None else self._redact(text)
        return text if len(text) <= _TEXT_CHARS else text[:_TEXT_CHARS] + "..."


def _excerpt(value: object, redact: Redact | None) -> str:
    try:
        return _Excerpts(redact).repr(value)[:_EXCERPT_CHARS]
    except Exception as error:  # a value of the app's own class may fail even to describe itself
        return f"<{type(value).__name__}: {type(error).__name__} while describing it>"


read_answer: Final = answer_reader()
"""Reads one answer, without redaction (see `answer_reader`). Total: never raises."""
