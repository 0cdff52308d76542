"""Peak memory of a run and size of its file: a hundred times as many cells, and thirty times as many passes."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Result
from benchmarks.processes import plangate, run_command
from benchmarks.workspaces import ENVIRONMENT, PLAIN_AXES, Shop, in_process_target

__all__ = ["FULL", "TINY", "Size", "measure"]

_MB_MAX = 250
_GROWTH_MAX = 0.30
_BYTES_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    capabilities: int
    """About 108 cells each, observed twice: forward and shuffled."""
    phrasings: Sequence[int]
    """For each run, by how much it is larger than the matrix without phrasings."""
    again: int
    """Capabilities of the matrix whose cells are observed again and again, 16 each."""
    repeats: Sequence[int]
    """For each of those runs, how often."""


FULL = Size(capabilities=47, phrasings=(1, 10, 100), again=600, repeats=(1, 30))
TINY = Size(capabilities=2, phrasings=(1, 3), again=2, repeats=(1, 3))


def measure(size: Size) -> Result:
    """One run of the real command for each size, in a fresh workspace and process: memory hardly varies."""
    shape = {"repeats": 2, "concurrency": (1, 8)}
    runs = [_run(Shop(capabilities=size.capabilities, phrasings=number, **shape)) for number in size.phrasings]
    again = [_run(Shop(capabilities=size.again, repeats=number, axes=PLAIN_AXES)) for number in size.repeats]
    last = runs[-1]
    per_observation = max(one["bytes"] / one["observations"] for one in runs)
    figures = [
        Figure(
            what=f"peak memory of a run of {last['observations']:,} observations",
            plangate=f"{last['peak_rss_mb']:.0f} MB",
            value=last["peak_rss_mb"],
            shown=f"{last['peak_rss_mb']:.0f} MB",
            target=_MB_MAX,
            must=f"at most {_MB_MAX} MB",
            at_least=False,
        ),
        _growth("its growth with the cells, from", runs),
        _growth("its growth with the passes over the same cells, from", again),
        Figure(
            what="run file, expected set included",
            plangate=" / ".join(f"{one['bytes'] / one['observations']:.0f}" for one in runs) + " bytes an observation",
            value=per_observation,
            shown=f"{per_observation:.0f} bytes",
            target=_BYTES_MAX,
            must=f"at most {_BYTES_MAX} bytes",
            at_least=False,
        ),
    ]
    return Result(benchmark="memory", figures=figures, rounds=[*runs, *again])


def _growth(what: str, runs: Sequence[dict[str, Any]]) -> Figure:
    first, last = runs[0], runs[-1]
    growth = last["peak_rss_mb"] / first["peak_rss_mb"] - 1
    return Figure(
        what=f"{what} {first['observations']:,} to {last['observations']:,} observations",
        plangate=f"{last['peak_rss_mb']:.0f} MB",
        against=", ".join(f"{one['peak_rss_mb']:.0f} MB at {one['observations']:,}" for one in runs[:-1]),
        value=growth,
        shown=f"{growth:+.0%}",
        target=_GROWTH_MAX,
        must=f"less than {_GROWTH_MAX:+.0%}",
        at_least=False,
    )


def _run(shop: Shop) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        root = shop.write(Path(folder), target=in_process_target())
        spent = run_command(plangate("run", ENVIRONMENT, "--json"), cwd=root)
        stored = list((root / ".plangate" / "runs").iterdir())
        observations = _observations(next(path for path in stored if path.suffix == ".sqlite"))
        return {
            "observations": observations,
            "peak_rss_mb": spent.peak_rss_mb,
            "bytes": sum(path.stat().st_size for path in stored),
            "wall_s": spent.wall_s,
            "cpu_s": spent.cpu_s,
        }


def _observations(path: Path) -> int:
    with closing(sqlite3.connect(path)) as run:
        return int(run.execute("SELECT count(*) FROM observations").fetchone()[0])
