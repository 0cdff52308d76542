"""Drivers and cells made from values, for tests of the engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from plangate.entitlements.decision import Effect
from plangate.entitlements.request import Request, Subject
from plangate.matrix.cell import Cell
from plangate.verdicts.observation import Fault, Observed

ALLOW = Observed(effect=Effect.ALLOW, reason="entitled")
DOWN = Observed(fault=Fault.UNREACHABLE, detail="connection refused")
LATE = Observed(fault=Fault.TIMEOUT, detail="late")


def cells(count: int, *, surface: str = "default") -> list[Cell]:
    return [
        Cell(
            number,
            number.to_bytes(10, "big"),
            (),
            f"t-{number}",
            Subject(plan="p", state="Subscribed"),
            Request(capability="c", surface=surface),
        )
        for number in range(count)
    ]


def request_of(cell: Cell) -> dict[str, object]:
    return {"number": cell.number}


class Asking:
    """A driver that answers by a function of the cell's number, and remembers what it was asked."""

    def __init__(self, answer: Callable[[int, int], Observed], *, delay_s: float = 0.0) -> None:
        self.answer, self.delay_s = answer, delay_s
        self.asked: list[int] = []
        self.in_flight = self.in_flight_max = 0

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def observe(self, request: dict) -> Observed:
        number = request["number"]
        self.asked.append(number)
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        self.in_flight -= 1
        return self.answer(number, self.asked.count(number))


class Calling:
    """A driver that answers in the calling thread."""

    blocking = True

    def __init__(self, answer: Callable[[int], Observed]) -> None:
        self.answer = answer

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def observe(self, request: dict) -> Observed:
        return self.observe_now(request)

    def observe_now(self, request: dict) -> Observed:
        return self.answer(request["number"])


class Preparing(Asking):
    """A driver that writes its requests beforehand."""

    def __init__(self, answer: Callable[[int, int], Observed], *, small: bool = True) -> None:
        super().__init__(answer)
        self.small = small
        self.prepared: list[int] = []

    def prepare(self, request: dict) -> tuple[int]:
        self.prepared.append(request["number"])
        return (request["number"],)

    async def observe_prepared(self, prepared: tuple[int]) -> Observed:
        return await self.observe({"number": prepared[0]})


class Batching(Asking):
    """A driver that answers many at once."""

    batch_max = 10

    def __init__(self, answer: Callable[[int, int], Observed], *, short: bool = False) -> None:
        super().__init__(answer)
        self.sizes: list[int] = []
        self.short = short

    async def observe_batch(self, requests: list[dict]) -> list[Observed]:
        self.sizes.append(len(requests))
        answers = [await self.observe(request) for request in requests]
        return answers[:-1] if self.short else answers


async def collect(batches: AsyncIterator[list]) -> list:
    return [row async for batch in batches for row in batch]


def hang(seconds: float) -> Observed:
    time.sleep(seconds)
    return ALLOW
