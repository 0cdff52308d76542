"""The one SQLite database: tenants, what they used, and the record of every decision."""

from __future__ import annotations

import sqlite3

__all__ = ["open_database"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS tenants (
  tenant TEXT PRIMARY KEY,
  key_digest TEXT NOT NULL,
  record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage (
  tenant TEXT NOT NULL,
  meter TEXT NOT NULL,
  since TEXT NOT NULL,
  units INTEGER NOT NULL,
  PRIMARY KEY (tenant, meter, since)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit (
  number INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  tenant TEXT NOT NULL,
  actor TEXT NOT NULL,
  request TEXT NOT NULL,
  surface TEXT NOT NULL,
  tool TEXT NOT NULL,
  effect TEXT NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS audit_by_tenant ON audit (tenant, number);
"""


def open_database(path: str) -> sqlite3.Connection:
    """A connection that commits each statement, so that an answer is never given before its record is kept.

    Raises OSError where the file cannot be opened.
    """
    try:
        database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise OSError(f"database {path} cannot be opened: {error}") from error
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.executescript(SCHEMA)
    return database
