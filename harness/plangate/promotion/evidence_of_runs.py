"""What a stored run proves, as statements: one test result for each suite, and the summary of all gates.

Shapes and rules: in-toto test-result v0.1 and SLSA VSA v1, as docs/decisions/0008-promotion.md reads them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from plangate.documents.environment import Environment, Json
from plangate.documents.requirements import JUDGED_TYPES
from plangate.evidence.statements import (
    LET_THROUGH,
    NO_GATES,
    TEST_RESULT,
    VERIFICATION_SUMMARY,
    Statement,
    subjects_of,
)
from plangate.promotion.gates import GateResult, GateState
from plangate.releases.canonical import digest_of_bytes
from plangate.releases.release import ReleaseIdentity
from plangate.store.reader import StoredRun
from plangate.verdicts.claims import not_tried, shown_requirements
from plangate.verdicts.fingerprint import decision_text
from plangate.verdicts.ran import DIFFERS
from plangate.verdicts.result import CellResult, RunSummary, RunVerdict, SuiteSummary, Verdict

__all__ = ["VERIFIER", "harness_digest", "resource_of", "results_of_run", "summary_of_gates"]

VERIFIER: Final = "https://plangate.dev/gate"
"""`verifier.id` of the gate decisions made here; a trust policy may demand it of a role."""
_LISTED_MAX: Final = 1_000
_COUNTS: Final = ("expected", "executed", "observations", "passed", "leak", "lockout", "mismatch", "flaky", "error")


def results_of_run(run: StoredRun, *, catalogs: Mapping[str, str], harness: str) -> tuple[Statement, ...]:
    """A test result for each suite of `run`: PASSED only where the whole suite was asked of what was declared, every
    cell was executed in every pass, and passed. `catalogs` maps the release's plan catalogs to their digests, `harness`
    is `harness_digest()`."""
    summary = run.summary()
    found = {suite.name: _Results() for suite in summary.suites}
    for cell in run.cells():
        found[cell.suite].add(cell)
    return tuple(
        _result(summary, suite, found[suite.name], catalogs=catalogs, harness=harness) for suite in summary.suites
    )


def _result(
    summary: RunSummary,
    suite: SuiteSummary,
    results: _Results,
    *,
    catalogs: Mapping[str, str],
    harness: str,
) -> Statement:
    header, totals = summary.header, suite.totals
    open_question = _undecided(summary, suite)
    passed = not open_question and totals.executed == totals.passed
    decided = results.leaked or not (open_question or totals.error)
    verdict = RunVerdict.PASSED if passed else RunVerdict.FAILED if decided else RunVerdict.UNDECIDED
    configuration: list[Json] = [_part(f"suite/{suite.name}", suite.digest, version=str(suite.version))]
    configuration.append(_part("plan-matrix", results.cells_digest))
    configuration += [_part(f"plans/{name}", found) for name, found in sorted(catalogs.items())]
    configuration.append(_part("harness", harness, version=header.plangate))
    configuration.append(_part(f"effective/{header.environment}.json", header.effective))
    failed: list[Json] = [_test_name(cell) for cell in results.failing]
    if not passed and not failed:
        # No cell failed: v0.1 has no word for what was not asked, and a failed test for what it has no word for.
        failed = [f"{suite.name}/{open_question}"]
    predicate: dict[str, Json] = {
        "result": "PASSED" if passed else "FAILED",
        "configuration": configuration,
        "passedTests": [],
        "warnedTests": [],
        "failedTests": failed,
        "nondeterministicTests": [_test_name(cell) for cell in results.failing if cell.verdict is Verdict.FLAKY],
        "resultsDigest": results.digest,
        "verdict": verdict.value,
        "suiteType": suite.type,
        "totals": {name: getattr(totals, name) for name in _COUNTS},
        "fingerprint": summary.fingerprint,
        "details": summary.details,
        "ran": header.ran,
        "ranDifferences": list(header.ran_differences),
        "selection": header.selection,
        "shard": header.shard,
        "requirements": list(shown_requirements(replace(summary, suites=(suite,)))) if passed else [],
        "notTried": list(not_tried(replace(summary, suites=(suite,), totals=totals))),
        "run": header.run,
        "startedOn": header.started,
        "finishedOn": header.finished,
    }
    if header.reused_from:
        predicate["reusedFrom"] = header.reused_from
    subjects = subjects_of(header.release, environment=header.environment, effective=header.effective)
    return Statement(subjects=subjects, predicate_type=TEST_RESULT, predicate=predicate)


def _undecided(summary: RunSummary, suite: SuiteSummary) -> str:
    """Why nothing may be said of the suite as a whole, in a word; empty where something may (R2, R6, R12 to R14)."""
    header, totals = summary.header, suite.totals
    reasons = (
        ("not-judgeable", suite.type not in JUDGED_TYPES),
        ("something-else-ran", header.ran == DIFFERS),
        ("only-a-part-was-asked", bool(header.shard or header.selection)),
        ("not-executed", not header.finished or bool(header.stopped) or not 0 < totals.expected == totals.executed),
        ("nothing-was-to-be-allowed", not summary.totals.allowing),
    )
    return next((word for word, holds in reasons if holds), "")


def summary_of_gates(
    environment: Environment,
    identity: ReleaseIdentity,
    gates: Sequence[GateState],
    *,
    policy: str,
    version: str,
    at: str,
) -> Statement:
    """The decision of all gates about one release in one environment (SLSA VSA v1). Gates that only warn are inputs,
    too, and fail nothing."""
    passed = all(gate.unmet is None for gate in gates)
    inputs = sorted({gate.evidence for gate in gates if gate.evidence})
    levels: list[Json] = [_level(gate) for gate in gates if gate.result is GateResult.PASSED]
    predicate: dict[str, Json] = {
        "verifier": {"id": VERIFIER, "version": {"plangate": version}},
        "timeVerified": at,
        "resourceUri": resource_of(environment.name),
        "policy": {
            "uri": f"envs/{environment.name}.yaml#gates",
            "digest": {"sha256": policy.removeprefix("sha256:")},
        },
        "inputAttestations": [{"uri": f"evidence/{one}.dsse.json", "digest": {"sha256": one}} for one in inputs],
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": (levels or [NO_GATES]) if passed else ["FAILED"],
        "slsaVersion": "1.1",
    }
    subjects = subjects_of(identity.release, environment=environment.name, effective=identity.effective)
    return Statement(subjects=subjects, predicate_type=VERIFICATION_SUMMARY, predicate=predicate)


def _level(gate: GateState) -> str:
    """What passed, its type first: a gating suite that somebody calls quality has judged no quality (rule R13). A suite
    that found what the manifest lets through has not passed, though its gate has."""
    kind, name = gate.type.upper(), gate.suite.upper()
    what = kind if kind == name else f"{kind}_{name}"
    return f"PLANGATE_{what}_{LET_THROUGH if gate.let_through else 'PASSED'}"


def resource_of(environment: str) -> str:
    """The audience of a verdict: one for stage is none for prod."""
    return f"urn:plangate:environment:{environment}"


def harness_digest() -> str:
    """`sha256:...` over the source of plangate that is running: which harness judged."""
    root = Path(__file__).resolve().parent.parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(f"{path.relative_to(root).as_posix()} {digest_of_bytes(path.read_bytes())}\n".encode())
    return "sha256:" + total.hexdigest()


class _Results:
    """Digests over a suite's cells, in the suite's own order: which cells, and what each decided; and what failed."""

    def __init__(self) -> None:
        self._cells = hashlib.sha256()
        self._results = hashlib.sha256()
        self.failing: list[CellResult] = []
        """The first of them."""
        self.leaked = False

    def add(self, cell: CellResult) -> None:
        self.leaked |= cell.leaked
        if cell.verdict is not Verdict.PASS and len(self.failing) < _LISTED_MAX:
            self.failing.append(cell)
        self._cells.update(f"{cell.cell}\n".encode())
        decision = decision_text(cell.observed).encode("utf-8", "surrogatepass")
        self._results.update(f"{cell.cell} {cell.verdict.value} ".encode() + decision + b"\n")

    @property
    def cells_digest(self) -> str:
        return "sha256:" + self._cells.hexdigest()

    @property
    def digest(self) -> str:
        return "sha256:" + self._results.hexdigest()


def _test_name(cell: CellResult) -> str:
    return f"{cell.axes.get('plan')}/{cell.axes.get('capability')}/{cell.cell}"


def _part(name: str, digest: str, *, version: str = "") -> dict[str, Json]:
    part: dict[str, Json] = {"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}
    if version:
        part["annotations"] = {"version": version}
    return part
