"""A disk that is full: it is said, nothing that was there is lost, and with room again the next command goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from plangate.errors import InputError, StoreError
from plangate.evidence.bundle.layout import write_bundle
from plangate.evidence.keys import generate
from plangate.evidence.ledger import Ledger
from tests.cli.promotions import by, plan_of, plangate
from tests.promotion.stages import make_stages
from tests.small_disk import only, small_disk

KEY = generate()
AT = "2026-01-01T00:00:00Z"


def test_an_append_happened_or_it_did_not(tmp_path: Path) -> None:
    outcomes = set()
    with small_disk(tmp_path / "disk", kilobytes=1024) as disk:
        for pages in range(8):
            ledger = Ledger(disk / str(pages))
            for number in range(3):
                ledger.append(b"envelope %d" % number, key=KEY, at=AT)
            with only(disk, pages=pages):
                try:
                    ledger.append(b"one too many", key=KEY, at=AT)
                    outcomes.add("written")
                except StoreError as error:
                    outcomes.add(error.code)
            ledger.append(b"after", key=KEY, at=AT)
            assert ledger.verify() == []
            said = [ledger.envelope(entry.digest) for entry in ledger.entries()]
            assert said in (
                [b"envelope 0", b"envelope 1", b"envelope 2", b"after"],
                [b"envelope 0", b"envelope 1", b"envelope 2", b"one too many", b"after"],
            )
    assert outcomes == {"written", "disk-full"}


def test_a_bundle_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kilobytes=256) as disk:
        file = disk / "release.tar"
        write_bundle(file, {"run.json": b"{}"}, annotations={})
        before = file.read_bytes()
        with only(disk, pages=3), pytest.raises(InputError, match="No space left"):
            write_bundle(file, {"run.json": b"{" + b" " * 100_000 + b"}"}, annotations={})
        assert (file.read_bytes(), [one.name for one in disk.iterdir()]) == (before, ["release.tar"])


def test_a_promotion_happened_or_it_did_not(tmp_path: Path) -> None:
    """Whatever the moment at which the disk is full, manifest and ledger agree once there is room again."""
    outcomes = set()
    made = make_stages(tmp_path / "made")
    assert plangate(made, "promote", "stage", "--validate", *by(made, "ci"))[0] == 0
    plan = plan_of(made, "promote", "stage")["plan"]
    with small_disk(tmp_path / "disk", kilobytes=8 * 1024) as disk:
        for pages in range(14):
            root = Path(shutil.copytree(made, disk / "shop"))
            with only(disk, pages=pages):
                status, _, code = plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))
            assert (status, code) in ((0, ""), (3, "disk-full")), (pages, status, code)
            assert plangate(root, "status")[0] == 0
            assert plangate(root, "ledger", "verify")[0] == 0
            _, history, _ = plangate(root, "history", "stage")
            promoted = "revision: 2" in (root / "envs/stage.yaml").read_text(encoding="utf-8")
            assert promoted == ("revision 2" in history)
            outcomes.add((status, promoted))
            if not promoted:
                assert plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))[0] == 0
            shutil.rmtree(root)
    assert {(0, True), (3, False)} <= outcomes
