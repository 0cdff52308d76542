"""Garbage is looked for less often during a run, and as before after it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from plangate.engine.collecting import seldom_collecting


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_what_was_set_before_holds_again_also_after_an_error() -> None:
    gc.set_threshold(701, 11, 12)
    seen: list[tuple[int, int, int]] = []
    with pytest.raises(LookupError):
        _fail_meanwhile(seen)
    assert gc.get_threshold() == (701, 11, 12)
    assert all(now > before for now, before in zip(seen[0], (701, 11, 12), strict=True))


def _fail_meanwhile(seen: list[tuple[int, int, int]]) -> None:
    with seldom_collecting():
        seen.append(gc.get_threshold())
        raise LookupError


@pytest.mark.parametrize("theirs", [(0, 10, 10), (1_000_000, 50, 60)])
def test_nothing_makes_it_more_frequent_than_it_was(theirs: tuple[int, int, int]) -> None:
    gc.set_threshold(*theirs)
    with seldom_collecting():
        assert gc.get_threshold() == theirs
