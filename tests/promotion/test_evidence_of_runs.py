"""What a run is signed for: a pass of the whole suite, on what was declared, or no pass; and what it says beside."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plangate.documents.document import read_document
from plangate.documents.environment import GateSpec
from plangate.documents.kinds import Kind
from plangate.evidence.keys import generate
from plangate.evidence.statements import Statement
from plangate.evidence.trust import Accepted
from plangate.promotion.evidence_of_runs import results_of_run, summary_of_gates
from plangate.promotion.gates import GateResult, GateState, decide_gates
from plangate.promotion.state import Recorded, fold
from plangate.releases.release import ReleaseIdentity
from plangate.store.reader import StoredRun
from tests.promotion.stages import STAGE
from tests.store.runs import ALLOW, DENY, SAW_ALLOW, SAW_DENY, SAW_NOTHING, header, suite, write_run

RIGHT = [(SAW_ALLOW, SAW_ALLOW), (SAW_DENY, SAW_DENY)]
LEAK = [(SAW_ALLOW, SAW_ALLOW), (SAW_ALLOW, SAW_ALLOW)]
HEX = {"release": "sha256:" + "aa" * 32, "effective": "sha256:" + "bb" * 32}
SUITES = {"gating": "sha256:" + "cc" * 32}


def _signed(
    folder: Path,
    observed: Sequence[Any] = RIGHT,
    *,
    expected: Sequence[Any] = (ALLOW, DENY),
    finished: str = "2026-01-01T00:01:00Z",
    cells: int = 2,
    kind: str = "gating",
    **head: Any,
) -> Statement:
    """What is signed for a run of two cells, in two passes, that went right unless said otherwise."""
    of = replace(suite(cells=cells), digest=SUITES["gating"], type=kind, covers=("C2", "C8"))
    about = replace(header(**HEX), **head)
    folder.mkdir(exist_ok=True)
    path = write_run(folder / "r-1.sqlite", expected, observed, of=of, head=about, finished=finished)
    with StoredRun(path) as run:
        (one,) = results_of_run(run, catalogs={}, harness="sha256:" + "00" * 32)
    return one


def _said(one: Statement) -> tuple[str, str, list[str]]:
    predicate: Any = one.predicate
    return predicate["result"], predicate["verdict"], [name.split("/c-")[0] for name in predicate["failedTests"]]


def test_a_whole_run_that_went_right_is_signed_as_passed(tmp_path: Path) -> None:
    one = _signed(tmp_path)
    assert _said(one) == ("PASSED", "passed", [])
    assert {name: one.predicate[name] for name in ("ran", "ranDifferences", "selection", "shard", "suiteType")} == {
        "ran": "not checked", "ranDifferences": [], "selection": "", "shard": "", "suiteType": "gating",
    }  # fmt: skip
    assert "reusedFrom" not in one.predicate


UNDECIDED = [
    ({"selection": "plan=free"}, "only-a-part-was-asked"),
    ({"shard": "1/2"}, "only-a-part-was-asked"),
    ({"ran": "differs", "ran_differences": ("model.version: pinned 1, runs 2",)}, "something-else-ran"),
    ({"finished": ""}, "not-executed"),
    ({"cells": 3}, "not-executed"),
    ({"cells": 0, "expected": (), "observed": ()}, "not-executed"),
    ({"observed": [RIGHT[0], RIGHT[1][:1]]}, "not-executed"),
    ({"expected": (DENY, DENY), "observed": [RIGHT[1], RIGHT[1]]}, "nothing-was-to-be-allowed"),
    ({"kind": "quality"}, "not-judgeable"),
]


@pytest.mark.parametrize(("changed", "why"), UNDECIDED, ids=[f"{why}-{next(iter(one))}" for one, why in UNDECIDED])
def test_what_proves_nothing_about_the_whole_is_undecided_and_says_why(
    tmp_path: Path, changed: dict[str, Any], why: str
) -> None:
    one = _signed(tmp_path, **changed)
    assert _said(one) == ("FAILED", "undecided", [f"gating/{why}"])
    assert _gate(one).result == "undecided"


def test_a_run_that_was_killed_has_not_ended_and_nobody_says_why(tmp_path: Path) -> None:
    _signed(tmp_path)
    path = tmp_path / "r-1.sqlite"
    with closing(sqlite3.connect(path)) as rows:
        rows.execute("UPDATE run SET finished = '', stopped = ''")
        rows.commit()
    with StoredRun(path) as run:
        (one,) = results_of_run(run, catalogs={}, harness="sha256:" + "00" * 32)
    assert _said(one) == ("FAILED", "undecided", ["gating/not-executed"])


@pytest.mark.parametrize(
    ("observed", "verdict"),
    [
        (LEAK, "failed"),
        ([RIGHT[0], (SAW_NOTHING, SAW_NOTHING)], "undecided"),
        ([(SAW_DENY, SAW_DENY), RIGHT[1]], "failed"),
    ],
    ids=["leak", "error", "lockout"],
)
def test_a_cell_that_failed_is_named(tmp_path: Path, observed: Sequence[Any], verdict: str) -> None:
    result, said, failed = _said(_signed(tmp_path, observed))
    assert (result, said, len(failed)) == ("FAILED", verdict, 1)


def test_a_leak_is_one_in_a_part_too_and_passes_no_gate_that_lets_one_through(tmp_path: Path) -> None:
    one = _signed(tmp_path, LEAK, selection="plan=free")
    assert _said(one)[:2] == ("FAILED", "failed")
    gate = _gate(one, allow={"leak": 1})
    assert (gate.result, gate.why) == ("undecided", "run r-1: a part only was asked: plan=free")
    (tmp_path / "r-1.sqlite").unlink()
    let_through = _gate(_signed(tmp_path, LEAK), allow={"leak": 1})
    assert (let_through.result, let_through.let_through) == ("passed", True)
    (tmp_path / "r-1.sqlite").unlink()
    assert not _gate(_signed(tmp_path), allow={"leak": 1}).let_through


def test_a_leak_behind_a_thousand_other_failures_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plangate.promotion.evidence_of_runs._LISTED_MAX", 1)
    one = _signed(tmp_path, [(SAW_NOTHING, SAW_NOTHING), LEAK[1]])
    assert _said(one)[:2] == ("FAILED", "failed")
    assert len(one.predicate["failedTests"]) == 1


def test_what_was_not_asked_again_is_named(tmp_path: Path) -> None:
    assert _signed(tmp_path, reused_from="r-0").predicate["reusedFrom"] == "r-0"


def test_requirements_are_signed_for_a_pass_alone_and_what_was_not_tried_always(tmp_path: Path) -> None:
    right = _signed(tmp_path).predicate
    assert right["requirements"] == ["C2", "C8"]
    (tmp_path / "r-1.sqlite").unlink()
    leaking = _signed(tmp_path, LEAK).predicate
    assert leaking["requirements"] == []
    for told in (right["notTried"], leaking["notTried"]):
        assert "what ran was not checked" in told
        assert any("not looked at: effects" in one for one in told)
    (tmp_path / "r-1.sqlite").unlink()
    assert "what ran was not checked" not in _signed(tmp_path, ran="as declared").predicate["notTried"]


def test_how_what_ran_differs_is_signed(tmp_path: Path) -> None:
    differs = _signed(tmp_path, ran="differs", ran_differences=("model.version: pinned 1, runs 2",)).predicate
    assert _gate(_signed(tmp_path / "again", ran="differs", ran_differences=("x: pinned 1, runs 2",))).why == (
        "run r-1: what ran is not what the manifest declares: x: pinned 1, runs 2"
    )
    assert (differs["ran"], differs["ranDifferences"]) == ("differs", ["model.version: pinned 1, runs 2"])


def _gate(one: Statement, **spec: Any) -> GateState:
    """What stage's gate says where only this was ever recorded."""
    key = generate().public
    signer = Accepted(key=key, name="ci", person="ci", role="ci")
    state = fold([Recorded(index=0, at="2026-01-01T00:02:00Z", digest="ab" * 32, statement=one, signer=signer)])
    found = state.validations["stage", HEX["release"], HEX["effective"]]
    now = datetime(2026, 1, 2, tzinfo=UTC)
    (gate,) = decide_gates([GateSpec(suite="gating", **spec)], found=found, suites=SUITES, now=now)
    return gate


