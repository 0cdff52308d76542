"""Applying: whole or not at all, wherever it is stopped; the next command goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from plangate.documents.workspace import Workspace
from plangate.errors import EvidenceError, InputError
from plangate.evidence.envelope import seal
from plangate.evidence.keys import generate
from plangate.evidence.ledger import Ledger
from plangate.evidence.statements import PROMOTION, Statement, subjects_of
from plangate.promotion.apply import apply, promoting
from plangate.promotion.candidate import Candidate, promoted
from tests.promotion.stages import make_stages
from tests.writes import Writes, written

KEY = generate()
AT = "2026-01-01T00:00:00Z"
STEPS = ("begin", "intent", "ledger", "history", "manifest", "done")


def _candidate(root: Path) -> tuple[Workspace, Candidate, bytes]:
    workspace = Workspace.open(root)
    candidate = promoted(workspace, "stage", source="dev")
    subjects = subjects_of(candidate.identity.release, environment="stage", effective=candidate.identity.effective)
    statement = Statement(subjects=subjects, predicate_type=PROMOTION, predicate={"environment": "stage"})
    return workspace, candidate, seal(statement, key=KEY)


def _killed_at(root: Path, step: str) -> None:
    """A process that is gone, without a goodbye, when `apply` reaches `step`."""
    child = os.fork()
    if not child:
        workspace, candidate, envelope = _candidate(root)
        with promoting(workspace):
            apply(
                workspace, candidate, envelope, key=KEY, at=AT,
                checkpoint=lambda name: os._exit(9) if name == step else None,
            )  # fmt: skip
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_leaves_the_old_or_the_new_revision(tmp_path: Path, step: str) -> None:
    root = make_stages(tmp_path, trust=False)
    old = (root / "envs" / "stage.yaml").read_bytes()
    new = _candidate(root)[1].text
    _killed_at(root, step)
    assert (root / "envs" / "stage.yaml").read_bytes() in (old, new)
    with promoting(Workspace.open(root)) as told:
        happened = any(True for _ in Ledger(root / "evidence").entries())
        assert (root / "envs" / "stage.yaml").read_bytes() == (new if happened else old)
        assert happened == (step not in ("begin", "intent"))
        history = root / "envs" / "history" / "stage" / "1.yaml"
        assert (history.read_bytes() == old) if happened else not history.exists()
        assert len(told) == (0 if step in ("begin", "done") else 1)
    with promoting(Workspace.open(root)) as told:
        assert told == ()
    assert Workspace.open(root).environment("stage").revision == (2 if happened else 1)
    assert Ledger(root / "evidence").verify() == []
    left = [path.name for path in (root / ".plangate" / "promoting").iterdir() if path.suffix == ".json"]
    assert left == []


def test_intent_history_and_manifest_are_on_disk_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_stages(tmp_path, trust=False)
    workspace, candidate, envelope = _candidate(root)
    with promoting(workspace):
        writes = Writes(monkeypatch)
        apply(workspace, candidate, envelope, key=KEY, at=AT)
    told = writes.under(root)
    intent = written("stage.json", folder="promoting")
    assert told[:3] == intent
    after = [*written("1.yaml", folder="stage"), *written("stage.yaml", folder="envs"), "gone stage.json"]
    assert told[-7:] == after
    assert "safe entries.jsonl" in told[3:-7], "the ledger says so before the manifest does"


def test_nobody_else_changes_an_environment_meanwhile(tmp_path: Path) -> None:
    workspace = Workspace.open(make_stages(tmp_path, trust=False))
    lock = FileLock(tmp_path / ".plangate" / "promoting" / ".lock", timeout=0)
    with promoting(workspace), pytest.raises(Timeout):
        lock.acquire()
    with lock:
        pass


def test_what_was_edited_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    root = make_stages(tmp_path, trust=False)
    workspace, candidate, envelope = _candidate(root)
    manifest = root / "envs" / "stage.yaml"
    manifest.write_text(manifest.read_text() + "# a word more\n")
    with promoting(workspace), pytest.raises(InputError) as moved:
        apply(workspace, candidate, envelope, key=KEY, at=AT)
    assert moved.value.code == "revision-moved"
    assert not (root / "evidence").exists()
    assert manifest.read_text().endswith("# a word more\n")


def test_a_manifest_edited_after_the_commit_point_is_told_and_kept(tmp_path: Path) -> None:
    root = make_stages(tmp_path, trust=False)
    _killed_at(root, "ledger")
    manifest = root / "envs" / "stage.yaml"
    manifest.write_text("edited: by hand\n")
    with pytest.raises(EvidenceError) as changed, promoting(Workspace.open(root)):
        pass
    assert changed.value.code == "manifest-changed"
    assert manifest.read_text() == "edited: by hand\n"


def test_an_intent_nobody_can_read_stops_everything(tmp_path: Path) -> None:
    root = make_stages(tmp_path, trust=False)
    folder = root / ".plangate" / "promoting"
    folder.mkdir(parents=True)
    (folder / "stage.json").write_text("{")
    with pytest.raises(EvidenceError) as unreadable, promoting(Workspace.open(root)):
        pass
    assert unreadable.value.code == "intent-unreadable"
