"""The cells that an HTML report carries: each text once, cells as rows of numbers, in JSON that no tag can end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from plangate.reports.axes import MAIN_AXES, NORMAL, in_order, value_of, value_text
from plangate.reports.picture import Picture, place_of
from plangate.reports.safe_text import clean
from plangate.reports.signatures import decision_text, fault_text
from plangate.verdicts.result import CellResult, ObservedCount, RunReport, RunSummary, Verdict

__all__ = ["CELLS_MAX", "cell_data", "json_for_script"]

CELLS_MAX = 20_000
"""Above this many cells only those that did not pass are carried, and at most so many."""

_VERDICTS = tuple(Verdict)
_UNSEEN = "unseen"
"""Stands for a verdict where a cell passed and was not observed in every pass."""


class _Texts:
    """Texts (or lists of them) numbered in the order in which they come up."""

    def __init__(self) -> None:
        self.held: list[Any] = []
        self._numbers: dict[object, int] = {}

    def number(self, text: Any, *, key: object = None) -> int:
        """The number of `text`; equal texts have one number."""
        key = text if key is None else key
        number = self._numbers.setdefault(key, len(self.held))
        if number == len(self.held):
            self.held.append(text)
        return number


def cell_data(
    report: RunReport, picture: Picture, *, summary: RunSummary, cells_max: int = CELLS_MAX
) -> Mapping[str, Any]:
    """What the page's script reads: names, texts, and for each square its rows.

    A row is [verdict, expected, observed, command, cell id, retries, leaked, one number for each of `axes`].
    """
    everything = summary.totals.executed <= cells_max
    results: Iterable[CellResult] = report.cells() if everything else report.failures(limit=cells_max)
    axes = _further_axes(summary)
    expected, observed, commands = _Texts(), _Texts(), _Texts()
    values = [_Texts() for _ in axes]
    indices = [{name: number for number, name in enumerate(names)} for names in _names(picture)]
    squares: dict[str, list[list[Any]]] = {}
    for result in results:
        place = place_of(result)
        if place not in picture.squares:
            continue
        key = ".".join(str(index[name]) for index, name in zip(indices, place, strict=True))
        row = [
            _VERDICTS.index(result.verdict) if result.whole or result.verdict is not Verdict.PASS else len(_VERDICTS),
            expected.number(_due(result), key=_due_key(result)),
            observed.number([_seen(one) for one in result.observed], key=result.observed),
            commands.number(clean(result.reproduce.replace(result.cell, "{}"))),
            result.cell,
            result.retries,
            int(result.leaked),
        ]
        row += [texts.number(_value(result, axis)) for axis, texts in zip(axes, values, strict=True)]
        squares.setdefault(key, []).append(row)
    return {
        "states": [clean(name) for name in picture.states],
        "plans": [clean(name) for name in picture.plans],
        "capabilities": [clean(name) for name in picture.capabilities],
        "verdicts": [*(verdict.value for verdict in _VERDICTS), _UNSEEN],
        "axes": list(axes),
        "normal": [value_text(NORMAL[axis]) if axis in NORMAL else "" for axis in axes],
        "values": [texts.held for texts in values],
        "expected": expected.held,
        "observed": observed.held,
        "commands": commands.held,
        "everything": everything,
        "cells": squares,
    }


def _further_axes(summary: RunSummary) -> tuple[str, ...]:
    """The axes on which cells of one square may differ, and the suite where there are several."""
    suites = summary.suites
    spanned = in_order({axis for suite in suites for axis in suite.axes})
    further = tuple(axis for axis in spanned if axis not in MAIN_AXES[:3])
    return (*further, "suite") if len(suites) > 1 else further


def _names(picture: Picture) -> tuple[tuple[str, ...], ...]:
    return (picture.states, picture.plans, picture.capabilities)


def _value(result: CellResult, axis: str) -> str:
    return clean(result.suite if axis == "suite" else value_text(value_of(result.axes, axis)), length_max=300)


def _due(result: CellResult) -> list[str]:
    due = result.expected
    text = decision_text(due.effect, due.reason, due.limit)
    if due.setting:
        text += f" ({clean(due.setting, length_max=80)})"
    return [text, due.effect.value, due.rule, clean(due.where)]


def _due_key(result: CellResult) -> tuple[object, ...]:
    due = result.expected
    return (due.effect, due.reason, due.rule, due.where, due.limit, due.setting)


def _seen(one: ObservedCount) -> list[Any]:
    if one.effect is None:
        return [fault_text(one.fault, one.detail), "fault", one.count, ""]
    return [decision_text(one.effect, one.reason, one.limit), one.effect.value, one.count, clean(one.detail or "")]


def json_for_script(data: Mapping[str, Any]) -> str:
    """`data` as JSON that is safe inside a `<script>` element, whatever the texts hold."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
