"""The fold: who said what, and what stops counting when somebody says otherwise."""

from __future__ import annotations

from functools import cache

import pytest

from plangate.documents.environment import Json
from plangate.evidence.keys import PublicKey, generate
from plangate.evidence.statements import PROMOTION, TEST_RESULT, VERIFICATION_SUMMARY, Statement, subjects_of
from plangate.evidence.trust import Accepted
from plangate.promotion.state import Recorded, State, Validation, fold

RELEASE, EFFECTIVE = "sha256:" + "aa" * 32, "sha256:" + "bb" * 32
ABOUT = ("stage", RELEASE, EFFECTIVE)
SUITE: Json = [{"name": "suite/gating", "digest": {"sha256": "cc" * 32}}]


@cache
def _key(person: str) -> PublicKey:
    return generate().public


def _state(*said: tuple[str, str, dict[str, Json]], threshold: int = 1) -> State:
    """The state after (person, predicate type, predicate) of each, in this order."""
    entries = []
    for index, (person, kind, predicate) in enumerate(said):
        subjects = subjects_of(RELEASE, environment="stage", effective=EFFECTIVE)
        entries.append(
            Recorded(
                index=index, at=f"2026-01-0{index + 1}T00:00:00Z", digest=f"{index:064x}", threshold=threshold,
                statement=Statement(subjects=subjects, predicate_type=kind, predicate=predicate),
                signer=Accepted(key=_key(person), name=person, person=person, role="gate"),
            )
        )  # fmt: skip
    return fold(entries)


def _summary(person: str, result: str) -> tuple[str, str, dict[str, Json]]:
    return person, VERIFICATION_SUMMARY, {"verificationResult": result}


def test_voices_from_before_a_failure_do_not_count_after_it() -> None:
    assert ABOUT in _state(_summary("alice", "PASSED"), _summary("bob", "PASSED"), threshold=2).summaries
    since = [_summary("alice", "PASSED"), _summary("carol", "FAILED"), _summary("bob", "PASSED")]
    assert ABOUT not in _state(*since, threshold=2).summaries
    assert ABOUT in _state(*since, _summary("alice", "PASSED"), threshold=2).summaries
    assert ABOUT not in _state(_summary("alice", "PASSED"), _summary("bob", "FAILED")).summaries


def _result(
    person: str, *, passed: bool = True, suite: Json = SUITE, **totals: int
) -> tuple[str, str, dict[str, Json]]:
    told: dict[str, Json] = {"result": "PASSED" if passed else "FAILED", "configuration": suite, "totals": {**totals}}
    return person, TEST_RESULT, told


def _newest(*said: tuple[str, str, dict[str, Json]]) -> Validation:
    return _state(*said, threshold=2).validations[ABOUT]["gating"]


@pytest.mark.parametrize(
    "before",
    [
        _result("alice", passed=False, mismatch=2),
        _result("alice", passed=True, mismatch=1),
        _result("alice", passed=False, suite=[{"name": "suite/gating", "digest": {"sha256": "dd" * 32}}], mismatch=1),
    ],
    ids=["other counts", "a pass", "another suite text"],
)
def test_two_who_say_different_things_do_not_speak_together(before: tuple[str, str, dict[str, Json]]) -> None:
    now = _result("bob", passed=False, mismatch=1)
    assert _newest(_result("alice", passed=False, mismatch=1), now).lacking == ""
    assert _newest(before, now).lacking == "1 of 2 in the role gate"


def test_two_who_say_that_it_passed_speak_together() -> None:
    assert _newest(_result("alice", passed=9), _result("bob", passed=9)).lacking == ""


@pytest.mark.parametrize(
    ("began", "counts"),
    [
        ("2026-01-01T09:59:59Z", False), ("2026-01-01T10:00:00+01:00", False),
        ("2026-01-01T10:00:00Z", True), ("2026-01-01T10:00:01Z", True), ("", True),
    ],
)  # fmt: skip
def test_a_pass_that_began_before_the_run_that_failed_does_not_revoke_it(began: str, counts: bool) -> None:
    """It only took longer, or was kept back: what it saw was there before what failed. A failure always counts."""
    failed = ("alice", TEST_RESULT, {"result": "FAILED", "configuration": SUITE, "startedOn": "2026-01-01T10:00:00Z"})
    passed = ("bob", TEST_RESULT, {"result": "PASSED", "configuration": SUITE, "startedOn": began})
    assert _state(failed, passed).validations[ABOUT]["gating"].passed is counts
    assert _state(passed, failed).validations[ABOUT]["gating"].passed is False
    other: Json = [{"name": "suite/gating", "digest": {"sha256": "dd" * 32}}]
    assert _state((*failed[:2], {**failed[2], "configuration": other}), passed).validations[ABOUT]["gating"].passed


def _moved(person: str, kind: str) -> tuple[str, str, dict[str, Json]]:
    return person, PROMOTION, {"environment": "stage", "kind": kind, "from": {}, "to": {"revision": 2}}


def test_the_author_of_a_release_is_who_first_promoted_it_and_nobody_who_carried_it_in() -> None:
    assert _state(_moved("alice", "promotion"), _moved("bob", "promotion")).authors == {RELEASE: "alice"}
    assert _state(_moved("carol", "adoption")).authors == {}
    assert _state(_moved("carol", "adoption"), _moved("bob", "promotion")).authors == {RELEASE: "bob"}
