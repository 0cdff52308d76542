"""From what was seen to rows: what came back is kept, and equal numbers mean equal expectations."""

from __future__ import annotations

from array import array
from dataclasses import replace
from itertools import count
from pathlib import Path

from plangate.documents.suite import AXES, Determinism, JudgeMode, Suite
from plangate.engine.execution import store_plan
from plangate.engine.plan import RunPlan, SuitePlan, passes_of
from plangate.engine.recording import PassRecorder, Tally
from plangate.entitlements.decision import Effect, LimitDetail
from plangate.matrix.cell import Cell
from plangate.store.pending import expectations_of
from plangate.store.reader import StoredRun
from plangate.store.rows import AxisCodec, expected_key
from plangate.store.writer import RunWriter
from plangate.verdicts.observation import Observed
from plangate.verdicts.result import Expected
from tests.engine.fakes import cells
from tests.store.runs import ALLOW, CAPABILITIES, DENY, SAW_SUSPENDED, digest, header, suite

OTHERWISE = Observed(effect=Effect.DENY, reason="not_in_plan", detail="HTTP 402: no such plan")


def test_what_came_back_for_an_unexpected_answer_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    writer = RunWriter.create(path, header())
    record = suite(cells=1, passes=1)
    writer.add_suites([record])
    number = writer.number_of_expectation(expected_key(ALLOW))
    with writer.transaction():
        axes = tuple(CAPABILITIES[0] if axis == "capability" else None for axis in AXES)
        writer.add_cells([(0, digest(0), number, AxisCodec(record.axes).pack(axes))])
    tally = Tally()
    recorder = PassRecorder(
        writer,
        first_cell=0,
        pass_number=0,
        expected_numbers=array("I", [number]),
        expectations=expectations_of(path),
        mode=JudgeMode.EXACT,
        tally=tally,
    )
    recorder.record([(0, OTHERWISE, 5)])
    writer.close()
    with StoredRun(path) as run:
        (result,) = run.failures()
    assert [one.detail for one in result.observed] == ["HTTP 402: no such plan"]
    assert (tally.observed, tally.leaks, tally.others) == (1, 0, 1)


def test_a_clock_of_the_apps_own_makes_no_outcome_of_each_answer(tmp_path: Path) -> None:
    """What is not judged is not kept; what is right is kept in one spelling; what is wrong is kept as it was told."""
    due = {
        "rolling": LimitDetail("messages", 20, 0),
        "day": LimitDetail("messages", 20, 0, "2026-01-02T00:00:00Z"),
    }
    told = {
        "rolling": [f"2026-01-01T00:00:0{second}Z" for second in range(9)],
        "day": ["2026-01-02T00:00:00Z", "2026-01-02T00:00:00.00Z", "2026-01-02T02:00:00+02:00", "soon"],
    }
    kept = {}
    for window, times in told.items():
        path = tmp_path / f"{window}.sqlite"
        expected = replace(DENY, reason="limit_exceeded", limit=due[window])
        record = suite(cells=1, passes=len(times))
        writer = RunWriter.create(path, header())
        writer.add_suites([record])
        number = writer.number_of_expectation(expected_key(expected))
        with writer.transaction():
            axes = tuple(CAPABILITIES[0] if axis == "capability" else None for axis in AXES)
            writer.add_cells([(0, digest(0), number, AxisCodec(record.axes).pack(axes))])
        for place, resets_at in enumerate(times):
            limit = LimitDetail("messages", 20, 0, resets_at)
            PassRecorder(
                writer,
                first_cell=0,
                pass_number=place,
                expected_numbers=array("I", [number]),
                expectations=expectations_of(path),
                mode=JudgeMode.EXACT,
                tally=Tally(),
            ).record([(0, Observed(effect=Effect.DENY, reason="limit_exceeded", limit=limit), 5)])
        writer.close()
        with StoredRun(path) as run:
            (result,) = run.cells()
        kept[window] = [(one.limit.resets_at, one.count) for one in result.observed if one.limit]

    assert kept["rolling"] == [(None, 9)]
    assert sorted(kept["day"]) == [("2026-01-02T00:00:00Z", 3), ("soon", 1)]


class _Cells(list[Cell]):
    def cells(self, numbers):
        return (self[number] for number in numbers)


def test_expectations_made_on_the_spot_stay_apart(tmp_path: Path) -> None:
    """Equal `id()`s of expectations that no longer live would give cells the number of another decision."""
    made = count()

    def expected(_: Cell) -> Expected:
        base = DENY if next(made) % 4 > 1 else ALLOW
        return Expected(effect=base.effect, reason=base.reason, rule=base.rule, where=base.where)

    matrix = _Cells(cells(40))
    one = SuitePlan(
        suite=Suite(name="gating", version=1, type="gating", axes={}, determinism=Determinism(repeats=1)),
        digest="sha256:s",
        matrix=matrix,
        axes=dict.fromkeys(AXES, (None,)),
        coverage="exhaustive",
        expected=expected,
        passes=passes_of(Determinism(repeats=1), seed=0),
        cache_key="sha256:k",
    )
    for place, cell in enumerate(matrix):
        matrix[place] = Cell(cell.number, cell.digest, (None,) * len(AXES), "t", cell.subject, cell.request)
    writer = RunWriter.create(tmp_path / "r.sqlite", header())
    store_plan(RunPlan(header=header(), suites=(one,)), writer)
    stored = expectations_of(writer.path)
    numbers = writer._connection.execute("SELECT expected FROM cells ORDER BY number").fetchall()
    writer.close()
    assert [stored[number].effect for (number,) in numbers] == [
        Effect.ALLOW,
        Effect.ALLOW,
        Effect.DENY,
        Effect.DENY,
    ] * 10


def test_a_reason_that_nobody_judges_is_not_told_as_unexpected(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    writer = RunWriter.create(path, header())
    number = writer.number_of_expectation(expected_key(DENY))
    for mode, others in ((JudgeMode.EXACT, 1), (JudgeMode.EFFECT_ONLY, 0)):
        tally = Tally()
        recorder = PassRecorder(
            writer, first_cell=0, pass_number=int(others), expected_numbers=array("I", [number]),
            expectations=expectations_of(path), mode=mode, tally=tally,
        )  # fmt: skip
        recorder.record([(0, SAW_SUSPENDED, 5)])
        assert (tally.observed, tally.leaks, tally.others) == (1, 0, others)
    writer.close()
