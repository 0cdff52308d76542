"""`plangate status` in a workspace with 1,000 promotions behind it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, Result
from benchmarks.paired import Spread
from benchmarks.processes import plangate, run_command
from benchmarks.promotions import ENTRIES_EACH, promoted_workspace

__all__ = ["FULL", "TINY", "Size", "measure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    promotions: int
    rounds: int


FULL = Size(promotions=1_000, rounds=10)
TINY = Size(promotions=3, rounds=1)


def measure(size: Size) -> Result:
    """The whole command: first where nothing was judged before, then round by round as people ask again; the median."""
    with tempfile.TemporaryDirectory() as folder:
        root = promoted_workspace(Path(folder), promotions=size.promotions)
        spent = [run_command(plangate("status"), cwd=root) for _ in range(size.rounds + 1)]
    first, again = spent[0].wall_s, Spread.of(1000 * one.wall_s for one in spent[1:])
    what = f"`plangate status`, {size.promotions:,} promotions in {size.promotions * ENTRIES_EACH:,} ledger entries"
    figures = [
        Figure(
            what=what,
            plangate=f"{again.median:.0f} ms",
            value=again.median,
            shown=again.told(".0f", " ms"),
            target=300,
            must="less than 300 ms",
            at_least=False,
        ),
        Figure(
            what=f"{what}, every signature for the first time",
            plangate=f"{first:.2f} s",
            value=first,
            shown=f"{first:.2f} s",
        ),
    ]
    return Result(
        benchmark="status",
        figures=figures,
        rounds=[{"promotions": size.promotions, "wall_s": one.wall_s, "cpu_s": one.cpu_s} for one in spent],
    )
