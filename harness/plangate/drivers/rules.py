"""`decide` rules: how an HTTP answer reads as a decision. First match wins; no match is a fault (documents.md).

    - {when: {status: 200}, effect: allow, reason: entitled}
    - {when: {status: [402, 403], json: {$.error.type: plan}}, effect: deny, reason: $.error.code}
    - when: {status: 429}
      effect: deny
      reason: limit_exceeded
      limit: {name: $.quota.name, limit: $.quota.max, remaining: $.quota.left, resets_at: $.quota.resets}

Where a target has no rules, a 200 must carry the answer of documents.md itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from plangate.documents.environment import DecideRule, Json, LimitPaths
from plangate.documents.wording import shown
from plangate.drivers.answer_paths import ABSENT, Lookup, is_path, lookup
from plangate.drivers.answers import (
    MalformedAnswerError,
    Redact,
    answer_reader,
    read_limit,
    read_reason,
    redacted_limit,
    redacted_reason,
)
from plangate.drivers.jsonbytes import read_json
from plangate.entitlements.decision import Effect, LimitDetail
from plangate.errors import InputError
from plangate.verdicts.observation import Fault, Observed

__all__ = ["UNAUTHENTICATED", "ReplyReader", "compile_rules"]

UNAUTHENTICATED: Final = 401
"""What says that plangate itself is not signed in: whatever a rule says of it, it decides nothing about a plan."""

ReplyReader = Callable[[int, bytes], Observed]
"""Turns a status and a body into an `Observed`. Total: never raises."""

_SEEN_MAX: Final = 2048
_SEEN_BYTES_MAX: Final = 512
"""Distinct answers that a reader remembers, and the longest of them: 1 MB. Apps say the same few things over and over;
one that words each answer anew only loses the short cut."""
_EFFECTS: Final = {effect.value: effect for effect in Effect}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    statuses: frozenset[int]
    conditions: tuple[tuple[Lookup, Json], ...]
    effect: Effect | Lookup
    reason: str | Lookup | None
    limit: Mapping[str, str | int | Lookup]
    """Member of a limit -> the value, or where it stands; empty where this rule tells none."""
    constant: Observed | None
    """The answer, where it depends on nothing in the body."""


class _Undecidable(Exception):  # noqa: N818 - a finding about an answer; never leaves this module
    pass


def compile_rules(rules: Sequence[DecideRule], *, redact: Redact, where: str) -> ReplyReader:
    """A reader of answers by `rules`. Raises InputError `unknown-effect`, `bad-path`."""
    return _remembering(_rules_reader(rules, redact, where) if rules else _plain_reader(redact))


def _remembering(read: ReplyReader) -> ReplyReader:
    """The same reader, which reads an answer once: what an answer means depends on its bytes alone."""
    seen: dict[tuple[int, bytes], Observed] = {}

    def recall(status: int, body: bytes) -> Observed:
        key = (status, body)
        known = seen.get(key)
        if known is None:
            known = read(status, body)
            if known.fault is None and len(seen) < _SEEN_MAX and len(body) <= _SEEN_BYTES_MAX:
                seen[key] = known
        return known

    return recall


def _rules_reader(rules: Sequence[DecideRule], redact: Redact, where: str) -> ReplyReader:
    compiled = [_compile(rule, f"{where}[{number}]") for number, rule in enumerate(rules)]
    by_status: dict[int, list[_Rule]] = {}

    def read(status: int, body: bytes) -> Observed:
        if status == UNAUTHENTICATED:
            return _no_match(redact, status, body)
        try:
            candidates = by_status[status]
        except KeyError:
            candidates = [rule for rule in compiled if not rule.statuses or status in rule.statuses]
            if 100 <= status <= 599:  # so that a server that invents numbers cannot fill the table
                by_status[status] = candidates
        if candidates and candidates[0].constant is not None:
            return candidates[0].constant
        try:
            found = _first_match(candidates, body)
        except _Undecidable as error:
            return Observed(fault=Fault.MALFORMED, detail=_detail(redact, status, body, str(error)))
        if found is None:
            return _no_match(redact, status, body)
        return Observed(
            effect=found.effect,
            reason=redacted_reason(found.reason, redact),
            limit=redacted_limit(found.limit, redact),
        )

    return read


def _plain_reader(redact: Redact) -> ReplyReader:
    read_answer = answer_reader(redact)

    def read(status: int, body: bytes) -> Observed:
        if status != 200:
            return _no_match(redact, status, body)
        try:
            return read_answer(read_json(body))
        except ValueError as error:
            return Observed(fault=Fault.MALFORMED, detail=_detail(redact, status, body, str(error)))

    return read


def _first_match(rules: list[_Rule], body: bytes) -> Observed | None:
    """The decision by the first rule that matches; the body is read only once, and only where a rule asks."""
    value, broken = ABSENT, ""
    for rule in rules:
        if rule.constant is not None:
            return rule.constant
        if value is ABSENT and not broken:
            try:
                value = read_json(body)
            except ValueError as error:
                broken = str(error)
        if broken:
            if rule.conditions:
                continue
            raise _Undecidable(broken)
        if all(_equal(lookup(value), wanted) for lookup, wanted in rule.conditions):
            return Observed(
                effect=_effect_of(rule, value), reason=_reason_of(rule, value), limit=_limit_of(rule, value)
            )
    if broken:
        raise _Undecidable(broken)
    return None


def _effect_of(rule: _Rule, value: Any) -> Effect:
    if isinstance(rule.effect, Effect):
        return rule.effect
    word = rule.effect(value)
    effect = _EFFECTS.get(word) if isinstance(word, str) else None
    if effect is None:
        raise _Undecidable(f"the effect must be one of {', '.join(_EFFECTS)}, not {_shown(word)}")
    return effect


def _reason_of(rule: _Rule, value: Any) -> str | None:
    if rule.reason is None or isinstance(rule.reason, str):
        return rule.reason
    word = rule.reason(value)
    try:
        return read_reason(None if word is ABSENT else word)
    except MalformedAnswerError as error:
        raise _Undecidable(str(error)) from error


def _limit_of(rule: _Rule, value: Any) -> LimitDetail | None:
    """The limit the answer tells. One whose name or numbers are nowhere in it is not told, and so is not judged."""
    told: dict[str, object] = {}
    for member, place in rule.limit.items():
        word = place(value) if callable(place) else place
        if word is not ABSENT and word is not None:
            told[member] = word
        elif member != "resets_at":
            return None
    try:
        return read_limit(told or None, "limit")
    except MalformedAnswerError as error:
        raise _Undecidable(str(error)) from error


def _equal(found: Any, wanted: Json) -> bool:
    """Equality of JSON values: true is not 1, though Python says so."""
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(wanted, list) and isinstance(found, list):
        return len(found) == len(wanted) and all(map(_equal, found, wanted))
    if isinstance(wanted, dict) and isinstance(found, dict):
        return found.keys() == wanted.keys() and all(_equal(found[key], wanted[key]) for key in wanted)
    return bool(found == wanted)


def _no_match(redact: Redact, status: int, body: bytes) -> Observed:
    failed = status >= 500
    what = "the server failed" if failed else "no decide rule reads this answer"
    if status == UNAUTHENTICATED:
        what = "the app does not know who asks (its key or token is missing or wrong): no decision about a plan"
    return Observed(fault=Fault.RAISED if failed else Fault.UNMATCHED, detail=_detail(redact, status, body, what))


def _detail(redact: Redact, status: int, body: bytes, what: str) -> str:
    return redact(f"status {status}: {what}: " + body.decode("utf-8", "replace"))


def _shown(word: object) -> str:
    return "nothing" if word is ABSENT else shown(word)


def _compile(rule: DecideRule, where: str) -> _Rule:
    effect: Effect | Lookup
    if is_path(rule.effect):
        effect = lookup(rule.effect, where)
    elif rule.effect in _EFFECTS:
        effect = _EFFECTS[rule.effect]
    else:
        raise InputError(
            f"unknown effect {shown(rule.effect)}",
            code="unknown-effect",
            where=where,
            hint=f"known: {', '.join(_EFFECTS)}, or a $.path into the answer",
        )
    reason = None if rule.reason is None else _place(rule.reason, where)
    limit = {} if rule.limit is None else _limit_places(rule.limit, f"{where}.limit")
    constant = None
    if isinstance(effect, Effect) and (reason is None or isinstance(reason, str)) and not rule.json and not limit:
        constant = Observed(effect=effect, reason=reason)
    return _Rule(
        statuses=frozenset(rule.statuses),
        conditions=tuple((lookup(path, where), wanted) for path, wanted in rule.json.items()),
        effect=effect,
        reason=reason,
        limit=limit,
        constant=constant,
    )


def _limit_places(paths: LimitPaths, where: str) -> dict[str, str | int | Lookup]:
    given = {"name": paths.name, "limit": paths.limit, "remaining": paths.remaining, "resets_at": paths.resets_at}
    return {
        member: _place(word, f"{where}.{member}") if isinstance(word, str) else word
        for member, word in given.items()
        if word is not None
    }


def _place(word: str, where: str) -> str | Lookup:
    """Where `word` points in an answer; the word itself where it is no path."""
    return lookup(word, where) if is_path(word) else word