@pytest.mark.parametrize(
    ("signed", "result", "why"),
    [
        ({}, "passed", "what ran was not checked"),
        ({"ran": "as declared"}, "passed", ""),
        ({"ran": "differs"}, "undecided", "not what the manifest declares"),
        ({"selection": "plan=free"}, "undecided", "a part only was asked: plan=free"),
        ({"shard": "2/4"}, "undecided", "a part only was asked: shard 2/4"),
        ({"suiteType": "quality"}, "undecided", "cannot judge a suite of type quality"),
    ],
)
def test_a_pass_that_somebody_signed_all_the_same_opens_no_gate(
    tmp_path: Path, signed: dict[str, Any], result: str, why: str
) -> None:
    """Whoever holds a key can sign `PASSED` beside words that contradict it."""
    one = _signed(tmp_path)
    gate = _gate(replace(one, predicate={**one.predicate, **signed}))
    assert gate.result == result
    assert why in gate.why


@pytest.mark.parametrize(
    ("name", "let_through", "level"),
    [
        ("gating", False, "PLANGATE_GATING_PASSED"),
        ("commerce", False, "PLANGATE_GATING_COMMERCE_PASSED"),
        ("quality", False, "PLANGATE_GATING_QUALITY_PASSED"),
        ("gating", True, "PLANGATE_GATING_LET_THROUGH"),
    ],
)
def test_a_level_says_by_what_kind_of_suite_it_was_reached_and_how(name: str, let_through: bool, level: str) -> None:
    stage = read_document(Kind.ENVIRONMENT, STAGE.lstrip("\n").encode(), path="envs/stage.yaml").sound()
    gates = [
        GateState(suite=name, mode="require", result=GateResult.PASSED, let_through=let_through),
        GateState(suite="other", mode="warn", result=GateResult.UNDECIDED),
    ]
    identity = ReleaseIdentity(**HEX, suites={})
    told = summary_of_gates(
        stage, identity, gates, policy="sha256:" + "dd" * 32, version="0", at="2026-01-01T00:00:00Z"
    )
    assert told.predicate["verifiedLevels"] == [level]
