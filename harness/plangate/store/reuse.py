"""Taking observations from an earlier run of the same everything (rule R10), so that only new cells are observed."""

from __future__ import annotations

from pathlib import Path

from plangate.store.documents import SuiteRecord
from plangate.store.folder import RunFolder
from plangate.store.reader import StoredRun
from plangate.store.schema import connect, guarded
from plangate.verdicts.ran import DIFFERS

__all__ = ["reuse_observations"]

# A cell is taken over only whole and only where nothing about it was a fault or needed a retry.
_COPY = """
INSERT OR IGNORE INTO observations
SELECT c.number, o.pass, n.number, o.latency_us, 0
FROM cells c JOIN old.cells p ON p.digest = c.digest AND p.number >= :old_first AND p.number < :old_last
JOIN old.observations o ON o.cell = p.number JOIN old.outcomes q ON q.number = o.outcome
JOIN outcomes n ON n.key = q.key
WHERE c.number >= :first AND c.number < :last AND o.pass < :passes AND NOT EXISTS (
  SELECT 1 FROM old.observations b JOIN old.outcomes f ON f.number = b.outcome
  WHERE b.cell = p.number AND (b.retries > 0 OR json_extract(f.key, '$[5]') IS NOT NULL))
"""


def reuse_observations(path: Path, folder: RunFolder) -> str:
    """Fill the run at `path` from the newest finished run with the same cache keys; returns that run's id, or ''.

    The key of a suite holds release, effective config, suite, seed and resolved targets; the run must have been of the
    same code, with the same environment variables; the cell joins by its digest.
    """
    with StoredRun(path) as new:
        suites, header = new.suites, new.header
    wanted = {suite.cache_key for suite in suites}
    for run in folder.stored():
        same = {suite.cache_key: suite for suite in run.suites if suite.cache_key in wanted}
        before = run.header
        alike = (before.code, before.surroundings) == (header.code, header.surroundings)
        if run.path != path and before.finished and before.ran != DIFFERS and alike and same:
            _copy(path, run.path, [(suite, same[suite.cache_key]) for suite in suites if suite.cache_key in same])
            return run.header.run
    return ""


def _copy(path: Path, old: Path, pairs: list[tuple[SuiteRecord, SuiteRecord]]) -> None:
    connection = connect(path)
    with guarded(path):
        connection.execute("ATTACH DATABASE ? AS old", (f"{old}",))
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE INDEX cells_by_digest ON cells (digest)")
        connection.execute("INSERT OR IGNORE INTO outcomes (key) SELECT key FROM old.outcomes")
        for new, before in pairs:
            span = {"first": new.first_cell, "last": new.first_cell + new.span, "passes": len(new.passes)}
            olds = {"old_first": before.first_cell, "old_last": before.first_cell + before.span}
            connection.execute(_COPY, {**span, **olds})
        connection.execute("DROP INDEX cells_by_digest")
        connection.execute("COMMIT")
        connection.close()
