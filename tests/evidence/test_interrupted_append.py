"""An append that was interrupted has happened or has not; whoever comes next finishes it, without a key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from plangate.errors import EvidenceError
from plangate.evidence.ledger import Ledger
from plangate.evidence.pending import Pending
from tests.evidence.test_ledger import AT, KEY, codes, filled

NEW = b"one more envelope"
STEPS = ("pending", "envelope", "line", "proof", "checkpoint", "frontier")


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _stopped_after(tmp_path: Path, step: str, *, count: int = 5) -> tuple[Path, dict[str, bytes]]:
    """A ledger whose append stopped after `step`, and the files that a whole append leaves."""
    folder, whole = tmp_path / "stopped", tmp_path / "whole"
    filled(folder, count)
    (folder / "ledger").mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, whole)
    digest = Ledger(whole).append(NEW, key=KEY, at=AT).digest
    after = _files(whole)
    line = after["ledger/entries.jsonl"].splitlines()[-1]
    names = {
        "envelope": f"{digest}.dsse.json", "proof": f"{digest}.tlog-proof",
        "checkpoint": "ledger/checkpoint", "frontier": "ledger/frontier.json", "line": "ledger/entries.jsonl",
    }  # fmt: skip
    pending = Pending(
        envelope=NEW, line=line, checkpoint=after[names["checkpoint"]], proof=after[names["proof"]]
    )  # fmt: skip
    (folder / "ledger" / "pending.json").write_bytes(pending.to_bytes())
    for done in STEPS[1 : STEPS.index(step) + 1]:
        (folder / names[done]).write_bytes(after[names[done]])
    return folder, after


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("count", [0, 5])
def test_wherever_it_stopped_recovering_leaves_what_a_whole_append_leaves(
    tmp_path: Path, step: str, count: int
) -> None:
    folder, after = _stopped_after(tmp_path, step, count=count)
    Ledger(folder).recover()
    assert _files(folder) == after
    assert codes(Ledger(folder)) == set()


@pytest.mark.parametrize("step", STEPS)
def test_the_next_append_comes_after_it(tmp_path: Path, step: str) -> None:
    folder, _ = _stopped_after(tmp_path, step)
    entry = Ledger(folder).append(b"the next", key=KEY, at=AT)
    assert entry.index == 6
    assert Ledger(folder).envelope(list(Ledger(folder).entries())[5].digest) == NEW
    assert codes(Ledger(folder)) == set()


def test_a_torn_line_is_written_whole(tmp_path: Path) -> None:
    folder, after = _stopped_after(tmp_path, "pending")
    entries = folder / "ledger" / "entries.jsonl"
    whole = after["ledger/entries.jsonl"]
    entries.write_bytes(whole[: len(whole) - 20])
    Ledger(folder).recover()
    assert _files(folder) == after


def test_before_its_moment_nothing_of_it_is_there(tmp_path: Path) -> None:
    folder, _ = _stopped_after(tmp_path, "pending")
    pending = folder / "ledger" / "pending.json"
    pending.rename(pending.with_name(".pending.json.4711"))  # the rename had not come yet
    assert codes(Ledger(folder)) == set()
    assert len(list(Ledger(folder).entries())) == 5


def test_what_is_pending_for_another_ledger_is_not_added(tmp_path: Path) -> None:
    folder, _ = _stopped_after(tmp_path, "pending")
    other = tmp_path / "other"
    filled(other, 6)
    shutil.copy(folder / "ledger" / "pending.json", other / "ledger" / "pending.json")
    before = _files(other)
    assert codes(Ledger(other)) == {"ledger-damaged"}
    with pytest.raises(EvidenceError, match="not signed for"):
        Ledger(other).append(NEW, key=KEY, at=AT)
    assert _files(other) == before


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"envelope": 1}', b"[" * 100_000], ids=range(6))
def test_a_pending_file_that_is_none_is_told(tmp_path: Path, data: bytes) -> None:
    ledger = filled(tmp_path, 2)
    (tmp_path / "ledger" / "pending.json").write_bytes(data)
    assert codes(ledger) == {"ledger-damaged"}
    with pytest.raises(EvidenceError, match="cannot be read"):
        ledger.append(NEW, key=KEY, at=AT)
