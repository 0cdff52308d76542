"""The verdict of a cell and of a run: pure, total, and deaf to everything but what was expected and observed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from plangate.documents.suite import JudgeMode
from plangate.entitlements.decision import Effect, LimitDetail
from plangate.entitlements.instants import instant_of
from plangate.verdicts.result import Expected, ObservedCount, RunVerdict, Totals, Verdict

__all__ = ["decision_of", "judge_cell", "judge_run", "leaks", "told_limit"]

DecisionKey = tuple[str, str | None, LimitDetail | None]
"""What makes two decisions the same: effect, reason, and what is told of a limit."""


def decision_of(observed: ObservedCount, *, mode: JudgeMode = JudgeMode.EXACT) -> DecisionKey | None:
    """The decision in an observation, as far as it is judged; None for a fault."""
    if observed.effect is None:
        return None
    if mode is JudgeMode.EFFECT_ONLY:
        return (observed.effect, None, None)
    return (observed.effect, observed.reason, observed.limit)


def told_limit(expected: LimitDetail | None, told: LimitDetail | None) -> LimitDetail | None:
    """What an app tells of a limit, as far as it is judged; what is right in other words reads as expected.

    Nobody can know when a limit resets where that hangs on earlier uses, a term or a billing day: it is left out there.
    The same instant at another offset is the same; a rest below zero says that nothing is left, and by how much more.
    """
    if told is None or told == expected:
        return told
    if expected is None:
        return told if told.resets_at is None else replace(told, resets_at=None)
    rest = expected.remaining if max(0, told.remaining) == expected.remaining else told.remaining
    resets = None if expected.resets_at is None else told.resets_at
    if resets is not None and expected.resets_at is not None:
        instant = instant_of(resets)
        resets = expected.resets_at if instant and instant == instant_of(expected.resets_at) else resets
    return LimitDetail(told.name, told.limit, rest, resets)


def leaks(expected: Expected, observed: ObservedCount) -> bool:
    """Whether this observation allowed what was not bought, or what waits for an approval."""
    return observed.effect is Effect.ALLOW and expected.effect is not Effect.ALLOW


def judge_cell(
    expected: Expected, observed: Sequence[ObservedCount], *, mode: JudgeMode = JudgeMode.EXACT
) -> tuple[Verdict, bool]:
    """Verdict of one cell, and whether any observation leaked.

    Decisions that differ are `flaky`; a decision that all observations share is compared with the expected one; a fault
    beside it is an `error`, unless a leak was seen. Nothing observed is an `error`. Total: never raises.
    """
    if any(one.limit is not None for one in observed):
        observed = [replace(one, limit=told_limit(expected.limit, one.limit)) for one in observed]
    leaked = any(leaks(expected, one) for one in observed)
    decisions = {key for one in observed if (key := decision_of(one, mode=mode)) is not None}
    if len(decisions) > 1:
        return Verdict.FLAKY, leaked
    if leaked:
        return Verdict.LEAK, True
    if not decisions or any(one.fault is not None for one in observed):
        return Verdict.ERROR, False
    return _compare(expected, observed, mode=mode), False


def _compare(expected: Expected, observed: Sequence[ObservedCount], *, mode: JudgeMode) -> Verdict:
    effect = observed[0].effect
    if effect is not expected.effect:
        # Approval asked where the plan says automatic keeps a buyer out; where it says no, it is only the wrong no.
        refused = expected.effect is not Effect.DENY
        return Verdict.LOCKOUT if refused else Verdict.MISMATCH
    if mode is JudgeMode.EFFECT_ONLY:
        return Verdict.PASS
    if observed[0].reason != expected.reason:
        return Verdict.MISMATCH
    return Verdict.PASS if all(_limit_agrees(expected.limit, one.limit) for one in observed) else Verdict.MISMATCH


def _limit_agrees(expected: LimitDetail | None, observed: LimitDetail | None) -> bool:
    """A limit is judged where the app tells one, and when it resets where the app tells that."""
    if observed is None:
        return True
    if expected is None:
        return False
    return observed in (expected, replace(expected, resets_at=None))


def judge_run(totals: Iterable[Totals], *, leaked: int, stopped: bool, differs: bool = False) -> RunVerdict:
    """Verdict of a run over its suites.

    A leak fails it. Otherwise an error, a missing cell, an early end, nothing at all, or that something else ran than
    the manifest says (`differs`, rule R14) leaves it undecided: never a pass (rules R2, R6). Otherwise any lockout,
    mismatch or flaky cell fails it. Where nothing was expected to be allowed, an app that refuses everything would
    pass: undecided (rule R12).
    """
    each = tuple(totals)
    if leaked:
        return RunVerdict.FAILED
    executed = sum(one.executed for one in each)
    if stopped or differs or not executed or any(one.error or one.missing for one in each):
        return RunVerdict.UNDECIDED
    if any(one.lockout or one.mismatch or one.flaky for one in each):
        return RunVerdict.FAILED
    if not any(one.allowing for one in each):
        return RunVerdict.UNDECIDED
    return RunVerdict.PASSED
