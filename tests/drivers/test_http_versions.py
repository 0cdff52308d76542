"""HTTP/1.1 or HTTP/2, as the target says: the same with each client, and the other one named."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config

from plangate.documents.environment import Target
from plangate.drivers.http import HttpDriver
from plangate.drivers.registry import make_driver
from plangate.entitlements.decision import Effect
from plangate.errors import DriverError, InputError
from plangate.verdicts.observation import Fault, Observed
from tests.drivers.certificates import Authority
from tests.drivers.servers import Handler, answering, closed_port, raw_server
from tests.drivers.test_network import ALLOW, CLIENTS, EACH, Proxy, asked
from tests.drivers.workspaces import REQUEST, context_in

VERSIONS = pytest.mark.parametrize("version", ["1.1", "2"])
ANSWER = b'{"decision": true}'
Reaction = Callable[[h2.connection.H2Connection, int], bool]
"""What is done once a request is whole; False = the connection is closed then."""


def answers(connection: h2.connection.H2Connection, stream: int) -> bool:
    connection.send_headers(stream, [(":status", "200"), ("content-length", str(len(ANSWER)))])
    connection.send_data(stream, ANSWER, end_stream=True)
    return True


def only_http2(reaction: Reaction = answers) -> Handler:
    """A server that knows no other HTTP: whatever a connection begins with, it sends and expects frames."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        goes_on = True
        while goes_on:
            writer.write(connection.data_to_send())
            await writer.drain()
            data = await reader.read(65536)
            if not data.startswith(b"PRI") and connection.highest_inbound_stream_id == 0 and b"HTTP/1.1" in data:
                return
            for event in connection.receive_data(data) if data else ():
                if isinstance(event, h2.events.StreamEnded):
                    goes_on = reaction(connection, event.stream_id)
            goes_on = goes_on and bool(data)
        writer.write(connection.data_to_send())

    return handler


