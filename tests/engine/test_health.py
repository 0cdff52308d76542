"""Health is counted for each surface by itself (rule R15)."""

from __future__ import annotations

from plangate.engine.health import Health
from plangate.engine.plan import Limits
from tests.engine.fakes import ALLOW, DOWN, LATE

LIMITS = Limits(faults_in_a_row_max=5, timeouts_in_a_row_max=3)


def _after(*observed: object, concurrency: int = 1, surface: str = "default") -> Health:
    health = Health(LIMITS, concurrency=concurrency)
    for one in observed:
        health.record(one, surface=surface)  # type: ignore[arg-type]
    return health


def test_what_was_in_flight_at_once_may_fail_at_once() -> None:
    assert not _after(*[DOWN] * 8, concurrency=4).down
    assert _after(*[DOWN] * 9, concurrency=4).down


def test_an_answer_ends_a_row_of_timeouts_and_of_faults() -> None:
    assert not _after(LATE, LATE, ALLOW, LATE, LATE).down
    assert not _after(*[DOWN] * 5, ALLOW, *[DOWN] * 5).down
    assert _after(LATE, LATE, LATE).down


def test_an_answer_of_another_surface_ends_no_row() -> None:
    health = Health(LIMITS, concurrency=1)
    for _ in range(3):
        health.record(LATE, surface="tool")
        health.record(ALLOW, surface="interaction")
    assert health.down == "the target hangs at tool: 3 cells in a row got no answer in time"


def test_timeouts_of_two_surfaces_do_not_add_up() -> None:
    health = Health(LIMITS, concurrency=1)
    for surface in ("tool", "interaction", "tool", "interaction"):
        health.record(LATE, surface=surface)
    assert not health.down


def test_the_first_reason_stays() -> None:
    health = _after(*[LATE] * 3, surface="tool")
    health.gone(surface="interaction")
    assert "hangs at tool" in health.down
