"""Two runs side by side, cell by cell: which decisions differ, and which cells only one of them has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plangate.store.reader import StoredRun
from plangate.verdicts.fingerprint import Decided
from plangate.verdicts.result import CellResult

__all__ = ["Difference", "differences"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell whose decisions, or what both tell of a limit, differ; None where a run does not have it."""

    before: CellResult | None
    after: CellResult | None


def differences(before: StoredRun, after: StoredRun) -> Iterator[Difference]:
    """Cells that differ, by cell id. Both runs stream sorted by digest, so memory stays flat.

    A limit that only one of them tells is no difference: not every driver can tell it.
    """
    ours, theirs = before.decisions(), after.decisions()
    one, other = next(ours, None), next(theirs, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            yield Difference(before.cell(_id(one)), None)
            one = next(ours, None)
        elif one is None or other[0] < one[0]:
            yield Difference(None, after.cell(_id(other)))
            other = next(theirs, None)
        else:
            if one.decision != other.decision or (one.limits and other.limits and one.limits != other.limits):
                yield Difference(before.cell(_id(one)), after.cell(_id(other)))
            one, other = next(ours, None), next(theirs, None)


def _id(one: Decided | None) -> str:
    return "c-" + (one.cell.hex() if one else "")
