"""Two digests over what a run saw, without times, hosts or order: what was decided, and what was told of limits.

Runs that gate alike have the same fingerprint, whatever driver asked: cell, effect and reason. What an app tells of a
limit has a digest of its own, since not every way to ask can tell it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from plangate.verdicts.result import ObservedCount

__all__ = ["Decided", "Digests", "decision_text", "digests", "fingerprint", "limits_text"]

_CHUNK: Final = 1_000


class Decided(NamedTuple):
    """What one cell decided, as the digests cover it."""

    cell: bytes
    """The cell's digest."""
    decision: str
    limits: str = ""
    """What was told of limits; empty where nothing was."""


class Digests(NamedTuple):
    """Digests of a run: `sha256:...` each."""

    fingerprint: str
    details: str


def decision_text(observed: Sequence[ObservedCount]) -> str:
    """Distinct decisions of a cell, effect and reason, as canonical text; a fault reads `error`, whatever its cause."""
    return _joined("error" if one.effect is None else _written([one.effect, one.reason]) for one in observed)


def limits_text(observed: Sequence[ObservedCount]) -> str:
    """Distinct limits that a cell's observations tell, as canonical text: name, limit, remaining, when it resets."""
    told = [one.limit for one in observed if one.limit is not None]
    return _joined(_written([one.name, one.limit, one.remaining, one.resets_at]) for one in told)


def _joined(texts: Iterable[str]) -> str:
    # Sorted: neither the order of observations nor that of a set, which changes with PYTHONHASHSEED, may show.
    return "|".join(sorted(set(texts)))


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _chunks(cells: Iterable[Decided]) -> Iterator[list[Decided]]:
    left = iter(cells)
    while some := list(islice(left, _CHUNK)):
        yield some


def digests(cells: Iterable[Decided]) -> Digests:
    """Both digests over cells that come sorted by `cell`. Cells of which no limit was told are not in `details`."""
    decisions = hashlib.sha256(b"plangate fingerprint v2\n")
    limits = hashlib.sha256(b"plangate details v1\n")
    # A thousand lines at once: to hash each one takes longer than to make it.
    for some in _chunks(cells):
        decided = "".join([f"{one.cell.hex()} {one.decision}\n" for one in some])
        decisions.update(decided.encode("utf-8", "surrogatepass"))
        told = "".join([f"{one.cell.hex()} {one.limits}\n" for one in some if one.limits])
        limits.update(told.encode("utf-8", "surrogatepass"))
    return Digests("sha256:" + decisions.hexdigest(), "sha256:" + limits.hexdigest())


def fingerprint(cells: Iterable[tuple[bytes, str]]) -> str:
    """`sha256:...` over (cell digest, decision text) pairs that come sorted by cell digest."""
    return digests(Decided(digest, decision) for digest, decision in cells).fingerprint
