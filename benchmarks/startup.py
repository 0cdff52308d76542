"""`plangate --version` beside an interpreter that does nothing."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.figures import Figure, Result
from benchmarks.paired import Spread, in_turn, ratios
from benchmarks.processes import plangate, run_command

__all__ = ["FULL", "TINY", "Size", "measure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    rounds: int


FULL = Size(rounds=10)
TINY = Size(rounds=1)


def measure(size: Size) -> Result:
    """Both in turn, once to warm up, then round by round; the median of the rounds counts."""
    script = Path(sys.executable).with_name("plangate")
    version = [str(script), "--version"] if script.exists() else plangate("--version")
    commands = {"plangate --version": version, "python -c pass": [sys.executable, "-c", "pass"]}
    with tempfile.TemporaryDirectory() as folder:

        def spent(command: list[str]) -> dict[str, float]:
            found = run_command(command, cwd=Path(folder))
            return {"wall_s": found.wall_s, "cpu_s": found.cpu_s}

        sides = {name: partial(spent, command) for name, command in commands.items()}
        rounds = in_turn(size.rounds + 1, sides)[1:]
    ours, bare = (Spread.of(1000 * one[name]["wall_s"] for one in rounds) for name in commands)
    ratio = ratios(rounds, *commands, by="wall_s")
    figures = [
        Figure(
            what="`plangate --version`",
            plangate=f"{ours.median:.0f} ms",
            value=ours.median,
            shown=ours.told(".0f", " ms"),
            target=150,
            must="less than 150 ms",
            at_least=False,
        ),
        Figure(
            what="`plangate --version`",
            plangate=f"{ours.median:.0f} ms",
            against=f"{bare.median:.0f} ms, `python -c pass`",
            value=ratio.median,
            shown=ratio.told(".1f", " x"),
            target=6,
            must="less than 6 x",
            at_least=False,
        ),
    ]
    return Result(benchmark="startup", figures=figures, rounds=rounds)
