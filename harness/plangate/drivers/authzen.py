"""Driver `authzen`: a policy decision point that speaks the AuthZEN Authorization API 1.0 (documents.md).

    {driver: authzen, url: "http://127.0.0.1:3592"}

A denial is 200 with `decision: false`; an HTTP error, or an answer that carries `context.error`, is a fault and never a
denial. Evaluations travel in batches where the metadata document offers it. `options: {metadata: ignore}` uses the
standard address of single evaluations whatever the metadata says.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any, Final

from plangate.documents.environment import Target
from plangate.documents.wording import shown
from plangate.drivers.answers import answer_reader
from plangate.drivers.endpoint import Endpoint
from plangate.drivers.http_client import Call, HttpClient, Reply, TransportError
from plangate.drivers.jsonbytes import read_json
from plangate.drivers.metadata import Addresses, read_metadata, standard_addresses
from plangate.drivers.protocol import DriverContext, EvaluationRequest
from plangate.drivers.replies import explanation
from plangate.drivers.templates import TextTemplate, compile_text, mentions_request
from plangate.errors import DriverError, InputError
from plangate.verdicts.observation import Fault, Observed

__all__ = ["AuthzenDriver"]

BATCH_DEFAULT: Final = 50
"""Evaluations in one call where the target says nothing: what widespread servers take without configuration."""


class AuthzenDriver:
    """Asks one decision point, one by one or in batches."""

    batch_max: int = 1
    """Evaluations in one call; 1 until opened, and where no batches are offered."""

    def __init__(self, target: Target, context: DriverContext) -> None:
        """Raises InputError for what is wrong with the target; nothing is connected to or started yet."""
        self._endpoint = Endpoint(target, context)
        if mentions_request(self._endpoint.url):
            raise InputError(
                "the url of an authzen target is the same for every request",
                code="bad-url",
                where="url",
                hint="only {port} and {secret.name} may stand in it",
            )
        if target.batch is not None and target.batch < 1:
            raise InputError("batch is at least 1", code="bad-batch", where="batch", hint="1 = single evaluations only")
        self._batch = target.batch or BATCH_DEFAULT
        self._ignore_metadata = target.options.get("metadata") == "ignore"
        self._redact = self._endpoint.redactor
        self._read_answer = answer_reader(self._redact)
        self._ids = itertools.count(1)
        self._client: HttpClient | None = None
        self._addresses = Addresses(single="", batch=None)
        self._headers = self._compiled_headers()

    async def open(self) -> None:
        """Connect, launch if need be, and read the metadata document.

        Raises DriverError: those of `Endpoint.open`, and `metadata-mismatch` where the document speaks of another
        decision point.
        """
        client = await self._endpoint.open()
        self._headers = self._compiled_headers()
        url = self._endpoint.fixed_url().rstrip("/")
        self._addresses = standard_addresses(url)
        if not self._ignore_metadata:
            try:
                self._addresses = await read_metadata(client, url=url, headers=self._plain_headers())
            except DriverError as error:  # it quotes what the server says
                raise DriverError(self._redact(error.message), code=error.code, hint=error.hint) from error
        self.batch_max = self._batch if self._addresses.batch is not None else 1
        self._client = client

    async def observe(self, request: EvaluationRequest) -> Observed:
        """Ask once. Never raises for what the decision point does."""
        answer = await self._ask(self._addresses.single, request, request)
        return answer if isinstance(answer, Observed) else self._read_answer(answer)

    async def observe_batch(self, requests: Sequence[EvaluationRequest]) -> list[Observed]:
        """One `Observed` for each request, in order. An answer of another length is no answer to any of them."""
        if self._addresses.batch is None or not requests:
            return [await self.observe(request) for request in requests]
        answer = await self._ask(self._addresses.batch, {"evaluations": list(requests)}, requests[0])
        if isinstance(answer, Observed):
            return [answer] * len(requests)
        items = answer.get("evaluations") if isinstance(answer, dict) else None
        if not isinstance(items, list) or len(items) != len(requests):
            found = f"{len(items)} answers" if isinstance(items, list) else "no list of evaluations"
            wrong = Observed(fault=Fault.MALFORMED, detail=f"{found} to a batch of {len(requests)}")
            return [wrong] * len(requests)
        return [self._read_answer(item) for item in items]

    async def close(self) -> None:
        """Close connections, stop what was launched. Safe to call twice, and after a failed open."""
        await self._endpoint.close()

    @property
    def base_url(self) -> str:
        """The address, once opened: what a target with `url: target:NAME` shares."""
        return self._endpoint.fixed_url()

    def alive(self) -> bool:
        """False once a launched decision point has ended by itself."""
        return self._endpoint.alive

    async def _ask(self, url: str, body: Any, request: EvaluationRequest) -> Any:
        """The answer as JSON, or the fault that stands in its place."""
        if self._client is None:
            raise DriverError("the driver is not open", code="driver-not-open")
        request_id = f"plangate-{next(self._ids)}"
        headers = [(name, value(request)) for name, value in self._headers]
        headers.append(("X-Request-ID", request_id))
        raw = json.dumps(body, separators=(",", ":"), allow_nan=False).encode("ascii")
        try:
            reply = await self._client.send(Call("POST", url, headers, raw), header="x-request-id")
        except TransportError as error:
            return Observed(fault=error.fault, detail=self._redact(error.detail))
        return self._read_reply(reply, request_id)

    def _read_reply(self, reply: Reply, request_id: str) -> Any:
        if reply.status != 200:
            failed = reply.status >= 500
            said = explanation(reply) or reply.body.decode("utf-8", "replace")
            return Observed(
                fault=Fault.RAISED if failed else Fault.UNMATCHED,
                detail=self._redact(f"status {reply.status} is no decision: {said}"),
            )
        # A server that does not return the id is common and harmless; one that returns another has mixed up callers.
        if reply.header is not None and reply.header != request_id:
            detail = f"the answer is to the request {shown(reply.header)}, not to {request_id}"
            return Observed(fault=Fault.MALFORMED, detail=self._redact(detail))
        try:
            return read_json(reply.body)
        except ValueError as error:
            said = explanation(reply) or f"{error}: {reply.body.decode('utf-8', 'replace')}"
            return Observed(fault=Fault.MALFORMED, detail=self._redact(said))

    def _compiled_headers(self) -> list[tuple[str, TextTemplate]]:
        given = {"Content-Type": "application/json", **self._endpoint.headers}
        constants = self._endpoint.constants
        return [
            (name, compile_text(text, place="header", constants=constants, where=f"headers.{name}"))
            for name, text in given.items()
        ]

    def _plain_headers(self) -> list[tuple[str, str]]:
        """Headers that are the same for every request: all that the metadata document is asked with."""
        fixed = {name for name, text in self._endpoint.headers.items() if not mentions_request(text)}
        return [(name, value({})) for name, value in self._headers if name in fixed]
