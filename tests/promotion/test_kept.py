"""The kept fold: what judging everything again comes to, at any place of the ledger; nothing where it does not fit."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from plangate.documents.workspace import Workspace
from plangate.evidence.keys import PrivateKey
from plangate.evidence.statements import BYPASS
from plangate.promotion.acts import drift_of
from plangate.promotion.drift import DriftReport
from plangate.promotion.glance import glance
from plangate.promotion.kept import Kept, digest_of_entries, keep, kept_fold, key_of
from plangate.promotion.record import Record
from plangate.releases.release import identify
from tests.cli.promotions import by, plan_of, plangate
from tests.promotion.stages import make_stages


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with every kind of statement in it, one of them by nobody who may say so any more."""
    root = make_stages(tmp_path_factory.mktemp("told"))
    trust = root / "envs" / "trust.yaml"
    trust.write_text(
        trust.read_text().replace("threshold: 1, predicates: [", f'threshold: 1, predicates: ["{BYPASS}", ')
    )
    assert plangate(root, "promote", "stage", "--validate", *by(root, "ci"))[0] == 0
    plan = plan_of(root, "promote", "stage")["plan"]
    assert plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))[0] == 0
    plan = plan_of(root, "promote", "prod")["plan"]
    for verb, person, role in (("approve", "carol", "manager"), ("reject", "bob", "security")):
        assert plangate(root, verb, plan, "--role", role, *by(root, person))[0] == 0
    skip = ("bypass", plan, "--demand", "P1/gating", "--reason", "urgent", "--role", "security")
    assert plangate(root, *skip, *by(root, "bob"))[0] == 0
    _look(root)
    assert plangate(root, "hold", "prod", "--reason", "audit", *by(root, "alice"))[0] == 0
    trust.write_text(trust.read_text().replace("keys: [bob]", "keys: [carol]"))
    return root


def _look(root: Path) -> None:
    """A look at stage is on record, with what it was held to."""
    workspace = Workspace.open(root)
    report = DriftReport(
        differences=(), untold=(), model=("another one",), canary="passed", canary_text="", run="r-1", not_checked=()
    )
    statement = drift_of(
        report, identify(workspace, workspace.environment("stage")), environment="stage", recorded=True, person="ci",
        model={"basis": "sha256:00", "fingerprint": "fp", "answers": ["aa"]}, reason="", at="2026-11-01T00:00:00Z",
    )  # fmt: skip
    record = Record.read(workspace)
    key = PrivateKey.load((root / "keys/ci.key").read_bytes())
    record.add([statement], key=key, person="ci", at=record.last_at)
    assert record.state.drifts["stage"].texts == ("another one",)
    assert record.state.baselines["stage", "sha256:00"].answers == ("aa",)


@pytest.fixture
def root(told: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(told, tmp_path / "shop"))


def _cut(root: Path, size: int) -> Record:
    """What a reader of the first entries made of them."""
    record = Record.read(Workspace.open(root))
    entries = list(record.ledger.entries())
    record.ledger.entries = lambda: iter(entries[:size])  # type: ignore[method-assign]
    record.ledger.require_whole = lambda: None  # type: ignore[method-assign]
    record.refresh()
    return record


def test_from_any_place_on_it_comes_to_the_same(root: Path) -> None:
    workspace = Workspace.open(root)
    whole = Record.read(workspace)
    digests = [entry.digest for entry in whole.ledger.entries()]
    assert whole.ignored, "one signer lost a role"
    assert whole.state.approvals
    assert whole.state.environment("prod").holds
    for size in range(len(digests) + 1):
        part = _cut(root, size)
        kept = Kept(
            size=size,
            last_at=part.last_at,
            entries=digest_of_entries(digests[:size]),
            ignored=tuple((one.path, one.code, one.message) for one in part.ignored),
            state=part.state,
        )
        keep(workspace, kept, key=key_of(workspace))
        found = kept_fold(workspace, key=key_of(workspace), digests=digests)
        assert found is not None
        if size < len(digests):
            assert found == kept
            again = Record.read(workspace, kept=found)
            assert (again.state, again.ignored, again.last_at) == (whole.state, whole.ignored, whole.last_at)
        seen = glance(workspace)
        assert seen is not None
        assert seen.ignored == len(whole.ignored)
        for name in ("dev", "stage", "prod"):
            assert seen.state.environment(name) == whole.state.environment(name)
        assert seen.state.summaries == whole.state.summaries


def test_what_was_kept_for_something_else_is_not_there(root: Path) -> None:
    workspace = Workspace.open(root)
    glance(workspace)
    digests = [entry.digest for entry in Record.read(workspace).ledger.entries()]
    key = key_of(workspace)
    assert kept_fold(workspace, key=key, digests=digests)
    assert kept_fold(workspace, key="0" * 64, digests=digests) is None
    assert kept_fold(workspace, key=key, digests=digests[:-1]) is None
    assert kept_fold(workspace, key=key, digests=[*digests[:-2], digests[-1], digests[-2]]) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"key": 1', "\x00", '{"key":"KEY","size":1}\n{}'])
def test_a_file_that_says_nothing_is_made_again(root: Path, text: str) -> None:
    workspace = Workspace.open(root)
    before = glance(workspace)
    path = root / ".plangate" / "fold.json"
    path.write_text(text.replace("KEY", key_of(workspace)))
    assert glance(workspace) == before
    assert json.loads(path.read_text().splitlines()[0])["key"] == key_of(workspace)


def test_the_key_changes_with_policy_and_keys(root: Path) -> None:
    before = key_of(Workspace.open(root))
    shutil.copy(root / "keys" / "bob.pub", root / "keys" / "alice.pub")
    other = key_of(Workspace.open(root))
    trust = root / "envs" / "trust.yaml"
    trust.write_text(trust.read_text().replace("metadata: {version: 1}", "metadata: {version: 2}"))
    assert len({before, other, key_of(Workspace.open(root))}) == 3


def test_a_forged_one_can_lie_to_who_looks_and_decides_nothing(root: Path) -> None:
    workspace = Workspace.open(root)
    before = plan_of(root, "promote", "prod")
    record = Record.read(workspace)
    state = record.state
    state.environments["prod"] = replace(state.environment("prod"), holds=())
    digests = [entry.digest for entry in record.ledger.entries()]
    forged = Kept(
        size=len(digests), last_at=record.last_at, entries=digest_of_entries(digests), ignored=(), state=state
    )
    keep(workspace, forged, key=key_of(workspace))
    assert "HELD" not in plangate(root, "status")[1]
    assert plan_of(root, "promote", "prod") == before
    assert any(one["rule"] == "P7" for one in before["missing"])


def test_a_folder_that_cannot_be_written_is_no_error(root: Path) -> None:
    shutil.rmtree(root / ".plangate")
    (root / ".plangate").write_text("a file in the way")
    assert plangate(root, "status")[0] == 0
