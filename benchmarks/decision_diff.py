"""Which decisions differ between two plan catalogs of 50 plans and 400 capabilities, and in which words."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import Figure, Result
from benchmarks.paired import Spread
from benchmarks.processes import harness_core, on_core

__all__ = ["FULL", "TINY", "Size", "compare_all", "measure"]

_STATES = ("PendingFulfillmentStart", "Suspended", "Unsubscribed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    plans: int
    capabilities: int
    rounds: int


FULL = Size(plans=50, capabilities=400, rounds=5)
TINY = Size(plans=3, capabilities=8, rounds=1)


def measure(size: Size) -> Result:
    """In a fresh process, round by round; the median counts. Reading the two documents is told apart."""
    found = [on_core(compare_all, size.plans, size.capabilities, core=harness_core()) for _ in range(size.rounds)]
    wall_s, read_s = (Spread.of(one[name] for one in found) for name in ("wall_s", "read_s"))
    what = f"decision diff of two plan catalogs, {size.plans} plans x {size.capabilities} capabilities"
    few, many = (f"{found[0][kind]:,}" for kind in ("decision_changes", "sentences"))
    figure = Figure(
        what=what,
        plangate=f"{wall_s.median:.2f} s for {few} differences in {many} sentences; reading both {read_s.median:.2f} s",
        value=wall_s.median,
        shown=wall_s.told(".2f", " s"),
        target=2.0,
        must="less than 2 s",
        at_least=False,
    )
    return Result(benchmark="decision_diff", figures=[figure], rounds=found)


def compare_all(plans: int, capabilities: int) -> dict[str, Any]:
    """One round: seconds, and how much differs."""
    from plangate.documents.document import read_document
    from plangate.documents.environment import Policy
    from plangate.documents.kinds import Kind
    from plangate.entitlements.decision_diff import decision_changes
    from plangate.entitlements.diff_sentences import sentences
    from plangate.entitlements.oracle import Oracle

    begun = time.perf_counter()
    catalogs = []
    for version in ("1.0.0", "1.1.0"):
        text = json.dumps(_catalog(plans, capabilities, version=version)).encode()
        catalogs.append(read_document(Kind.PLAN_CATALOG, text, path=f"envs/plans/bench/{version}.yaml").sound())
    read = time.perf_counter()
    before, after = (Oracle.of(catalog, Policy()) for catalog in catalogs)
    diff = decision_changes(before, after)
    told = list(sentences(diff))
    return {
        "read_s": read - begun,
        "wall_s": time.perf_counter() - read,
        "decision_changes": len(diff.decision_changes),
        "sentences": len(told),
    }


def _catalog(plans: int, capabilities: int, *, version: str) -> dict[str, Any]:
    """Each plan grants every second capability, shifted by its number; the later version grants one more to each
    fifth plan, takes one from each seventh, and gives each third a smaller limit."""
    later = version != "1.0.0"
    offered = [f"feature.f{number:04d}" for number in range(capabilities)]
    described: dict[str, Any] = {}
    for number in range(plans):
        granted = [name for place, name in enumerate(offered) if (place + number) % 2]
        if later and not number % 5:
            granted.append(offered[number % 2])
        if later and not number % 7:
            granted = granted[1:]
        limits = {"messages": 100 * (number + 1) - (50 if later and not number % 3 else 0)}
        described[f"plan-{number:02d}"] = {"grants": granted, "limits": limits, "settings": {"data_scope": "team"}}
    return {
        "apiVersion": "plangate/v1",
        "kind": "PlanCatalog",
        "metadata": {"name": "bench", "version": version},
        "offer": {"model": "saas", "id": "contoso-bench"},
        "capabilities": {
            name: {"effect": "read", "consumes": {"messages": 1}, "uses": ["data_scope"]} for name in offered
        },
        "limits": {"messages": {"unit": "message", "window": "day"}},
        "settings": {"data_scope": {"order": ["own", "team", "org"]}},
        "states": {state: {"retains": []} for state in _STATES},
        "plans": described,
    }
