"""Observing over connections: deadlines, retries of transport faults only, and a dead target noticed at once."""

from __future__ import annotations

import asyncio
import time

import pytest

from plangate.engine.health import Health
from plangate.engine.plan import Limits
from plangate.engine.tasks import _InFlight, _Pass, observe_in_tasks
from plangate.entitlements.decision import Effect
from plangate.verdicts.observation import Fault, Observed
from tests.engine.fakes import ALLOW, DOWN, LATE, Asking, Batching, Calling, Preparing, cells, collect, request_of

DENY = Observed(effect=Effect.DENY, reason="not_in_plan")
QUICK = Limits(retry_wait_s=0.001)


def observe(
    driver,
    count: int,
    *,
    concurrency: int = 4,
    timeout_s: float = 5.0,
    limits: Limits = QUICK,
    held: dict | None = None,
):
    health = Health(limits, concurrency=concurrency)
    batches = observe_in_tasks(
        iter(cells(count)),
        driver_of={"default": driver},
        request_of=request_of,
        timeout_of={"default": timeout_s},
        concurrency=concurrency,
        limits=limits,
        health=health,
        clock=time.perf_counter_ns,
        held=held,
    )
    rows = asyncio.run(collect(batches))
    return {number: observed for number, observed, _ in rows}, rows, health


def test_each_cell_is_observed_once() -> None:
    driver = Asking(lambda number, _: ALLOW if number % 2 else DENY)
    seen, rows, _ = observe(driver, 500)
    assert len(rows) == 500
    assert {number for number, observed in seen.items() if observed is ALLOW} == set(range(1, 500, 2))


def test_concurrency_is_reached_and_not_passed() -> None:
    driver = Asking(lambda *_: ALLOW, delay_s=0.005)
    observe(driver, 60, concurrency=6)
    assert driver.in_flight_max == 6


def test_a_transport_fault_is_asked_again_and_marked() -> None:
    driver = Asking(lambda number, times: DOWN if number == 3 and times < 3 else ALLOW)
    seen, _, health = observe(driver, 10, concurrency=1)
    assert seen[3].effect is Effect.ALLOW
    assert seen[3].retries == 2
    assert seen[4].retries == 0
    assert not health.down


def test_retries_are_bounded() -> None:
    driver = Asking(lambda number, _: DOWN if number == 3 else ALLOW)
    seen, _, _ = observe(driver, 10, concurrency=1)
    assert (seen[3].fault, seen[3].retries) == (Fault.UNREACHABLE, 2)
    assert driver.asked.count(3) == 3


def test_a_decision_or_a_late_or_wrong_answer_is_never_asked_again() -> None:
    answers = [DENY, LATE, Observed(fault=Fault.MALFORMED), Observed(fault=Fault.RAISED), ALLOW]
    driver = Asking(lambda number, _: answers[number])
    observe(driver, 5, concurrency=1)
    assert sorted(driver.asked) == [0, 1, 2, 3, 4]


def test_a_dead_target_ends_the_pass_after_a_few_cells() -> None:
    driver = Asking(lambda *_: DOWN)
    seen, _, health = observe(driver, 10_000, concurrency=4)
    assert "down" in health.down
    assert len(seen) < 30


def test_one_dead_target_among_living_ones_ends_the_pass_too() -> None:
    alive, dead = Asking(lambda *_: ALLOW), Asking(lambda *_: DOWN)
    health = Health(QUICK, concurrency=2)
    mixed = [cell for pair in zip(cells(500), cells(500, surface="tool"), strict=True) for cell in pair]
    batches = observe_in_tasks(
        iter(mixed),
        driver_of={"default": alive, "tool": dead},
        request_of=request_of,
        timeout_of={"default": 5.0, "tool": 5.0},
        concurrency=2,
        limits=QUICK,
        health=health,
        clock=time.perf_counter_ns,
    )
    assert len(asyncio.run(collect(batches))) < 60
    assert "down at tool" in health.down


