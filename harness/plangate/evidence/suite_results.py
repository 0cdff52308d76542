"""A run as a signed statement: one in-toto test-result for each suite (evidence.md 3.1, E1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from plangate.documents.environment import Json
from plangate.evidence.statements import TEST_RESULT, Statement, subjects_of
from plangate.verdicts.judge import judge_run
from plangate.verdicts.result import RunSummary, RunVerdict, SuiteSummary, Totals

__all__ = ["FAILED_TESTS_MAX", "suite_result", "totals_document"]

FAILED_TESTS_MAX: Final = 1_000
_RESULTS: Final = {RunVerdict.PASSED: "PASSED", RunVerdict.FAILED: "FAILED", RunVerdict.UNDECIDED: "FAILED"}


def suite_result(
    run: RunSummary,
    suite: SuiteSummary,
    *,
    failed: tuple[str, ...] = (),
    pins: Mapping[str, str] | None = None,
    more: Mapping[str, Json] | None = None,
) -> Statement:
    """What `run` says about one of its suites. The type has no word for undecided or empty: they are FAILED.

    `failed` are cell ids, of which the first 1,000 are named; `pins` further configuration (name -> `sha256:...`);
    `more` further fields of the predicate, which readers may ignore.
    """
    header = run.header
    whole = bool(header.finished) and not header.shard and not header.selection
    verdict = judge_run([suite.totals], leaked=suite.totals.leak, stopped=not whole)
    configuration: list[Json] = [_configured(f"suite/{suite.name}", suite.digest)]
    configuration += [_configured(name, digest) for name, digest in (pins or {}).items()]
    predicate: dict[str, Json] = {
        "result": _RESULTS[verdict],
        "configuration": configuration,
        "failedTests": list(failed[:FAILED_TESTS_MAX]),
        "environment": header.environment,
        "fingerprint": run.fingerprint,
        "verdict": verdict.value,
        "run": header.run,
        "totals": totals_document(suite.totals),
        "coverage": suite.coverage,
        "startedOn": header.started,
        "finishedOn": header.finished,
        "harness": header.plangate,
        **(more or {}),
    }
    subjects = subjects_of(header.release, environment=header.environment, effective=header.effective)
    return Statement(subjects=subjects, predicate_type=TEST_RESULT, predicate=predicate)


def totals_document(totals: Totals) -> dict[str, Json]:
    """Totals as JSON."""
    return {one.name: getattr(totals, one.name) for one in fields(totals)}


def _configured(name: str, digest: str) -> Json:
    return {"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}
