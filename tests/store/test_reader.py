"""Totals, verdicts and fingerprint come from rows, and agree with judging every cell one by one."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.entitlements.decision import Effect
from plangate.errors import StoreError
from plangate.store.documents import PassRecord, SuiteRecord
from plangate.store.reader import StoredRun
from plangate.verdicts.judge import judge_cell
from plangate.verdicts.observation import Observed
from plangate.verdicts.result import ObservedCount, RunVerdict, Verdict
from tests.store.runs import (
    ALLOW,
    DENY,
    SAW_ALLOW,
    SAW_DENY,
    SAW_NOTHING,
    SAW_SUSPENDED,
    digest,
    header,
    suite,
    write_run,
)

OBSERVED = [SAW_ALLOW, SAW_DENY, SAW_SUSPENDED, SAW_NOTHING]


def test_a_run_that_passes(tmp_path: Path) -> None:
    path = write_run(tmp_path / "r.sqlite", [ALLOW, DENY], [[SAW_ALLOW] * 2, [SAW_DENY] * 2])
    with StoredRun(path) as run:
        summary = run.summary()
        assert list(run.failures()) == []
    totals = summary.totals
    assert summary.verdict is RunVerdict.PASSED
    assert (totals.expected, totals.executed, totals.observations, totals.passed) == (2, 2, 4, 2)


def test_a_cell_that_was_not_observed_in_every_pass_is_missing_and_no_pass(tmp_path: Path) -> None:
    path = write_run(tmp_path / "r.sqlite", [ALLOW, DENY], [[SAW_ALLOW] * 2, [SAW_DENY]])
    with StoredRun(path) as run:
        summary = run.summary()
    assert (summary.totals.missing, summary.totals.passed) == (1, 1)
    assert summary.verdict is RunVerdict.UNDECIDED


def test_a_leak_seen_once_in_an_unfinished_run_is_a_leak(tmp_path: Path) -> None:
    path = write_run(tmp_path / "r.sqlite", [DENY, DENY], [[SAW_ALLOW], []], finished="")
    with StoredRun(path) as run:
        summary = run.summary()
    assert (summary.totals.leak, summary.leaked, summary.verdict) == (1, 1, RunVerdict.FAILED)


def test_failures_come_worst_first_and_then_by_id(tmp_path: Path) -> None:
    expected = [ALLOW, DENY, DENY, DENY, DENY, ALLOW, DENY]
    observed = [
        [SAW_DENY] * 2, [SAW_NOTHING] * 2, [SAW_SUSPENDED] * 2, [SAW_ALLOW] * 2, [SAW_ALLOW, SAW_DENY],
        [SAW_ALLOW] * 2, [SAW_ALLOW] * 2,
    ]  # fmt: skip
    with StoredRun(write_run(tmp_path / "r.sqlite", expected, observed)) as run:
        failures = list(run.failures())
        assert [one.cell for one in run.failures(limit=3)] == [one.cell for one in failures[:3]]
    verdicts = [Verdict.LEAK, Verdict.LEAK, Verdict.FLAKY, Verdict.LOCKOUT, Verdict.MISMATCH, Verdict.ERROR]
    assert [one.verdict for one in failures] == verdicts
    assert failures[0].cell < failures[1].cell
    assert failures[2].leaked
    assert failures[5].observed[0].detail == "no answer within 1 s"


cells_strategy = st.lists(
    st.tuples(st.sampled_from([ALLOW, DENY]), st.lists(st.sampled_from(OBSERVED), min_size=0, max_size=3)),
    min_size=1,
    max_size=12,
)


@given(cells_strategy)
def test_totals_agree_with_judging_each_cell(tmp_path_factory, cells) -> None:
    path = tmp_path_factory.mktemp("run") / "r.sqlite"
    record = suite(passes=3, cells=len(cells))
    write_run(path, [one for one, _ in cells], [seen for _, seen in cells], of=record)
    counts: Counter[Verdict] = Counter()
    leaked = 0
    for expected, seen in cells:
        if not seen:
            continue
        observed = [
            ObservedCount(effect=o.effect, reason=o.reason, limit=o.limit, fault=o.fault, count=n)
            for o, n in Counter(seen).items()
        ]
        verdict, leaks = judge_cell(expected, observed)
        leaked += leaks
        if len(seen) == 3 or verdict is not Verdict.PASS:
            counts[verdict] += 1
    with StoredRun(path) as run:
        summary = run.summary()
        failures = Counter(one.verdict for one in run.failures())
        listed = {one.cell: one.verdict for one in run.cells()}
    totals = summary.totals
    assert totals.executed == sum(len(seen) == 3 for _, seen in cells)
    assert totals.observations == sum(len(seen) for _, seen in cells)
    assert summary.leaked == leaked
    found = {
        Verdict.PASS: totals.passed, Verdict.LEAK: totals.leak, Verdict.FLAKY: totals.flaky,
        Verdict.LOCKOUT: totals.lockout, Verdict.MISMATCH: totals.mismatch, Verdict.ERROR: totals.error,
    }  # fmt: skip
    assert {verdict: count for verdict, count in found.items() if count} == dict(counts)
    assert failures == counts - Counter({Verdict.PASS: counts[Verdict.PASS]})
    assert set(listed) == {"c-" + digest(at).hex() for at, (_, seen) in enumerate(cells) if seen}


@given(st.permutations(range(6)))
def test_the_fingerprint_does_not_know_in_which_order_rows_came(tmp_path_factory, order) -> None:
    folder = tmp_path_factory.mktemp("runs")
    expected = [ALLOW, DENY] * 3
    observed = [
        [SAW_ALLOW] * 2,
        [SAW_DENY, SAW_ALLOW],
        [SAW_ALLOW] * 2,
        [SAW_DENY] * 2,
        [SAW_NOTHING] * 2,
        [SAW_DENY] * 2,
    ]
    one = write_run(folder / "a.sqlite", expected, observed)
    other = write_run(
        folder / "b.sqlite", [expected[at] for at in order], [observed[at] for at in order], numbers=order
    )
    with StoredRun(one) as first, StoredRun(other) as second:
        assert first.summary().fingerprint == second.summary().fingerprint


def test_one_cell_by_its_id(tmp_path: Path) -> None:
    path = write_run(tmp_path / "r.sqlite", [ALLOW, DENY], [[SAW_ALLOW] * 2, [SAW_ALLOW] * 2])
    with StoredRun(path) as run:
        assert run.cell("c-" + digest(1).hex()).verdict is Verdict.LEAK
        assert run.cell("c-" + digest(1).hex()).axes["capability"] == "capability.1"
        for unknown in ("c-" + "0" * 20, "c-zz", "", "c-" + "0" * 19):
            with pytest.raises(StoreError, match="no cell"):
                run.cell(unknown)


def test_what_is_no_run_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("hello, this is not a database at all" * 20)
    (tmp_path / "empty.sqlite").write_bytes(b"")
    sqlite3.connect(tmp_path / "other.sqlite").execute("CREATE TABLE t (a)").connection.close()
    for name in ("text", "empty", "other", "absent"):
        with pytest.raises(StoreError):
            StoredRun(tmp_path / f"{name}.sqlite")


def test_a_run_file_from_before_what_ran_was_stored_still_opens(tmp_path: Path) -> None:
    path = write_run(tmp_path / "r.sqlite", [ALLOW], [[SAW_ALLOW] * 2])
    with sqlite3.connect(path) as connection:
        removed = "json_remove(header, '$.ran', '$.ran_differences', '$.told')"
        connection.execute(f"UPDATE run SET header = {removed}")
    connection.close()
    with StoredRun(path) as run:
        assert (run.header.ran, run.summary().verdict) == ("not checked", "passed")


def test_a_run_of_refusals_only_is_undecided(tmp_path) -> None:
    path = write_run(tmp_path / "r-1.sqlite", [DENY, DENY], [[SAW_DENY] * 2, [SAW_DENY] * 2])
    with StoredRun(path) as run:
        summary = run.summary()
    assert summary.totals.passed == 2
    assert (summary.totals.allowing, summary.verdict) == (0, RunVerdict.UNDECIDED)


def test_cells_that_allow_count_only_where_every_pass_saw_them(tmp_path) -> None:
    path = write_run(tmp_path / "r-1.sqlite", [ALLOW, ALLOW, DENY], [[SAW_ALLOW] * 2, [SAW_ALLOW], [SAW_DENY] * 2])
    with StoredRun(path) as run:
        summary = run.summary()
    assert summary.totals.allowing == 1
    assert summary.suites[0].rules == ("D11", "D6")


def test_cells_that_nobody_observed_are_told_apart(tmp_path: Path) -> None:
    path = write_run(tmp_path / "r.sqlite", [ALLOW, DENY, DENY], [[SAW_ALLOW] * 2, [SAW_DENY], []], finished="")
    with StoredRun(path) as run:
        assert [(one.axes["capability"], one.whole, one.took_us) for one in run.cells()] == [
            ("capability.0", True, 200),
            ("capability.1", False, 100),
        ]
        (never,) = run.unobserved()
    assert (never.axes["capability"], never.whole, never.observed) == ("capability.2", False, ())
    assert never.verdict is Verdict.ERROR


def test_like_cells_seen_a_different_number_of_times_are_told_apart(tmp_path: Path) -> None:
    path = write_run(tmp_path / "r.sqlite", [DENY, DENY], [[SAW_DENY] * 2, [SAW_DENY]], finished="")
    with StoredRun(path) as run:
        assert [one.count for result in run.cells() for one in result.observed] == [2, 1]


def test_more_than_five_hundred_kinds_of_failure_are_all_found(tmp_path: Path) -> None:
    wide = suite(cells=1_100)
    wide = replace(wide, span=1_100, axes=wide.axes | {"capability": tuple(f"c.{at}" for at in range(1_100))})
    words = [Observed(effect=Effect.ALLOW, reason=f"word {at}") for at in range(1_100)]
    path = write_run(tmp_path / "r.sqlite", [DENY] * 1_100, [[one] * 2 for one in words], of=wide)
    with StoredRun(path) as run:
        found = list(run.failures(limit=None))
    assert len({result.observed[0].reason for result in found}) == len(found) == 1_100


def levels(*concurrency: int) -> SuiteRecord:
    """A suite whose passes have these levels."""
    passes = tuple(
        PassRecord(
            number=at, order=("forward", "shuffled")[at % 2], concurrency=one, process=0, seed=at, hash_seed=None
        )
        for at, one in enumerate(concurrency)
    )
    return replace(suite(cells=1), passes=passes)


def test_a_cell_that_wavers_is_repeated_with_its_neighbours_and_says_which_pass_saw_what(tmp_path: Path) -> None:
    path = write_run(tmp_path / "r-1.sqlite", [DENY], [[SAW_DENY, SAW_ALLOW]], of=levels(1, 16))
    with StoredRun(path, place=" -w shop") as run:
        (result,) = run.failures()
        one = run.cell(result.cell)
    assert result.reproduce == "plangate run stage --suite gating --seed 7 -w shop"
    assert result.alone == f"alone it may pass; plangate show r-1 --cell {result.cell} -w shop says which pass saw what"
    assert [(seen.number, seen.order, seen.concurrency, seen.seen.effect) for seen in one.passes] == [
        (1, "forward", 1, "deny"),
        (2, "shuffled", 16, "allow"),
    ]


def test_a_wavering_cell_of_a_part_is_repeated_with_that_part(tmp_path: Path) -> None:
    head = header("r-1", selection="plan=free,pro; state=Suspended", shard="2/4")
    path = write_run(tmp_path / "r-1.sqlite", [DENY], [[SAW_DENY, SAW_ALLOW]], of=levels(1, 16), head=head)
    with StoredRun(path) as run:
        (result,) = run.failures()
    chosen = "--plan free --plan pro --state Suspended --shard 2/4"
    assert result.reproduce == f"plangate run stage --suite gating {chosen} --seed 7"


@pytest.mark.parametrize(("concurrency", "told"), [((8, 8), True), ((1, 8), False), ((1, 1), False)])
def test_a_cell_that_was_never_asked_alone_says_that_its_neighbours_may_matter(tmp_path, concurrency, told) -> None:
    path = write_run(tmp_path / "r-1.sqlite", [DENY], [[SAW_ALLOW] * 2], of=levels(*concurrency))
    with StoredRun(path) as run:
        (result,) = run.failures()
    assert result.reproduce == f"plangate run stage --cell {result.cell} --seed 7"
    assert ("plangate run stage --suite gating --seed 7" in result.alone) is told


def test_one_cell_that_was_asked_by_its_id_is_repeated_by_its_id(tmp_path: Path) -> None:
    head = header("r-1", selection="1 cells by id")
    path = write_run(tmp_path / "r-1.sqlite", [DENY], [[SAW_DENY, SAW_ALLOW]], of=levels(1, 16), head=head)
    with StoredRun(path) as run:
        (result,) = run.failures()
    assert result.reproduce == f"plangate run stage --cell {result.cell} --seed 7"
