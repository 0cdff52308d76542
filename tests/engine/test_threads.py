"""Observing plain functions: interleaved on purpose, and never waiting for one that does not come back."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from plangate.engine.health import Health
from plangate.engine.plan import Limits
from plangate.engine.threads import observe_in_threads
from plangate.verdicts.observation import Fault
from tests.engine.fakes import ALLOW, Calling, cells, collect, hang, request_of


def observe(driver, count: int, *, concurrency: int = 1, timeout_s: float = 5.0):
    health = Health(Limits(), concurrency=concurrency)

    async def run() -> list:
        return await collect(
            observe_in_threads(
                iter(cells(count)),
                driver_of={"default": driver},
                request_of=request_of,
                concurrency=concurrency,
                size=count,
                timeout_s=timeout_s,
                health=health,
                clock=time.perf_counter_ns,
            )
        )

    return asyncio.run(run()), health


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("count", [0, 1, 7, 5_000])
def test_each_cell_is_observed_once(count: int, concurrency: int) -> None:
    rows, _ = observe(Calling(lambda _: ALLOW), count, concurrency=concurrency)
    assert sorted(number for number, _, _ in rows) == list(range(count))


def test_threads_run_side_by_side() -> None:
    here: set[int] = set()

    def answer(_: int):
        here.add(threading.get_ident())
        time.sleep(0.002)
        return ALLOW

    observe(Calling(answer), 64, concurrency=8)
    assert len(here) == 8


def test_calls_of_a_function_that_never_waits_interleave() -> None:
    current: list[int] = [0]
    mixed: list[int] = []

    def answer(number: int):
        current[0] = number
        for _ in range(300):
            pass
        if current[0] != number:
            mixed.append(number)
        return ALLOW

    observe(Calling(answer), 20_000, concurrency=8)
    assert mixed, "no call was ever interrupted by another: concurrency would find nothing"


def test_a_call_that_hangs_is_a_timeout_and_the_rest_goes_on() -> None:
    rows, health = observe(Calling(lambda number: hang(30) if number == 40 else ALLOW), 200, timeout_s=0.2)
    faults = {number: observed.fault for number, observed, _ in rows if observed.fault}
    assert faults == {40: Fault.TIMEOUT}
    assert sorted({number for number, _, _ in rows}) == list(range(200))
    assert not health.down


def test_a_function_that_always_hangs_ends_the_pass() -> None:
    started = time.perf_counter()
    rows, health = observe(Calling(lambda _: hang(30)), 1_000, concurrency=2, timeout_s=0.2)
    assert "hangs" in health.down
    assert len(rows) < 20
    assert time.perf_counter() - started < 5


def test_what_a_driver_raises_ends_the_pass_loudly() -> None:
    def broken(_: int):
        raise ZeroDivisionError("ours")

    with pytest.raises(ZeroDivisionError):
        observe(Calling(broken), 10)
