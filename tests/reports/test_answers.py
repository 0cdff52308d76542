"""What differs between answers below effect and reason is told leaf by leaf, and nothing of it can harm a terminal."""

from __future__ import annotations

from dataclasses import replace

from plangate.entitlements.decision import Effect, LimitDetail
from plangate.releases.nested import Change
from plangate.reports.answers import answer_changes, answer_lines, wavering_lines
from plangate.reports.cell import cell_lines
from plangate.verdicts.observation import Fault
from plangate.verdicts.result import CellResult, Expected, ObservedCount, Verdict

LIMIT = LimitDetail("messages", 20, 3, "2026-01-02T00:00:00Z")
REFUSED = ObservedCount(effect=Effect.DENY, reason="limit_exceeded", limit=LIMIT, fault=None, count=2)
FAULT = ObservedCount(
    effect=None, reason=None, limit=None, fault=Fault.MALFORMED, count=1,
    detail='status 500: {"error": {"code": "a", "trace": [1, {"line": 7}]}}',
)  # fmt: skip
RESULT = CellResult(
    cell="c-00", suite="gating", axes={"plan": "free"}, verdict=Verdict.FLAKY, leaked=False,
    expected=Expected(effect=Effect.DENY, reason="limit_exceeded", rule="D9", where="c.yaml:1:1"), observed=(REFUSED,),
)  # fmt: skip


def test_what_is_told_of_a_limit_is_compared_by_its_parts() -> None:
    other = replace(REFUSED, limit=replace(LIMIT, remaining=2, resets_at=None), count=9)
    assert answer_changes((REFUSED,), (other,)) == (
        Change("limit.remaining", 3, 2),
        Change("limit.resets_at", "2026-01-02T00:00:00Z", None),
    )
    assert list(answer_lines(RESULT, replace(RESULT, observed=(other,)))) == [
        "limit.remaining: 3 -> 2",
        'limit.resets_at: "2026-01-02T00:00:00Z" -> nothing',
    ]


def test_how_often_something_was_seen_is_no_difference_of_answers() -> None:
    assert answer_changes((REFUSED,), (replace(REFUSED, count=1),)) == ()
    assert list(answer_lines(RESULT, None)) == []


def test_json_that_an_app_said_is_compared_by_its_leaves() -> None:
    other = replace(FAULT, detail=str(FAULT.detail).replace("7", "8"))
    assert answer_changes((FAULT,), (other,)) == (Change("said[1].error.trace[1].line", 7, 8),)
    cut = replace(FAULT, detail=str(FAULT.detail)[:30])
    (change,) = answer_changes((FAULT,), (cut,))
    assert (change.path, change.after) == ("said", cut.detail)


def test_a_cell_that_wavers_says_how_its_answers_differ() -> None:
    other = replace(REFUSED, limit=replace(LIMIT, remaining=2), count=1)
    wavering = replace(RESULT, observed=(REFUSED, other))
    assert list(wavering_lines(wavering)) == ["answer 1 -> 2  limit.remaining: 3 -> 2"]
    assert "differs   answer 1 -> 2  limit.remaining: 3 -> 2" in list(cell_lines(wavering))
    assert not any(line.startswith("differs") for line in cell_lines(RESULT))


def test_names_and_texts_of_an_app_carry_no_control_characters() -> None:
    hostile = replace(FAULT, detail='{"\\u001b[2J": "\\u202e##vso[task.complete]"}')
    (change,) = answer_changes((replace(FAULT, detail="{}"),), (hostile,))
    told = f"{change.path}{change.before}{change.after}"
    assert "\x1b" not in told
    assert "\u202e" not in told
