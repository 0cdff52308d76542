"""Verdicts as domain.md section 1 defines them, one behaviour a test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plangate.documents.suite import JudgeMode
from plangate.entitlements.decision import Effect, LimitDetail
from plangate.verdicts.judge import judge_cell, judge_run
from plangate.verdicts.observation import Fault
from plangate.verdicts.result import Expected, ObservedCount, RunVerdict, Totals, Verdict

DENY = Expected(effect=Effect.DENY, reason="not_in_plan", rule="D6", where="c.yaml:1:1")
ALLOW = Expected(effect=Effect.ALLOW, reason="entitled", rule="D11", where="c.yaml:1:1")
APPROVAL = Expected(effect=Effect.REQUIRE_APPROVAL, reason="approval_required", rule="D10", where="c.yaml:1:1")
LIMIT = Expected(
    effect=Effect.DENY, reason="limit_exceeded", rule="D9", where="c.yaml:1:1", limit=LimitDetail("messages", 20, 0)
)
DAILY = replace(LIMIT, limit=LimitDetail("messages", 20, 0, "2026-01-02T00:00:00Z"))


def saw(effect: Effect | None, reason: str | None = None, *, count: int = 1, limit: LimitDetail | None = None):
    fault = Fault.TIMEOUT if effect is None else None
    return ObservedCount(effect=effect, reason=reason, limit=limit, fault=fault, count=count)


@pytest.mark.parametrize(
    ("expected", "observed", "verdict", "leaked"),
    [
        (ALLOW, [saw(Effect.ALLOW, "entitled")], Verdict.PASS, False),
        (DENY, [saw(Effect.DENY, "not_in_plan")], Verdict.PASS, False),
        (DENY, [saw(Effect.ALLOW, "entitled")], Verdict.LEAK, True),
        (APPROVAL, [saw(Effect.ALLOW, "entitled")], Verdict.LEAK, True),
        (ALLOW, [saw(Effect.DENY, "not_in_plan")], Verdict.LOCKOUT, False),
        (APPROVAL, [saw(Effect.DENY, "not_in_plan")], Verdict.LOCKOUT, False),
        (ALLOW, [saw(Effect.REQUIRE_APPROVAL, "approval_required")], Verdict.LOCKOUT, False),
        (DENY, [saw(Effect.REQUIRE_APPROVAL, "approval_required")], Verdict.MISMATCH, False),
        (DENY, [saw(Effect.DENY, "suspended")], Verdict.MISMATCH, False),
        (DENY, [saw(Effect.DENY, None)], Verdict.MISMATCH, False),
        (DENY, [], Verdict.ERROR, False),
        (DENY, [saw(None)], Verdict.ERROR, False),
        (DENY, [saw(Effect.DENY, "not_in_plan", count=2), saw(None)], Verdict.ERROR, False),
        (DENY, [saw(Effect.ALLOW, "entitled"), saw(None)], Verdict.LEAK, True),
        (DENY, [saw(Effect.DENY, "not_in_plan"), saw(Effect.ALLOW, "entitled")], Verdict.FLAKY, True),
        (ALLOW, [saw(Effect.DENY, "not_in_plan"), saw(Effect.ALLOW, "entitled")], Verdict.FLAKY, False),
        (DENY, [saw(Effect.DENY, "not_in_plan"), saw(Effect.DENY, "suspended")], Verdict.FLAKY, False),
    ],
)
def test_verdict_of_a_cell(expected, observed, verdict, leaked) -> None:
    assert judge_cell(expected, observed) == (verdict, leaked)


def test_effect_only_ignores_reasons() -> None:
    observed = [saw(Effect.DENY, "suspended"), saw(Effect.DENY, None)]
    assert judge_cell(DENY, observed, mode=JudgeMode.EFFECT_ONLY) == (Verdict.PASS, False)
    assert judge_cell(ALLOW, observed, mode=JudgeMode.EFFECT_ONLY) == (Verdict.LOCKOUT, False)


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [
        (None, Verdict.PASS),
        (LimitDetail("messages", 20, 0), Verdict.PASS),
        (LimitDetail("messages", 20, 0, "2026-01-02T00:00:00Z"), Verdict.PASS),
        (LimitDetail("messages", 50, 0), Verdict.MISMATCH),
        (LimitDetail("messages", 20, 3), Verdict.MISMATCH),
        (LimitDetail("exports", 20, 0), Verdict.MISMATCH),
    ],
)
def test_a_reported_limit_must_be_the_right_one(limit, verdict) -> None:
    assert judge_cell(LIMIT, [saw(Effect.DENY, "limit_exceeded", limit=limit)])[0] is verdict


def test_when_nobody_can_know_when_a_limit_resets_it_is_not_judged() -> None:
    told = [
        saw(Effect.DENY, "limit_exceeded", limit=LimitDetail("messages", 20, 0, at)) for at in ("soon", "1970", None)
    ]
    assert judge_cell(LIMIT, told) == (Verdict.PASS, False)


@pytest.mark.parametrize(
    ("resets_at", "verdict"),
    [
        (None, Verdict.PASS),
        ("2026-01-02T00:00:00Z", Verdict.PASS),
        ("2026-01-02t00:00:00.000z", Verdict.PASS),
        ("2026-01-02T01:00:00+01:00", Verdict.PASS),
        ("2026-01-01T19:00:00-05:00", Verdict.PASS),
        ("2026-01-02T00:00:00+01:00", Verdict.MISMATCH),
        ("2026-01-02T00:00:00.001Z", Verdict.MISMATCH),
        ("2026-01-01T23:59:59Z", Verdict.MISMATCH),
        ("1970-01-01T00:00:00Z", Verdict.MISMATCH),
        ("2026-01-02", Verdict.MISMATCH),
        ("tomorrow", Verdict.MISMATCH),
        ("", Verdict.MISMATCH),
    ],
)
def test_when_a_limit_resets_is_judged_as_an_instant_where_it_is_told(resets_at, verdict) -> None:
    told = saw(Effect.DENY, "limit_exceeded", limit=LimitDetail("messages", 20, 0, resets_at))
    assert judge_cell(DAILY, [told]) == (verdict, False)
    assert judge_cell(DAILY, [told], mode=JudgeMode.EFFECT_ONLY) == (Verdict.PASS, False)


@pytest.mark.parametrize(("remaining", "verdict"), [(-1, Verdict.PASS), (-480, Verdict.PASS), (1, Verdict.MISMATCH)])
def test_a_rest_below_zero_says_that_nothing_is_left(remaining, verdict) -> None:
    told = saw(Effect.DENY, "limit_exceeded", limit=LimitDetail("messages", 20, remaining))
    assert judge_cell(LIMIT, [told])[0] is verdict


@pytest.mark.parametrize(
    "second", [LimitDetail("messages", 20, 3), LimitDetail("messages", 20, 0, "1970-01-01T00:00:00Z"), None]
)
def test_observations_that_tell_a_limit_differently_waver_whichever_comes_first(second) -> None:
    right = saw(Effect.DENY, "limit_exceeded", limit=LimitDetail("messages", 20, 0, "2026-01-02T00:00:00Z"))
    other = saw(Effect.DENY, "limit_exceeded", limit=second)
    assert judge_cell(DAILY, [right, other]) == (Verdict.FLAKY, False)
    assert judge_cell(DAILY, [other, right]) == (Verdict.FLAKY, False)


def test_one_instant_in_two_ways_is_told_alike() -> None:
    ways = ["2026-01-02T00:00:00Z", "2026-01-02T01:00:00+01:00"]
    told = [saw(Effect.DENY, "limit_exceeded", limit=LimitDetail("messages", 20, 0, at)) for at in ways]
    assert judge_cell(DAILY, told) == (Verdict.PASS, False)


def test_a_limit_where_none_is_due_is_wrong_whenever_it_resets() -> None:
    told = saw(Effect.DENY, "not_in_plan", limit=LimitDetail("messages", 20, 0, "2026-01-02T00:00:00Z"))
    assert judge_cell(DENY, [told]) == (Verdict.MISMATCH, False)


def test_a_limit_where_none_is_due_does_not_waver_with_the_clock_of_the_app() -> None:
    told = [
        saw(Effect.DENY, "not_in_plan", limit=LimitDetail("messages", 20, 0, f"2026-01-02T00:00:0{second}Z"))
        for second in range(3)
    ]
    assert judge_cell(DENY, told) == (Verdict.MISMATCH, False)


def test_a_cell_that_wavers_and_leaks_counts_as_a_leak_in_the_run() -> None:
    observed = [saw(Effect.DENY, "not_in_plan", count=9), saw(Effect.ALLOW, "entitled")]
    verdict, leaked = judge_cell(DENY, observed, mode=JudgeMode.EFFECT_ONLY)
    assert (verdict, leaked) == (Verdict.FLAKY, True)
    assert judge_run([totals(flaky=1, error=1, executed=1)], leaked=int(leaked), stopped=True) is RunVerdict.FAILED


def totals(**counts: int) -> Totals:
    return Totals(**{"expected": 2, "executed": 2, "observations": 4, "passed": 2, "allowing": 1, **counts})


@pytest.mark.parametrize(
    ("of_suites", "leaked", "stopped", "verdict"),
    [
        ([totals()], 0, False, RunVerdict.PASSED),
        ([totals(allowing=0)], 0, False, RunVerdict.UNDECIDED),
        ([totals(allowing=0), totals()], 0, False, RunVerdict.PASSED),
        ([totals(allowing=0, lockout=1)], 0, False, RunVerdict.FAILED),
        ([totals(allowing=0, leak=1)], 1, False, RunVerdict.FAILED),
        ([], 0, False, RunVerdict.UNDECIDED),
        ([Totals()], 0, False, RunVerdict.UNDECIDED),
        ([totals(executed=1)], 0, False, RunVerdict.UNDECIDED),
        ([totals(), totals(executed=1)], 0, False, RunVerdict.UNDECIDED),
        ([totals()], 0, True, RunVerdict.UNDECIDED),
        ([totals(error=1)], 0, False, RunVerdict.UNDECIDED),
        ([totals(error=1, lockout=1)], 0, False, RunVerdict.UNDECIDED),
        ([totals(error=1, leak=1)], 1, False, RunVerdict.FAILED),
        ([totals(leak=1)], 1, True, RunVerdict.FAILED),
        ([totals(flaky=1, error=1)], 1, False, RunVerdict.FAILED),
        ([totals(lockout=1)], 0, False, RunVerdict.FAILED),
        ([totals(mismatch=1)], 0, False, RunVerdict.FAILED),
        ([totals(flaky=1)], 0, False, RunVerdict.FAILED),
    ],
)
def test_verdict_of_a_run(of_suites, leaked, stopped, verdict) -> None:
    assert judge_run(of_suites, leaked=leaked, stopped=stopped) is verdict


@pytest.mark.parametrize(
    ("counts", "leaked", "verdict"),
    [({}, 0, RunVerdict.UNDECIDED), ({"lockout": 1}, 0, RunVerdict.UNDECIDED), ({"leak": 1}, 1, RunVerdict.FAILED)],
)
def test_what_another_build_did_decides_nothing_but_a_leak(counts, leaked, verdict) -> None:
    assert judge_run([totals(**counts)], leaked=leaked, stopped=False, differs=True) is verdict
