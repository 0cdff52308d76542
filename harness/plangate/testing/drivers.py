"""The conformance kit for drivers: what the engine relies on, checked against a real target.

    source = DriverSource(make=lambda: MyDriver(target, context))
    print(check_driver(source))                                    # everything at once

    @pytest.mark.parametrize("check", DRIVER_CHECKS, ids=str)      # or one test for each check
    def test_my_driver_conforms(check):
        check(source)

The target must behave as `plangate.testing.reference` says, with `timeout_s` = `reference.TIMEOUT_S`, and the driver's
context must hold `reference.SECRET` as a secret. A check may be left out where the target's protocol cannot say what it
needs (`limit` where there is no place for it), with a reason.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from plangate.drivers.protocol import BatchDriver, BlockingDriver, Driver, EvaluationRequest, PreparingDriver
from plangate.entitlements.decision import Effect, LimitDetail
from plangate.errors import DriverError
from plangate.testing.conformance import CheckFailedError, CheckReport, require
from plangate.testing.reference import LIMIT, SECRET, TIMEOUT_S
from plangate.verdicts.observation import Fault, Observed

__all__ = ["DRIVER_CHECKS", "DriverCheck", "DriverSource", "check_driver", "request_for"]

GRACE_S: Final = 1.0
"""How much later than `timeout_s` the engine gives a request up by itself."""
PATIENCE_S: Final = 15.0
"""How long a single call may take before the check gives up."""
IN_FLIGHT: Final = 24
DETAIL_CHARS_MAX: Final = 2_000
_TEXTS: Final = (
    'quote " backslash \\ {brace} {subject.id}',
    "line\nbreak\r\n",
    "ümlaut € 漢字 \U0001f600",
    "x" * 200,
    "%2e%2e/../",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSource:
    """Where the kit gets drivers from."""

    make: Callable[[], Driver]
    """A new driver, not opened yet, of a target that behaves as `plangate.testing.reference` says."""
    make_unreachable: Callable[[], Driver] | None = None
    """A new driver of a target that cannot be opened: nothing listens, nothing to import. None: not checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverCheck:
    """One promise of the protocol. Call it with a source; it raises CheckFailedError where the promise is broken."""

    name: str
    about: str
    run: Callable[[DriverSource], Awaitable[None]]

    def __call__(self, source: DriverSource) -> None:
        try:
            asyncio.run(_within(self.run(source), "the whole check", patience_s=4 * PATIENCE_S))
        except CheckFailedError:
            raise
        except Exception as error:
            raise CheckFailedError(f"the driver raised {type(error).__name__}: {error}") from error

    def __str__(self) -> str:
        return self.name


