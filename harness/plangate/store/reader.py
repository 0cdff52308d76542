"""A stored run, read: header, totals, verdicts and cells, all derived from rows in streams of flat memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path

from plangate.documents.suite import AXES, JudgeMode
from plangate.entitlements.decision import Effect
from plangate.errors import StoreError
from plangate.store.documents import SuiteRecord, read_header
from plangate.store.repeating import alone_text, repeat_command
from plangate.store.rows import AxisCodec, expected_from, observed_from
from plangate.store.schema import connect, guarded
from plangate.verdicts.fingerprint import Decided, decision_text, digests, limits_text
from plangate.verdicts.judge import judge_cell, judge_run
from plangate.verdicts.ran import DIFFERS
from plangate.verdicts.result import (
    CellResult,
    Expected,
    ObservedCount,
    RunHeader,
    RunSummary,
    SeenInPass,
    SuiteSummary,
    Totals,
    Verdict,
)

__all__ = ["StoredRun"]

# One row a cell. `low = high` says that all observations agree, so that only the others need a second look.
_CELLS = """
SELECT c.number, c.digest, c.expected, c.axes, min(o.outcome) AS low, max(o.outcome) AS high,
       count(o.outcome) AS seen, ifnull(sum(o.retries > 0), 0) AS retried, ifnull(sum(o.latency_us), 0) AS took
