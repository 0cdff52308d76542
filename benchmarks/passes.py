"""Ten passes over the same cells with the python driver, beside a loop that only asks the same app and compares."""

from __future__ import annotations

import importlib
import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.example_app import example_target, write_example_app
from benchmarks.figures import Figure, Result
from benchmarks.in_process import Case, cases_of, request_of
from benchmarks.observing import observe_all, timed
from benchmarks.paired import Spread, in_turn, ratios
from benchmarks.processes import harness_core, on_core
from benchmarks.workspaces import PLAIN_AXES, Shop

__all__ = ["FULL", "TINY", "Size", "measure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    capabilities: int
    """16 cells each: four plans, four states."""
    passes: int
    rounds: int


FULL = Size(capabilities=1_800, passes=10, rounds=5)
TINY = Size(capabilities=2, passes=3, rounds=1)


def measure(size: Size) -> Result:
    """Both in turn, each time in a fresh process on the same core; the median of each round's ratio counts."""
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(capabilities=size.capabilities, repeats=size.passes, axes=PLAIN_AXES)
        root = str(shop.write(Path(folder), target=example_target()))
        write_example_app(Path(root), shop)
        sides = {
            "bare": partial(on_core, ask_bare, root, size.passes, core=harness_core()),
            "plangate": partial(on_core, observe_all, root, core=harness_core()),
        }
        rounds = in_turn(size.rounds, sides)
    ours, bare = (Spread.of(one[name]["per_s"] for one in rounds) for name in ("plangate", "bare"))
    ratio = ratios(rounds, "plangate", "bare", by="per_s")
    cells = rounds[0]["bare"]["observations"] // size.passes
    assert rounds[0]["plangate"]["observations"] == rounds[0]["bare"]["observations"]
    figure = Figure(
        what=f"python driver, judged and stored, one core, {size.passes} passes over {cells:,} cells",
        plangate=f"{ours.median:,.0f} observations/s",
        against=f"{bare.median:,.0f}/s, a loop that asks and compares",
        value=ratio.median,
        shown=ratio.told(".2f", " x"),
        target=0.40,
        must="at least 0.40 x",
    )
    return Result(benchmark="passes", figures=[figure], rounds=rounds)


def ask_bare(root: str, passes: int) -> dict[str, Any]:
    """Make each request, call the app, compare: nothing is digested, stored, counted or judged."""
    cases = cases_of(root)
    sys.path.insert(0, root)
    evaluate = importlib.import_module("copilot.pdp").evaluate
    return timed(lambda: _loop(cases, evaluate, passes))


def _loop(cases: list[Case], evaluate: Callable[[dict[str, Any]], dict[str, Any]], passes: int) -> int:
    observed = 0
    for number in range(passes):
        order = cases
        if number % 2:
            order = cases.copy()
            random.Random(number).shuffle(order)
        for case in order:
            context = evaluate(request_of(case))["context"]
            assert context["effect"] == case.effect, (case, context)
            assert context["reason"] == case.reason, (case, context)
        observed += len(order)
    return observed
