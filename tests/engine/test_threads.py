"""Observing plain functions: interleaved on purpose, and never waiting for one that does not come back."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from plangate.engine.health import Health
from plangate.engine.plan import Limits
from plangate.engine.threads import _next_rows, observe_in_threads
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
                timeout_of={"default": timeout_s},
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


def test_what_came_before_a_driver_raised_is_handed_on_first() -> None:
    def answer(number: int):
        if number == 700:  # in the second chunk of one thread
            raise KeyboardInterrupt
        return ALLOW

    rows: list = []

    async def run() -> None:
        batches = observe_in_threads(
            iter(cells(5_000)),
            driver_of={"default": Calling(answer)},
            request_of=request_of,
            concurrency=1,
            size=5_000,
            timeout_of={"default": 5.0},
            health=Health(Limits(), concurrency=1),
            clock=time.perf_counter_ns,
        )
        async for batch in batches:
            rows.extend(batch)

    # The end of the thread comes right behind what it raised, and must not overtake it.
    for _ in range(20):
        rows.clear()
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(run())
    assert [number for number, _, _ in rows] == list(range(512))


def test_a_patient_target_buys_no_time_for_another_and_one_that_hangs_is_down_by_itself() -> None:
    """Rule R15: deadline and health are counted for each surface."""
    mixed = [cell for pair in zip(cells(50), cells(50, surface="tool"), strict=True) for cell in pair]
    health = Health(Limits(), concurrency=1)

    async def run() -> list:
        return await collect(
            observe_in_threads(
                iter(mixed),
                driver_of={"default": Calling(lambda _: ALLOW), "tool": Calling(lambda _: hang(20))},
                request_of=request_of,
                timeout_of={"default": 60.0, "tool": 0.1},
                concurrency=1,
                size=100,
                health=health,
                clock=time.perf_counter_ns,
            )
        )

    rows = asyncio.run(run())
    assert health.down == "the target hangs at tool: 3 cells in a row got no answer in time"
    assert {observed.fault for _, observed, _ in rows if observed.fault} == {Fault.TIMEOUT}
    assert len(rows) < 20, "the pass ends there, whatever the other surface answers"


def test_an_answer_past_its_deadline_is_no_decision() -> None:
    now = [0]

    def answer(number: int):
        now[0] += 2_000_000_000 if number == 3 else 0
        return ALLOW

    async def run() -> list:
        return await collect(
            observe_in_threads(
                iter(cells(6)),
                driver_of={"default": Calling(answer)},
                request_of=request_of,
                timeout_of={"default": 1.0},
                concurrency=1,
                size=6,
                health=Health(Limits(), concurrency=1),
                clock=lambda: now[0],
            )
        )

    faults = {number: (observed.fault, observed.detail) for number, observed, _ in asyncio.run(run()) if observed.fault}
    assert faults == {3: (Fault.TIMEOUT, "no answer within 1 s")}


def test_a_call_that_comes_back_after_it_was_given_up_is_not_counted_twice() -> None:
    back = threading.Event()

    def answer(number: int):
        if number == 4:
            time.sleep(0.4)
            back.set()
        elif number > 100:
            back.wait(5)
            time.sleep(0.002)
        return ALLOW

    rows, _ = observe(Calling(answer), 200, timeout_s=0.2, concurrency=1)
    assert back.is_set()
    assert sorted(number for number, _, _ in rows) == list(range(200))


def test_a_cancellation_that_comes_with_an_item_is_not_lost() -> None:
    """Python 3.11's `wait_for` lost it: the run went on after Ctrl-C, SIGTERM and its own time limit."""

    class Pool:
        def __init__(self) -> None:
            self.arrived: asyncio.Queue = asyncio.Queue()
            self.clock = time.perf_counter_ns
            self.last = ()

    async def run() -> None:
        pool = Pool()
        waiting = asyncio.create_task(_next_rows(pool))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        pool.arrived.put_nowait(([], []))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert waiting.cancelled()

    for _ in range(50):
        asyncio.run(run())


def test_what_slow_calls_answered_is_handed_over_before_their_chunk_ends() -> None:
    seen_by_then = threading.Event()

    def answer(number: int):
        if number == 1:
            time.sleep(0.25)
        if number == 2:
            seen_by_then.wait(4)
        return ALLOW

    async def run() -> list[list[int]]:
        batches = []
        async for batch in observe_in_threads(
            iter(cells(64)),  # in chunks of 16
            driver_of={"default": Calling(answer)},
            request_of=request_of,
            concurrency=1,
            size=64,
            timeout_of={"default": 5.0},
            health=Health(Limits(), concurrency=1),
            clock=time.perf_counter_ns,
        ):
            batches.append([number for number, _, _ in batch])
            seen_by_then.set()
        return batches

    batches = asyncio.run(run())
    assert batches[0] == [0, 1]
    assert sorted(number for batch in batches for number in batch) == list(range(64))