@contextlib.asynccontextmanager
async def both_versions(folder: Path, seen: list[str]) -> AsyncIterator[str]:
    """A real server that offers both over TLS; notes in which one it was asked."""
    Authority(folder).server()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.append(scope["http_version"])
            while (await receive()).get("more_body"):
                pass
            headers = [(b"content-length", str(len(ANSWER)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": ANSWER})

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.certfile = config.keyfile = str(folder / "server.pem")
    config.errorlog = None
    ended = asyncio.Event()
    server = asyncio.create_task(serve(app, config, shutdown_trigger=ended.wait))  # type: ignore[arg-type]
    try:
        yield f"https://127.0.0.1:{port}"
    finally:
        ended.set()
        await server


@EACH
@VERSIONS
def test_an_app_that_offers_both_is_asked_in_the_one_that_the_target_says(
    client: str, version: str, tmp_path: Path
) -> None:
    seen: list[str] = []

    async def scenario() -> Observed:
        async with both_versions(tmp_path, seen) as url:
            return await asked(url, tmp_path, client, ca="ca.pem", http=version)

    assert asyncio.run(scenario()).effect is Effect.ALLOW
    assert seen == [version]


@EACH
@pytest.mark.parametrize("tls", [False, True])
def test_an_app_that_speaks_only_http_2_is_judged(client: str, tls: bool, tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    async def scenario() -> Observed:
        async with raw_server(only_http2(), tls=authority.server() if tls else None) as url:
            return await asked(url, tmp_path, client, ca="ca.pem", http="2")

    assert asyncio.run(scenario()).effect is Effect.ALLOW


@EACH
def test_many_are_asked_at_once_in_http_2(client: str, tmp_path: Path) -> None:
    async def scenario() -> list[Observed]:
        async with raw_server(only_http2()) as url:
            target = Target(driver="http", url=url, timeout_s=5.0, options={"client": client}, http="2")
            driver = make_driver(target, context_in(tmp_path))
            try:
                await driver.open()
                return list(await asyncio.gather(*(driver.observe(REQUEST) for _ in range(20))))
            finally:
                await driver.close()

    assert [one.effect for one in asyncio.run(scenario())] == [Effect.ALLOW] * 20


@EACH
@pytest.mark.parametrize("tls", [False, True])
def test_an_answer_in_http_2_to_a_request_in_1_1_names_both(client: str, tls: bool, tmp_path: Path) -> None:
    """TLS of Python agrees on no protocol where an app knows none of those offered: only its answer shows it."""
    context = Authority(tmp_path).server()
    context.set_alpn_protocols(["h2"])

    async def scenario() -> Observed:
        async with raw_server(only_http2(), tls=context if tls else None) as url:
            return await asked(url, tmp_path, client, ca="ca.pem")

    observed = asyncio.run(scenario())
    assert observed.fault is Fault.MALFORMED
    assert observed.detail.startswith('not an HTTP/1.1 answer (http: "2" beside url asks for HTTP/2)')


@EACH
def test_an_app_that_does_not_offer_http_2_is_named_before_anything_is_asked(client: str, tmp_path: Path) -> None:
    context = Authority(tmp_path).server()
    context.set_alpn_protocols(["http/1.1"])

    async def scenario() -> None:
        async with raw_server(answering(ALLOW), tls=context) as url:
            await asked(url, tmp_path, client, ca="ca.pem", http="2")

    with pytest.raises(DriverError) as caught:
        asyncio.run(scenario())
    assert caught.value.code == "other-http-version"
    assert "HTTP/2" in caught.value.message
    assert 'http: "1.1"' in caught.value.hint


@EACH
def test_an_answer_in_1_1_to_a_request_in_http_2_is_a_fault_that_names_it(client: str, tmp_path: Path) -> None:
    async def scenario() -> Observed:
        async with raw_server(answering(ALLOW)) as url:
            return await asked(url, tmp_path, client, http="2")

    observed = asyncio.run(scenario())
    assert observed.effect is None
    assert "HTTP/2" in observed.detail


def _leaves(connection: h2.connection.H2Connection, stream: int) -> bool:
    return False


def _says_goodbye(connection: h2.connection.H2Connection, stream: int) -> bool:
    connection.close_connection(1)
    return False


def _resets(connection: h2.connection.H2Connection, stream: int) -> bool:
    connection.reset_stream(stream, 2)
    return True


def _breaks_off(connection: h2.connection.H2Connection, stream: int) -> bool:
    connection.send_headers(stream, [(":status", "200")])
    connection.send_data(stream, ANSWER[:5])
    return False


@EACH
@pytest.mark.parametrize("reaction", [_leaves, _says_goodbye, _resets, _breaks_off])
def test_an_answer_in_http_2_that_never_came_whole_is_closed(client: str, reaction: Reaction, tmp_path: Path) -> None:
    async def scenario() -> Observed:
        async with raw_server(only_http2(reaction)) as url:
            return await asked(url, tmp_path, client, http="2")

    assert asyncio.run(scenario()).fault is Fault.CLOSED


@EACH
def test_http_2_goes_through_the_tunnel_of_a_proxy(client: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    async def scenario() -> Observed:
        async with raw_server(only_http2(), tls=authority.server()) as url:
            proxy = Proxy(url)
            async with raw_server(proxy) as proxy_url:
                environ = {"HTTPS_PROXY": proxy_url}
                observed = await asked(url, tmp_path, client, environ=environ, ca="ca.pem", proxy="env", http="2")
        assert [line.split()[0] for line in proxy.asked] == ["CONNECT"]
        return observed

    assert asyncio.run(scenario()).effect is Effect.ALLOW


def test_http_2_without_tls_through_a_proxy_is_wrong_input(tmp_path: Path) -> None:
    environ = {"HTTP_PROXY": f"http://127.0.0.1:{closed_port()}"}
    with pytest.raises(InputError) as caught:
        HttpDriver(Target(driver="http", url="http://x", proxy="env", http="2"), context_in(tmp_path, environ=environ))
    assert (caught.value.code, caught.value.where) == ("bad-proxy", "http")


@pytest.mark.parametrize("client", [name for name in CLIENTS if name != "pyreqwest"])
def test_a_client_that_lacks_h2_is_named(client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import_module = importlib.import_module

    def without_h2(name: str) -> Any:
        if name == "h2":
            raise ModuleNotFoundError("No module named 'h2'", name="h2")
        return import_module(name)

    monkeypatch.setattr(importlib, "import_module", without_h2)

    async def scenario() -> None:
        async with raw_server(only_http2()) as url:
            await asked(url, tmp_path, client, http="2")

    with pytest.raises(DriverError) as caught:
        asyncio.run(scenario())
    assert caught.value.code == "http2-not-installed"
    assert "plangate[http2]" in caught.value.hint
