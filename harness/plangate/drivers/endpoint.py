"""Where an app is reached over HTTP: its address and headers, the process behind it, and the client that talks to it.

| `url` | `launch` | what happens |
|---|---|---|
| an address | none | the app runs already |
| an address without `{port}` | given | launched; `{port}` in the command is the address's own port |
| with `{port}`, or left out | given | launched on a free port |
| `env:NAME`, set | any | the app runs already at that address, unless the variable's text holds `{port}` |
| `env:NAME`, not set | given | launched on a free port |
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from plangate.documents.environment import Launch, Target
from plangate.documents.secret_texts import is_reference
from plangate.documents.wording import shown
from plangate.drivers.headers import target_headers
from plangate.drivers.http_client import LIBRARIES, HttpClient, open_client
from plangate.drivers.launch import accepts_connections, check_launch, free_port, launch
from plangate.drivers.network import check_handshake, network_of
from plangate.drivers.processes import Process
from plangate.drivers.protocol import DriverContext
from plangate.drivers.redaction import Redactor
from plangate.drivers.references import resolve
from plangate.drivers.templates import Constants, compile_text, literal, mentions_request
from plangate.errors import DriverError, InputError

__all__ = ["Endpoint"]

_LAUNCHED_URL = "http://127.0.0.1:{port}"


class Endpoint:
    """One target's address. Raises InputError for what is wrong with it, before anything is started or connected to."""

    url: str
    """Template of the address; every request's path is appended to it."""
    headers: Mapping[str, str]
    """Templates of the headers that go with every request."""
    constants: Constants
    """Secrets and port; the port is 1 until opened, where one is yet to be chosen."""
    redactor: Redactor

    def __init__(self, target: Target, context: DriverContext) -> None:
        self._context = context
        self._timeout_s = target.timeout_s
        self.headers, self.redactor = target_headers(target, context)
        self.url, self._launch = _located(target, context)
        self._port_is_free = self._launch is not None and "{port}" in self.url
        self.constants = Constants(secrets=context.secrets, port=self._known_port())
        self._library = _library(target)
        self._check()
        self.network = network_of(target, context, url=self.fixed_url())
        """Whom to trust, and which proxy to go through."""
        self._process: Process | None = None
        self._client: HttpClient | None = None

    @property
    def alive(self) -> bool:
        """False once a launched app has ended by itself."""
        return self._process is None or self._process.alive

    def fixed_url(self) -> str:
        """The address, where it is the same for every request."""
        return compile_text(self.url, place="url", constants=self.constants, where="url")({})

    async def open(self) -> HttpClient:
        """Launch the app if need be, see that it takes connections, and connect.

        Raises DriverError: `target-unreachable`, and those of `launch`.
        """
        if self._port_is_free:
            self.constants = Constants(secrets=self._context.secrets, port=free_port())
        if self._launch is not None:
            self._process = await launch(
                self._launch,
                url=self.fixed_url(),
                constants=self.constants,
                context=self._context,
                redactor=self.redactor,
                network=self.network,
            )
        elif not mentions_request(self.url):
            await self._check_reachable()
        self._client = self._connected()
        return self._client

    def _connected(self) -> HttpClient:
        try:
            return open_client(
                concurrency=self._context.concurrency,
                timeout_s=self._timeout_s,
                library=self._library,
                network=self.network,
            )
        except ImportError as error:
            if error.name == "h2":
                raise DriverError(
                    f"the HTTP client {self._library or 'httpx2'!r} speaks HTTP/2 only with the package h2",
                    code="http2-not-installed",
                    where="http",
                    hint="install plangate[http2], or the client pyreqwest",
                ) from error
            raise DriverError(
                f"the HTTP client {self._library!r} is not installed",
                code="unknown-client",
                where="options.client",
                hint="install it, or leave client out",
            ) from error

    async def close(self) -> None:
        """Close connections, stop what was launched. Safe to call twice, and after a failed open."""
        if self._client is not None:
            await self._client.close()
        if self._process is not None:
            await self._process.stop()

    def _known_port(self) -> int | None:
        if self._launch is None:
            return None
        try:
            return 1 if self._port_is_free else urlsplit(self.url).port
        except ValueError:
            return None  # no port at all: `_check` says so

    def _check(self) -> None:
        """The address is an address, and whatever is launched can be written."""
        sample = compile_text(self.url, place="url", constants=self.constants, where="url")({})
        try:
            parts = urlsplit(sample)
            usable = parts.scheme in ("http", "https") and bool(parts.netloc) and (parts.port or 1) > 0
        except ValueError:
            usable = False
        if not usable and not mentions_request(self.url):
            raise InputError(
                f"{self.redactor(shown(sample))} is no address",
                code="bad-url",
                where="url",
                hint="write http://host:port, or env:NAME with such a value",
            )
        if self._launch is not None:
            check_launch(self._launch, constants=self.constants, context=self._context)

    async def _check_reachable(self) -> None:
        address, timeout_s = urlsplit(self.fixed_url()), min(self._timeout_s, 5.0)
        first = address if self.network.proxy is None else urlsplit(self.network.proxy)
        if not await accepts_connections(first, timeout_s=timeout_s):
            at = f"{first.hostname}:{first.port or first.scheme}"
            if first is not address:
                raise DriverError(
                    f"nothing takes connections at the proxy {at}",
                    code="target-unreachable",
                    hint="correct HTTP_PROXY and HTTPS_PROXY, name the address in NO_PROXY, or leave proxy out",
                )
            raise DriverError(
                f"nothing takes connections at {at}",
                code="target-unreachable",
                hint="start the app, correct url, or let plangate start it with launch",
            )
        await check_handshake(address, self.network, timeout_s=timeout_s)


def _library(target: Target) -> str | None:
    """The HTTP client that `options: {client: NAME}` asks for; None for the one plangate prefers."""
    name = target.options.get("client")
    if name is None or (isinstance(name, str) and name in LIBRARIES):
        return name
    raise InputError(
        f"no HTTP client is called {shown(name)}",
        code="unknown-client",
        where="options.client",
        hint=f"known: {', '.join(LIBRARIES)}",
    )


def _located(target: Target, context: DriverContext) -> tuple[str, Launch | None]:
    """Template of the address, and what is to be launched behind it."""
    url = target.url
    if url is None:
        if target.launch is None:
            raise InputError(
                f"the driver {target.driver!r} needs a url", code="incomplete-target", hint="or a launch with {port}"
            )
        return _LAUNCHED_URL, target.launch
    if not is_reference(url):
        return url, target.launch
    unset = url.startswith("env:") and not context.environ.get(url.removeprefix("env:"))
    if unset and target.launch is not None:
        return _LAUNCHED_URL, target.launch
    value = resolve(url, environ=context.environ, workspace=context.workspace, where="url")
    if target.launch is not None and "{port}" in value:
        return value, target.launch
    return literal(value), None
