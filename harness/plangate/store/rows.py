"""Values in and out of rows: expectations, outcomes and axes as compact, canonical text and bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence

from plangate.documents.suite import AXES
from plangate.entitlements.decision import Effect, LimitDetail
from plangate.matrix.cell import AxisValue
from plangate.matrix.identity import NORMAL
from plangate.verdicts.observation import Fault, Observed
from plangate.verdicts.result import Expected, ObservedCount

__all__ = ["AxisCodec", "OutcomeKey", "expected_from", "expected_key", "observed_from", "outcome_key"]

OutcomeKey = tuple[str | int | None, ...]
"""effect, reason, limit name, limit number, remaining, fault, and where it is told, when the limit resets."""


def outcome_key(observed: Observed) -> OutcomeKey:
    """What tells one observed outcome from another."""
    limit = observed.limit
    if limit is None:
        return (observed.effect, observed.reason, None, None, None, observed.fault)
    key = (observed.effect, observed.reason, limit.name, limit.limit, limit.remaining, observed.fault)
    return key if limit.resets_at is None else (*key, limit.resets_at)


def observed_from(key: str, *, count: int, detail: str | None = None) -> ObservedCount:
    """The outcome a stored key stands for."""
    effect, reason, name, number, remaining, fault, *resets = json.loads(key)
    return ObservedCount(
        effect=Effect(effect) if effect else None,
        reason=reason,
        limit=LimitDetail(name, number, remaining, *resets) if name is not None else None,
        fault=Fault(fault) if fault else None,
        count=count,
        detail=detail,
    )


def expected_key(expected: Expected) -> str:
    """An expected decision as canonical text."""
    limit = expected.limit
    detail = [limit.name, limit.limit, limit.remaining, limit.resets_at] if limit else None
    parts = [expected.effect, expected.reason, expected.rule, expected.where, detail, expected.setting]
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def expected_from(key: str) -> Expected:
    """The expected decision a stored key stands for."""
    effect, reason, rule, where, limit, setting = json.loads(key)
    return Expected(
        effect=Effect(effect),
        reason=reason,
        rule=rule,
        where=where,
        limit=LimitDetail(*limit) if limit else None,
        setting=setting,
    )


class AxisCodec:
    """Packs a cell's axis values into a small number for each axis that takes more than one value.

    An axis that the run does not know, being older than the axis, has its normal value.
    """

    def __init__(self, values: Mapping[str, Sequence[AxisValue]]) -> None:
        self._values = [tuple(values.get(axis, (NORMAL.get(axis),))) for axis in AXES]
        self._varying = [place for place, known in enumerate(self._values) if len(known) > 1]
        self._numbers = [{value: number for number, value in enumerate(known)} for known in self._values]
        widths = ("I" if len(self._values[place]) > 0xFFFF else "H" for place in self._varying)
        self._packer = struct.Struct("<" + "".join(widths))

    def pack(self, axes: Sequence[AxisValue]) -> bytes:
        """Axis values, in the order of AXES, as bytes."""
        numbers = self._numbers
        return self._packer.pack(*[numbers[place][axes[place]] for place in self._varying])

    def unpack(self, packed: bytes) -> tuple[AxisValue, ...]:
        """Axis values, in the order of AXES."""
        axes = [known[0] if known else None for known in self._values]
        for place, number in zip(self._varying, self._packer.unpack(packed), strict=True):
            axes[place] = self._values[place][number]
        return tuple(axes)
