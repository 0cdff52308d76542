"""Calls an ASGI application as a server would (ASGI 3.0): requests one by one, and its lifespan around them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from plangate.drivers.http_client import BODY_BYTES_MAX, Call, Reply, TransportError, make_reply, too_large, unfinished
from plangate.drivers.raised import raised
from plangate.drivers.redaction import Redactor
from plangate.errors import DriverError
from plangate.verdicts.observation import Fault

__all__ = ["AsgiApp"]

STARTUP_TIMEOUT_S: Final = 20.0
SHUTDOWN_TIMEOUT_S: Final = 3.0
_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_Application = Callable[[MutableMapping[str, Any], _Receive, _Send], Awaitable[None]]


class AsgiApp:
    """One application, started once and called many times."""

    def __init__(self, app: _Application, *, timeout_s: float, redactor: Redactor) -> None:
        self._app = app
        self._timeout_s = timeout_s
        self._redact = redactor
        self._lifespan = _Lifespan(app)

    async def start(self) -> None:
        """Let the app start up, where it wants to. Raises DriverError `startup-failed`."""
        try:
            async with asyncio.timeout(STARTUP_TIMEOUT_S):
                failure = await self._lifespan.start()
        except TimeoutError:
            failure = f"not started after {STARTUP_TIMEOUT_S:g} s"
        if failure is not None:
            await self.stop()
            raise DriverError(
                f"the app did not start: {self._redact(failure)}",
                code="startup-failed",
                hint="run it with an ASGI server to see why",
            )

    async def stop(self) -> None:
        """Let the app shut down. Safe to call twice."""
        await self._lifespan.stop()

    async def send(self, call: Call) -> Reply:
        """The reply to one call. Raises TransportError: RAISED, TIMEOUT, MALFORMED for one that is too large."""
        exchange = _Exchange(call.body or b"")
        scope = {**_scope(call), "state": dict(self._lifespan.state)}
        try:
            async with asyncio.timeout(self._timeout_s):
                try:
                    await self._app(scope, exchange.receive, exchange.send)
                except BaseException as error:
                    fault = raised(error, redact=self._redact)
                    raise TransportError(Fault.RAISED, fault.detail or "") from error
        except TimeoutError as error:
            raise exchange.late(self._timeout_s) from error
        return exchange.reply()


class _Exchange:
    """One request and its response, from the app's side."""

    def __init__(self, body: bytes) -> None:
        self._request: bytes | None = body
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._complete = asyncio.Event()

    async def receive(self) -> _Message:
        if self._request is not None:
            body, self._request = self._request, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._complete.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: _Message) -> None:
        if message["type"] == "http.response.start":
            self._status = int(message["status"])
            self._headers = {
                bytes(name).decode("latin-1").lower(): bytes(value).decode("latin-1")
                for name, value in reversed(list(message.get("headers", ())))  # of a repeated one, the first counts
            }
        elif message["type"] == "http.response.body":
            if len(self._body) <= BODY_BYTES_MAX:
                self._body += message.get("body", b"")
            if not message.get("more_body", False):
                self._complete.set()
            else:
                await asyncio.sleep(0)  # an answer without end must not keep the deadline from being noticed

    def late(self, timeout_s: float) -> TransportError:
        """Why there is no whole answer at the deadline."""
        if len(self._body) > BODY_BYTES_MAX:
            return too_large(self._headers.get)
        return TransportError(Fault.TIMEOUT, unfinished(f"no answer within {timeout_s:g} s", self._headers.get))

    def reply(self) -> Reply:
        if self._status is None or not self._complete.is_set():
            raise TransportError(Fault.RAISED, "the app returned without a complete answer")
        if len(self._body) > BODY_BYTES_MAX:
            raise too_large(self._headers.get)
        return make_reply(self._status, bytes(self._body), None, self._headers.get)


def _scope(call: Call) -> dict[str, Any]:
    url = urlsplit(call.url)
    path = url.path or "/"
    headers = [(b"host", url.netloc.encode("ascii")), (b"user-agent", b"plangate"), (b"accept-encoding", b"identity")]
    headers += [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in call.headers]
    if call.body is not None:
        headers.append((b"content-length", b"%d" % len(call.body)))
    return {
        "type": "http",
        "asgi": _ASGI,
        "http_version": "1.1",
        "method": call.method,
        "scheme": url.scheme,
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": url.query.encode("ascii"),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": (url.hostname, url.port or 80),
        "extensions": {},
    }


class _Lifespan:
    """Startup and shutdown. An app that knows no lifespan raises at once, as the specification allows."""

    def __init__(self, app: _Application) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._inbox: asyncio.Queue[_Message] = asyncio.Queue()
        self._started = asyncio.Event()
        self._stopped = asyncio.Event()
        self._failure: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str | None:
        """Why the app refuses to start; None where it is ready."""
        self._task = asyncio.create_task(self._run())
        await self._inbox.put({"type": "lifespan.startup"})
        await self._started.wait()
        return self._failure

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        if not task.done() and self._failure is None:
            await self._inbox.put({"type": "lifespan.shutdown"})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SHUTDOWN_TIMEOUT_S):
                    await self._stopped.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": _ASGI, "state": self.state}
        try:
            await self._app(scope, self._inbox.get, self._send)
        except Exception:  # noqa: S110 - before startup: no lifespan; after it: there is nobody left to tell
            pass
        except SystemExit as error:
            if not self._started.is_set():
                self._failure = f"it exited with {error.code}"
        finally:
            self._started.set()
            self._stopped.set()

    async def _send(self, message: _Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.failed":
            self._failure = str(message.get("message") or "it gave no reason")
        if kind.startswith("lifespan.startup."):
            self._started.set()
        if kind.startswith("lifespan.shutdown."):
            self._stopped.set()
