"""The one place that knows an HTTP client: pyreqwest, or httpx2 where pyreqwest cannot be imported.

All behave alike: HTTP/1.1, also over TLS, or HTTP/2 where the network says so; no redirects, no cookies, no
decompression; a proxy only where the network names one. An answer is read up to a limit and no further. httpx, whose
continuation httpx2 is, stands behind the same seam. Why these: decision 5.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple, Protocol

from plangate.drivers.network import DIRECT, Network, certificate_problem
from plangate.verdicts.observation import Fault

__all__ = [
    "BODY_BYTES_MAX",
    "LIBRARIES",
    "Call",
    "HttpClient",
    "Reply",
    "TransportError",
    "make_reply",
    "open_client",
    "too_large",
    "unfinished",
]

LIBRARIES: Final = ("pyreqwest", "httpx2", "httpx")
BODY_BYTES_MAX: Final = 1024 * 1024
"""Bytes of an answer at the most; a longer one is malformed."""
CONNECT_TIMEOUT_S: Final = 5.0
_LETTING_GO_S: Final = 0.01
_HEADERS: Final = {"User-Agent": "plangate", "Accept-Encoding": "identity"}
_CLOSED: Final = re.compile("disconnected|closed connection|^<StreamReset |^<ConnectionTerminated ")
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
    location: str | None = None
    """Where a redirect leads."""
    form: str = ""
    """Why the body is no plain JSON text, by its headers; looked at only where it does not begin like an object."""


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


def open_client(
    *, concurrency: int, timeout_s: float, library: str | None = None, network: Network = DIRECT
) -> HttpClient:
    """A client with as many pooled connections as requests may be in flight.

    `library`: one of `LIBRARIES`, or None for pyreqwest, or httpx2 where that cannot be imported. Raises ImportError
    for one that is not installed; its `name` is `h2` where only that is missing.
    """
    if library in (None, "pyreqwest"):
        try:
            return _PyreqwestClient(concurrency=concurrency, timeout_s=timeout_s, network=network)
        except ImportError:
            if library is not None:
                raise
    return _HttpxClient(library or "httpx2", concurrency=concurrency, timeout_s=timeout_s, network=network)


_MEDIA: Final = {
    "text/event-stream": "the answer is an event stream (SSE): `decide` reads whole JSON answers",
}


def _form(encoding: str | None, media: str | None) -> str:
    """Why a body is no plain JSON text, by its Content-Encoding and Content-Type."""
    named = (encoding or "").strip().lower()
    if named and named != "identity":
        return f"the answer is {named[:40]} (Content-Encoding), though `Accept-Encoding: identity` was sent"
    return _MEDIA.get((media or "").partition(";")[0].strip().lower(), "")


def make_reply(status: int, body: bytes, asked: str | None, headers: Callable[[str], str | None]) -> Reply:
    """The reply, with as few looks at its headers as will do: this runs once an observation."""
    location = headers("location") if 300 <= status < 400 else None
    form = "" if body[:1] == b"{" else _form(headers("content-encoding"), headers("content-type"))
    return Reply(status, body, headers(asked) if asked else None, location, form)


def unfinished(what: str, headers: Callable[[str], str | None] | None) -> str:
    """`what`, and why an answer that had begun never became a whole one, where its headers say it."""
    form = "" if headers is None else _form(headers("content-encoding"), headers("content-type"))
    return f"{what}; {form}" if form else what


class _PyreqwestClient:
    def __init__(self, *, concurrency: int, timeout_s: float, network: Network) -> None:
        from pyreqwest import exceptions
        from pyreqwest.client import ClientBuilder

        self._errors: Any = exceptions
        self._timeout_s = timeout_s
        self._heads_first = False
        self._http2 = network.http2
        builder = ClientBuilder().no_proxy()
        builder = builder.http2_prior_knowledge() if network.http2 else builder.http1_only()
        for convenience in ("follow_redirects", "referer", "gzip", "brotli", "zstd", "deflate"):
            builder = getattr(builder, convenience)(False)  # noqa: FBT003 - pyreqwest takes it by position only
        if network.proxy is not None:
            from pyreqwest.proxy import ProxyBuilder

            builder = builder.proxy(ProxyBuilder.all(network.proxy))
        for certificate in network.ca:
            builder = builder.add_root_certificate_pem(certificate)
        self._client: Any = (
            builder.default_headers(_HEADERS)
            .timeout(timedelta(seconds=timeout_s))
            .connect_timeout(timedelta(seconds=min(timeout_s, CONNECT_TIMEOUT_S)))
            .pool_max_idle_per_host(max(concurrency, 1))
            .build()
        )

    async def send(self, call: Call, *, header: str | None = None) -> Reply:
        headers = None
        try:
            builder = self._client.request(call.method, call.url).headers(call.headers)
            if call.body is not None:
                builder = builder.body_bytes(call.body)
            if self._heads_first:
                builder = builder.streamed_read_buffer_limit(0)
            async with builder.build_streamed() as response:
                headers = response.get_header
                body = await response.body_reader.read(BODY_BYTES_MAX + 1)
                if body is None:
                    body = b""
                if len(body) > BODY_BYTES_MAX:
                    raise too_large(headers)
                return make_reply(response.status, bytes(body), header, headers)
        except (self._errors.PyreqwestError, ValueError, TypeError) as error:
            raise self._fault(error, headers) from error

    def _fault(self, error: Exception, headers: Callable[[str], str | None] | None) -> TransportError:
        # Everything before the first byte of an answer is a ConnectError there; only the causes tell whether there
        # ever was a connection.
        errors = self._errors
        causes = _causes(error)
        detail = ": ".join([type(error).__name__, *(causes[1:] or causes)])
        if isinstance(error, errors.NetworkError | errors.RequestTimeoutError) and "client error (Connect)" in causes:
            return TransportError(Fault.UNREACHABLE, _certificate_first(detail))
        if isinstance(error, errors.RequestTimeoutError):
            # It shows no head before the body begins; from now on it does, so that the next may say why it is late.
            self._heads_first = True
            return TransportError(Fault.TIMEOUT, unfinished(f"no answer within {self._timeout_s:g} s", headers))
        if isinstance(error, errors.BodyDecodeError | errors.NetworkError | errors.ClientClosedError):
            return TransportError(Fault.CLOSED, _spoken(detail, http2=self._http2))
        if isinstance(error, errors.DecodeError):
            return TransportError(Fault.MALFORMED, _no_answer(detail, http2=self._http2))
        if isinstance(error, errors.BuilderError | ValueError | TypeError):
            return TransportError(Fault.MALFORMED, f"the request cannot be sent: {detail}")
        return TransportError(Fault.CLOSED, _spoken(detail, http2=self._http2))

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


def too_large(headers: Callable[[str], str | None]) -> TransportError:
    """The fault of an answer beyond `BODY_BYTES_MAX`."""
    return TransportError(Fault.MALFORMED, unfinished(f"the answer is larger than {BODY_BYTES_MAX:,} bytes", headers))


def _no_answer(detail: str, *, http2: bool) -> str:
    """What a library says of bytes it cannot read, with the version of HTTP they were read as."""
    other = "" if http2 else ' (http: "2" beside url asks for HTTP/2)'
    return f"not an HTTP/{2 if http2 else 1.1} answer{other}: {detail}"


def _spoken(detail: str, *, http2: bool) -> str:
    """Why a connection ended; an app that speaks only HTTP/1.1 ends one in HTTP/2."""
    return f"asked in HTTP/2: {detail}" if http2 else detail


def _certificate_first(detail: str) -> str:
    """What a library says of a failed connection, a bad certificate named in the same words for each library."""
    problem = certificate_problem(detail)
    return f"{problem}: {detail}" if problem else detail


class _HttpxClient:
    """httpx2, or httpx: one API by one author."""

    def __init__(self, library: str, *, concurrency: int, timeout_s: float, network: Network) -> None:
        httpx2: Any = importlib.import_module(library)
        if network.http2:
            importlib.import_module("h2")  # the client needs it, and says less well that it is missing
        self._httpx2 = httpx2
        self._timeout_s = timeout_s
        self._http2 = network.http2
        limits = httpx2.Limits(max_connections=max(concurrency, 1), max_keepalive_connections=max(concurrency, 1))
        self._client = httpx2.AsyncClient(
            trust_env=False,
            verify=network.ssl_context(),
            proxy=network.proxy,
            http1=not network.http2,
            http2=network.http2,
            follow_redirects=False,
            limits=limits,
            timeout=httpx2.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S)),
            headers=_HEADERS,
        )

    async def send(self, call: Call, *, header: str | None = None) -> Reply:
        import asyncio

        httpx2 = self._httpx2
        headers = None
        try:
            async with (
                asyncio.timeout(self._timeout_s),  # httpx2 counts each read for itself: a slow drip would never end
                self._client.stream(call.method, call.url, headers=list(call.headers), content=call.body) as response,
            ):
                headers = response.headers.get
                body = bytearray()
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > BODY_BYTES_MAX:
                        raise too_large(headers)
                return make_reply(response.status_code, bytes(body), header, headers)
        except TimeoutError as error:
            late = unfinished(f"no answer within {self._timeout_s:g} s", headers)
            raise TransportError(Fault.TIMEOUT, late) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, RuntimeError, ValueError, TypeError) as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> TransportError:
        httpx2 = self._httpx2
        detail = f"{type(error).__name__}: {error}"
        if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError):
            return TransportError(Fault.UNREACHABLE, _certificate_first(detail))
        if isinstance(error, httpx2.TimeoutException):
            return TransportError(Fault.TIMEOUT, f"no answer within {self._timeout_s:g} s")
        if isinstance(error, httpx2.RemoteProtocolError) and not _CLOSED.search(str(error)):
            return TransportError(Fault.MALFORMED, _no_answer(detail, http2=self._http2))
        unsendable = httpx2.InvalidURL | httpx2.UnsupportedProtocol | httpx2.LocalProtocolError
        if isinstance(error, unsendable | ValueError | TypeError):
            return TransportError(Fault.MALFORMED, f"the request cannot be sent: {detail}")
        return TransportError(Fault.CLOSED, _spoken(detail, http2=self._http2))

    async def close(self) -> None:
        await self._client.aclose()