def test_a_target_that_dies_midway_keeps_what_was_seen() -> None:
    driver = Asking(lambda number, _: ALLOW if number < 200 else DOWN)
    seen, _, health = observe(driver, 10_000, concurrency=4)
    assert health.down
    assert sum(observed is ALLOW for observed in seen.values()) == 200


def test_a_target_that_hangs_ends_the_pass_after_three_deadlines() -> None:
    class Hanging(Asking):
        async def observe(self, request: dict) -> Observed:
            await asyncio.sleep(60)
            return ALLOW

    started = time.perf_counter()
    seen, _, health = observe(Hanging(lambda *_: ALLOW), 1_000, concurrency=8, timeout_s=-0.9)
    assert "hangs" in health.down
    assert {observed.fault for observed in seen.values()} == {Fault.TIMEOUT}
    assert time.perf_counter() - started < 5


def test_a_driver_that_breaks_its_promise_is_a_fault_not_a_crash() -> None:
    def broken(number: int, _: int) -> Observed:
        if number == 2:
            raise ValueError("no")
        return ALLOW

    seen, _, _ = observe(Asking(broken), 4, concurrency=1)
    assert seen[2].fault is Fault.RAISED
    assert "ValueError: no" in (seen[2].detail or "")


def test_batches_are_full_and_answers_stay_with_their_cells() -> None:
    driver = Batching(lambda number, _: ALLOW if number % 3 else DENY)
    seen, _, _ = observe(driver, 95, concurrency=2)
    assert sorted(driver.sizes) == [5] + [10] * 9
    assert all((observed is DENY) == (number % 3 == 0) for number, observed in seen.items())


def test_a_batch_with_an_answer_missing_decides_nothing() -> None:
    seen, _, _ = observe(Batching(lambda *_: ALLOW, short=True), 20, concurrency=1)
    assert {observed.fault for observed in seen.values()} == {Fault.MALFORMED}


def test_a_plain_function_beside_a_connection_is_observed_too() -> None:
    seen, _, _ = observe(Calling(lambda number: ALLOW), 20)
    assert len(seen) == 20


def test_a_transport_fault_in_a_batch_is_asked_again_alone_and_marked() -> None:
    driver = Batching(lambda number, times: DOWN if number == 13 and times == 1 else ALLOW)
    seen, _, _ = observe(driver, 20, concurrency=1)
    assert (seen[13].effect, seen[13].retries, driver.asked.count(13)) == (Effect.ALLOW, 1, 2)
    assert {seen[number].retries for number in seen if number != 13} == {0}


def test_a_batch_whose_driver_breaks_its_promise_is_faults_not_a_crash() -> None:
    class Broken(Batching):
        async def observe_batch(self, requests: list[dict]) -> list[Observed]:
            raise ValueError("no")

    seen, _, _ = observe(Broken(lambda *_: ALLOW), 20, concurrency=1)
    assert {observed.fault for observed in seen.values()} == {Fault.RAISED}


def test_retries_add_to_those_of_the_driver() -> None:
    once = Observed(effect=Effect.ALLOW, reason="entitled", retries=1)
    seen, _, _ = observe(Asking(lambda _, times: DOWN if times == 1 else once), 1, concurrency=1)
    assert seen[0].retries == 2


def test_each_retry_waits_longer_than_the_last() -> None:
    asked_at: list[float] = []

    def down(*_: int) -> Observed:
        asked_at.append(time.monotonic())
        return DOWN

    observe(Asking(down), 1, concurrency=1, limits=Limits(retry_wait_s=0.02))
    first, second, third = asked_at
    assert second - first > 0.015
    assert third - second > 0.07


def test_nothing_is_asked_again_once_a_target_is_down() -> None:
    class Ended(Asking):
        def alive(self) -> bool:
            return False

    driver = Ended(lambda *_: DOWN)
    seen, _, health = observe(driver, 100, concurrency=1, limits=Limits(retries_max=5, retry_wait_s=0.02))
    assert len(driver.asked) < 6
    assert len(seen) == 1
    assert health.down == "the target has ended: its last words stand in the run's log"


