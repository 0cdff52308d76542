"""What makes two failing cells alike: the decision that was due, and what came instead without what varies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from plangate.entitlements.decision import Effect, LimitDetail, Reason
from plangate.reports.safe_text import clean, shape
from plangate.verdicts.observation import Fault
from plangate.verdicts.result import CellResult, Expected, ObservedCount, Verdict

__all__ = [
    "PASSED_OVER",
    "TOO_EARLY",
    "Due",
    "Symptom",
    "could_be_refused_by",
    "decision_text",
    "due_of",
    "fault_text",
    "observed_texts",
    "symptom_of",
]

PASSED_OVER = "passed over"
TOO_EARLY = "too early"


class Due(NamedTuple):
    """The decision that the plan sells: effect, reason and the rule that decided."""

    effect: Effect
    reason: str
    rule: str


class Symptom(NamedTuple):
    """What came instead.

    `kind` is `passed over` (the answer of a later rule, as if the due one were not there), `too early` (the refusal of
    a rule that comes before the due one), `silent`, `limit`, `fault`, `unobserved`, how a flaky cell changes, or empty.
    `said` holds (effect, reason) pairs, or (fault, text), where they are part of what makes cells alike.
    """

    kind: str
    said: tuple[tuple[str, str], ...]


_RANKS: Mapping[str, int] = {
    Reason.UNKNOWN_CAPABILITY: 1,
    Reason.PROHIBITED: 2,
    Reason.TENANT_NOT_LINKED: 3,
    Reason.NOT_ACTIVATED: 4,
    Reason.SUSPENDED: 4,
    Reason.UNSUBSCRIBED: 4,
    Reason.UNKNOWN_STATE: 4,
    Reason.UNKNOWN_PLAN: 5,
    Reason.REVOKED: 6,
    Reason.NOT_IN_PLAN: 7,
    Reason.CONSENT_REQUIRED: 8,
    Reason.OUT_OF_SCOPE: 9,
    Reason.LIMIT_EXCEEDED: 10,
}
"""Place of each refusal in the order of the rules (domain.md section 2)."""
_APPROVAL, _ALLOW = 11, 12


def _rank(effect: Effect | None, reason: str | None, *, due: bool = False) -> int | None:
    """Where in the order of the rules a decision comes from; None for a reason that is not ours."""
    if effect is Effect.ALLOW:
        # A soft limit that is due is a limit to be noticed; an app that says `soft_limit` where none is due allows.
        return _RANKS[Reason.LIMIT_EXCEEDED] if due and reason == Reason.SOFT_LIMIT else _ALLOW
    return _APPROVAL if effect is Effect.REQUIRE_APPROVAL else _RANKS.get(reason or "")


def _due_rank(due: Due | Expected) -> int | None:
    """A state may have a reason of its own; the rule tells its place."""
    return _RANKS[Reason.UNKNOWN_STATE] if due.rule == "D4" else _rank(due.effect, due.reason, due=True)


def could_be_refused_by(reason: str, due: Due) -> bool:
    """Whether a refusal for `reason` would come before the due decision."""
    rank, due_rank = _RANKS.get(reason), _due_rank(due)
    return rank is not None and due_rank is not None and rank < due_rank


def due_of(expected: Expected) -> Due:
    """The due decision without the line it came from."""
    return Due(expected.effect, expected.reason, expected.rule)


def symptom_of(result: CellResult) -> Symptom:
    """The symptom of a failing cell; equal for cells that fail alike."""
    decisions = [one for one in result.observed if one.effect is not None]
    if result.verdict is Verdict.ERROR:
        return _fault_symptom(result)
    if result.verdict is Verdict.FLAKY:
        # Which decisions alternate differs from cell to cell; that and how they alternate is what the cells share.
        return Symptom(_what_differs(decisions), ())
    said = tuple(sorted({(str(one.effect), shape(one.reason or "")) for one in decisions}))
    out_of_order = _out_of_order(result.expected, decisions)
    if out_of_order:
        return Symptom(out_of_order, said if out_of_order == TOO_EARLY else ())
    if result.verdict is not Verdict.MISMATCH:
        return Symptom("", said)
    if all(one.effect is result.expected.effect and not one.reason for one in decisions):
        return Symptom("silent", ())
    return Symptom("limit" if any(_limit_differs(result.expected, one) for one in decisions) else "", said)


def _out_of_order(expected: Expected, decisions: list[ObservedCount]) -> str:
    """Whether an earlier or a later rule answered; empty where neither is known."""
    due = _due_rank(expected)
    ranks = [_rank(one.effect, one.reason) for one in decisions]
    if due is None or any(rank is None for rank in ranks):
        return ""
    if all(rank is not None and rank > due for rank in ranks):
        return PASSED_OVER
    early = all(one.effect is Effect.DENY for one in decisions) and all(
        rank is not None and rank < due for rank in ranks
    )
    return TOO_EARLY if early else ""


def _fault_symptom(result: CellResult) -> Symptom:
    faults = [one for one in result.observed if one.fault is not None]
    if not faults:
        return Symptom("unobserved", ())
    said = sorted({(str(one.fault), shape(one.detail or "")) for one in faults})
    return Symptom("fault", tuple(said[:3]))


def _what_differs(decisions: list[ObservedCount]) -> str:
    if len({one.effect for one in decisions}) > 1:
        return "effect"
    return "reason" if len({one.reason for one in decisions}) > 1 else "limit"


def _limit_differs(expected: Expected, observed: ObservedCount) -> bool:
    """Right effect and reason, so the limit it names must be what is wrong."""
    return observed.effect is expected.effect and observed.reason == expected.reason


def decision_text(effect: Effect, reason: str | None, limit: LimitDetail | None = None) -> str:
    """A decision in words: `deny limit_exceeded (exports: limit 50, 0 left, resets at 2026-02-01T00:00:00Z)`."""
    said = f"{effect.value} {clean(reason, length_max=160)}" if reason else f"{effect.value} without a reason"
    if limit is None:
        return said
    resets = f", resets at {clean(limit.resets_at, length_max=80)}" if limit.resets_at else ""
    return f"{said} ({clean(limit.name, length_max=80)}: limit {limit.limit}, {limit.remaining} left{resets})"


def observed_texts(result: CellResult) -> tuple[str, ...]:
    """Each distinct observation of a cell in words, without its count, sorted."""
    texts = set()
    for one in result.observed:
        if one.effect is None:
            texts.add(fault_text(one.fault, one.detail))
        else:
            texts.add(decision_text(one.effect, one.reason, one.limit))
    return tuple(sorted(texts)) or ("nothing",)


_FAULTS = {
    Fault.UNREACHABLE: "no answer",
    Fault.CLOSED: "the answer broke off",
    Fault.TIMEOUT: "no answer in time",
    Fault.RAISED: "the app failed instead of deciding",
    Fault.MALFORMED: "the answer has not the agreed shape",
    Fault.UNMATCHED: "no `decide` rule reads the answer",
    Fault.ARRANGE: "the subject could not be arranged",
}


def fault_text(fault: Fault | None, detail: str | None) -> str:
    """A fault in words with what came back: `no answer: connection refused`."""
    said = _FAULTS[fault] if fault is not None else "not observed"
    told = clean(detail or "", length_max=200)
    return f"{said}: {told}" if told else said
