"""A few cells that stand for a matrix: every plan and capability as it is usually used first, always the same cells."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Protocol

from plangate.documents.suite import AXES
from plangate.matrix.cell import Cell
from plangate.matrix.identity import NORMAL

__all__ = ["canary_cells"]

_USUAL = tuple({**NORMAL, "state": "Subscribed"}.get(axis, ...) for axis in AXES)


class _Cells(Protocol):
    def __iter__(self) -> Iterator[Cell]: ...


def canary_cells(matrix: _Cells, *, count: int) -> frozenset[bytes]:
    """Digests of at most `count` cells: of each plan and capability the most usual one, then the next, and so on.

    Usual: subscribed, nothing used up, nothing out of the ordinary; among equals, chance by digest. Two walks over the
    matrix; memory grows with `count` and the number of plans and capabilities, not with its cells.
    """
    pairs = len({_pair(cell) for cell in matrix})
    each = -(-count // max(pairs, 1))
    first: dict[tuple[str, str], list[tuple[int, int, bytes]]] = {}
    for cell in matrix:
        _keep(first.setdefault(_pair(cell), []), cell, most=each)
    ranked = [(rank, cell[2]) for kept in first.values() for rank, cell in enumerate(sorted(kept, reverse=True))]
    return frozenset(digest for _, digest in heapq.nsmallest(count, ranked))


def _pair(cell: Cell) -> tuple[str, str]:
    return cell.subject.plan, cell.request.capability


def _keep(kept: list[tuple[int, int, bytes]], cell: Cell, *, most: int) -> None:
    """The `most` first: a heap whose top is the last of them."""
    unusual = sum(usual not in (..., value) for usual, value in zip(_USUAL, cell.axes, strict=True))
    item = (-unusual, -int.from_bytes(cell.digest), cell.digest)
    if len(kept) < most:
        heapq.heappush(kept, item)
    elif item > kept[0]:
        heapq.heapreplace(kept, item)