FROM cells c LEFT JOIN observations o ON o.cell = c.number
WHERE c.number >= :first AND c.number < :last GROUP BY c.number
"""
_WORST_FIRST = (Verdict.LEAK, Verdict.FLAKY, Verdict.LOCKOUT, Verdict.MISMATCH, Verdict.ERROR)
_JUDGED_MAX = 16_384
"""Judgements remembered: an app that words each answer anew must not fill the memory."""
_Judged = tuple[Verdict, bool, tuple[ObservedCount, ...]]
"""Verdict, whether it leaked, what was observed."""
_Row = tuple[int, bytes, int, bytes, int | None, int | None, int, int, int]


class StoredRun:
    """A run file opened for reading; also while another process still writes it. Use as a context manager."""

    def __init__(self, path: Path, *, place: str = "") -> None:
        self.path = path
        self.place = place
        """Appended to each command that a person may copy: ` -w DIR`, or empty."""
        self._connection = connect(path)
        self._judged: dict[tuple[int, int, int, JudgeMode], _Judged] = {}

    def __enter__(self) -> StoredRun:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @cached_property
    def header(self) -> RunHeader:
        """What was run against what, and how it ended."""
        with guarded(self.path):
            row = self._connection.execute("SELECT header, finished, duration_s, stopped FROM run").fetchone()
        if row is None:
            raise StoreError(f"{self.path.name} holds no run", code="not-a-run")
        header = read_header(row[0])
        return replace(header, finished=row[1], duration_s=row[2], stopped=row[3])

    @cached_property
    def suites(self) -> tuple[SuiteRecord, ...]:
        """The suites of the run."""
        with guarded(self.path):
            rows = self._connection.execute("SELECT document FROM suites ORDER BY number").fetchall()
        return tuple(SuiteRecord.from_json(text) for (text,) in rows)

    @cached_property
    def _expectations(self) -> Mapping[int, Expected]:
        rows = self._connection.execute("SELECT number, key FROM expectations").fetchall()
        return {number: expected_from(key) for number, key in rows}

    @cached_property
    def _outcomes(self) -> Mapping[int, str]:
        return dict(self._connection.execute("SELECT number, key FROM outcomes").fetchall())

    def summary(self) -> RunSummary:
        """Totals, verdict and fingerprint, derived from rows."""
        with guarded(self.path):
            totals = [self._totals(suite) for suite in self.suites]
            suites = tuple(
                SuiteSummary(
                    name=suite.name,
                    version=suite.version,
                    digest=suite.digest,
                    totals=of_suite,
                    coverage=suite.coverage,
                    covers=suite.covers,
                    type=suite.type,
                    axes={axis: suite.axes[axis] for axis in suite.spanned},
                    seed=suite.seed,
                    judge=suite.judge,
                    passes=len(suite.passes),
                    asked_again=not self.header.surroundings or suite.asked_again,
                    rules=rules,
                    left_out=suite.left_out,
                    excluded=suite.excluded,
                )
                for suite, (of_suite, _, rules) in zip(self.suites, totals, strict=True)
            )
            leaked = sum(count for _, count, _ in totals)
            stopped = not self.header.finished
            found = digests(self.decisions())
            return RunSummary(
                header=self.header,
                verdict=judge_run(
                    [one for one, _, _ in totals], leaked=leaked, stopped=stopped, differs=self.header.ran == DIFFERS
                ),
                fingerprint=found.fingerprint,
                details=found.details,
                totals=_sum([one for one, _, _ in totals]),
                leaked=leaked,
                suites=suites,
            )

    def _totals(self, suite: SuiteRecord) -> tuple[Totals, int, tuple[str, ...]]:
        """Totals of a suite, how many of its cells leaked, and the rules that decided, from one grouped read."""
        counts = dict.fromkeys(Verdict, 0)
        executed = observations = retried = leaked_cells = disagreeing = allowing = 0
        rules: set[str] = set()
        for expected, low, high, seen, retries, cells in self._groups(suite):
            observations += seen * cells
            retried += retries * cells
            if seen == 0:
                continue
            due = self._expectations[expected]
            rules.add(due.rule)
            if seen == len(suite.passes) and due.effect is not Effect.DENY:
                allowing += cells
            if low == high:
                verdict, leaked, _ = self._judge_agreed(suite, expected, low, seen)
                whole = seen == len(suite.passes)
                executed += cells * whole
                leaked_cells += cells * leaked
                # What was not observed in every pass may be a failure already, but not yet a pass.
                counts[verdict] += cells if whole or verdict is not Verdict.PASS else 0
            else:
                disagreeing += cells
        for row in self._disagreeing(suite) if disagreeing else ():
            verdict, leaked = judge_cell(self._expectations[row[2]], self._observed(row), mode=suite.judge)
            whole = row[6] == len(suite.passes)
            executed += whole
            leaked_cells += leaked
            counts[verdict] += 1 if whole or verdict is not Verdict.PASS else 0
        return (
            Totals(
                expected=suite.cells,
                executed=executed,
                observations=observations,
                passed=counts[Verdict.PASS],
                leak=counts[Verdict.LEAK],
                lockout=counts[Verdict.LOCKOUT],
                mismatch=counts[Verdict.MISMATCH],
                flaky=counts[Verdict.FLAKY],
                error=counts[Verdict.ERROR],
                retried=retried,
                allowing=allowing,
            ),
            leaked_cells,
            tuple(sorted(rules)),
        )

    def _groups(self, suite: SuiteRecord) -> Iterator[tuple[int, int, int, int, int, int]]:
        grouped = (
            f"SELECT expected, low, high, seen, retried, count(*) FROM ({_CELLS}) "  # noqa: S608 - no input in it
            "GROUP BY expected, CASE WHEN low = high THEN low ELSE -1 END, low = high, seen, retried"
        )
        return iter(self._connection.execute(grouped, _span(suite)))

    def _disagreeing(self, suite: SuiteRecord) -> Iterator[_Row]:
        return iter(self._connection.execute(f"{_CELLS} HAVING low <> high", _span(suite)))

    def _judge_agreed(self, suite: SuiteRecord, expected: int, outcome: int, seen: int) -> _Judged:
        """What is to be said of cells whose observations agree: the same for all that are alike, of which many are."""
        key = (expected, outcome, seen, suite.judge)
        known = self._judged.get(key)
        if known is None:
            observed = (observed_from(self._outcomes[outcome], count=seen),)
            verdict, leaked = judge_cell(self._expectations[expected], observed, mode=suite.judge)
            if len(self._judged) >= _JUDGED_MAX:
                self._judged.clear()
            known = self._judged[key] = (verdict, leaked, observed)
        return known

    def _observed(self, row: _Row, *, details: bool = False) -> tuple[ObservedCount, ...]:
        """Distinct outcomes of a cell with their counts, most frequent first."""
        number, low, high, seen = row[0], row[4], row[5], row[6]
        if low is None:
            return ()
        if low == high and not details:
            return (observed_from(self._outcomes[low], count=seen),)
        counts = self._connection.execute(
            "SELECT o.outcome, count(*), min(d.text) FROM observations o "
            "LEFT JOIN details d ON d.cell = o.cell AND d.pass = o.pass WHERE o.cell = ? "
            "GROUP BY o.outcome ORDER BY count(*) DESC, o.outcome",
            (number,),
        )
        return tuple(observed_from(self._outcomes[one], count=count, detail=text) for one, count, text in counts)

    def decisions(self) -> Iterator[Decided]:
        """What every observed cell decided, sorted by digest: what fingerprint and details cover."""

        def texts(observed: tuple[ObservedCount, ...]) -> tuple[str, str]:
            return decision_text(observed), limits_text(observed)

        @lru_cache(maxsize=4096)
        def agreed(outcome: int) -> tuple[str, str]:
            return texts((observed_from(self._outcomes[outcome], count=1),))

        everything = {"first": 0, "last": 2**62}
        for row in self._connection.execute(f"{_CELLS} HAVING seen > 0 ORDER BY c.digest", everything):
            yield Decided(row[1], *(agreed(row[4]) if row[4] == row[5] else texts(self._observed(row))))

    def cells(self) -> Iterator[CellResult]:
        """Every cell that was observed, suite by suite in the suite's forward order."""
        for suite in self.suites:
            codec = AxisCodec(suite.axes)
            for row in self._connection.execute(f"{_CELLS} HAVING seen > 0", _span(suite)):
                yield self._result(suite, codec, row)

    def unobserved(self) -> Iterator[CellResult]:
        """Every expected cell that no pass has observed, in the same order."""
        for suite in self.suites:
            codec = AxisCodec(suite.axes)
            for row in self._connection.execute(f"{_CELLS} HAVING seen = 0", _span(suite)):
                yield self._result(suite, codec, row)

    def failures(self, *, limit: int | None = None) -> Iterator[CellResult]:
        """Cells that did not pass: leaks first, then flaky, lockout, mismatch, error; within one, by cell id."""
        left = limit if limit is not None else -1
        counted = [(suite, self._totals(suite)[0]) for suite in self.suites]
        for verdict in _WORST_FIRST:
            for suite, totals in counted:
                if not getattr(totals, verdict.value):
                    continue
                for result in self._failures_of(suite, verdict):
                    if left == 0:
                        return
                    left -= 1
                    yield result

    def _failures_of(self, suite: SuiteRecord, verdict: Verdict) -> Iterator[CellResult]:
        codec = AxisCodec(suite.axes)
        wanted = [
            (expected, low)
            for expected, low, high, seen, _, _ in self._groups(suite)
            if seen and low == high and self._judge_agreed(suite, expected, low, seen)[0] is verdict
        ]
        condition = "".join(f" OR (c.expected = {expected:d} AND low = {low:d})" for expected, low in set(wanted))
        if len(wanted) > 500:  # SQLite bounds the depth of an expression; beyond it, every cell is looked at
            condition = " OR 1"
        query = f"{_CELLS} HAVING seen > 0 AND (low <> high{condition}) ORDER BY c.digest"
        for row in self._connection.execute(query, _span(suite)):
            if judge_cell(self._expectations[row[2]], self._observed(row), mode=suite.judge)[0] is verdict:
                yield self._result(suite, codec, row)

    def cell(self, cell: str) -> CellResult:
        """One cell by its id. Raises StoreError `no-such-cell`."""
        wanted = bytes.fromhex(cell.removeprefix("c-")) if _is_cell_id(cell) else b""
        for suite in self.suites:
            query = _CELLS.replace("GROUP BY", "AND c.digest = :digest GROUP BY")
            row = self._connection.execute(query, {**_span(suite), "digest": wanted}).fetchone()
            if row is not None:
                return replace(self._result(suite, AxisCodec(suite.axes), row), passes=self._passes(suite, row[0]))
        raise StoreError(
            f"run {self.header.run} has no cell {cell}",
            code="no-such-cell",
            hint="cell ids stand in the failures of `plangate show RUN`",
        )

    def _passes(self, suite: SuiteRecord, number: int) -> tuple[SeenInPass, ...]:
        rows = self._connection.execute(
            "SELECT o.pass, o.outcome, o.latency_us, d.text FROM observations o "
            "LEFT JOIN details d ON d.cell = o.cell AND d.pass = o.pass WHERE o.cell = ? ORDER BY o.pass",
            (number,),
        )
        walks = {one.number: one for one in suite.passes}
        return tuple(
            SeenInPass(
                number=at + 1,
                order=walks[at].order,
                concurrency=walks[at].concurrency,
                process=None if walks[at].hash_seed is None else walks[at].process + 1,
                seen=observed_from(self._outcomes[outcome], count=1, detail=text),
                took_us=took_us,
            )
            for at, outcome, took_us, text in rows
        )

    def _result(self, suite: SuiteRecord, codec: AxisCodec, row: _Row) -> CellResult:
        expected, low, seen = self._expectations[row[2]], row[4], row[6]
        if low is not None and low == row[5]:
            verdict, leaked, observed = self._judge_agreed(suite, row[2], low, seen)
        else:
            observed = self._observed(row)
            verdict, leaked = judge_cell(expected, observed, mode=suite.judge)
        if verdict is not Verdict.PASS:
            observed = self._observed(row, details=True)
        axes = dict(zip(AXES, codec.unpack(row[3]), strict=True))
        identity = "c-" + row[1].hex()
        header = self.header
        return CellResult(
            cell=identity,
            suite=suite.name,
            axes={axis: axes[axis] for axis in suite.spanned},
            verdict=verdict,
            leaked=leaked,
            expected=expected,
            observed=observed,
            retries=row[7],
            took_us=row[8],
            whole=seen == len(suite.passes),
            reproduce=repeat_command(header, suite, cell=identity, verdict=verdict, place=self.place),
            alone=alone_text(header, suite, cell=identity, verdict=verdict, place=self.place),
        )


def _span(suite: SuiteRecord) -> dict[str, int]:
    return {"first": suite.first_cell, "last": suite.first_cell + suite.span}


def _is_cell_id(text: str) -> bool:
    return text.startswith("c-") and len(text) == 22 and all(letter in "0123456789abcdef" for letter in text[2:])


def _sum(each: list[Totals]) -> Totals:
    names = Totals.__slots__
    return Totals(**{name: sum(getattr(one, name) for one in each) for name in names})
