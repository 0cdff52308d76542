"""What a run still has to observe: its expected cells less those that a pass has seen (rule R8)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from plangate.store.documents import PassRecord, SuiteRecord
from plangate.store.rows import expected_from
from plangate.store.schema import connect, guarded
from plangate.verdicts.result import Expected

__all__ = ["PendingCells", "expectations_of", "expected_numbers", "observations_in", "suites_of"]


@dataclass(frozen=True, slots=True)
class PendingCells:
    """One byte for each cell of a suite's matrix: 1 where this pass still has to observe it."""

    expected: int
    left: int
    _marks: bytearray

    @classmethod
    def of(cls, path: Path, suite: SuiteRecord, one_pass: PassRecord) -> PendingCells:
        """Read from the rows of a run."""
        first, last = suite.first_cell, suite.first_cell + suite.span
        whole = suite.cells == suite.span  # then no row needs to be read to know which are expected
        marks = bytearray(b"\x01" if whole else b"\x00") * suite.span
        expected = suite.span if whole else 0
        cells = "SELECT number FROM cells WHERE number >= ? AND number < ?"
        seen = "SELECT cell FROM observations WHERE cell >= ? AND cell < ? AND pass = ?"
        connection = connect(path)
        with guarded(path):
            for (number,) in () if whole else connection.execute(cells, (first, last)):
                marks[number - first] = 1
                expected += 1
            left = expected
            for (number,) in connection.execute(seen, (first, last, one_pass.number)):
                left -= marks[number - first]
                marks[number - first] = 0
            connection.close()
        return cls(expected, left, marks)

    def numbers(self, order: Iterator[int], *, part: tuple[int, int] = (0, 1)) -> Iterator[int]:
        """The pending numbers in an order, or each n-th of them for one of n workers."""
        marks, (mine, parts) = self._marks, part
        if parts == 1:
            return (number for number in order if marks[number])
        return (number for number in order if marks[number] and number % parts == mine)


def expected_numbers(path: Path, suite: SuiteRecord) -> array[int]:
    """Expectation number of each cell of a suite's matrix; 0 where the run does not expect the cell."""
    numbers = array("I", bytes(4 * suite.span))
    first = suite.first_cell
    connection = connect(path)
    with guarded(path):
        rows = connection.execute(
            "SELECT number, expected FROM cells WHERE number >= ? AND number < ?", (first, first + suite.span)
        )
        for number, expected in rows:
            numbers[number - first] = expected
        connection.close()
    return numbers


def expectations_of(path: Path) -> Mapping[int, Expected]:
    """Expected decisions of a run by their number."""
    connection = connect(path)
    with guarded(path):
        rows = connection.execute("SELECT number, key FROM expectations").fetchall()
        connection.close()
    return {number: expected_from(key) for number, key in rows}


def observations_in(path: Path) -> int:
    """How many observations a run holds."""
    connection = connect(path)
    with guarded(path):
        count = connection.execute("SELECT count(*) FROM observations").fetchone()[0]
        connection.close()
    return int(count)


def suites_of(path: Path) -> tuple[SuiteRecord, ...]:
    """The suites of a run, in order."""
    connection = connect(path)
    with guarded(path):
        rows = connection.execute("SELECT document FROM suites ORDER BY number").fetchall()
        connection.close()
    return tuple(SuiteRecord.from_json(text) for (text,) in rows)
