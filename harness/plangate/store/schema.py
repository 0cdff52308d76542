"""How a run lies in its file: one SQLite database a run, so that a run can be copied, mailed and merged.

    run            one row: the header as JSON, fixed when the run starts, and how it ended
    suites         one row a suite: digests, axes, passes, and the first cell number that is its own
    expectations   distinct expected decisions        outcomes   distinct observed decisions and faults
    cells          the expected set, written whole before anything is observed (rule R2)
    observations   one row for each time a cell was observed: 15 to 25 bytes
    details        what came back, redacted, for observations that were not as expected; bounded in number

Nothing is counted in passing: totals, verdicts and the fingerprint are read from rows.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from plangate.errors import StoreError

__all__ = ["FORMAT", "connect", "guarded"]

FORMAT = 1
"""`PRAGMA user_version` of a run file; `application_id` says what it is."""
APPLICATION_ID = 0x706C6774  # "plgt"

_TABLES = """
CREATE TABLE run (id TEXT PRIMARY KEY, header TEXT NOT NULL, finished TEXT NOT NULL DEFAULT '',
  duration_s REAL NOT NULL DEFAULT 0, stopped TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
CREATE TABLE suites (number INTEGER PRIMARY KEY, name TEXT NOT NULL, first_cell INTEGER NOT NULL,
  document TEXT NOT NULL) STRICT;
CREATE TABLE expectations (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE outcomes (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE cells (number INTEGER PRIMARY KEY, digest BLOB NOT NULL, expected INTEGER NOT NULL, axes BLOB NOT NULL)
  STRICT;
CREATE TABLE observations (cell INTEGER NOT NULL, pass INTEGER NOT NULL, outcome INTEGER NOT NULL,
  latency_us INTEGER NOT NULL, retries INTEGER NOT NULL, PRIMARY KEY (cell, pass)) STRICT, WITHOUT ROWID;
CREATE TABLE details (cell INTEGER NOT NULL, pass INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (cell, pass))
  STRICT, WITHOUT ROWID;
"""


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """Open a run file for one thread at a time. Raises StoreError where it is missing, foreign or from the future."""
    if not create and not path.is_file():
        raise StoreError(f"there is no run file {path.name}", code="no-such-run", hint="`plangate runs` lists them")
    with guarded(path):
        sealed = not create and _sealed(path)
        name = f"{path.resolve().as_uri()}?immutable=1" if sealed else str(path)
        connection = sqlite3.connect(name, uri=sealed, isolation_level=None, check_same_thread=False, timeout=60)
        try:
            _prepare(connection, create=create)
            _require_format(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _sealed(path: Path) -> bool:
    """Whether nobody can write this file, and its journal was folded in: then SQLite needs no lock and no journal.

    Without being told so it would make both beside the file, and fail where the folder is mounted read-only.
    """
    journal = path.with_name(f"{path.name}-wal")
    folded = not journal.exists() or not journal.stat().st_size
    return folded and not os.access(path.parent, os.W_OK)


def _prepare(connection: sqlite3.Connection, *, create: bool) -> None:
    connection.execute("PRAGMA cache_size=-1024")
    connection.execute("PRAGMA temp_store=FILE")
    if create:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={FORMAT}")
        connection.executescript(_TABLES)
    # A process that is killed loses nothing in WAL; only a power cut may cost the last commits.
    connection.execute("PRAGMA synchronous=NORMAL")


def _require_format(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise StoreError(f"{path.name} is not a plangate run", code="not-a-run", hint="runs lie in .plangate/runs/")
    if version != FORMAT:
        raise StoreError(
            f"{path.name} was written by another version of plangate (run format {version}, this one reads {FORMAT})",
            code="run-format",
            hint="use the plangate version that wrote it",
        )


class guarded:  # noqa: N801 - reads as a statement: `with guarded(path):`
    """Turns what SQLite and the file system say into a StoreError that a person can act on."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.Error | OSError):
            raise _as_store_error(error, self._path) from error


def _as_store_error(error: Exception, path: Path) -> StoreError:
    text = str(error)
    if "full" in text or getattr(error, "errno", None) == 28:
        return StoreError(
            f"the disk is full: {path.name} keeps what was stored until now",
            code="disk-full",
            hint="free some space, then go on",
        )
    if "not a database" in text or "malformed" in text:
        return StoreError(f"{path.name} is not a plangate run, or is damaged: {text}", code="not-a-run")
    return StoreError(
        f"{path.name} cannot be used: {text}",
        code="store-failed",
        hint="is the folder writable? Copy an unfinished run to one",
    )
