"""Validated values -> Suite; the lines of its phrasing file are added by whoever may read files."""

from __future__ import annotations

from typing import Any

from plangate.documents.positions import Positions
from plangate.documents.suite import AxisSpec, Determinism, JudgeMode, Order, Suite

__all__ = ["parse_suite"]

_DETERMINISM = Determinism()


def parse_suite(raw: dict[str, Any], positions: Positions) -> Suite:
    """The suite in `raw`, which must satisfy the Suite schema; `phrasings` stays empty."""
    metadata, matrix = raw["metadata"], raw["matrix"]
    coverage = matrix.get("coverage", "exhaustive")
    times = {"time": matrix["time"]} if "time" in matrix else {}
    return Suite(
        name=metadata["name"],
        version=metadata["version"],
        type=raw["type"],
        covers=tuple(raw.get("covers", ())),
        catalog=matrix.get("catalog"),
        axes={axis: _axis(spec) for axis, spec in matrix["axes"].items()},
        strength=coverage["strength"] if isinstance(coverage, dict) else None,
        exclude=tuple(_excluded(entry) for entry in matrix.get("exclude", ())),
        determinism=_determinism(raw.get("determinism", {})),
        judge=JudgeMode(raw.get("judge", {}).get("reasons", JudgeMode.EXACT)),
        seed=raw.get("seed", 0),
        raw=raw,
        positions=positions,
        **times,
    )


def _axis(raw: Any) -> AxisSpec:
    if isinstance(raw, dict):
        return AxisSpec(file=raw["file"])
    if isinstance(raw, list):
        return AxisSpec(values=tuple(raw))
    return AxisSpec(word=raw)


def _excluded(raw: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Axis -> the values it names, as text: `true`, `5`, `none` (for null) and `free` alike."""
    return {
        axis: tuple(_text(value) for value in (values if isinstance(values, list) else [values]))
        for axis, values in raw.items()
    }


def _text(value: str | int | bool | None) -> str:  # noqa: FBT001 - a value of the document, not a switch
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _determinism(raw: dict[str, Any]) -> Determinism:
    return Determinism(
        repeats=raw.get("repeats", _DETERMINISM.repeats),
        orders=tuple(Order(order) for order in raw["orders"]) if "orders" in raw else _DETERMINISM.orders,
        concurrency=tuple(raw.get("concurrency", _DETERMINISM.concurrency)),
        processes=raw.get("processes", _DETERMINISM.processes),
    )
