"""The canary: every plan and capability, the same cells every time, never more than asked for."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest

from plangate.documents.suite import AXES
from plangate.matrix.canary import canary_cells
from plangate.matrix.identity import NORMAL

USUAL = (7, 23)
"""Numbers of the cells of each plan and capability in which nothing is out of the ordinary."""
PLANS, CAPABILITIES = ("free", "pro", "enterprise"), ("a", "b", "c", "d")


@dataclass(frozen=True)
class _Matrix:
    cells: list[Any]

    def __iter__(self) -> Any:
        return iter(self.cells)


def _cell(plan: str, capability: str, number: int) -> Any:
    digest = sha256(f"{plan} {capability} {number}".encode()).digest()[:10]
    values = {**NORMAL, "plan": plan, "capability": capability, "surface": "tool"}
    values["state"] = "Subscribed" if number in USUAL else "Suspended"
    return SimpleNamespace(
        digest=digest,
        axes=tuple(values[axis] for axis in AXES),
        subject=SimpleNamespace(plan=plan),
        request=SimpleNamespace(capability=capability),
    )


MATRIX = _Matrix([_cell(plan, name, number) for number in range(50) for plan in PLANS for name in CAPABILITIES])
PAIR = {cell.digest: (cell.subject.plan, cell.request.capability) for cell in MATRIX}


@pytest.mark.parametrize("count", [1, 5, 12, 13, 30, 600, 10_000])
def test_as_many_as_asked_for_and_spread_evenly(count: int) -> None:
    chosen = canary_cells(MATRIX, count=count)
    assert len(chosen) == min(count, 600)
    each = [sum(PAIR[digest] == pair for digest in chosen) for pair in set(PAIR.values())]
    assert max(each) - min(each) <= 1


def test_the_order_of_the_matrix_changes_nothing() -> None:
    assert canary_cells(MATRIX, count=30) == canary_cells(_Matrix(MATRIX.cells[::-1]), count=30)


def test_more_cells_keep_those_of_before() -> None:
    assert canary_cells(MATRIX, count=20) <= canary_cells(MATRIX, count=40)


def test_the_most_usual_cells_come_first() -> None:
    usual = {_cell(plan, name, number).digest for plan in PLANS for name in CAPABILITIES for number in USUAL}
    assert canary_cells(MATRIX, count=len(usual)) == usual
