"""Rule R10: from an earlier run is taken only what was whole, first-hand and about the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from plangate.store.folder import RunFolder
from plangate.store.pending import observations_in
from plangate.store.reuse import reuse_observations
from plangate.store.writer import RunWriter
from plangate.verdicts.observation import Observed
from tests.store.runs import ALLOW, DENY, SAW_ALLOW, SAW_DENY, SAW_NOTHING, header, suite, write_run

RETRIED = replace(SAW_ALLOW, retries=1)


def _reused(
    root: Path, *seen: list[Observed], passes: int = 2, finished: str = "2026-01-01T00:01:00Z", **head: str
) -> tuple[str, int]:
    """(the run taken from, observations taken) by a new run over the two cells of an old one."""
    folder = RunFolder(root)
    old = suite(cells=2, passes=max(map(len, seen)))
    head = {"ran": "not checked", **head}
    write_run(folder.path_of("r-1"), [ALLOW, DENY], list(seen), of=old, head=header(**head), finished=finished)
    new = suite(cells=2, passes=passes)
    empty: list[list[Observed]] = [[], []]
    path = write_run(folder.path_of("r-2"), [ALLOW, DENY], empty, of=new, head=header("r-2"), finished="")
    RunWriter.reopen(path).close()
    return reuse_observations(path, folder), observations_in(path)


def test_a_finished_run_of_the_same_everything_is_taken_over(tmp_path: Path) -> None:
    assert _reused(tmp_path, [SAW_ALLOW] * 2, [SAW_DENY] * 2) == ("r-1", 4)


@pytest.mark.parametrize("odd", [RETRIED, SAW_NOTHING])
def test_a_cell_that_was_a_fault_or_needed_a_retry_is_asked_again_whole(tmp_path: Path, odd: Observed) -> None:
    assert _reused(tmp_path, [SAW_ALLOW, odd], [SAW_DENY] * 2) == ("r-1", 2)


def test_passes_that_the_new_run_does_not_have_are_not_taken(tmp_path: Path) -> None:
    assert _reused(tmp_path, [SAW_ALLOW] * 3, [SAW_DENY] * 3, passes=1) == ("r-1", 2)


def test_nothing_is_taken_from_a_run_that_has_not_finished(tmp_path: Path) -> None:
    assert _reused(tmp_path, [SAW_ALLOW] * 2, [SAW_DENY] * 2, finished="") == ("", 0)


def test_nothing_is_taken_from_a_run_in_which_something_else_ran(tmp_path: Path) -> None:
    assert _reused(tmp_path, [SAW_ALLOW] * 2, [SAW_DENY] * 2, ran="differs") == ("", 0)
