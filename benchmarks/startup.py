"""`plangate --version` beside an interpreter that does nothing."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, Result
from benchmarks.processes import plangate, run_command

__all__ = ["FULL", "TINY", "Size", "measure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    rounds: int


FULL = Size(rounds=10)
TINY = Size(rounds=1)


def measure(size: Size) -> Result:
    """Both in turn, once to warm up, then round by round; the best round of each counts."""
    script = Path(sys.executable).with_name("plangate")
    version = [str(script), "--version"] if script.exists() else plangate("--version")
    commands = {"plangate --version": version, "python -c pass": [sys.executable, "-c", "pass"]}
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(size.rounds + 1):
            found = {name: run_command(command, cwd=Path(folder)) for name, command in commands.items()}
            if number:
                rounds.append({name: {"wall_s": one.wall_s, "cpu_s": one.cpu_s} for name, one in found.items()})
    ours, bare = (1000 * min(one[name]["wall_s"] for one in rounds) for name in commands)
    figures = [
        Figure(
            what="`plangate --version`",
            plangate=f"{ours:.0f} ms",
            value=ours,
            shown=f"{ours:.0f} ms",
            target=150,
            must="less than 150 ms",
            at_least=False,
        ),
        Figure(
            what="`plangate --version`",
            plangate=f"{ours:.0f} ms",
            against=f"{bare:.0f} ms, `python -c pass`",
            value=ours / bare,
            shown=f"{ours / bare:.1f} x",
            target=6,
            must="less than 6 x",
            at_least=False,
        ),
    ]
    return Result(benchmark="startup", figures=figures, rounds=rounds)
