"""Driver `python`: a function in this process, from a request dict to an answer dict (documents.md).

    {driver: python, object: "copilot.pdp:evaluate", options: {path: FOLDER}}     # path: where modules lie, else "."

A plain function is called in the engine's own thread: no event loop stands between cell and answer. A coroutine
function is awaited within `timeout_s`.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from typing import Any

from plangate.documents.environment import Target
from plangate.drivers.answers import answer_reader
from plangate.drivers.imports import import_root, load_object, object_name
from plangate.drivers.protocol import DriverContext, EvaluationRequest
from plangate.drivers.raised import raised
from plangate.drivers.redaction import Redactor
from plangate.errors import DriverError
from plangate.verdicts.observation import Fault, Observed

__all__ = ["PythonDriver"]


class PythonDriver:
    """Calls one function. An exception or a wrong type is a fault, never a decision."""

    blocking: bool = False
    """True once opened, where the function is a plain one."""

    def __init__(self, target: Target, context: DriverContext) -> None:
        self._name = object_name(target)
        self._folder = import_root(target, workspace=context.workspace)
        self._timeout_s = target.timeout_s
        self._redact = Redactor(context.secrets.values())
        self._read = answer_reader(self._redact)
        self._function: Callable[[EvaluationRequest], Any] = _not_opened

    async def open(self) -> None:
        """Import the function. Raises DriverError `import-failed`, `not-callable`."""
        function = load_object(self._name, folder=self._folder, redact=self._redact)
        if not callable(function):
            raise DriverError(
                f"{self._name!r} is a {type(function).__name__}, not a function",
                code="not-callable",
                hint="object must name a function that takes the request and returns the answer",
            )
        self._function = function
        self.blocking = not _is_async(function)

    def observe_now(self, request: EvaluationRequest) -> Observed:
        """Call the function in this thread. The engine guards the deadline (`DeadlinePassed` passes through)."""
        try:
            answer = self._function(request)
        except BaseException as error:
            return raised(error, redact=self._redact)
        if answer.__class__ is not dict and inspect.iscoroutine(answer):
            answer.close()  # or Python warns that nobody awaited it
        return self._read(answer)

    async def observe(self, request: EvaluationRequest) -> Observed:
        """Ask once, within `timeout_s`; a plain function is then called in a thread of its own."""
        try:
            async with asyncio.timeout(self._timeout_s):
                try:
                    if self.blocking:
                        return await _in_thread(self.observe_now, request)
                    return self._read(await self._function(request))
                except BaseException as error:
                    return raised(error, redact=self._redact)
        except TimeoutError:  # of ours: one that the app raises is caught above
            return Observed(fault=Fault.TIMEOUT, detail=f"no answer within {self._timeout_s:g} s")

    async def close(self) -> None:
        """Nothing to release: modules stay imported."""


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


async def _in_thread(call: Callable[[EvaluationRequest], Observed], request: EvaluationRequest) -> Observed:
    """`call(request)` in a daemon thread: one that never answers keeps neither the loop nor the process alive."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Observed] = loop.create_future()

    def settle(observed: Observed | None, error: BaseException | None) -> None:
        if answered.done():
            return
        if error is not None:
            answered.set_exception(error)
        elif observed is not None:
            answered.set_result(observed)

    def work() -> None:
        observed, failure = None, None
        try:
            observed = call(request)
        except BaseException as error:
            failure = error
        try:
            loop.call_soon_threadsafe(settle, observed, failure)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    threading.Thread(target=work, name="plangate-observe", daemon=True).start()
    return await answered


def _not_opened(request: EvaluationRequest) -> Any:
    raise DriverError("the driver is not open", code="driver-not-open")
