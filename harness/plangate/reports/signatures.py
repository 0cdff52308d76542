"""What makes two failing cells alike: the decision that was due, and what came instead without what varies."""

from __future__ import annotations

from typing import NamedTuple

from plangate.entitlements.decision import Effect, LimitDetail
from plangate.reports.safe_text import clean, shape
from plangate.verdicts.observation import Fault
from plangate.verdicts.result import CellResult, Expected, ObservedCount, Verdict

__all__ = ["Due", "Symptom", "decision_text", "due_of", "fault_text", "observed_texts", "symptom_of"]


class Due(NamedTuple):
    """The decision that the plan sells: effect, reason and the rule that decided."""

    effect: Effect
    reason: str
    rule: str


class Symptom(NamedTuple):
    """What came instead. `said` holds (effect, reason) pairs, or faults; `kind` tells apart what the pairs do not."""

    kind: str
    said: tuple[tuple[str, str], ...]


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
    said = sorted({(str(one.effect), shape(one.reason or "")) for one in decisions})
    if result.verdict is not Verdict.MISMATCH:
        return Symptom("", tuple(said))
    if all(one.effect is result.expected.effect and not one.reason for one in decisions):
        return Symptom("silent", ())
    if any(_limit_differs(result.expected, one) for one in decisions):
        return Symptom("limit", tuple(said))
    return Symptom("", tuple(said))


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
    """A decision in words: `deny limit_exceeded (exports: limit 50, 0 left)`."""
    said = f"{effect.value} {clean(reason, length_max=160)}" if reason else f"{effect.value} without a reason"
    if limit is None:
        return said
    return f"{said} ({clean(limit.name, length_max=80)}: limit {limit.limit}, {limit.remaining} left)"


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
    return f"{said}: {clean(detail, length_max=200)}" if detail else said
