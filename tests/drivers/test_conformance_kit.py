"""The kit finds what it is there to find: a driver that keeps every promise passes, and each broken one is named."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from plangate.drivers.answers import read_answer
from plangate.drivers.protocol import EvaluationRequest
from plangate.drivers.redaction import redact
from plangate.errors import DriverError
from plangate.testing import DRIVER_CHECKS, CheckFailedError, DriverSource, check_driver, reference
from plangate.verdicts.observation import Fault, Observed


class Honest:
    """A driver as an author outside plangate might write it, all promises kept."""

    batch_max = 8

    async def open(self) -> None:
        return None

    async def observe(self, request: EvaluationRequest) -> Observed:
        try:
            async with asyncio.timeout(reference.TIMEOUT_S):
                return self.understand(await reference.answer(request))
        except TimeoutError:
            return Observed(fault=Fault.TIMEOUT, detail="late")
        except RuntimeError as error:
            return Observed(fault=Fault.RAISED, detail=self.clean(str(error)))

    async def observe_batch(self, requests: Sequence[EvaluationRequest]) -> list[Observed]:
        return [await self.observe(request) for request in requests]

    async def close(self) -> None:
        return None

    def understand(self, answer: Any) -> Observed:
        observed = read_answer(answer)
        return Observed(
            effect=observed.effect,
            reason=None if observed.reason is None else self.clean(observed.reason),
            limit=observed.limit,
            fault=observed.fault,
            detail=observed.detail,
        )

    def clean(self, text: str) -> str:
        return redact(text, [reference.SECRET])


class TakesAnythingForDeny(Honest):
    def understand(self, answer: Any) -> Observed:
        found = super().understand(answer)
        return found if found.fault is None else super().understand({"decision": False})


class DropsReasons(Honest):
    def understand(self, answer: Any) -> Observed:
        found = super().understand(answer)
        return Observed(effect=found.effect, limit=found.limit, fault=found.fault, detail=found.detail)


class DropsLimits(Honest):
    def understand(self, answer: Any) -> Observed:
        found = super().understand(answer)
        return Observed(effect=found.effect, reason=found.reason, fault=found.fault, detail=found.detail)


class TakesApprovalForDeny(Honest):
    def understand(self, answer: Any) -> Observed:
        if isinstance(answer["decision"], bool):
            return super().understand(
                {"decision": answer["decision"], "context": {"reason": answer["context"]["reason"]}}
            )
        return super().understand(answer)


class Raises(Honest):
    async def observe(self, request: EvaluationRequest) -> Observed:
        return self.understand(await reference.answer(request))


class TellsSecrets(Honest):
    def clean(self, text: str) -> str:
        return text


class Waits(Honest):
    async def observe(self, request: EvaluationRequest) -> Observed:
        try:
            return self.understand(await reference.answer(request))
        except RuntimeError as error:
            return Observed(fault=Fault.RAISED, detail=self.clean(str(error)))


class MixesUp(Honest):
    """Keeps the request in the driver instead of the call."""

    async def observe(self, request: EvaluationRequest) -> Observed:
        self.request = request
        await asyncio.sleep(0)
        return await super().observe(self.request)


class AnswersLate(Honest):
    """Takes a late answer for the answer to the next request."""

    def __init__(self) -> None:
        self.left: list[Observed] = []

    async def observe(self, request: EvaluationRequest) -> Observed:
        if self.left:
            return self.left.pop()
        observed = await super().observe(request)
        if observed.fault is Fault.TIMEOUT:
            self.left.append(self.understand({"decision": True}))
        return observed


class ManglesText(Honest):
    def clean(self, text: str) -> str:
        return super().clean(text.strip())


class Wavers(Honest):
    count = 0

    async def observe(self, request: EvaluationRequest) -> Observed:
        self.count += 1
        observed = await super().observe(request)
        return Observed(fault=Fault.CLOSED) if self.count % 2 == 0 and observed.effect else observed


class CannotBeCancelled(Honest):
    async def observe(self, request: EvaluationRequest) -> Observed:
        try:
            return await super().observe(request)
        except asyncio.CancelledError:
            return Observed(fault=Fault.TIMEOUT)


class ClosesOnce(Honest):
    closed = False

    async def close(self) -> None:
        if self.closed:
            raise ValueError("already closed")
        self.closed = True


class ReversesBatches(Honest):
    async def observe_batch(self, requests: Sequence[EvaluationRequest]) -> list[Observed]:
        return (await super().observe_batch(requests))[::-1]


class Prepares(Honest):
    small = True

    def prepare(self, request: EvaluationRequest) -> object:
        return [request]

    async def observe_prepared(self, prepared: Any) -> Observed:
        return await self.observe(prepared[0])


class PreparesOnce(Prepares):
    async def observe_prepared(self, prepared: Any) -> Observed:
        return await self.observe(prepared.pop()) if prepared else Observed(fault=Fault.RAISED, detail="used up")


class BlocksDifferently(Honest):
    blocking = True

    def observe_now(self, request: EvaluationRequest) -> Observed:
        time.sleep(0)
        return Observed(fault=Fault.RAISED, detail="not implemented")


class Retries(Honest):
    def understand(self, answer: Any) -> Observed:
        found = super().understand(answer)
        return Observed(effect=found.effect, reason=found.reason, limit=found.limit, fault=found.fault, retries=1)


class NotAsync(Honest):
    def close(self) -> None:  # type: ignore[override]
        return None


class Unreachable(Honest):
    async def open(self) -> None:
        raise DriverError("nothing listens", code="target-unreachable", hint="start it")


def source(driver: type[Honest]) -> DriverSource:
    return DriverSource(make=driver, make_unreachable=Unreachable)


@pytest.mark.parametrize("driver", [Honest, Prepares])
def test_a_driver_that_keeps_every_promise_passes(driver: type[Honest]) -> None:
    report = check_driver(source(driver))
    assert report.conforms, str(report)
    assert report.passed == tuple(check.name for check in DRIVER_CHECKS)


@pytest.mark.parametrize(
    ("driver", "broken"),
    [
        (TakesAnythingForDeny, "malformed"),
        (DropsReasons, "deny"),
        (DropsLimits, "limit"),
        (TakesApprovalForDeny, "approval"),
        (Raises, "raises"),
        (TellsSecrets, "redaction"),
        (Waits, "late"),
        (AnswersLate, "late"),
        (MixesUp, "concurrency"),
        (ManglesText, "text"),
        (Wavers, "repeats"),
        (CannotBeCancelled, "cancels"),
        (ClosesOnce, "closes"),
        (ReversesBatches, "batches"),
        (BlocksDifferently, "blocking"),
        (PreparesOnce, "prepared"),
        (Retries, "allow"),
        (NotAsync, "protocol"),
    ],
)
def test_a_broken_promise_is_found(driver: type[Honest], broken: str) -> None:
    (check,) = (check for check in DRIVER_CHECKS if check.name == broken)
    with pytest.raises(CheckFailedError) as caught:
        check(source(driver))
    assert len(str(caught.value)) > 20


def test_a_target_that_opens_although_nothing_is_there_is_found() -> None:
    report = check_driver(DriverSource(make=Honest, make_unreachable=Honest))
    assert set(report.failed) == {"unreachable"}
    assert "did not raise DriverError" in str(report)


def test_what_is_left_out_is_said_with_its_reason() -> None:
    report = check_driver(source(DropsLimits), leave_out={"limit": "the protocol has no place for it"})
    assert report.conforms, str(report)
    assert "limit" not in report.passed
    assert "left out: limit: the protocol has no place for it" in str(report)


def test_a_check_that_does_not_exist_cannot_be_left_out() -> None:
    with pytest.raises(CheckFailedError, match="no check is called limits"):
        check_driver(source(Honest), leave_out={"limits": "x"})


def test_the_kit_runs_in_a_folder_that_is_no_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (check, *_) = DRIVER_CHECKS
    check(source(Honest))
    assert list(tmp_path.iterdir()) == []
