"""Which cells exist: the suite's `exclude` rules and the usage points that an add-on, quantity or cost does not have.

A block is all cells of one plan, state and capability. Within it, cells are numbered by the product of the local axes
(surface to phrasing, the last fastest); a Pattern says which of those exist, one for all blocks that are alike.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress, product
from math import prod

from plangate.documents.suite import AXES, Suite
from plangate.errors import InputError
from plangate.matrix.boundaries import OVERRIDES, USAGES
from plangate.matrix.cell import AxisValue

__all__ = ["BLOCK_CELLS_MAX", "LOCAL_AXES", "Exclusions", "Pattern"]

LOCAL_AXES = AXES[3:]
"""Axes within a block: surface, usage, setting, addon, quantity, consent, linked, override, cost, phrasing."""

_WORDS: Mapping[str, tuple[str, ...]] = {
    "usage": ("zero", *(f"{one}:" for one in USAGES)),
    "consent": ("full", "none", "preauthorized", "missing:", "short:"),
    "linked": ("true", "false"),
    "override": OVERRIDES,
    "cost": ("catalog", "more"),
}
"""Axes whose values come from a closed list; a word before a colon is followed by a name of the catalog."""

BLOCK_CELLS_MAX = 1 << 22
"""Cells of one plan, state and capability of which some do not exist: each costs five bytes."""


class Exclusions:
    """The `exclude` rules of a suite as bit masks: bit i of a value's mask is set where rule i may still match."""

    def __init__(self, suite: Suite) -> None:
        for number, rule in enumerate(suite.exclude):
            for axis in rule:
                if axis not in AXES:
                    raise InputError(
                        f"matrix.exclude.{number}: {axis!r} is no axis",
                        code="unknown-axis",
                        where=str(suite.positions.of("matrix", "exclude", number, axis)),
                        hint=f"axes: {', '.join(AXES)}",
                    )
                _require_words(suite, number, axis)
        self._rules: Sequence[Mapping[str, tuple[str, ...]]] = suite.exclude

    def mask(self, axis: str, value: AxisValue) -> int:
        """The rules that a cell with this value may still match. A cell is excluded where one matches on every axis."""
        name = axis_text(value)
        mask = 0
        for number, rule in enumerate(self._rules):
            wanted = rule.get(axis)
            if wanted is None or name in wanted or "*" in wanted:
                mask |= 1 << number
        return mask

    def masks(self, axis: str, values: Iterable[AxisValue]) -> tuple[int, ...]:
        """The mask of each value of an axis."""
        return tuple(self.mask(axis, value) for value in values)


def _require_words(suite: Suite, number: int, axis: str) -> None:
    """A rule with a word that no cell can have would leave nothing out, and nobody would be told.

    Names of the catalog are looked up where documents are held against one another.
    """
    known = _WORDS.get(axis)
    for value in suite.exclude[number][axis] if known else ():
        word, _, name = value.partition(":")
        if known and value != "*" and (f"{word}:" if name else word) not in known:
            raise InputError(
                f"matrix.exclude.{number}.{axis}: no cell has the value {value!r}, so the rule leaves nothing out",
                code="unknown-axis-value",
                where=str(suite.positions.of("matrix", "exclude", number, axis)),
                hint=f"values: {', '.join(one + 'NAME' if one.endswith(':') else one for one in known)}",
            )


def axis_text(value: AxisValue) -> str:
    """An axis value as an `exclude` rule writes it: `false`, `5`, `none` for no phrasing."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


class Pattern:
    """Which local cells of a block exist. `mask` has a byte for each raw offset, or is None where all exist."""

    __slots__ = ("mask", "offsets", "size")

    def __init__(self, raw_size: int, mask: bytes | None = None) -> None:
        self.mask = mask
        self.offsets: array[int] | None = None
        """Raw offset of each existing cell; None = its own number."""
        self.size = raw_size
        if mask is not None:
            self.offsets = array("I", compress(range(raw_size), mask))
            self.size = len(self.offsets)

    @classmethod
    def of(cls, masks: Sequence[tuple[int, ...]], *, usable: Sequence[Sequence[bool]] | None) -> Pattern:
        """The pattern of each local axis's masks (joined with the block's), and usable[usage][addon x quantity x cost].

        Raises InputError (`matrix-too-large`) where the block has more than BLOCK_CELLS_MAX raw cells.
        """
        raw_size = prod(map(len, masks))
        if usable is None and any(not any(axis) for axis in masks):
            return cls(raw_size)
        if raw_size > BLOCK_CELLS_MAX:
            raise InputError(
                f"{raw_size:,} cells for one plan, state and capability, of which some are excluded; "
                f"the most is {BLOCK_CELLS_MAX:,}",
                code="matrix-too-large",
                hint="span fewer axes, split the phrasing file, or use coverage {strength: 2}",
            )
        mask = bytes(_exists(masks, usable=usable))
        return cls(raw_size) if all(mask) else cls(raw_size, mask)


def _exists(masks: Sequence[tuple[int, ...]], *, usable: Sequence[Sequence[bool]] | None) -> Iterable[bool]:
    surface, usage, setting, addon, quantity, consent, linked, override, cost, phrasing = masks
    costs = len(cost)
    tails = [
        (_joined((*values, asked, line)), number)
        for *values, (number, asked), line in product(consent, linked, override, enumerate(cost), phrasing)
    ]
    for one, (number, use), three in product(surface, enumerate(usage), setting):
        head = one & use & three
        for place, pair in enumerate(product(addon, quantity)):
            real = usable is None or usable[number][place * costs : (place + 1) * costs]
            middle = head & _joined(pair)
            for tail, asked in tails:
                yield (real is True or real[asked]) and not middle & tail


def _joined(masks: Iterable[int]) -> int:
    joined = -1
    for mask in masks:
        joined &= mask
    return joined
