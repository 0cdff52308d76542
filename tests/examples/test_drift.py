"""`plangate drift` against the reference app: each way in which what runs is no longer what was put there."""

from __future__ import annotations

import base64
import json
import shutil
import sys
from pathlib import Path

import pytest

from plangate.evidence.statements import TEST_RESULT
from tests.cli.shops import plangate
from tests.examples.running import ROOT, copied_workspace

sys.path.insert(0, str(ROOT / "examples" / "support-copilot"))

from copilot.drifts import DRIFTS, Drift

pytestmark = pytest.mark.slow
UNTRACED = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}
CI = ("--key", "keys/ci.key", "--as", "ci")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped workspace; stage was looked at once, and what its model says is on record."""
    root = copied_workspace(tmp_path_factory.mktemp("watched"))
    shutil.copy(ROOT / "examples/support-copilot/trust.yaml", root / "envs")
    for name in ("ci", "ann", "bob", "sue"):
        plangate("keys", "new", name, "--out", "keys", cwd=root)
    status, document = _drift(root, *CI)
    assert (status, document["verdict"], document["differences"]) == (0, "none", [])
    assert any("nothing is recorded" in text for text in document["not_checked"])
    return root


@pytest.fixture
def root(watched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(watched, tmp_path / "watched"))


def _drift(root: Path, *more: str, drift: str = "", name: str = "stage") -> tuple[int, dict]:
    environ = {**UNTRACED, "COPILOT_DRIFT": drift}
    done = plangate("drift", name, "--json", *more, cwd=root, environ=environ)
    return done.returncode, json.loads(done.stdout or "{}")


def _remark(root: Path) -> str:
    seen = json.loads(plangate("status", "--json", cwd=root).stdout)
    return next(one["drift"] for one in seen["environments"] if one["environment"] == "stage")


def test_what_runs_as_proven_has_not_drifted(root: Path) -> None:
    status, document = _drift(root)
    assert (status, document["verdict"], document["canary"], document["not_checked"]) == (0, "none", "passed", [])


@pytest.mark.parametrize("drift", DRIFTS, ids=lambda drift: drift.name)
def test_each_drift_is_seen_and_named(root: Path, drift: Drift) -> None:
    status, document = _drift(root, drift=drift.name)
    assert (status, document["verdict"]) == (1, "drifted")
    if drift.differs == "model":
        assert document["differences"] == []
        assert any("question 1" in text for text in document["model"])
    else:
        assert [one["pin"] for one in document["differences"]] == [drift.differs]
        assert document["differences"][0]["where"].startswith("envs/stage.yaml:")


def test_decisions_that_changed_are_seen_by_the_canary_alone(root: Path) -> None:
    """An app that tells the truth of its pins and decides otherwise all the same."""
    done = plangate("drift", "stage", "--json", cwd=root, environ={**UNTRACED, "COPILOT_BUG": "free_gains_export"})
    document = json.loads(done.stdout)
    assert (done.returncode, document["differences"], document["canary"]) == (1, [], "failed")
    assert plangate("drift", "stage", "--no-canary", cwd=root, environ=UNTRACED).returncode == 0


def test_status_shows_the_newest_look_and_accepting_is_on_record(root: Path) -> None:
    assert _remark(root).startswith("no drift, seen ")
    assert _drift(root, *CI, drift="model_says_nothing")[0] == 1
    assert "the model answers question 1 otherwise" in _remark(root)
    assert _drift(root, *CI, drift="model_says_nothing")[0] == 1, "seeing it twice makes it no baseline"
    accept = ("--accept", "--reason", "the provider moved on, and stage was validated again")
    assert _drift(root, *CI, *accept, drift="model_says_nothing")[0] == 0
    assert _drift(root, drift="model_says_nothing")[0] == 0
    assert _drift(root)[0] == 1, "and the model of before is now another one"


def test_a_difference_of_pins_cannot_be_accepted(root: Path) -> None:
    accept = ("--accept", "--reason", "we know")
    assert _drift(root, *CI, *accept, drift="newer_model")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("dev",), "no-probe"), (("stage", "--accept"), "no-signer"),
        (("stage", "--key", "keys/ann.key", "--as", "ann"), "not-trusted"),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_exit_2(root: Path, arguments: tuple[str, ...], code: str) -> None:
    done = plangate("drift", *arguments, cwd=root, environ=UNTRACED)
    assert (done.returncode, f"[{code}]" in done.stderr) == (2, True), done.stderr


def test_nothing_goes_on_record_where_nobody_is_trusted(root: Path) -> None:
    (root / "envs/trust.yaml").unlink()
    done = plangate("drift", "stage", *CI, cwd=root, environ=UNTRACED)
    assert (done.returncode, "[no-trust]" in done.stderr, "observations" in done.stderr) == (2, True, False)
    assert plangate("drift", "stage", "--no-canary", cwd=root, environ=UNTRACED).returncode == 0


def test_an_app_that_does_not_say_a_pin_is_not_judged(root: Path) -> None:
    manifest = root / "envs/stage.yaml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace("path: /version", "path: /version\n    parts: {tools: $.nowhere}"), "utf-8")
    status, document = _drift(root, "--no-canary")
    assert (status, document["verdict"]) == (3, "undecided")
    assert [one["pin"] for one in document["untold"]] == ["tools.support-copilot"]
    manifest.write_text(text.replace("path: /version", "path: /healthz"), "utf-8")
    done = plangate("drift", "stage", cwd=root, environ=UNTRACED)
    assert (done.returncode, "[probe-failed]" in done.stderr) == (3, True)


def test_a_release_that_did_not_run_is_not_validated(root: Path) -> None:
    """Rule R14: what is signed for stage says that the gates could not be judged, whatever the decisions were."""
    environ = {**UNTRACED, "COPILOT_DRIFT": "newer_model"}
    done = plangate("promote", "stage", "--validate", "--json", *CI, cwd=root, environ=environ)
    gates = {gate["suite"]: gate["result"] for gate in json.loads(done.stdout)["gates"]}
    assert (done.returncode, gates.pop("gating"), set(gates.values())) == (1, "undecided", {"undecided"})
    signed = [json.loads(path.read_text("utf-8")) for path in (root / "evidence").glob("*.dsse.json")]
    said = [json.loads(base64.b64decode(one["payload"])) for one in signed]
    verdicts = {one["predicate"]["verdict"] for one in said if one["predicateType"] == TEST_RESULT}
    assert verdicts == {"undecided"}
