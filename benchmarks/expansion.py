"""How fast a matrix is expanded into cells, and how fast the oracle decides them: one core, nothing asked or stored."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Result
from benchmarks.observing import timed
from benchmarks.paired import Spread
from benchmarks.processes import harness_core, on_core
from benchmarks.workspaces import ENVIRONMENT, Shop, in_process_target

__all__ = ["FULL", "TINY", "Size", "measure"]

_DECIDED_MAX = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    shops: Mapping[str, Shop] = field(default_factory=dict)
    """What the matrix is wide in -> the workspace."""
    rounds: int


_COMMERCE = {"setting": "boundary", "quantity": [1, 7, 50], "linked": [True, False], "override": "boundary"}
FULL = Size(
    shops={
        "capabilities": Shop(capabilities=2_000),
        "phrasings": Shop(capabilities=93, phrasings=21),
        "axes": Shop(capabilities=66, more_axes=_COMMERCE),
    },
    rounds=5,
)
TINY = Size(shops={"capabilities": Shop(capabilities=2)}, rounds=1)


def measure(size: Size) -> Result:
    """Each in a fresh process, round by round; the median counts."""
    figures, rounds = [], []
    for wide_in, shop in size.shops.items():
        with tempfile.TemporaryDirectory() as folder:
            root = shop.write(Path(folder), target=in_process_target())
            found = [on_core(expand_all, str(root), core=harness_core()) for _ in range(size.rounds)]
        rounds += [{"wide in": wide_in} | one for one in found]
        figures.append(_expanded(wide_in, found))
    figures.append(_decided(rounds))
    return Result(benchmark="expansion", figures=figures, rounds=rounds)


def _expanded(wide_in: str, found: list[dict[str, Any]]) -> Figure:
    forward, shuffled = (Spread.of(one[order]["per_s"] for one in found) for order in ("forward", "shuffled"))
    return Figure(
        what=f"matrix of {found[0]['forward']['observations']:,} cells, wide in {wide_in}",
        plangate=f"{forward.median:,.0f} cells/s; in shuffled order {shuffled.median:,.0f}",
        value=forward.median,
        shown=forward.told(",.0f", "/s"),
        target=200_000,
        must="at least 200,000/s",
    )


def _decided(rounds: list[dict[str, Any]]) -> Figure:
    found = Spread.of(one["decided"]["per_s"] for one in rounds)
    told = f"{found.median:,.0f} decisions/s"
    return Figure(what="oracle", plangate=told, value=found.median, shown=found.told(",.0f", "/s"))


def expand_all(root: str) -> dict[str, Any]:
    """Expand the workspace's suite in forward and in shuffled order, then decide what was expanded."""
    from plangate.documents.suite import Order
    from plangate.documents.workspace import Workspace
    from plangate.engine.plan import numbers_in_order
    from plangate.engine.session import prepare
    from plangate.matrix.expansion import expand
    from plangate.store.documents import PassRecord

    prepared = prepare(Workspace.open(Path(root)), ENVIRONMENT, environ={})
    suite, oracle = prepared.suites[0].suite, prepared.oracles["gating"]
    surfaces = ("interaction", "orchestration", "tool", "default")
    shuffled = PassRecord(number=0, order=Order.SHUFFLED, concurrency=1, process=0, seed=7, hash_seed=None)

    def forward() -> int:
        matrix = expand(suite, oracle, surfaces=surfaces)
        deque(matrix, maxlen=0)
        return len(matrix)

    def out_of_order() -> int:
        matrix = expand(suite, oracle, surfaces=surfaces)
        deque(matrix.cells(numbers_in_order(len(matrix), shuffled)), maxlen=0)
        return len(matrix)

    found = {"forward": timed(forward), "shuffled": timed(out_of_order)}
    matrix = expand(suite, oracle, surfaces=surfaces)
    cells = list(matrix.cells(range(min(len(matrix), _DECIDED_MAX))))

    def decide() -> int:
        decided = oracle.decide
        for cell in cells:
            decided(cell.subject, cell.request)
        return len(cells)

    return found | {"decided": timed(decide)}
