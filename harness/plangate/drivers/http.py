"""Driver `http`: an app that speaks HTTP in its own way, read by templates and rules (documents.md).

driver: http
url: "env:COPILOT_URL"
launch: {command: [python, -m, copilot, --port, "{port}"], ready: /healthz}
arrange: {method: PUT, path: "/test/tenants/{subject.id}", json: {plan: "{subject.plan}"}}
request: {method: POST, path: "/v1/capabilities/{action.name}"}
decide: [{when: {status: 200}, effect: allow, reason: entitled}]
"""

from __future__ import annotations

from collections.abc import Coroutine

from plangate.documents.environment import Target
from plangate.drivers.conversation import Conversation, Prepared
from plangate.drivers.endpoint import Endpoint
from plangate.drivers.exchange import Exchange
from plangate.drivers.protocol import DriverContext, EvaluationRequest
from plangate.errors import DriverError
from plangate.verdicts.observation import Observed

__all__ = ["HttpDriver"]


class HttpDriver:
    """Asks over pooled connections; starts and stops the app where the target says how."""

    def __init__(self, target: Target, context: DriverContext) -> None:
        """Raises InputError for what is wrong with the target: nothing is connected to or started yet."""
        self._target = target
        self._context = context
        self._endpoint = Endpoint(target, context)
        self._exchange()
        self._conversation: Conversation | None = None
        self.small = target.arrange is None

    async def open(self) -> None:
        """Launch the app, or see that it takes connections. Raises DriverError with what to do next."""
        client = await self._endpoint.open()
        self._conversation = Conversation(
            self._exchange(),
            client.send,
            reset_usage=self._context.reset_usage,
            redactor=self._endpoint.redactor,
        )

    async def observe(self, request: EvaluationRequest) -> Observed:
        """Ask once, arranging the subject first where that is due. Never raises for what the app does."""
        conversation = self._open_conversation()
        return await conversation.observe(conversation.prepare(request))

    def prepare(self, request: EvaluationRequest) -> Prepared:
        """Write the call for a request."""
        return self._open_conversation().prepare(request)

    def observe_prepared(self, prepared: Prepared) -> Coroutine[object, object, Observed]:
        """As `observe`."""
        return self._open_conversation().observe(prepared)

    def _open_conversation(self) -> Conversation:
        if self._conversation is None:
            raise DriverError("the driver is not open", code="driver-not-open")
        return self._conversation

    async def close(self) -> None:
        """Close connections, stop what was launched. Safe to call twice, and after a failed open."""
        await self._endpoint.close()

    @property
    def base_url(self) -> str:
        """The address, once opened: what a target with `url: target:NAME` shares."""
        return self._endpoint.fixed_url()

    def alive(self) -> bool:
        """False once a launched app has ended by itself."""
        return self._endpoint.alive

    def _exchange(self) -> Exchange:
        return Exchange(
            self._target,
            url=self._endpoint.url,
            headers=self._endpoint.headers,
            constants=self._endpoint.constants,
            redactor=self._endpoint.redactor,
        )
