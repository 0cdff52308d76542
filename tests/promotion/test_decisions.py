"""Gates, approvals, soak, windows and sources: each from values alone, with the time given."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from plangate.documents.environment import GateSpec
from plangate.errors import InputError
from plangate.promotion.approvals import unmet_approvals
from plangate.promotion.gates import decide_gates
from plangate.promotion.graph import in_order, require_acyclic
from plangate.promotion.soak import unmet_soak
from plangate.promotion.state import Approval, EnvironmentState, Moved, State, Validation
from plangate.promotion.windows import unmet_windows

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)  # a Thursday
SUITES = {"gating": "sha256:" + "a" * 64}
PASSED = Validation(
    suite="gating", suite_digest=SUITES["gating"], passed=True, undecided=False, at="2026-11-26T10:00:00Z", run="r-1",
    totals={"expected": 9, "executed": 9, "passed": 9}, fingerprint="", index=0, digest="e",
)  # fmt: skip


def _gate(found: Validation | None, **spec: object):
    (gate,) = decide_gates(
        [GateSpec(suite="gating", **spec)], found={"gating": found} if found else {}, suites=SUITES, now=NOON
    )
    return gate


def test_a_gate_passes_on_the_newest_result_about_these_digests() -> None:
    assert _gate(PASSED).result == "passed"
    assert _gate(PASSED).unmet is None


@pytest.mark.parametrize(
    ("found", "spec", "result"),
    [
        (None, {}, "missing"),
        (replace(PASSED, suite_digest="sha256:" + "b" * 64), {}, "stale"),
        (PASSED, {"max_age": "PT1H"}, "stale"),
        (replace(PASSED, passed=False, totals={"expected": 9, "executed": 9, "leak": 1}), {}, "failed"),
        (replace(PASSED, passed=False, undecided=True), {}, "undecided"),
        (replace(PASSED, totals={"expected": 9, "executed": 8}), {}, "undecided"),
        (replace(PASSED, totals={}), {}, "undecided"),
    ],
)
def test_anything_else_is_no_pass(found, spec, result) -> None:
    gate = _gate(found, **spec)
    assert gate.result == result
    assert gate.unmet.rule == "P1"
    assert _gate(found, mode="warn", **spec).unmet is None


def test_a_manifest_lets_through_what_it_names_and_no_more() -> None:
    failed = replace(PASSED, passed=False, totals={"expected": 9, "executed": 9, "mismatch": 2})
    assert _gate(failed, allow={"mismatch": 2}).result == "passed"
    assert _gate(failed, allow={"mismatch": 1}).result == "failed"
    assert _gate(failed, allow={"lockout": 5}).result == "failed"


@pytest.mark.parametrize("asked", [{"noninferior_to": "prod"}, {"noninferior_to": "prod", "margin": 1}, {"margin": 1}])
@pytest.mark.parametrize("counts", [{}, {"mismatch": 2}])
@pytest.mark.parametrize("passed", [True, False], ids=["run passed", "run failed"])
def test_a_comparison_that_nobody_made_is_never_passed(asked: dict, counts: dict, passed: bool) -> None:
    found = PASSED if passed else replace(PASSED, passed=False, totals={"expected": 9, "executed": 9, "mismatch": 2})
    gate = _gate(found, allow={**asked, **counts})
    assert gate.result == "undecided"
    assert f"allow.{next(iter(asked))}" in gate.why


def test_a_result_of_exactly_the_greatest_age_still_counts() -> None:
    assert _gate(PASSED, max_age="PT2H").result == "passed"
    assert _gate(PASSED, max_age="PT1H59M59S").result == "stale"


def _approval(person: str, **more: object) -> Approval:
    values = {
        "plan": "p", "environment": "prod",
        "person": person, "key": person.encode(), "role": "manager", "expires": "2026-12-01T00:00:00Z",
        "reason": "", "at": "2026-11-26T11:00:00Z", "digest": person,
    }  # fmt: skip
    return Approval(**{**values, **more})


def _missing(*approvals: Approval, rejections: tuple[Approval, ...] = (), excluded=("alice",)) -> list[str]:
    found = unmet_approvals(approvals, rejections, count=2, roles=("manager", "security"), excluded=excluded, now=NOON)
    return [one.text for one in found]


def test_two_people_with_two_keys_are_enough() -> None:
    assert _missing(_approval("bob"), _approval("carol")) == []


@pytest.mark.parametrize(
    "second",
    [
        _approval("bob"),
        _approval("bob", key=b"another key of bob"),
        _approval("carol", key=b"bob"),
        _approval("alice"),
        _approval("carol", role="intern"),
        _approval("carol", expires="2026-11-26T12:00:00Z"),
        _approval("carol", expires=""),
    ],
    ids=["again", "same person", "same key", "requester", "other role", "expired", "no expiry"],
)
def test_a_second_word_that_is_not_another_persons_does_not_count(second) -> None:
    assert any("1 more approval" in text for text in _missing(_approval("bob"), second))


def test_one_rejection_blocks_whoever_approves() -> None:
    told = _missing(_approval("bob"), _approval("carol"), rejections=(_approval("dave", reason="too early"),))
    assert told == ["dave (manager) rejected this plan: too early"]


def _moved(release: str, at: str, **more: object) -> Moved:
    values = {
        "kind": "promotion", "environment": "stage", "release": release, "effective": "e", "revision": 2,
        "previous": "", "source": "dev", "person": "alice", "at": at, "index": 0, "plan": "p", "approvals": (),
    }  # fmt: skip
    return Moved(**{**values, **more})


def _soak(*moves: Moved, now: datetime = NOON) -> list[str]:
    state = State(environments={"stage": EnvironmentState(promotions=moves)})
    return [one.text for one in unmet_soak(state, source="stage", release="R", soak="PT24H", now=now)]


def test_soak_counts_from_the_entry_of_the_promotion() -> None:
    assert _soak(_moved("R", "2026-11-25T12:00:00Z")) == []
    assert _soak(_moved("R", "2026-11-25T12:01:00Z")) == ["soak in stage: 1 min left of PT24H"]


def test_a_release_that_left_has_soaked_only_while_it_was_there() -> None:
    gone = _soak(_moved("R", "2026-11-20T00:00:00Z"), _moved("S", "2026-11-20T10:00:00Z"))
    assert gone == ["this release left stage before its soak of PT24H was over"]
    assert _soak(_moved("R", "2026-11-20T00:00:00Z"), _moved("S", "2026-11-22T00:00:00Z")) == []


def test_a_release_that_came_back_soaks_anew() -> None:
    moves = (
        _moved("R", "2026-11-20T00:00:00Z"),
        _moved("S", "2026-11-22T00:00:00Z"),
        _moved("R", "2026-11-26T11:00:00Z"),
    )
    assert _soak(*moves) == ["soak in stage: 23 h left of PT24H"]


def test_a_release_that_was_promoted_again_while_it_was_there_goes_on_soaking() -> None:
    again = (_moved("R", "2026-11-25T12:00:00Z"), _moved("R", "2026-11-26T11:00:00Z"))
    assert _soak(*again) == []
    left = (*again, _moved("S", "2026-11-26T11:30:00Z"))
    assert _soak(*left) == ["this release left stage before its soak of PT24H was over"]


def test_a_release_nobody_recorded_has_not_soaked() -> None:
    assert _soak() == ["nothing in the ledger says since when this release is in stage; it needs PT24H there"]


DENY = {"timezone": "Europe/Berlin", "deny": ["FREQ=WEEKLY;BYDAY=FR,SA,SU"]}


def test_a_denied_day_begins_and_ends_by_the_clock_of_its_zone() -> None:
    assert unmet_windows(DENY, now=NOON) == []
    assert unmet_windows(DENY, now=datetime(2026, 11, 26, 22, 59, tzinfo=UTC)) == []
    (closed,) = unmet_windows(DENY, now=datetime(2026, 11, 26, 23, 0, tzinfo=UTC))  # Friday 00:00 in Berlin
    assert closed.rule == "P8"
    assert "opens Mon 2026-11-30 00:00 Europe/Berlin" in closed.text


def test_a_denial_wins_over_an_allowance() -> None:
    windows = {"timezone": "UTC", "allow": ["FREQ=DAILY;BYHOUR=12"], "deny": ["FREQ=WEEKLY;BYDAY=TH"]}
    assert unmet_windows({**windows, "deny": []}, now=NOON) == []
    assert "denied by FREQ=WEEKLY;BYDAY=TH" in unmet_windows(windows, now=NOON)[0].text
    assert "no allowed time" in unmet_windows({**windows, "deny": []}, now=NOON + timedelta(hours=1))[0].text


def test_a_month_end_freeze_is_one_rule() -> None:
    freeze = {"timezone": "UTC", "deny": ["FREQ=MONTHLY;BYMONTHDAY=-1"]}
    assert unmet_windows(freeze, now=datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    assert not unmet_windows(freeze, now=datetime(2026, 12, 1, 0, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    "windows",
    [
        {"timezone": "Mars/Olympus", "deny": []},
        {"timezone": "UTC", "deny": ["every friday"]},
        {"timezone": "UTC", "deny": ["FREQ=WEEKLY"]},
        {"timezone": "UTC", "deny": ["FREQ=DAILY;INTERVAL=2"]},
        {"timezone": "UTC", "deny": ["FREQ=WEEKLY;BYDAY=XX"]},
        {"timezone": "UTC", "deny": ["FREQ=SECONDLY"]},
    ],
)
def test_a_window_that_means_nothing_certain_is_refused(windows) -> None:
    with pytest.raises(InputError) as refused:
        unmet_windows(windows, now=NOON)
    assert refused.value.code == "bad-window"


def test_environments_come_in_the_order_in_which_releases_pass_them() -> None:
    assert in_order({"prod": ["stage"], "dev": [], "stage": ["dev"]}) == ["dev", "stage", "prod"]
    fan = {"zoe": ["stage"], "anna": ["stage"], "stage": ["dev", "lab"], "lab": [], "dev": ["unknown"]}
    assert in_order(fan) == ["dev", "lab", "stage", "anna", "zoe"]
    assert in_order({"b": ["a"], "a": ["b"]}) == ["a", "b"]


def test_environments_may_fan_in_and_out_but_not_in_a_circle() -> None:
    require_acyclic({"dev": (), "a": ("dev",), "b": ("dev",), "prod": ("a", "b")})
    with pytest.raises(InputError) as circle:
        require_acyclic({"a": ("b",), "b": ("c",), "c": ("a",)})
    assert circle.value.code == "promotion-circle"
    with pytest.raises(InputError) as stranger:
        require_acyclic({"a": ("b",)})
    assert stranger.value.code == "unknown-environment"
