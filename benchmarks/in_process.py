"""The python driver on one core, judged and stored, beside the loop that one would write by hand for the same cells."""

from __future__ import annotations

import hashlib
import importlib
import json
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.figures import Figure, Result
from benchmarks.observing import cells_of, observe_all, timed
from benchmarks.paired import Spread, in_turn, ratios
from benchmarks.processes import harness_core, on_core
from benchmarks.workspaces import Shop, in_process_target

__all__ = ["FULL", "TINY", "Case", "Size", "cases_of", "measure", "request_of"]

_BATCH = 1_000
_REPEATS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    capabilities: Sequence[int]
    """For each workspace, how many; about 108 cells each."""
    rounds: int


FULL = Size(capabilities=(93, 930), rounds=5)
TINY = Size(capabilities=(2,), rounds=1)


class Case(NamedTuple):
    """What a loop by hand knows of a cell before its time begins: it gets matrix and oracle for nothing."""

    axes: dict[str, str]
    subject_id: str
    plan: str
    state: str
    usage: dict[str, int]
    consents: list[tuple[str, str]]
    capability: str
    surface: str
    cost: dict[str, int]
    time: str
    effect: str
    reason: str


def measure(size: Size) -> Result:
    """Both in turn, each time in a fresh process on the same core; the median of each round's ratio counts."""
    figures, rounds = [], []
    for capabilities in size.capabilities:
        with tempfile.TemporaryDirectory() as folder:
            root = Shop(capabilities=capabilities, repeats=_REPEATS).write(Path(folder), target=in_process_target())
            sides = {
                "by hand": partial(on_core, observe_by_hand, str(root), core=harness_core()),
                "plangate": partial(on_core, observe_all, str(root), core=harness_core()),
            }
            found = in_turn(size.rounds, sides)
        figures.append(_figure(found))
        rounds += found
    return Result(benchmark="in_process", figures=figures, rounds=rounds)


def _figure(rounds: list[dict[str, Any]]) -> Figure:
    ours, bare = (Spread.of(one[name]["per_s"] for one in rounds) for name in ("plangate", "by hand"))
    ratio = ratios(rounds, "plangate", "by hand", by="per_s")
    observations = rounds[0]["plangate"]["observations"]
    assert observations == rounds[0]["by hand"]["observations"]
    return Figure(
        what=f"python driver, judged and stored, one core, {observations:,} observations",
        plangate=f"{ours.median:,.0f} observations/s",
        against=f"{bare.median:,.0f}/s, a loop by hand",
        value=ratio.median,
        shown=ratio.told(".2f", " x"),
        target=0.40,
        must="at least 0.40 x",
    )


def observe_by_hand(root: str) -> dict[str, Any]:
    """Build each request, call the app, compare, digest the cell, insert in batches of 1,000: no harness at all."""
    cases = cases_of(root)
    sys.path.insert(0, root)
    evaluate = importlib.import_module("decision_app").evaluate
    return timed(lambda: _loop(cases, evaluate, Path(root, "by-hand.sqlite")))


def cases_of(root: str) -> list[Case]:
    """Every cell of the workspace's suite, with what it must get."""
    cells, oracle = cells_of(root)
    return [_case(cell, oracle.decide(cell.subject, cell.request)) for cell in cells]


def _case(cell: Any, decision: Any) -> Case:
    names = ("plan", "state", "capability", "surface", "usage")
    subject, request = cell.subject, cell.request
    return Case(
        axes=dict(zip(names, cell.axes[:5], strict=True)),
        subject_id=cell.subject_id,
        plan=subject.plan,
        state=subject.state,
        usage=dict(subject.usage),
        consents=[(one.name, one.level) for one in subject.consents],
        capability=request.capability,
        surface=request.surface,
        cost=dict(request.cost),
        time=request.time,
        effect=str(decision.effect),
        reason=str(decision.reason),
    )


def _loop(cases: list[Case], evaluate: Callable[[dict[str, Any]], dict[str, Any]], path: Path) -> int:
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("CREATE TABLE observations (cell BLOB, pass INTEGER, effect TEXT, reason TEXT, passed INTEGER)")
    observed = 0
    for number in range(_REPEATS):
        order = cases
        if number % 2:
            order = cases.copy()
            random.Random(number).shuffle(order)
        rows: list[tuple[bytes, int, str, str, bool]] = []
        for case in order:
            context = evaluate(request_of(case))["context"]
            effect, reason = context["effect"], context["reason"]
            passed = effect == case.effect and reason == case.reason
            assert passed, (case, context)
            digest = hashlib.sha256(json.dumps(case.axes, sort_keys=True).encode()).digest()
            rows.append((digest, number, effect, reason, passed))
            if len(rows) >= _BATCH:
                _insert(connection, rows)
                rows = []
        _insert(connection, rows)
        observed += len(order)
    connection.close()
    return observed


def request_of(case: Case) -> dict[str, Any]:
    """The evaluation request of a cell, new each time: an app may change it."""
    return {
        "subject": {
            "type": "tenant",
            "id": case.subject_id,
            "properties": {
                "plan": case.plan,
                "state": case.state,
                "quantity": 1,
                "addons": [],
                "tenant_linked": True,
                "consents": [{"name": name, "level": level} for name, level in case.consents],
                "usage": {**case.usage},
                "overrides": [],
            },
        },
        "action": {"name": case.capability},
        "resource": {"type": "capability", "id": case.capability, "properties": {}},
        "context": {"surface": case.surface, "cost": {**case.cost}, "phrasing": None, "time": case.time},
    }


def _insert(connection: sqlite3.Connection, rows: list[tuple[bytes, int, str, str, bool]]) -> None:
    connection.executemany("INSERT INTO observations VALUES (?, ?, ?, ?, ?)", rows)
    connection.commit()
