"""Which values a set of cells takes on an axis, and how to say that shortly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plangate.matrix.cell import AxisValue
from plangate.reports.axes import MAIN_AXES, NORMAL, value_text
from plangate.reports.picture import axis_values
from plangate.reports.safe_text import clean
from plangate.verdicts.result import SuiteSummary

__all__ = ["Spread", "listing", "spread_of"]

_SHOWN_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The values that some cells take on one axis."""

    axis: str
    values: tuple[str, ...]
    """In the suites' order; at most twelve."""
    count: int
    """Distinct values, also those not listed."""
    spanned: int
    """How many values the suites span on this axis."""
    usual: bool = False
    """Whether the axis's normal value is among them: then this axis is no condition."""

    @property
    def is_told(self) -> bool:
        """Whether a reader needs it: of the four main axes always, of the others where it is a condition."""
        return self.spanned > 1 and (self.axis in MAIN_AXES or not (self.usual or self.axis == "suite"))

    @property
    def everywhere(self) -> bool:
        """Whether each of several values that the suites span is among them."""
        return self.count >= self.spanned > 1

    @property
    def text(self) -> str:
        """`all 3`, `Subscribed`, or a list with how many more."""
        return self.short(_SHOWN_MAX)

    def short(self, listed_max: int) -> str:
        """Like `text`, with at most `listed_max` values listed."""
        if self.everywhere:
            return f"all {self.count}"
        if self.axis == "phrasing" and self.count > 1:
            return f"{self.count} of {self.spanned}"
        listed = self.values[:listed_max]
        more = f" and {self.count - len(listed)} more" if self.count > len(listed) else ""
        return ", ".join(listed) + more


def spread_of(axis: str, found: Iterable[AxisValue], *, suites: Sequence[SuiteSummary]) -> Spread:
    """The spread of the values `found` on `axis` (`suite` counts as an axis)."""
    held = set(found)
    spanned: tuple[AxisValue, ...] = tuple(suite.name for suite in suites)
    if axis != "suite":
        spanned = axis_values(axis, suites)
    if axis == "surface" and len(spanned) > 1:
        # `default` is no place beside the others: suites that try no surface in particular use it.
        spanned = tuple(value for value in spanned if value != "default")
        held = held - {"default"} or held
    ordered = [value for value in spanned if value in held]
    ordered += sorted(held - set(ordered), key=str)
    texts = tuple(clean(value_text(value), length_max=80) for value in ordered[:_SHOWN_MAX])
    usual = axis not in MAIN_AXES and axis in NORMAL and NORMAL[axis] in held
    return Spread(axis=axis, values=texts, count=len(ordered), spanned=max(len(spanned), len(ordered)), usual=usual)


def listing(values: Sequence[str], *, count: int, noun: str) -> str:
    """`a`, `a and b`, `a, b and c`; from four values on, how many: `7 capabilities`."""
    if count > 3:
        return f"{count} {noun}"
    if len(values) == 1:
        return values[0]
    return f"{', '.join(values[:-1])} and {values[-1]}"
