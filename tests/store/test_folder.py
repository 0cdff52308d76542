"""Which run is meant, and what is said of files that cannot be read."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from plangate.errors import InputError, StoreError
from plangate.store.folder import RunFolder
from plangate.store.reader import StoredRun
from plangate.store.schema import FORMAT, connect
from plangate.store.writer import RunWriter
from tests.cli.shops import make_shop, plangate
from tests.read_only import read_only
from tests.store.runs import ALLOW, SAW_ALLOW, header, write_run


def _run(root: Path, name: str, **more: str) -> Path:
    return write_run(RunFolder(root).path_of(name), [ALLOW], [[SAW_ALLOW] * 2], head=header(name), **more)


def _of_version(path: Path, number: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={number}")
    connection.commit()
    connection.close()


def test_an_id_that_another_one_begins_with_is_still_found(tmp_path: Path) -> None:
    exact = _run(tmp_path, "r-1")
    _run(tmp_path, "r-10")
    assert RunFolder(tmp_path).find("r-1") == exact
    with pytest.raises(InputError, match="2 runs begin with 'r-'"):
        RunFolder(tmp_path).find("r-")


@pytest.mark.parametrize("number", [0, FORMAT + 1, 99])
def test_a_run_of_another_format_is_refused_by_name(tmp_path: Path, number: int) -> None:
    path = _run(tmp_path, "r-1")
    _of_version(path, number)
    with pytest.raises(StoreError, match="written by another version of plangate") as refused:
        StoredRun(path)
    assert refused.value.code == "run-format"


def test_runs_names_what_it_cannot_open_and_why(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    _run(root, "r-3")
    _of_version(_run(root, "r-2"), 99)
    RunFolder(root).path_of("r-1").write_bytes(b"SQLite format 3\0 and then nothing of it" * 50)
    out = plangate("runs", cwd=root).stdout.splitlines()
    assert out[0].startswith("r-3  stage  passed")
    assert out[1].startswith("r-2  cannot be read: r-2.sqlite was written by another version of plangate")
    assert out[2].startswith("r-1  cannot be read")
    assert len(out) == 3
    listed = json.loads(plangate("runs", "--json", cwd=root).stdout)["runs"]
    assert [(one["run"], one.get("code")) for one in listed] == [
        ("r-3", None),
        ("r-2", "run-format"),
        ("r-1", "not-a-run"),
    ]


def test_runs_of_another_version_alone_are_not_no_runs(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    _of_version(_run(root, "r-1"), 99)
    assert "no runs yet" not in plangate("runs", cwd=root).stdout


def test_a_finished_run_is_one_file_without_a_journal(tmp_path: Path) -> None:
    path = _run(tmp_path, "r-1")
    connection = connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_run_that_is_gone_on_with_has_its_journal_again(tmp_path: Path) -> None:
    path = _run(tmp_path, "r-1", finished="")
    writer = RunWriter.reopen(path)
    try:
        connection = connect(path)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()
    finally:
        writer.close()


def test_a_reader_at_that_moment_does_not_keep_a_run_from_finishing(tmp_path: Path) -> None:
    path = _run(tmp_path, "r-1", finished="")
    writer = RunWriter.reopen(path)
    with StoredRun(path) as reader:
        assert reader.header.run == "r-1"
        writer.finish(finished="2026-01-01T00:02:00Z", duration_s=1.0)
        writer.close()
    with StoredRun(path) as reader:
        assert reader.header.finished == "2026-01-01T00:02:00Z"


def test_a_run_that_still_has_a_journal_is_read_from_a_folder_mounted_read_only(tmp_path: Path) -> None:
    _run(tmp_path / "shop", "r-1")
    # As versions before left it: still with a journal, and nothing in it.
    connection = sqlite3.connect(RunFolder(tmp_path / "shop").path_of("r-1"))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    with read_only(tmp_path / "shop", tmp_path / "sealed") as sealed, StoredRun(RunFolder(sealed).find("r-1")) as run:
        assert run.summary().totals.executed == 1
