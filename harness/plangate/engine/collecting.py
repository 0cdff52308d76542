"""How often Python looks for garbage while a run holds many cells: each look goes over all of them and finds none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["seldom_collecting"]

_THRESHOLDS: Final = (10_000, 20, 20)
"""New objects before the youngest are looked at, and how many looks before older ones are: circles that an app leaves
behind still go, after some megabytes of them."""


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Meanwhile Python looks for garbage less often; what was set before holds again afterwards."""
    before = gc.get_threshold()
    if before[0]:  # who switched it off, or set it higher, knows why
        gc.set_threshold(*(max(pair) for pair in zip(before, _THRESHOLDS, strict=True)))
    try:
        yield
    finally:
        gc.set_threshold(*before)
