"""Subjects are arranged when due, never under a request in flight, and each request meets the usage it was made for."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from plangate.drivers.subjects import Subjects
from plangate.entitlements.decision import Effect
from plangate.verdicts.observation import Fault, Observed
from tests.drivers.workspaces import request_for

ALLOW = Observed(effect=Effect.ALLOW)
REFUSED = Observed(fault=Fault.ARRANGE, detail="no")


class App:
    """An app with counters of its own; complains where plangate disturbs itself."""

    def __init__(self, *, seed: int = 0, fails: float = 0.0) -> None:
        self.spent: dict[str, int] = {}
        self.in_flight: dict[str, int] = {}
        self.arranged: list[str] = []
        self.wrong: list[str] = []
        self._chance = random.Random(seed)
        self._fails = fails

    async def arrange(self, request: dict[str, Any]) -> Observed | None:
        subject = request["subject"]["id"]
        if self.in_flight.get(subject):
            self.wrong.append(f"{subject} arranged under a request in flight")
        self.arranged.append(subject)
        await asyncio.sleep(self._chance.random() / 500)
        if self.in_flight.get(subject):
            self.wrong.append(f"{subject} asked while being arranged")
        if self._chance.random() < self._fails:
            return REFUSED
        self.spent[subject] = 0
        return None

    async def ask(self, request: dict[str, Any]) -> Observed:
        subject, cost = request["subject"]["id"], request["context"]["cost"]
        if self.spent[subject]:
            self.wrong.append(f"{subject} asked with usage left over")
        self.in_flight[subject] = self.in_flight.get(subject, 0) + 1
        if cost:
            self.spent[subject] += 1
        await asyncio.sleep(self._chance.random() / 500)
        self.in_flight[subject] -= 1
        return ALLOW


def requests(seed: int, count: int = 400) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    return [
        request_for(subject=f"t-{chance.randrange(6)}", cost={"messages": 1} if chance.random() < 0.5 else {})
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("subjects_max", [2, 1000])
def test_no_request_meets_usage_of_another_nor_a_subject_half_arranged(seed: int, subjects_max: int) -> None:
    app = App(seed=seed)

    async def scenario() -> list[Observed]:
        subjects = Subjects(app.arrange, reset_usage=True, subjects_max=subjects_max)
        gate = asyncio.Semaphore(16)

        async def one(request: dict[str, Any]) -> Observed:
            async with gate:
                return await subjects.observe(request, app.ask)

        return list(await asyncio.wait_for(asyncio.gather(*map(one, requests(seed))), 30))

    found = asyncio.run(scenario())
    assert app.wrong == []
    assert found == [ALLOW] * 400


def test_requests_that_spend_nothing_share_their_subject() -> None:
    most = 0

    async def scenario() -> None:
        nonlocal most
        app = App()
        subjects = Subjects(app.arrange, reset_usage=True)
        flying = 0

        async def ask(request: dict[str, Any]) -> Observed:
            nonlocal flying, most
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(0.01)
            flying -= 1
            return ALLOW

        await asyncio.gather(*(subjects.observe(request_for(subject="a"), ask) for _ in range(8)))
        assert app.arranged == ["a"]

    asyncio.run(scenario())
    assert most == 8


def test_a_subject_that_was_not_arranged_is_tried_again() -> None:
    app = App(fails=0.5, seed=3)

    async def scenario() -> list[Observed]:
        subjects = Subjects(app.arrange, reset_usage=True)
        return [await subjects.observe(request, app.ask) for request in requests(3, 100)]

    found = asyncio.run(scenario())
    assert app.wrong == []
    assert {observed.fault for observed in found} == {None, Fault.ARRANGE}


def test_a_cancelled_request_leaves_its_subject_free_and_to_be_arranged() -> None:
    app = App()

    async def hang(request: dict[str, Any]) -> Observed:
        await asyncio.sleep(60)
        return ALLOW

    async def scenario() -> None:
        subjects = Subjects(app.arrange, reset_usage=True)
        for cost in ({"messages": 1}, {}):
            task = asyncio.create_task(subjects.observe(request_for(subject="a", cost=cost), hang))
            await asyncio.sleep(0.02)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            spending = request_for(subject="a", cost={"messages": 1})
            assert await asyncio.wait_for(subjects.observe(spending, app.ask), 1) == ALLOW
            app.spent["a"] = 1

    asyncio.run(scenario())
    assert app.wrong == []


def test_memory_is_bounded() -> None:
    app = App()

    async def scenario() -> int:
        subjects = Subjects(app.arrange, reset_usage=False, subjects_max=10)
        for number in range(100):
            app.spent[f"t-{number}"] = 0
            await subjects.observe(request_for(subject=f"t-{number}"), app.ask)
        return len(subjects._places)

    app._chance = random.Random(1)
    assert asyncio.run(scenario()) == 10
