"""Nothing is counted twice, nothing committed is lost, and two processes do not write one run."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest

from plangate.errors import StoreError
from plangate.store.pending import PendingCells
from plangate.store.reader import StoredRun
from plangate.store.rows import outcome_key
from plangate.store.schema import connect
from plangate.store.writer import DETAILS_MAX, RunWriter
from tests.store.runs import ALLOW, SAW_ALLOW, SAW_DENY, header, suite, write_run


def test_an_observation_that_is_there_already_stays_as_it_is(tmp_path: Path) -> None:
    path = write_run(tmp_path / "r.sqlite", [ALLOW], [[SAW_ALLOW] * 2], finished="")
    writer = RunWriter.reopen(path)
    writer.add_observations([(0, 0, writer.number_of_outcome(outcome_key(SAW_DENY)), 5, 0)])
    writer.close()
    with StoredRun(path) as run:
        assert run.summary().totals.observations == 2
        assert run.summary().totals.passed == 1


def test_pending_cells_are_the_expected_less_the_seen(tmp_path: Path) -> None:
    record = suite(cells=3)
    path = write_run(
        tmp_path / "r.sqlite",
        [ALLOW] * 3,
        [[SAW_ALLOW] * 2, [SAW_ALLOW], []],
        of=record,
        numbers=[1, 5, 9],
        finished="",
    )
    first, second = (PendingCells.of(path, record, one) for one in record.passes)
    assert list(first.numbers(iter(range(40)))) == [9]
    assert list(second.numbers(iter(range(39, -1, -1)))) == [9, 5]
    assert list(second.numbers(iter(range(40)), part=(1, 2))) == [5, 9]
    assert (first.expected, first.left, second.left) == (3, 1, 2)


def test_a_run_has_one_writer(tmp_path: Path) -> None:
    path = write_run(tmp_path / "r.sqlite", [ALLOW], [[]], finished="")
    writer = RunWriter.reopen(path)
    with pytest.raises(StoreError, match="another process"):
        RunWriter.reopen(path)
    writer.close()
    RunWriter.reopen(path).close()


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "r.sqlite", header())
    with pytest.raises(ZeroDivisionError), writer.transaction():  # noqa: PT012 - the block is what must roll back
        writer.add_cells([(1, b"d" * 10, 1, b"")])
        raise ZeroDivisionError
    writer.close()
    with StoredRun(tmp_path / "r.sqlite") as run:
        assert list(run.decisions()) == []


def test_a_closed_run_is_one_file_that_travels(tmp_path: Path) -> None:
    path = write_run(tmp_path / "a" / "r.sqlite", [ALLOW], [[SAW_ALLOW] * 2])
    assert [one.name for one in path.parent.iterdir()] == ["r.sqlite"]
    moved = tmp_path / "elsewhere.sqlite"
    moved.write_bytes(path.read_bytes())
    with StoredRun(moved) as run:
        assert run.summary().totals.passed == 1


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 63, 64, 511, 512, 513, 1_097])
def test_a_batch_of_any_size_is_stored_whole(tmp_path: Path, rows: int) -> None:
    writer = RunWriter.create(tmp_path / "r.sqlite", header())
    batch = [(cell, 0, 1, cell + 5, 0) for cell in range(rows)]
    writer.add_observations(batch)
    writer.close()
    with closing(connect(tmp_path / "r.sqlite")) as connection:
        assert connection.execute("SELECT * FROM observations ORDER BY cell").fetchall() == batch


def test_batches_of_many_sizes_need_few_statements(tmp_path: Path) -> None:
    # A connection keeps each statement compiled: one for each size of a batch once held 60 MB.
    writer = RunWriter.create(tmp_path / "r.sqlite", header())
    seen: set[str] = set()
    writer._connection.set_trace_callback(lambda text: seen.add(re.sub(r"\d+", "?", text)))
    for size in range(1, 80):
        writer.add_observations([(cell + 100 * size, 0, 1, 5, 0) for cell in range(size)])
    writer.close()
    assert len([text for text in seen if text.startswith("INSERT")]) == 3


def test_the_duration_of_a_resumed_run_is_that_of_all_its_sittings(tmp_path: Path) -> None:
    path = write_run(tmp_path / "r.sqlite", [ALLOW], [[SAW_ALLOW]], finished="")
    writer = RunWriter.reopen(path)
    writer.finish(finished="2026-01-01T00:05:00Z", duration_s=2.5)
    writer.close()
    with StoredRun(path) as run:
        assert (run.header.duration_s, run.header.finished) == (3.5, "2026-01-01T00:05:00Z")


def test_details_are_kept_up_to_their_cap_and_counted_for_the_whole_writer(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "r.sqlite", header())
    for first in (0, DETAILS_MAX - 1):
        writer.add_observations([], details=[(first + at, 0, "text") for at in range(DETAILS_MAX - 1)])
    writer.close()
    with closing(connect(tmp_path / "r.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM details").fetchone() == (DETAILS_MAX,)


def test_no_refusal_leaves_a_connection_open(tmp_path: Path) -> None:
    path = write_run(tmp_path / "r.sqlite", [ALLOW], [[]], finished="")
    (tmp_path / "other.sqlite").write_bytes(b"no database at all, only text" * 99)
    writer = RunWriter.reopen(path)
    try:
        for _ in range(3):
            with pytest.raises(StoreError):
                RunWriter.reopen(path)
            with pytest.raises(StoreError):
                StoredRun(tmp_path / "other.sqlite")
        here = [one.resolve() for one in Path("/proc/self/fd").iterdir() if one.exists()]
        assert here.count(path.resolve()) == 1
        assert here.count((tmp_path / "other.sqlite").resolve()) == 0
    finally:
        writer.close()
