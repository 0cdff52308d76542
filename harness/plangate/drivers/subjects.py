"""Puts subjects in place before they are asked about, and keeps their requests from disturbing each other.

`arrange` sets a subject's plan, state and usage in the app. It is called before the subject's first request, and again
once an earlier request may have spent usage. While a subject is arranged nothing else of it is in flight; a request
that spends usage is alone with its subject from arranging to answer. Requests that spend nothing share it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from plangate.drivers.protocol import EvaluationRequest
from plangate.verdicts.observation import Observed

__all__ = ["Subjects"]

SUBJECTS_MAX: Final = 20_000
"""Subjects remembered at once; one that was forgotten is arranged again."""

Step = Callable[[EvaluationRequest], Awaitable[Observed]]


class _Place:
    """What is known of one subject."""

    __slots__ = ("arranged", "lock", "sharers", "unshared", "users")

    def __init__(self) -> None:
        self.arranged = False
        """Whether the app has the subject as the request says it."""
        self.users = 0
        """Requests that hold or wait for this place."""
        self.sharers = 0
        """Requests in flight that spend nothing."""
        self.lock = asyncio.Lock()
        """Held while arranging, and throughout a request that spends."""
        self.unshared: asyncio.Event | None = None
        """Set once the last sharer is done; made only where somebody waits for it."""


class Subjects:
    """Arranges subjects through `arrange`, which answers None where it worked and a fault where not."""

    def __init__(
        self,
        arrange: Callable[[EvaluationRequest], Awaitable[Observed | None]],
        *,
        reset_usage: bool,
        subjects_max: int = SUBJECTS_MAX,
    ) -> None:
        self._arrange = arrange
        self._reset_usage = reset_usage
        self._subjects_max = subjects_max
        self._places: OrderedDict[str, _Place] = OrderedDict()

    async def observe(self, request: EvaluationRequest, ask: Step) -> Observed:
        """`ask(request)`, once its subject is in place; the fault of arranging where it cannot be."""
        place = self._place(request["subject"]["id"])
        spends = self._reset_usage and bool((request.get("context") or {}).get("cost"))
        place.users += 1
        try:
            return await (self._alone if spends else self._shared)(place, request, ask)
        finally:
            place.users -= 1

    async def _shared(self, place: _Place, request: EvaluationRequest, ask: Step) -> Observed:
        if not place.arranged or place.lock.locked():
            async with place.lock:
                fault = await self._put_in_place(place, request)
                if fault is not None:
                    return fault
                place.sharers += 1
        else:
            place.sharers += 1
        try:
            return await ask(request)
        finally:
            place.sharers -= 1
            if place.sharers == 0 and place.unshared is not None:
                place.unshared.set()

    async def _alone(self, place: _Place, request: EvaluationRequest, ask: Step) -> Observed:
        async with place.lock:
            fault = await self._put_in_place(place, request)
            if fault is not None:
                return fault
            await self._wait_for_sharers(place)
            place.arranged = False  # whatever becomes of the request, it may have spent
            return await ask(request)

    async def _put_in_place(self, place: _Place, request: EvaluationRequest) -> Observed | None:
        """The caller holds the lock. Nothing shares the subject: only one that is in place is ever shared."""
        if place.arranged:
            return None
        fault = await self._arrange(request)
        place.arranged = fault is None
        return fault

    async def _wait_for_sharers(self, place: _Place) -> None:
        """Wait until no request shares the subject. The caller holds the lock, so no new one begins."""
        if place.sharers:
            place.unshared = asyncio.Event()
            await place.unshared.wait()
            place.unshared = None

    def _place(self, subject: str) -> _Place:
        place = self._places.get(subject)
        if place is None:
            place = self._places[subject] = _Place()
            self._forget_old()
        else:
            self._places.move_to_end(subject)
        return place

    def _forget_old(self) -> None:
        """Drop the places longest unused; one in use stays, or two requests would hold two locks of one subject."""
        for _ in range(len(self._places) - self._subjects_max):
            oldest = next(iter(self._places))
            if self._places[oldest].users:
                self._places.move_to_end(oldest)
                continue
            del self._places[oldest]
