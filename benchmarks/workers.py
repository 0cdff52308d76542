"""`plangate run --workers 2` beside one process, through the real command: observing, and the command as a whole.

One process is measured twice: on one core, which is what a second core is to be compared with, and on both, where its
thread that stores has a core to itself.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Result
from benchmarks.machine import cores
from benchmarks.paired import Spread, in_turn, ratios
from benchmarks.processes import harness_core, on_core, plangate, run_command
from benchmarks.workspaces import ENVIRONMENT, Shop, in_process_target

__all__ = ["FULL", "TINY", "Size", "measure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    capabilities: int
    """About 108 cells each, observed three times."""
    phrasings: int
    rounds: int


_ONE_CORE, _BOTH_CORES, _TWO = "one process on one core", "one process on both cores", "two workers"
FULL = Size(capabilities=93, phrasings=36, rounds=3)
TINY = Size(capabilities=2, phrasings=0, rounds=1)


def measure(size: Size) -> Result:
    """All in turn, round by round; the median of each round's ratio counts."""
    if len(cores()) < 2:
        return Result(benchmark="workers", figures=[], left_out=["two processes side by side: there is one core"])
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(capabilities=size.capabilities, phrasings=size.phrasings)
        root = shop.write(Path(folder), target=in_process_target())
        sides = {
            _ONE_CORE: partial(on_core, _run, root, 1, core=harness_core()),
            _BOTH_CORES: partial(_run, root, 1),
            _TWO: partial(_run, root, 2),
        }
        rounds = in_turn(size.rounds, sides)
    observing, whole = "observed, judged and stored", "whole command, matrix and report included"
    figures = [
        _figure(observing, rounds, measured="observing_s", beside=_ONE_CORE, target=1.7),
        _figure(observing, rounds, measured="observing_s", beside=_BOTH_CORES),
        _figure(whole, rounds, measured="wall_s", beside=_ONE_CORE),
    ]
    return Result(benchmark="workers", figures=figures, rounds=rounds)


def _figure(
    what: str, rounds: list[dict[str, Any]], *, measured: str, beside: str, target: float | None = None
) -> Figure:
    count = rounds[0][_TWO]["observations"]
    one, two = (Spread.of(count / found[name][measured] for found in rounds) for name in (beside, _TWO))
    ratio = ratios(rounds, beside, _TWO, by=measured)
    return Figure(
        what=f"python driver, `--workers 2`, {what}, {count:,} observations",
        plangate=f"{two.median:,.0f} observations/s",
        against=f"{one.median:,.0f}/s, {beside}",
        value=ratio.median,
        shown=ratio.told(".2f", " x"),
        target=target,
        must=f"at least {target} x" if target else "",
    )


def _run(root: Path, workers: int) -> dict[str, Any]:
    spent = run_command(plangate("run", ENVIRONMENT, "--workers", str(workers), "--json"), cwd=root)
    totals = json.loads(spent.output[spent.output.index("{") :])["totals"]
    assert totals["pass"] == totals["expected"], totals
    newest = max((root / ".plangate" / "runs").glob("*.sqlite"), key=lambda path: path.stat().st_mtime_ns)
    with closing(sqlite3.connect(newest)) as run:
        observing_s = run.execute("SELECT duration_s FROM run").fetchone()[0]
    count = totals["observations"]
    return {"observations": count, "observing_s": observing_s, "wall_s": spent.wall_s, "cpu_s": spent.cpu_s}
