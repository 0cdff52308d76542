"""`plangate run ENV --json`: the agreed keys, leaks first, at most 1,000 failures, the same bytes each time."""

from __future__ import annotations

import json

from plangate.reports import run_document
from plangate.verdicts.claims import not_tried
from tests.reports.fake_run import (
    CATALOG,
    FakeRun,
    LimitDetail,
    allowing,
    failed,
    nasty_run,
    right,
    run_of,
    said,
    with_header,
)

LEAKY = allowing(
    lambda axes, due: axes["plan"] == "free" and axes["capability"] == "report.export" and due.rule == "D6"
)


def test_the_document_of_a_leak() -> None:
    run = run_of(LEAKY)
    document = run_document(run)
    causes = document.pop("causes")
    failures = document.pop("failures")
    assert document == {
        "format": 1,
        "run": "r-20260102-7f3a",
        "environment": "stage",
        "release": "sha256:" + "4f3a91c2" * 8,
        "effective": "sha256:" + "0b5d77e1" * 8,
        "suites": {"gating": "sha256:" + "5a1e" * 16},
        "seed": 7,
        "fingerprint": "sha256:" + "c0ffee00" * 8,
        "details": "",
        "verdict": "failed",
        "totals": {
            "expected": 396,
            "executed": 396,
            "observations": 1188,
            "pass": 393,
            "leak": 3,
            "lockout": 0,
            "mismatch": 0,
            "flaky": 0,
            "error": 0,
        },
        "leaked": 3,
        "missing": 0,
        "retried": 0,
        "stopped": "",
        "reused_from": "",
        "selection": "",
        "shard": "",
        "ran": "not checked",
        "ran_differences": [],
        "app_output": 0,
        "seeds": {"gating": 7},
        "requirements": [],
        "headline": "Failed: 3 leaks in 396 cells",
        "not_tried": list(not_tried(run.summary())),
    }
    assert [(cause["title"], cause["cells"]) for cause in causes] == [
        ("free can use report.export at all 3 surfaces", 3)
    ]
    first = failures[0]
    assert first == {
        "cell": first["cell"],
        "suite": "gating",
        "axes": {
            "plan": "free",
            "state": "Subscribed",
            "capability": "report.export",
            "surface": first["axes"]["surface"],
            "usage": "zero",
        },
        "verdict": "leak",
        "expected": {"effect": "deny", "reason": "not_in_plan", "rule": "D6", "where": f"{CATALOG}:31:14"},
        "observed": [{"effect": "allow", "reason": "entitled", "count": 3}],
        "reproduce": f"plangate run stage --cell {first['cell']} --seed 7",
    }
    assert list(first["axes"]) == ["plan", "state", "capability", "surface", "usage"]


def test_a_fault_and_a_limit_are_told() -> None:
    run = run_of(
        lambda axes, due: (
            (failed("timeout", "no answer within 2 s"),)
            if axes["surface"] == "tool"
            else (said("deny", None, limit=LimitDetail("exports", 50, 0, "2026-02-01T00:00:00Z")),)
        )
    )
    seen = [failure["observed"][0] for failure in run_document(run)["failures"]]
    assert {"fault": "timeout", "count": 3, "detail": "no answer within 2 s"} in seen
    limit = {"name": "exports", "limit": 50, "remaining": 0, "resets_at": "2026-02-01T00:00:00Z"}
    assert {"effect": "deny", "reason": None, "limit": limit, "count": 3} in seen


def test_failures_stop_at_a_thousand_and_leaks_come_first() -> None:
    phrasings = [f"wording {number}" for number in range(8)]
    run = run_of(
        lambda axes, due: (said("allow", "entitled"),) if axes["plan"] == "free" else (failed("timeout"),),
        phrasings=phrasings,
    )
    failures = run_document(run)["failures"]
    assert len(failures) == 1_000
    verdicts = [failure["verdict"] for failure in failures]
    assert verdicts == sorted(verdicts, key=["leak", "error"].index)
    assert verdicts.count("leak") == run.summary().totals.leak


def test_an_unfinished_run_says_why_and_what_is_missing() -> None:
    document = run_document(with_header(FakeRun(run_of(right).held[:10], missing=5), stopped="deadline"))
    assert (document["stopped"], document["missing"], document["verdict"]) == ("deadline", 5, "undecided")


def test_the_same_run_gives_the_same_bytes_and_hostile_texts_survive_as_data() -> None:
    run = nasty_run()
    text = json.dumps(run_document(run))
    assert text == json.dumps(run_document(run))
    assert "<script>alert(1)</script>" in {
        failure["observed"][0].get("reason") for failure in json.loads(text)["failures"]
    }
