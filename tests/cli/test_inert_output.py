"""Text of an app, a manifest or an argument never reaches a screen or a file as a command of a CI system (rule P12)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from plangate.cli.entry import VERBS
from tests.cli.shops import make_shop, plangate
from tests.test_line_guard import LIVE

MARKS = "##vso[task.complete result=Succeeded;]DONE ##[error]x \x1b]0;t\x07\u202e\u2028"
HOSTILE = f"""
    honest = evaluate
    MARKS = {MARKS!r}
    def evaluate(request):
        given = honest(request)
        if given["context"]["reason"] == "suspended":
            given["context"]["reason"] = MARKS
        if given["context"]["reason"] == "not_in_plan":
            much = "p " * (request["action"]["name"].count("e") * 9 + 20)
            raise RuntimeError(much + "\\n ::error file=x::pwned\\n" + MARKS)
        return given
"""
BROKEN = ("# #vso[", "\\u0023#vso[")
BAD = "##vso[task.complete] \n ::error::x"
ARGUMENTS = {
    "compare": [BAD, BAD], "ledger": ["verify", "-w", BAD], "keys": ["show", BAD], "merge": [BAD, BAD],
    "check": ["-w", BAD], "lock": ["-w", BAD], "runs": ["-w", BAD], "status": ["-w", BAD], "schema": [BAD],
    "init": ["--no-such-option", BAD], "hold": [BAD, "--reason", BAD, "--key", BAD, "--as", BAD],
    "bypass": [BAD, BAD], "push": [BAD, BAD], "pull": [BAD, BAD], "reproduce": [BAD, "--bindings", BAD],
    "adopt": [BAD, BAD],
}  # fmt: skip


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"worker"}))
def test_no_verb_repeats_what_it_was_given_alive(verb, tmp_path) -> None:
    root = make_shop(tmp_path)
    for more in ([], ["--json"]):
        done = plangate(verb, *ARGUMENTS.get(verb, [BAD]), *more, cwd=root)
        assert done.returncode != 0
        assert LIVE.search(done.stdout) is None, done.stdout
        assert LIVE.search(done.stderr) is None, done.stderr


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    """A workspace with a run of an app that writes commands into its reasons and its errors."""
    root = make_shop(tmp_path_factory.mktemp("hostile"), app=HOSTILE)
    plangate("run", "dev", cwd=root)
    return root


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_a_report_of_any_width_is_inert(hostile, width) -> None:
    shown = plangate("show", "latest", cwd=hostile, environ={"COLUMNS": str(width)})
    assert "#vso[task.complete" in shown.stdout  # a narrow line may break at the blank
    assert LIVE.search(shown.stdout + "\n" + shown.stderr) is None


@pytest.mark.parametrize("suffix", [".txt", ".md", ".json", ".xml", ".html"])
def test_every_report_file_is_inert(hostile, suffix) -> None:
    file = hostile / f"out{suffix}"
    plangate("show", "latest", "--report", str(file), cwd=hostile)
    text = file.read_text(encoding="utf-8")
    assert any(mark in text for mark in BROKEN)
    # A style sheet has selectors of its own that begin with colons.
    assert LIVE.search(text.partition("</style>")[2] if suffix == ".html" else text) is None


def test_json_of_a_run_and_of_a_cell_means_what_the_app_said(hostile) -> None:
    told = plangate("show", "latest", "--json", cwd=hostile)
    assert LIVE.search(told.stdout) is None
    failures = json.loads(told.stdout)["failures"]
    mismatch = next(one for one in failures if one["verdict"] == "mismatch")
    assert mismatch["observed"][0]["reason"] == MARKS
    cell = plangate("show", "latest", "--cell", mismatch["cell"], "--json", cwd=hostile)
    assert LIVE.search(cell.stdout) is None
    assert json.loads(cell.stdout)["observed"][0]["reason"] == MARKS


def test_one_cell_for_people_is_inert(hostile) -> None:
    failures = json.loads(plangate("show", "latest", "--json", cwd=hostile).stdout)["failures"]
    for verdict in ("mismatch", "error"):
        cell = next(one["cell"] for one in failures if one["verdict"] == verdict)
        shown = plangate("show", "latest", "--cell", cell, cwd=hostile)
        assert any(mark in shown.stdout for mark in BROKEN)
        assert LIVE.search(shown.stdout) is None


def test_an_ascii_stream_is_guarded_as_well(hostile) -> None:
    shown = plangate("show", "latest", "--cell", "c-##vso[x]", cwd=hostile, environ={"PYTHONIOENCODING": "ascii"})
    assert "# #vso[x]" in shown.stderr
    assert LIVE.search(shown.stderr) is None


def test_pytest_prints_nothing_alive(hostile) -> None:
    command = [sys.executable, "-m", "pytest", "evals", "--plangate-env", "dev", "-p", "no:cacheprovider", "-q"]
    done = subprocess.run(command, cwd=hostile, capture_output=True, text=True, check=False)
    assert any(mark in done.stdout for mark in BROKEN)
    assert LIVE.search(done.stdout) is None
