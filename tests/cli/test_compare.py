"""`plangate compare`: what decides otherwise, and below the decision, what is told otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from plangate.entitlements.decision import Effect, LimitDetail
from plangate.verdicts.observation import Observed
from tests.cli.promotions import plangate
from tests.cli.shops import make_shop
from tests.store.runs import ALLOW, DENY, SAW_ALLOW, SAW_DENY, header, write_run

LIMIT = LimitDetail("messages", 20, 3, "2026-01-02T00:00:00Z")
REFUSED = Observed(effect=Effect.DENY, reason="not_in_plan", limit=LIMIT)


def _runs(root: Path, before: Observed, after: Observed) -> None:
    """Two runs of two cells, the second of which was seen as `before` and as `after`."""
    folder = make_shop(root) / ".plangate" / "runs"
    folder.mkdir(parents=True)
    for name, seen in (("r-1", before), ("r-2", after)):
        observed = [(SAW_ALLOW, SAW_ALLOW), (seen, seen)]
        write_run(folder / f"{name}.sqlite", (ALLOW, DENY), observed, head=header(name))


def test_another_word_of_a_limit_is_named_where_the_decision_is_the_same(tmp_path: Path) -> None:
    _runs(tmp_path, REFUSED, replace(REFUSED, limit=replace(LIMIT, remaining=2)))
    status, out, _ = plangate(tmp_path, "compare", "r-1", "r-2")
    assert status == 1
    assert [line.strip() for line in out.splitlines()[1:]] == ["limit.remaining: 3 -> 2", "1 cells differ"]
    (one,) = json.loads(plangate(tmp_path, "compare", "r-1", "r-2", "--json")[1])["differences"]
    assert one["changes"] == [{"path": "limit.remaining", "before": 3, "after": 2}]


def test_another_decision_is_told_in_its_line(tmp_path: Path) -> None:
    _runs(tmp_path, SAW_DENY, SAW_ALLOW)
    status, out, _ = plangate(tmp_path, "compare", "r-1", "r-2")
    assert status == 1
    first, last = out.splitlines()
    assert first.endswith("deny not_in_plan -> allow entitled")
    assert last == "1 cells differ"


def test_runs_that_decide_alike_are_the_same(tmp_path: Path) -> None:
    _runs(tmp_path, REFUSED, REFUSED)
    assert plangate(tmp_path, "compare", "r-1", "r-2")[0] == 0


def test_a_limit_that_only_one_run_tells_is_no_difference(tmp_path: Path) -> None:
    _runs(tmp_path, REFUSED, replace(REFUSED, limit=None))
    document = json.loads(plangate(tmp_path, "compare", "r-1", "r-2", "--json")[1])
    assert (document["same"], document["differences"]) == (True, [])
    assert document["fingerprints"][0] == document["fingerprints"][1]
    assert document["details"][0] != document["details"][1]