def check_driver(source: DriverSource, *, leave_out: Mapping[str, str] | None = None) -> CheckReport:
    """Run every check. `leave_out` maps the name of a check to the reason why it says nothing about this driver."""
    left_out = dict(leave_out or {})
    known = {check.name for check in DRIVER_CHECKS}
    unknown = set(left_out) - known
    require(not unknown, f"no check is called {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    passed: list[str] = []
    failed: dict[str, str] = {}
    for check in DRIVER_CHECKS:
        if check.name in left_out:
            continue
        try:
            check(source)
        except CheckFailedError as error:
            failed[check.name] = str(error)
        else:
            passed.append(check.name)
    return CheckReport(passed=tuple(passed), failed=failed, left_out=left_out)


def request_for(behaviour: str, *, subject: str = "t-conformance-0", phrasing: str | None = None) -> EvaluationRequest:
    """An evaluation request that makes the reference target behave as `conformance.<behaviour>`."""
    name = f"conformance.{behaviour}"
    return {
        "subject": {
            "type": "tenant",
            "id": subject,
            "properties": {"plan": "pro", "state": "Subscribed", "quantity": 1, "usage": {"exports": 50}},
        },
        "action": {"name": name},
        "resource": {"type": "capability", "id": name, "properties": {}},
        "context": {"surface": "default", "cost": {}, "phrasing": phrasing, "time": "2026-01-01T00:00:00Z"},
    }


class _Opened:
    """A driver that is open inside `async with`, and closed after it whatever happens."""

    def __init__(self, source: DriverSource) -> None:
        self._driver = source.make()

    async def __aenter__(self) -> Driver:
        try:
            await _within(self._driver.open(), "open()")
        except BaseException:
            await self._driver.close()
            raise
        return self._driver

    async def __aexit__(self, *about: object) -> None:
        await _within(self._driver.close(), "close()")


async def _within(waiting: Awaitable[Any], what: str, *, patience_s: float = PATIENCE_S) -> Any:
    try:
        return await asyncio.wait_for(waiting, patience_s)
    except TimeoutError:
        raise CheckFailedError(f"{what} did not return within {patience_s:g} s") from None


async def _observe(driver: Driver, request: EvaluationRequest) -> Observed:
    return _well_formed(await _within(driver.observe(request), "observe()"))


def _well_formed(observed: Any) -> Observed:
    require(isinstance(observed, Observed), f"observe() returned a {type(observed).__name__}, not an Observed")
    one = (observed.effect is None) != (observed.fault is None)
    require(one, f"exactly one of effect and fault is set: {observed}")
    require(len(observed.detail or "") <= DETAIL_CHARS_MAX, f"detail is longer than {DETAIL_CHARS_MAX} characters")
    require(observed.retries == 0, "a driver does not retry: the engine does, and counts")
    return observed  # type: ignore[no-any-return]


def _equals(observed: Observed, expected: Observed) -> None:
    require(replace(observed, detail=None) == expected, f"expected {expected}, observed {observed}")


async def _fits_the_protocol(source: DriverSource) -> None:
    driver = source.make()
    require(isinstance(driver, Driver), "it lacks one of open, observe, close")
    for name in ("open", "observe", "close"):
        require(inspect.iscoroutinefunction(getattr(driver, name)), f"{name} is not a coroutine function")
    if isinstance(driver, BlockingDriver):
        require(isinstance(driver.blocking, bool), "blocking is not a boolean")
    if isinstance(driver, PreparingDriver):
        require(isinstance(driver.small, bool), "small is not a boolean")
    if isinstance(driver, BatchDriver):
        require(isinstance(driver.batch_max, int) and driver.batch_max >= 1, "batch_max is not a number from 1")
    await driver.close()


async def _answers_allow(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        _equals(await _observe(driver, request_for("allow")), Observed(effect=Effect.ALLOW, reason="entitled"))


async def _answers_deny_with_its_reason(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        _equals(await _observe(driver, request_for("deny")), Observed(effect=Effect.DENY, reason="not_in_plan"))


async def _answers_approval(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        expected = Observed(effect=Effect.REQUIRE_APPROVAL, reason="approval_required")
        _equals(await _observe(driver, request_for("approval")), expected)


async def _answers_limit(source: DriverSource) -> None:
    limit = LimitDetail(str(LIMIT["name"]), 50, 0, str(LIMIT["resets_at"]))
    async with _Opened(source) as driver:
        observed = await _observe(driver, request_for("limit"))
        _equals(observed, Observed(effect=Effect.DENY, reason="limit_exceeded", limit=limit))


async def _malformed_is_a_fault(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        observed = await _observe(driver, request_for("malformed"))
        require(observed.effect is None, f"an answer without a boolean decision was taken for {observed.effect}")
        require(observed.fault is Fault.MALFORMED, f"expected the fault malformed, observed {observed}")
        require(observed.detail, "a malformed answer is shown in detail")


async def _raising_is_a_fault(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        observed = await _observe(driver, request_for("raises"))
        require(observed.effect is None, f"a failure of the target was taken for {observed.effect}")
        _equals(await _observe(driver, request_for("allow")), Observed(effect=Effect.ALLOW, reason="entitled"))


async def _secrets_are_redacted(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        for observed in (
            await _observe(driver, request_for("raises")),
            await _observe(driver, request_for("echo", phrasing=f"key {SECRET}")),
        ):
            require(SECRET not in repr(observed), "a secret of the context came back in an observation")


async def _late_is_a_timeout(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        started = time.monotonic()
        observed = await _observe(driver, request_for("late"))
        took_s = time.monotonic() - started
        require(observed.fault is Fault.TIMEOUT, f"expected the fault timeout, observed {observed}")
        require(took_s < TIMEOUT_S + GRACE_S, f"a late answer was given up after {took_s:.1f} s, not {TIMEOUT_S:g} s")
        for _ in range(2):  # the late answer must not be taken for the answer to a later request
            _equals(await _observe(driver, request_for("deny")), Observed(effect=Effect.DENY, reason="not_in_plan"))


async def _answers_go_to_their_requests(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        subjects = [f"t-{number:03d}" for number in range(IN_FLIGHT)]
        found = await asyncio.gather(*(_observe(driver, request_for("echo", subject=subject)) for subject in subjects))
        wrong = [
            f"{subject} got the answer to {observed.reason or observed}"
            for subject, observed in zip(subjects, found, strict=True)
            if observed.reason != subject
        ]
        require(not wrong, f"{len(wrong)} of {IN_FLIGHT} requests in flight were answered wrongly: {wrong[:3]}")


async def _any_text_survives(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        for text in _TEXTS:
            observed = await _observe(driver, request_for("echo", phrasing=text))
            require(observed.reason == text, f"{text!r} came back as {observed.reason!r} ({observed})")


async def _same_twice(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        for behaviour in ("allow", "deny", "limit", "malformed"):
            first, second = [await _observe(driver, request_for(behaviour)) for _ in range(2)]
            require(first == second, f"two observations of {behaviour} differ: {first} and {second}")


async def _cancels(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        task = asyncio.ensure_future(driver.observe(request_for("late")))
        await asyncio.sleep(TIMEOUT_S / 5)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=PATIENCE_S)
        require(done, "a cancelled observe() goes on")
        require(task.cancelled(), "a cancelled observe() did not raise CancelledError")


async def _closes_twice(source: DriverSource) -> None:
    never_opened = source.make()
    await never_opened.close()
    await never_opened.close()
    driver = source.make()
    await driver.open()
    await _observe(driver, request_for("allow"))
    await _within(driver.close(), "close()")
    await _within(driver.close(), "the second close()")


async def _says_why_it_cannot_open(source: DriverSource) -> None:
    if source.make_unreachable is None:
        return
    driver = source.make_unreachable()
    try:
        await _within(driver.open(), "open()")
    except DriverError as error:
        require(error.hint or error.message, "the error says nothing")
    else:
        raise CheckFailedError("open() of a target that cannot be reached did not raise DriverError")
    finally:
        await driver.close()


async def _blocking_equals_async(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        if not isinstance(driver, BlockingDriver) or not driver.blocking:
            return
        for behaviour in ("allow", "deny", "approval", "limit", "malformed", "raises"):
            now = _well_formed(driver.observe_now(request_for(behaviour)))
            later = await _observe(driver, request_for(behaviour))
            require(now == later, f"{behaviour}: observe_now {now}, observe {later}")


async def _prepared_equals_unprepared(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        if not isinstance(driver, PreparingDriver):
            return
        behaviours = ("allow", "deny", "approval", "limit", "malformed", "raises", "echo")
        prepared = [driver.prepare(request_for(behaviour, subject="t-0")) for behaviour in behaviours]
        for behaviour, one in zip(behaviours, prepared, strict=True):
            alone = await _observe(driver, request_for(behaviour, subject="t-0"))
            for _ in range(2):  # the engine asks again with what it holds
                observed = _well_formed(await _within(driver.observe_prepared(one), "observe_prepared()"))
                require(observed == alone, f"{behaviour}: prepared {observed}, else {alone}")


async def _batches_equal_singles(source: DriverSource) -> None:
    async with _Opened(source) as driver:
        if not isinstance(driver, BatchDriver) or driver.batch_max <= 1:
            return
        require(await driver.observe_batch([]) == [], "an empty batch has no answers")
        behaviours = ("allow", "deny", "approval", "limit", "malformed", "echo")
        requests = [
            request_for(behaviours[number % len(behaviours)], subject=f"t-{number}-0")
            for number in range(min(driver.batch_max, 12))
        ]
        together = await _within(driver.observe_batch(requests), "observe_batch()")
        require(len(together) == len(requests), f"{len(together)} answers to a batch of {len(requests)}")
        for request, observed in zip(requests, together, strict=True):
            single = await _observe(driver, request)
            require(_well_formed(observed) == single, f"in a batch {observed}, alone {single}")
        failing = await _within(driver.observe_batch([request_for("raises"), request_for("allow")]), "observe_batch()")
        require(len(failing) == 2, "a batch with a failing item has as many answers as items")
        require(failing[0].effect is None, f"a failure inside a batch was taken for {failing[0].effect}")


_CHECKS: Final[tuple[tuple[str, str, Callable[[DriverSource], Awaitable[None]]], ...]] = (
    ("protocol", "it has the methods and attributes of the Driver protocol", _fits_the_protocol),
    ("allow", "an allow is an allow, with its reason", _answers_allow),
    ("deny", "a deny is a deny, with its reason", _answers_deny_with_its_reason),
    ("approval", "require_approval is neither allow nor deny", _answers_approval),
    ("limit", "the limit a denial came from is kept", _answers_limit),
    ("malformed", "an answer of another shape is a fault", _malformed_is_a_fault),
    ("raises", "a target that fails is a fault, and can be asked again", _raising_is_a_fault),
    ("redaction", "secrets never come back in an observation", _secrets_are_redacted),
    ("late", "a late answer is a timeout, in time, and disturbs no later request", _late_is_a_timeout),
    ("concurrency", "with many requests in flight each gets its own answer", _answers_go_to_their_requests),
    ("text", "line breaks, quotes and any script survive", _any_text_survives),
    ("repeats", "the same request gives the same observation", _same_twice),
    ("cancels", "an observation can be cancelled", _cancels),
    ("closes", "close works twice, and without open", _closes_twice),
    ("unreachable", "open raises DriverError where nothing can be observed", _says_why_it_cannot_open),
    ("blocking", "observe_now and observe agree", _blocking_equals_async),
    ("prepared", "what is prepared beforehand is answered as what is not, each time", _prepared_equals_unprepared),
    ("batches", "a batch answers as single requests do, in order", _batches_equal_singles),
)

DRIVER_CHECKS: Final = tuple(DriverCheck(name=name, about=about, run=run) for name, about, run in _CHECKS)
"""Every promise of the protocol, in the order in which they are best repaired."""
