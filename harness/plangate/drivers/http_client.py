"""The one place that knows an HTTP client: pyreqwest, or httpx2 where pyreqwest cannot be imported.

Neither asks the environment for anything: no proxies, no redirects, no cookies, no decompression. An answer is read up
to a limit and no further. Why these two: decision 5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple, Protocol

from plangate.verdicts.observation import Fault

__all__ = ["BODY_BYTES_MAX", "LIBRARIES", "Call", "HttpClient", "Reply", "TransportError", "open_client"]

LIBRARIES: Final = ("pyreqwest", "httpx2")
BODY_BYTES_MAX: Final = 1024 * 1024
"""Bytes of an answer at the most; a longer one is malformed."""
CONNECT_TIMEOUT_S: Final = 5.0
_LETTING_GO_S: Final = 0.01
_USER_AGENT: Final = "plangate"
_CLOSED: Final = re.compile("disconnected|closed connection")
"""How httpcore2 words it that a connection ended; its other protocol errors are about what came."""


class Call(NamedTuple):
    """One HTTP request, ready to be sent."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes | None


class Reply(NamedTuple):
    """What came back, all of it. Header names are in lower case; of a repeated one, the first counts."""

    status: int
    body: bytes
    header: str | None = None
    """The header that was asked for."""


class TransportError(Exception):
    """Why there is no answer."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault
        self.detail = detail


class HttpClient(Protocol):
    """Sends calls over pooled connections."""

    async def send(self, call: Call, *, header: str | None = None) -> Reply:
        """The reply, with the value of the response header named `header`. Raises TransportError, nothing else."""
        ...

    async def close(self) -> None:
        """Close all connections. Safe to call twice."""
        ...


def open_client(*, concurrency: int, timeout_s: float, library: str | None = None) -> HttpClient:
    """A client with as many pooled connections as requests may be in flight.

    `library`: one of `LIBRARIES`, or None for the first of them that can be imported.
    """
    if library != "httpx2":
        try:
            return _PyreqwestClient(concurrency=concurrency, timeout_s=timeout_s)
        except ImportError:
            if library is not None:
                raise
    return _Httpx2Client(concurrency=concurrency, timeout_s=timeout_s)


class _PyreqwestClient:
    def __init__(self, *, concurrency: int, timeout_s: float) -> None:
        from pyreqwest import exceptions
        from pyreqwest.client import ClientBuilder

        self._errors: Any = exceptions
        self._timeout_s = timeout_s
        builder = ClientBuilder().user_agent(_USER_AGENT).no_proxy().http1_only()
        for convenience in ("follow_redirects", "referer", "gzip", "brotli", "zstd", "deflate"):
            builder = getattr(builder, convenience)(False)  # noqa: FBT003 - pyreqwest takes it by position only
        self._client: Any = (
            builder.timeout(timedelta(seconds=timeout_s))
            .connect_timeout(timedelta(seconds=min(timeout_s, CONNECT_TIMEOUT_S)))
            .pool_max_idle_per_host(max(concurrency, 1))
            .build()
        )

    async def send(self, call: Call, *, header: str | None = None) -> Reply:
        try:
            builder = self._client.request(call.method, call.url).headers(call.headers)
            if call.body is not None:
                builder = builder.body_bytes(call.body)
            async with builder.build_streamed() as response:
                body = await response.body_reader.read(BODY_BYTES_MAX + 1)
                if body is None:
                    body = b""
                if len(body) > BODY_BYTES_MAX:
                    raise TransportError(Fault.MALFORMED, f"the answer is larger than {BODY_BYTES_MAX:,} bytes")
                return Reply(response.status, bytes(body), response.get_header(header) if header else None)
        except (self._errors.PyreqwestError, ValueError, TypeError) as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> TransportError:
        # Everything before the first byte of an answer is a ConnectError there; only the causes tell whether there
        # ever was a connection.
        errors = self._errors
        causes = _causes(error)
        detail = ": ".join([type(error).__name__, *(causes[1:] or causes)])
        if isinstance(error, errors.NetworkError | errors.RequestTimeoutError) and "client error (Connect)" in causes:
            return TransportError(Fault.UNREACHABLE, detail)
        if isinstance(error, errors.RequestTimeoutError):
            return TransportError(Fault.TIMEOUT, f"no answer within {self._timeout_s:g} s")
        if isinstance(error, errors.BodyDecodeError | errors.NetworkError | errors.ClientClosedError):
            return TransportError(Fault.CLOSED, detail)
        if isinstance(error, errors.DecodeError):
            return TransportError(Fault.MALFORMED, f"not an HTTP answer: {detail}")
        if isinstance(error, errors.BuilderError | ValueError | TypeError):
            return TransportError(Fault.MALFORMED, f"the request cannot be sent: {detail}")
        return TransportError(Fault.CLOSED, detail)

    async def close(self) -> None:
        import asyncio

        await self._client.close()
        # Its own thread lets go of the last answers a moment later; an interpreter that ends meanwhile aborts.
        await asyncio.sleep(_LETTING_GO_S)


def _causes(error: Exception) -> list[str]:
    """What pyreqwest says went wrong, from the outside in; the first repeats the address."""
    details = getattr(error, "details", None)
    causes = (details.get("causes") if isinstance(details, dict) else None) or []
    return [str(cause.get("message", "")) for cause in causes] or [str(error)]


class _Httpx2Client:
    def __init__(self, *, concurrency: int, timeout_s: float) -> None:
        import httpx2

        self._httpx2 = httpx2
        self._timeout_s = timeout_s
        limits = httpx2.Limits(max_connections=max(concurrency, 1), max_keepalive_connections=max(concurrency, 1))
        self._client = httpx2.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            limits=limits,
            timeout=httpx2.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S)),
            headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
        )

    async def send(self, call: Call, *, header: str | None = None) -> Reply:
        import asyncio

        httpx2 = self._httpx2
        try:
            async with (
                asyncio.timeout(self._timeout_s),  # httpx2 counts each read for itself: a slow drip would never end
                self._client.stream(call.method, call.url, headers=list(call.headers), content=call.body) as response,
            ):
                body = bytearray()
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > BODY_BYTES_MAX:
                        raise TransportError(Fault.MALFORMED, f"the answer is larger than {BODY_BYTES_MAX:,} bytes")
                return Reply(response.status_code, bytes(body), response.headers.get(header) if header else None)
        except TimeoutError as error:
            raise TransportError(Fault.TIMEOUT, f"no answer within {self._timeout_s:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, RuntimeError, ValueError, TypeError) as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> TransportError:
        httpx2 = self._httpx2
        detail = f"{type(error).__name__}: {error}"
        if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
            return TransportError(Fault.UNREACHABLE, detail)
        if isinstance(error, httpx2.TimeoutException):
            return TransportError(Fault.TIMEOUT, f"no answer within {self._timeout_s:g} s")
        if isinstance(error, httpx2.RemoteProtocolError) and not _CLOSED.search(str(error)):
            return TransportError(Fault.MALFORMED, f"not an HTTP answer: {detail}")
        unsendable = httpx2.InvalidURL | httpx2.UnsupportedProtocol | httpx2.LocalProtocolError
        if isinstance(error, unsendable | ValueError | TypeError):
            return TransportError(Fault.MALFORMED, f"the request cannot be sent: {detail}")
        return TransportError(Fault.CLOSED, detail)

    async def close(self) -> None:
        await self._client.aclose()
