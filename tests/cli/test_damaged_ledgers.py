"""What was cut off, edited or left out of a workspace's ledger stops every verb that would rest on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from plangate.evidence.ledger import Ledger
from tests.cli.promotions import by, plan_of, plangate
from tests.promotion.stages import make_stages

VERBS = (("status",), ("history", "stage"), ("promote", "stage"))


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """stage is validated, and held: the last entry of the ledger is the hold."""
    root = make_stages(tmp_path_factory.mktemp("held"))
    assert plangate(root, "promote", "stage", "--validate", *by(root, "ci"))[0] == 0
    assert plangate(root, "hold", "stage", "--reason", "audit", *by(root, "alice"))[0] == 0
    assert plangate(root, "status")[0] == 0
    return root


@pytest.fixture
def root(held: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(held, tmp_path / "shop"))


def _edit(root: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = root / "evidence" / "ledger" / "entries.jsonl"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def _without_hold(lines: list[bytes]) -> list[bytes]:
    return lines[:-1]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_without_hold, "ledger-cut"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "ledger-forked"),
        (lambda lines: [lines[0].replace(b"20", b"19", 1), *lines[1:]], "ledger-forked"),
        (lambda lines: [lines[0], b"{}\n", *lines[2:]], "ledger-damaged"),
    ],
)
def test_a_ledger_that_was_edited_is_believed_by_no_verb(
    root: Path, change: Callable[[list[bytes]], list[bytes]], code: str
) -> None:
    _edit(root, change)
    for verb in VERBS:
        assert plangate(root, *verb)[::2] == (4, code)


def test_a_hold_does_not_go_away_with_its_line_and_the_newest_checkpoint(root: Path) -> None:
    ledger = Ledger(root / "evidence")
    proof = root / "evidence" / f"{list(ledger.entries())[1].digest}.tlog-proof"
    _edit(root, _without_hold)
    (root / "evidence" / "ledger" / "checkpoint").write_bytes(proof.read_bytes().partition(b"\n\n")[2])
    for verb in VERBS:
        assert plangate(root, *verb)[::2] == (4, "evidence-unlisted")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_envelope_that_is_gone_or_changed_is_noticed_however_often_it_was_read_before(
    root: Path, number: int
) -> None:
    digest = list(Ledger(root / "evidence").entries())[number].digest
    path = root / "evidence" / f"{digest}.dsse.json"
    data, times = path.read_bytes(), path.stat()
    for verb in VERBS:
        plangate(root, *verb)
    path.write_bytes(data.replace(b"e", b"f", 1))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # the same size, the same time
    for verb in VERBS:
        assert plangate(root, *verb)[::2] == (4, "evidence-changed")
    path.unlink()
    for verb in VERBS:
        assert plangate(root, *verb)[::2] == (4, "evidence-missing")


def test_a_key_that_is_no_longer_trusted_counts_no_more_at_once(root: Path) -> None:
    assert "HELD: audit" in plangate(root, "status")[1]
    trust = root / "envs" / "trust.yaml"
    trust.write_text(trust.read_text().replace("manager: {keys: [alice, carol]", "manager: {keys: [carol]"))
    out = plangate(root, "status")[1]
    assert "HELD" not in out
    assert "1 entry of the ledger is signed by nobody who is trusted" in out
    assert not plan_of(root, "promote", "stage")["missing"]


def test_another_key_under_the_same_name_is_another_key(root: Path) -> None:
    shutil.copy(root / "keys" / "mallory.pub", root / "keys" / "alice.pub")
    assert "HELD" not in plangate(root, "status")[1]
