"""Every fault the reference app can have is found by `plangate run stage`, over real HTTP, with the right verdict."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.cli.shops import plangate
from tests.examples.running import copied_workspace

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples" / "support-copilot"))

from copilot.bugs import BUGS, Bug  # noqa: E402 - the app lies outside the package, as a customer's does

pytestmark = pytest.mark.slow
# What these runs execute is measured by other tests; tracing it here would only double the longest part of CI.
UNTRACED = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}
WORD = {"leak": "LEAK", "lockout": "LOCKOUT", "mismatch": "MISMATCH", "flaky": "FLAKY", "error": "ERROR"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied_workspace(tmp_path_factory.mktemp("shipped"))


def test_there_are_at_least_twenty_and_each_says_where_it_was_seen() -> None:
    assert len(BUGS) >= 20
    assert all(bug.seen and bug.does for bug in BUGS)


@pytest.mark.parametrize("bug", [bug for bug in BUGS if "stage" in bug.environments], ids=lambda bug: bug.name)
def test_each_bug_is_found(workspace: Path, bug: Bug) -> None:
    # What wavers needs all its repeats to show it; for the rest, two are the least that proves anything.
    repeats = () if bug.verdict == "flaky" else ("--repeats", "2")
    arguments = ("run", "stage", "--suite", bug.found_by, *repeats, "--json")
    done = plangate(*arguments, cwd=workspace, environ={**UNTRACED, "COPILOT_BUG": bug.name})
    assert done.returncode == bug.exit_code, done.stderr
    document = json.loads(done.stdout)
    assert document["totals"][bug.verdict] > 0, document["totals"]
    shown = plangate("show", document["run"], cwd=workspace)
    first = "\n".join(shown.stdout.splitlines()[:15])
    assert any(word in first for word in WORD.values()), first
    if bug.exit_code == 1:
        assert any(f" {word} " in f" {first} " or f"\n{word} " in first for word in WORD.values()), first


def test_the_app_without_a_bug_has_no_finding(workspace: Path) -> None:
    done = plangate("run", "stage", "--json", cwd=workspace, environ=UNTRACED, timeout_s=300)
    assert done.returncode == 0, done.stderr
    totals = json.loads(done.stdout)["totals"]
    assert totals["pass"] == totals["executed"] == totals["expected"] > 5_000