def test_a_target_that_ended_after_its_last_answer_ends_no_pass() -> None:
    class Ended(Asking):
        def alive(self) -> bool:
            return False

    seen, _, health = observe(Ended(lambda *_: ALLOW), 3, concurrency=1)
    assert (len(seen), health.down) == (3, "")


@pytest.mark.parametrize(("late", "cancels", "outcome"), [(True, 1, "timeout"), (True, 2, "ends"), (False, 1, "ends")])
def test_an_interruption_is_told_from_a_deadline(*, late: bool, cancels: int, outcome: str) -> None:
    """The watch cancels a late cell; whoever else cancels means the run, also in the same instant."""

    async def run() -> str:
        driver = Asking(lambda *_: ALLOW, delay_s=60)
        shared = _Pass(
            iter(()),
            driver_of={"default": driver},
            request_of=request_of,
            timeout_of={"default": 60.0},
            limits=QUICK,
            health=Health(QUICK, concurrency=1),
            clock=time.perf_counter_ns,
        )
        asking = asyncio.create_task(ask(shared))
        await asyncio.sleep(0)
        mine[0].late = late
        for _ in range(cancels):
            asking.cancel()
        try:
            return str((await asking).fault)
        except asyncio.CancelledError:
            return "ends"

    async def ask(shared: _Pass) -> Observed:
        task = asyncio.current_task()
        assert task is not None
        mine.append(_InFlight(task))
        return await shared._ask(cells(1)[0], mine[0], 0)

    mine: list[_InFlight] = []
    assert asyncio.run(run()) == outcome


def test_a_request_that_is_prepared_is_asked_once_and_retried_as_it_was_prepared() -> None:
    driver = Preparing(lambda number, times: DOWN if number == 3 and times < 3 else ALLOW)
    seen, rows, _ = observe(driver, 100)
    assert sorted(number for number, _, _ in rows) == list(range(100))
    assert driver.prepared == list(range(100))
    assert (seen[3].effect, seen[3].retries) == (Effect.ALLOW, 2)


def test_a_later_pass_asks_with_what_an_earlier_one_prepared() -> None:
    driver, held = Preparing(lambda *_: ALLOW), {}
    for _ in range(2):
        assert len(observe(driver, 50, held=held)[1]) == 50
    assert driver.prepared == list(range(50))
    assert sorted(driver.asked) == sorted([*range(50), *range(50)])


@pytest.mark.parametrize(("small", "held"), [(False, {}), (True, None)])
def test_what_is_not_small_or_not_to_be_held_is_prepared_anew(*, small: bool, held: dict | None) -> None:
    driver = Preparing(lambda *_: ALLOW, small=small)
    for _ in range(2):
        observe(driver, 50, held=held)
    assert driver.prepared == [*range(50), *range(50)]
    assert not held


def test_no_more_is_held_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plangate.engine.tasks._HELD_MAX", 10)
    held: dict[int, object] = {}
    observe(Preparing(lambda *_: ALLOW), 50, held=held)
    assert len(held) == 10


def test_a_driver_that_cannot_prepare_a_request_fails_that_cell_alone() -> None:
    class Broken(Preparing):
        def prepare(self, request: dict) -> tuple[int]:
            if request["number"] == 2:
                raise ValueError("no such plan")
            return super().prepare(request)

    held: dict[int, object] = {}
    seen, _, _ = observe(Broken(lambda *_: ALLOW), 5, held=held)
    assert (seen[2].fault, seen[2].detail) == (Fault.RAISED, "the driver raised ValueError: no such plan")
    assert [number for number, observed in seen.items() if observed is ALLOW] == [0, 1, 3, 4]
    assert sorted(held) == [0, 1, 3, 4]
