"""Driver `asgi`: an ASGI app in this process, read by the same templates and rules as `http` (documents.md).

    {driver: asgi, object: "copilot.api:app", request: {...}, decide: [...]}

No socket, no port, no client: the app is called as a server would call it, lifespan included.
"""

from __future__ import annotations

from collections.abc import Coroutine

from plangate.documents.environment import Target
from plangate.drivers.asgi_app import AsgiApp
from plangate.drivers.conversation import Conversation, Prepared
from plangate.drivers.exchange import Exchange
from plangate.drivers.headers import target_headers
from plangate.drivers.imports import import_root, load_object, object_name
from plangate.drivers.protocol import DriverContext, EvaluationRequest
from plangate.drivers.templates import Constants
from plangate.errors import DriverError
from plangate.verdicts.observation import Observed

__all__ = ["AsgiDriver"]

_URL = "http://127.0.0.1"
"""What the app sees as its own address."""


class AsgiDriver:
    """Calls one ASGI app. An exception is a fault, never a decision."""

    def __init__(self, target: Target, context: DriverContext) -> None:
        """Raises InputError for what is wrong with the target; nothing is imported yet."""
        self._name = object_name(target)
        self._folder = import_root(target, workspace=context.workspace)
        self._timeout_s = target.timeout_s
        self._reset_usage = context.reset_usage
        headers, self._redactor = target_headers(target, context)
        self._exchange = Exchange(
            target,
            url=_URL,
            headers=headers,
            constants=Constants(secrets=context.secrets),
            redactor=self._redactor,
        )
        self._app: AsgiApp | None = None
        self._conversation: Conversation | None = None
        self.small = target.arrange is None

    async def open(self) -> None:
        """Import the app and let it start up. Raises DriverError `import-failed`, `not-callable`, `startup-failed`."""
        app = load_object(self._name, folder=self._folder, redact=self._redactor)
        if not callable(app):
            raise DriverError(
                f"{self._name!r} is a {type(app).__name__}, not an ASGI app",
                code="not-callable",
                hint="object must name an application, not a module or a factory",
            )
        self._app = AsgiApp(app, timeout_s=self._timeout_s, redactor=self._redactor)
        await self._app.start()
        self._conversation = Conversation(
            self._exchange, self._app.send, reset_usage=self._reset_usage, redactor=self._redactor
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
        """Let the app shut down. Safe to call twice, and after a failed open."""
        if self._app is not None:
            await self._app.stop()
