"""Writing a run as it happens: the expected set first, then observations, each batch committed before it is told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from filelock import FileLock, Timeout

from plangate.errors import StoreError
from plangate.store.documents import SuiteRecord, dump_header, ran_of, read_header, with_ran
from plangate.store.rows import OutcomeKey
from plangate.store.schema import connect, guarded
from plangate.verdicts.ran import Look
from plangate.verdicts.result import RunHeader

__all__ = ["DETAILS_MAX", "CellRow", "ObservationRow", "RunWriter"]

CellRow = tuple[int, bytes, int, bytes]
"""Cell number in the run, digest, expectation number, packed axes."""
ObservationRow = tuple[int, int, int, int, int]
"""Cell number in the run, pass, outcome number, latency in microseconds, retries."""

DETAILS_MAX = 2_000
"""Details kept in one run at the most: enough to see every cause, little enough for any disk."""
_PATIENCE_MS = 500
_ROWS_IN_STATEMENT = (512, 64, 8, 1)
"""Rows that one statement inserts. Few sizes: the connection keeps each compiled statement, 0.3 MB one of 512 rows."""


class RunWriter:
    """The one way to change a run file. Several processes may write observations; one holds the run's lock."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: FileLock | None) -> None:
        self.path = path
        self._connection = connection
        self._lock = lock
        self._outcomes: dict[OutcomeKey, int] = {}
        self._details = 0

    @classmethod
    def create(cls, path: Path, header: RunHeader) -> RunWriter:
        """Start a run file. Raises StoreError where the folder cannot be written."""
        with guarded(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        lock = _take_lock(path)
        try:
            writer = cls(path, connect(path, create=True), lock)
        except BaseException:
            _release(lock, path)
            raise
        with guarded(path):
            writer._connection.execute("INSERT INTO run (id, header) VALUES (?, ?)", (header.run, dump_header(header)))
        return writer

    @classmethod
    def reopen(cls, path: Path, *, exclusive: bool = True) -> RunWriter:
        """Go on with a run. `exclusive` takes its lock: two processes cannot resume the same run."""
        connection = connect(path)
        if not exclusive:
            return cls(path, connection, None)
        try:
            lock = _take_lock(path)
        except BaseException:
            connection.close()
            raise
        with guarded(path):
            connection.execute("PRAGMA journal_mode=WAL")
        return cls(path, connection, lock)

    def add_suites(self, suites: Iterable[SuiteRecord]) -> None:
        """Record the suites of the run before their cells."""
        rows = [(suite.number, suite.name, suite.first_cell, suite.to_json()) for suite in suites]
        with guarded(self.path):
            self._connection.executemany("INSERT INTO suites VALUES (?, ?, ?, ?)", rows)

    def number_of_expectation(self, key: str) -> int:
        """The number an expected decision has in this run."""
        return self._number("expectations", key)

    def number_of_outcome(self, key: OutcomeKey) -> int:
        """The number an observed outcome has in this run; the same in every process that writes it."""
        number = self._outcomes.get(key)
        if number is None:
            number = self._number("outcomes", json.dumps(key, ensure_ascii=False, separators=(",", ":")))
            self._outcomes[key] = number
        return number

    def _number(self, table: str, key: str) -> int:
        with guarded(self.path):
            self._connection.execute(f"INSERT OR IGNORE INTO {table} (key) VALUES (?)", (key,))  # noqa: S608
            row = self._connection.execute(f"SELECT number FROM {table} WHERE key = ?", (key,)).fetchone()  # noqa: S608
        return int(row[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One commit for all that is written inside; nothing of it stays where an error leaves the block."""
        with guarded(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def add_cells(self, rows: Sequence[CellRow]) -> None:
        """Record expected cells; inside `transaction`."""
        self._insert("INSERT INTO cells VALUES ", rows, 4)

    def add_observations(self, rows: Sequence[ObservationRow], *, details: Iterable[tuple[int, int, str]] = ()) -> None:
        """Record and commit observations, and what came back for some (cell, pass, text).

        An observation that the file has already is left as it is, so that none is counted twice (rule R8).
        """
        with self.transaction():
            self._insert("INSERT OR IGNORE INTO observations VALUES ", rows, 5)
            for detail in details:
                if self._details >= DETAILS_MAX:
                    break
                self._details += 1
                self._connection.execute("INSERT OR IGNORE INTO details VALUES (?, ?, ?)", detail)

    def _insert(self, statement: str, rows: Sequence[tuple[object, ...]], width: int) -> None:
        # One step a statement: SQLite lets go of the interpreter's lock at every step, which a thread that is busy
        # observing would keep for milliseconds each time.
        one = "(" + ",".join("?" * width) + ")"
        start = 0
        for size in _ROWS_IN_STATEMENT:
            whole = start + (len(rows) - start) // size * size
            text = statement + ",".join([one] * size) if start < whole else ""
            for first in range(start, whole, size):
                self._connection.execute(text, list(chain.from_iterable(rows[first : first + size])))
            start = whole

    def note_reuse(self, run: str) -> None:
        """Record the run whose observations were taken over, so that evidence can name them (rule R10)."""
        with guarded(self.path):
            self._connection.execute("UPDATE run SET header = json_set(header, '$.reused_from', ?)", (run,))

    def note_ran(self, look: Look, *, last: bool) -> None:
        """Record one look at the app: of this process or of another one that observes for the same run."""
        with self.transaction():
            (text,) = self._connection.execute("SELECT header FROM run").fetchone()
            header = read_header(text)
            header = with_ran(header, ran_of(header).after(look, last=last))
            self._connection.execute("UPDATE run SET header = ?", (dump_header(header),))

    def note_output(self, count: int) -> None:
        """Record that the app wrote so many bytes (more) where only answers belong."""
        if count:
            with guarded(self.path):
                self._connection.execute(
                    "UPDATE run SET header ="
                    " json_set(header, '$.app_output', coalesce(json_extract(header, '$.app_output'), 0) + ?)",
                    (count,),
                )

    def discard(self) -> None:
        """Remove a run that never began."""
        self.close()
        self.path.unlink(missing_ok=True)

    def finish(self, *, finished: str, duration_s: float, stopped: str = "") -> None:
        """Record how the run ended: `finished` empty and `stopped` set where it can be resumed."""
        with guarded(self.path):
            self._connection.execute(
                "UPDATE run SET finished = ?, duration_s = duration_s + ?, stopped = ?",
                (finished, duration_s, stopped),
            )

    def close(self) -> None:
        """Fold the journal into the file, so that it travels as one, and let go of it. Safe to call twice."""
        with guarded(self.path):
            if self._lock is not None:
                self._fold()
            self._connection.close()
        if self._lock is not None:
            _release(self._lock, self.path)
            self._lock = None

    def _fold(self) -> None:
        """One file, without a journal: so it can be read from where nothing can be written."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")
        with suppress(sqlite3.OperationalError):  # somebody reads it just now: the journal stays, and is empty
            self._connection.execute("PRAGMA journal_mode=DELETE")


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _take_lock(path: Path) -> FileLock:
    lock = FileLock(_lock_path(path), thread_local=False)
    with guarded(path):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                f"run {path.stem} is being written by another process",
                code="run-in-use",
                hint="wait for it, or start a run of your own",
            ) from None
    return lock


def _release(lock: FileLock, path: Path) -> None:
    lock.release()
    with suppress(OSError):  # somebody else took it meanwhile (Windows removes no file that is open)
        _lock_path(path).unlink(missing_ok=True)
