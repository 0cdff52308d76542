"""`@pytest.mark.plan_matrix(...)`: the cells of a matrix for a test that drives its own code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plangate.documents.suite import AXES
from plangate.engine.session import Prepared
from plangate.entitlements.request import Subject
from plangate.matrix.cell import AxisValue, Cell
from plangate.matrix.constraints import axis_text
from plangate.matrix.request_shape import evaluation_request
from plangate.pytest_plugin.gates import Gates, said
from plangate.pytest_plugin.names import unique
from plangate.verdicts.result import Expected

if TYPE_CHECKING:
    from plangate.drivers.protocol import EvaluationRequest

__all__ = ["PlanCell", "parametrize"]

_OTHERS = ("env", "suite", "workspace")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCell:
    """One cell of a suite's matrix, with what the oracle expects of it."""

    suite: str
    cell: Cell
    expected: Expected
    """`.effect` and `.reason` compare equal to plain text: `plan_cell.expected.effect == "deny"`."""

    @property
    def axes(self) -> Mapping[str, AxisValue]:
        """The value of every axis."""
        return dict(zip(AXES, self.cell.axes, strict=True))

    @property
    def subject(self) -> Subject:
        """Who asks."""
        return self.cell.subject

    @property
    def request(self) -> EvaluationRequest:
        """What is asked, as an AuthZEN evaluation request; a new object each time, to be changed at will."""
        return evaluation_request(self.cell)


def parametrize(metafunc: pytest.Metafunc, marker: pytest.Mark, gates: Gates) -> None:
    """Run the test once for each cell the marker selects. Raises CollectError for a marker that selects nothing."""
    where = metafunc.definition.name
    axes = _checked(where, marker)
    if "plan_cell" not in metafunc.fixturenames:
        raise pytest.Collector.CollectError(f"{where}: plan_matrix gives cells, but the test does not take plan_cell")
    root = marker.kwargs.get("workspace")
    workspace = (Path(metafunc.config.rootpath) / root).resolve() if root else gates.workspace_of()
    gate = gates.at(workspace, marker.kwargs["env"])
    prepared = said(lambda: gate.prepared)
    suites = _suites(where, marker, prepared)
    chosen = [
        (f"{suite}::{name}" if len(suites) > 1 else name, PlanCell(suite=suite, cell=cell, expected=expected))
        for suite in suites
        for name, cell, expected in _cells(prepared, suite, axes)
    ]
    _bounded(where, chosen, axes, gates.items_max)
    metafunc.parametrize("plan_cell", [cell for _, cell in chosen], ids=[name for name, _ in chosen])


def _checked(where: str, marker: pytest.Mark) -> Mapping[str, frozenset[str]]:
    """Axis -> values as text."""
    if marker.args or not isinstance(marker.kwargs.get("env"), str):
        raise pytest.Collector.CollectError(f"{where}: plan_matrix takes keywords, and needs env='NAME'")
    axes = {}
    for name, values in marker.kwargs.items():
        if name in _OTHERS:
            continue
        if name not in AXES:
            near = get_close_matches(name, (*_OTHERS, *AXES), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"axes are {', '.join(AXES)}"
            raise pytest.Collector.CollectError(f"{where}: plan_matrix knows no {name!r} ({hint})")
        several = values if isinstance(values, list | tuple | set | frozenset) else [values]
        axes[name] = frozenset(_text(value) for value in several)
    return axes


def _text(value: object) -> str:
    """As `exclude` rules write it: `none` for None, so that a marker may say either."""
    return axis_text(value if isinstance(value, bool | int) or value is None else str(value))


def _suites(where: str, marker: pytest.Mark, prepared: Prepared) -> Sequence[str]:
    pinned = tuple(prepared.matrices)
    asked = marker.kwargs.get("suite")
    names = pinned if asked is None else (asked,) if isinstance(asked, str) else tuple(asked)
    for name in names:
        if name not in pinned:
            raise pytest.Collector.CollectError(f"{where}: no suite {name!r}; the release pins {', '.join(pinned)}")
    return names


def _cells(prepared: Prepared, suite: str, axes: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, Cell, Expected]]:
    plan = prepared.suite(suite)
    places = [(AXES.index(axis), values) for axis, values in axes.items()]
    matching = (cell for cell in plan.matrix if all(_text(cell.axes[place]) in values for place, values in places))
    for name, cell in unique(matching):
        yield name, cell, plan.expected(cell)


def _bounded(where: str, chosen: Sequence[object], axes: Mapping[str, frozenset[str]], items_max: int) -> None:
    said_axes = ", ".join(f"{axis} in {sorted(values)}" for axis, values in axes.items()) or "everything"
    if not chosen:
        raise pytest.Collector.CollectError(f"{where}: plan_matrix selects no cell ({said_axes}): nothing is tested")
    if len(chosen) > items_max:
        raise pytest.Collector.CollectError(
            f"{where}: plan_matrix selects {len(chosen):,} cells ({said_axes}); narrow it, or raise "
            f"--plangate-items-max above {items_max:,}"
        )
