"""One observation over HTTP: arrange the subject if needed, ask, read the reply; every mishap is a fault."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import NamedTuple

from plangate.drivers.exchange import CallTemplate, Exchange
from plangate.drivers.http_client import Call, Reply, TransportError
from plangate.drivers.protocol import EvaluationRequest
from plangate.drivers.redaction import Redactor
from plangate.drivers.replies import explained, explanation
from plangate.drivers.subjects import Subjects
from plangate.drivers.templates import TemplateError
from plangate.verdicts.observation import Fault, Observed

__all__ = ["Conversation", "Prepared"]


class Prepared(NamedTuple):
    """The call that asks, and why there is none where it cannot be written."""

    call: Call | None
    problem: str = ""
    request: EvaluationRequest | None = None
    """Only where a subject has to be arranged for it."""


class Conversation:
    """What a target's exchange says, carried by `send`."""

    def __init__(
        self,
        exchange: Exchange,
        send: Callable[[Call], Awaitable[Reply]],
        *,
        reset_usage: bool,
        redactor: Redactor,
    ) -> None:
        self._exchange = exchange
        self._send = send
        self._redact = redactor
        self._subjects: Subjects | None = None
        if exchange.arrange is not None:
            arrange = functools.partial(self._arrange, exchange.arrange)
            self._subjects = Subjects(arrange, reset_usage=reset_usage)

    def prepare(self, request: EvaluationRequest) -> Prepared:
        """Write the call that asks. Total: never raises."""
        arranged = None if self._subjects is None else request
        try:
            return Prepared(self._exchange.ask(request), "", arranged)
        except TemplateError as error:
            return Prepared(None, f"the request cannot be written: {error}", arranged)

    def observe(self, prepared: Prepared) -> Coroutine[object, object, Observed]:
        """Ask once. Total: never raises for what the target does."""
        # No coroutine of its own: each one between engine and client costs every observation.
        if self._subjects is None or prepared.request is None:
            return self._ask(prepared)
        return self._subjects.observe(prepared.request, lambda _: self._ask(prepared))

    async def _ask(self, prepared: Prepared) -> Observed:
        call = prepared.call
        if call is None:
            return Observed(fault=Fault.MALFORMED, detail=self._redact(prepared.problem))
        try:
            reply = await self._send(call)
        except TransportError as fault:
            return Observed(fault=fault.fault, detail=self._redact(fault.detail))
        observed = self._exchange.read(reply.status, reply.body)
        return observed if observed.fault is None else explained(observed, reply, redact=self._redact)

    async def _arrange(self, call: CallTemplate, request: EvaluationRequest) -> Observed | None:
        """None where the subject is in place. A transport fault stays one, so that it may be retried."""
        try:
            reply = await self._send(call(request))
        except TransportError as fault:
            kind = Fault.ARRANGE if fault.fault is Fault.MALFORMED else fault.fault
            return Observed(fault=kind, detail=self._redact(f"while arranging the subject: {fault.detail}"))
        except TemplateError as error:
            return Observed(fault=Fault.ARRANGE, detail=self._redact(f"arrange cannot be written: {error}"))
        if 200 <= reply.status < 300:
            return None
        said = explanation(reply) or reply.body.decode("utf-8", "replace")
        return Observed(fault=Fault.ARRANGE, detail=self._redact(f"arrange was answered {reply.status}: {said}"))
