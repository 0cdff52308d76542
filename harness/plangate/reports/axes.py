"""How an axis value, or a cell, is named to people: the same words in each report (documents.md, Axis value names)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from plangate.documents.suite import AXES
from plangate.matrix import identity
from plangate.matrix.cell import AxisValue

__all__ = ["MAIN_AXES", "NORMAL", "further_axes", "in_order", "oddity", "value_of", "value_text"]

MAIN_AXES: tuple[str, ...] = ("plan", "state", "capability", "surface")
"""The axes that every cell has a value for."""

NORMAL: Mapping[str, AxisValue] = MappingProxyType({**identity.NORMAL, "surface": "default"})
"""What an axis means where a suite leaves it out. Plan, state and capability have no normal value."""

_FURTHER = tuple(identity.NORMAL.items())


def value_of(axes: Mapping[str, AxisValue], axis: str) -> AxisValue:
    """The cell's value on `axis`, whether or not its suite spans it."""
    return axes[axis] if axis in axes else NORMAL.get(axis)


def value_text(value: AxisValue) -> str:
    """An axis value in words: `none` for a missing phrasing, `true` and `false` for booleans."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Axis names in the order of the suite document; names it does not know come last, sorted."""
    held = set(names)
    return tuple(axis for axis in AXES if axis in held) + tuple(sorted(held - set(AXES)))


def oddity(axes: Mapping[str, AxisValue]) -> int:
    """On how many axes beside the main four a cell differs from the normal value: 0 is the plainest cell there is."""
    return sum(axes[axis] != normal for axis, normal in _FURTHER if axis in axes)


def further_axes(axes: Mapping[str, AxisValue]) -> Iterator[tuple[str, AxisValue]]:
    """Axes beside the main four on which a cell differs from the normal value: what makes it special."""
    for axis in in_order(axes):
        if axis not in MAIN_AXES and axes[axis] != NORMAL.get(axis):
            yield axis, axes[axis]
