"""`plangate check` on a workspace whose plan catalog has 10,000 YAML nodes."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, Result
from benchmarks.paired import Spread
from benchmarks.processes import plangate, run_command
from benchmarks.workspaces import Shop, in_process_target

__all__ = ["FULL", "TINY", "Size", "measure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    capabilities: int
    """About 11 nodes each."""
    rounds: int


FULL = Size(capabilities=925, rounds=5)
TINY = Size(capabilities=6, rounds=1)


def measure(size: Size) -> Result:
    """The whole command, round by round; the median counts."""
    with tempfile.TemporaryDirectory() as folder:
        root = Shop(capabilities=size.capabilities).write(Path(folder), target=in_process_target())
        nodes = _nodes((root / "envs/plans/bench/1.0.0.yaml").read_text())
        spent = [run_command(plangate("check"), cwd=root) for _ in range(size.rounds)]
    wall_s = Spread.of(one.wall_s for one in spent)
    figure = Figure(
        what=f"`plangate check`, a plan catalog of {nodes:,} YAML nodes",
        plangate=f"{wall_s.median:.2f} s",
        value=wall_s.median,
        shown=wall_s.told(".2f", " s"),
        target=1.0,
        must="less than 1 s",
        at_least=False,
    )
    return Result(
        benchmark="check_catalog",
        figures=[figure],
        rounds=[{"nodes": nodes, "wall_s": one.wall_s, "cpu_s": one.cpu_s} for one in spent],
    )


def _nodes(text: str) -> int:
    import yaml

    starts = (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent)
    return sum(isinstance(event, starts) for event in yaml.parse(text))
