"""What an app can do wrong on the wire is a fault of the right kind, in time, and never a decision."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import socket
import struct
import time
from pathlib import Path
from typing import Any

import pytest

from plangate.documents.environment import Bindings, HttpCall, Probe, Target
from plangate.drivers.authzen import AuthzenDriver
from plangate.drivers.http import HttpDriver
from plangate.drivers.http_client import LIBRARIES
from plangate.drivers.probe import probe_app
from plangate.entitlements.decision import Effect
from plangate.errors import DriverError, InputError
from plangate.verdicts.observation import Fault, Observed
from tests.drivers.servers import Handler, answering, raw_server, read_request
from tests.drivers.workspaces import REQUEST, context_in

CLIENTS = tuple(name for name in LIBRARIES if importlib.util.find_spec(name) is not None)
TIMEOUT_S = 0.4
ALLOW = b'{"decision": true}'


def reply(body: bytes, *, status: str = "200 OK", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n%s\r\n%s" % (status.encode(), len(body), more, body)


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def answers_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    await asyncio.sleep(TIMEOUT_S * 2)
    writer.write(reply(ALLOW))
    await writer.drain()


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def answers_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def heads_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"".join(b"x-%d: %s\r\n" % (number, b"y" * 1000) for number in range(50)))
        await writer.drain()


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)


def reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    reset(writer)


async def resets_in_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
    await writer.drain()
    await asyncio.sleep(0.05)
    reset(writer)


FAULTS: dict[str, tuple[Handler, Fault]] = {
    "hangs": (hangs, Fault.TIMEOUT),
    "answers late": (answers_late, Fault.TIMEOUT),
    "drips": (drips, Fault.TIMEOUT),
    "ten megabytes": (answering(reply(b" " * 10_000_000)), Fault.MALFORMED),
    "without end": (answers_without_end, Fault.MALFORMED),
    "a head without end": (heads_without_end, Fault.MALFORMED),
    "a header of ten megabytes": (answering(reply(ALLOW, more=b"x: " + b"y" * 10_000_000 + b"\r\n")), Fault.MALFORMED),
    "closes": (closes, Fault.CLOSED),
    "resets": (resets, Fault.CLOSED),
    "closes in the head": (answering(b"HTTP/1.1 200 OK\r\ncontent-le"), Fault.CLOSED),
    "closes in the body": (answering(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"decision"'), Fault.CLOSED),
    "resets in the body": (resets_in_the_body, Fault.CLOSED),
    "no HTTP": (answering(b"SSH-2.0-OpenSSH_9.7\r\n\r\n"), Fault.MALFORMED),
    "yes": (answering(reply(b'{"decision": "yes"}')), Fault.MALFORMED),
    "no JSON": (answering(reply(b"<html>welcome</html>")), Fault.MALFORMED),
    "empty": (answering(reply(b"")), Fault.MALFORMED),
    "half a JSON": (answering(reply(b'{"decision": tr')), Fault.MALFORMED),
    "two decisions": (answering(reply(b'{"decision": false, "decision": true}')), Fault.MALFORMED),
    "no UTF-8": (answering(reply(b'{"decision": true, "x": "\xff"}')), Fault.MALFORMED),
    "UTF-16": (answering(reply('{"decision": true}'.encode("utf-16"))), Fault.MALFORMED),
    "NaN": (answering(reply(b'{"decision": true, "x": NaN}')), Fault.MALFORMED),
    "a deep nesting": (answering(reply(b"[" * 100_000)), Fault.MALFORMED),
    "500": (answering(reply(ALLOW, status="500 Oops")), Fault.RAISED),
    "503": (answering(reply(b"", status="503 Busy")), Fault.RAISED),
    "404": (answering(reply(ALLOW, status="404 Not Found")), Fault.UNMATCHED),
    "204": (answering(b"HTTP/1.1 204 No Content\r\n\r\n"), Fault.UNMATCHED),
}


async def observe(url: str, workspace: Path, *, client: str = "pyreqwest", times: int = 1) -> list[Observed]:
    target = Target(driver="http", url=url, timeout_s=TIMEOUT_S, options={"client": client})
    driver = HttpDriver(target, context_in(workspace))
    try:
        await driver.open()
        return [await driver.observe(REQUEST) for _ in range(times)]
    finally:
        await driver.close()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_on_the_wire_is_named(name: str, client: str, tmp_path: Path) -> None:
    handler, fault = FAULTS[name]

    async def scenario() -> None:
        async with raw_server(handler) as url:
            started = time.monotonic()
            (observed,) = await observe(url, tmp_path, client=client)
            took_s = time.monotonic() - started
        assert (observed.effect, observed.fault) == (None, fault), observed
        assert observed.detail
        assert len(observed.detail) <= 2_000
        assert took_s < TIMEOUT_S + 20, "an end, though this machine may be slow"

    asyncio.run(scenario())


@pytest.mark.parametrize("client", CLIENTS)
def test_a_redirect_is_not_followed(client: str, tmp_path: Path) -> None:
    visited: list[bytes] = []

    async def scenario() -> None:
        async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            visited.append(await read_request(reader))
            writer.write(reply(ALLOW))

        async with raw_server(elsewhere) as other:
            moved = reply(b"", status="307 Moved", more=b"location: " + other.encode() + b"/\r\n")
            async with raw_server(answering(moved)) as url:
                (observed,) = await observe(url, tmp_path, client=client)
        assert observed.fault is Fault.UNMATCHED

    asyncio.run(scenario())
    assert visited == []


@pytest.mark.parametrize("client", CLIENTS)
def test_proxies_of_the_environment_are_ignored(client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    async def scenario() -> None:
        async with raw_server(answering(reply(ALLOW))) as url:
            (observed,) = await observe(url, tmp_path, client=client)
        assert observed.effect is Effect.ALLOW

    asyncio.run(scenario())


@pytest.mark.parametrize("client", CLIENTS)
def test_an_app_that_dies_mid_run_is_unreachable_from_then_on(client: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        answered = 0

        async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal answered
            while answered < 3:
                await read_request(reader)
                answered += 1
                writer.write(reply(ALLOW))
                await writer.drain()

        async with raw_server(dies) as url:
            target = Target(driver="http", url=url, timeout_s=TIMEOUT_S, options={"client": client})
            driver = HttpDriver(target, context_in(tmp_path))
            await driver.open()
            alive = [await driver.observe(REQUEST) for _ in range(3)]
        dead = [await driver.observe(REQUEST) for _ in range(3)]
        await driver.close()
        assert [observed.effect for observed in alive] == [Effect.ALLOW] * 3
        assert {observed.fault for observed in dead} <= {Fault.UNREACHABLE, Fault.CLOSED}
        assert dead[-1].fault is Fault.UNREACHABLE

    asyncio.run(scenario())


@pytest.mark.parametrize("client", CLIENTS)
def test_a_fault_disturbs_no_later_request(client: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        asked = 0

        async def every_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            while True:
                await read_request(reader)
                asked += 1
                if asked % 2:
                    await asyncio.sleep(TIMEOUT_S * 1.5)
                    writer.write(reply(b'{"decision": true}'))
                else:
                    writer.write(reply(b'{"decision": false}'))
                await writer.drain()

        async with raw_server(every_second) as url:
            found = await observe(url, tmp_path, client=client, times=4)
        faults = [observed.fault for observed in found]
        assert faults == [Fault.TIMEOUT, None, Fault.TIMEOUT, None]
        assert [found[1].effect, found[3].effect] == [Effect.DENY, Effect.DENY], "a late allow was taken for an answer"

    asyncio.run(scenario())


BOTTOMLESS = [
    name for name in FAULTS if name in {"drips", "ten megabytes", "without end", "a head without end", "hangs"}
]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", BOTTOMLESS)
def test_an_app_without_end_holds_up_no_other_call_either(name: str, client: str, tmp_path: Path) -> None:
    """Arranging, the metadata of a decision point, and the probe are as bounded as asking."""
    handler, _ = FAULTS[name]
    options: dict[str, Any] = {"client": client}

    async def arranged(url: str) -> None:
        arrange = HttpCall(method="PUT", path="/t")
        driver = HttpDriver(
            Target(driver="http", url=url, timeout_s=TIMEOUT_S, options=options, arrange=arrange), context_in(tmp_path)
        )
        await driver.open()
        observed = await driver.observe(REQUEST)
        await driver.close()
        assert observed.fault in (Fault.ARRANGE, Fault.TIMEOUT)

    async def discovered(url: str) -> None:
        driver = AuthzenDriver(
            Target(driver="authzen", url=url, timeout_s=TIMEOUT_S, options=options), context_in(tmp_path)
        )
        with pytest.raises(DriverError):
            await driver.open()
        await driver.close()

    async def probed(url: str) -> None:
        targets = {"default": Target(driver="http", url=url, timeout_s=TIMEOUT_S, options=options)}
        with pytest.raises(DriverError):
            await probe_app(Probe(target="default", path="/about"), Bindings(targets=targets), context_in(tmp_path))

    async def scenario() -> None:
        async with raw_server(handler) as url, asyncio.timeout(60):
            for call in (arranged, discovered, probed):
                await call(url)

    asyncio.run(scenario())


def test_an_answer_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    start, end = b'{"decision": true, "pad": "', b'"}'
    body = start + b"x" * (1024 * 1024 - len(start) - len(end)) + end
    assert json.loads(body)["decision"] is True

    async def scenario(raw: bytes) -> Any:
        async with raw_server(answering(reply(raw))) as url:
            return (await observe(url, tmp_path))[0]

    assert asyncio.run(scenario(body)).effect is Effect.ALLOW
    assert asyncio.run(scenario(body + b" ")).fault is Fault.MALFORMED


def test_an_unknown_client_is_refused(tmp_path: Path) -> None:
    target = Target(driver="http", url="http://127.0.0.1:1", options={"client": "curl"})
    with pytest.raises(InputError) as caught:
        HttpDriver(target, context_in(tmp_path))
    assert caught.value.code == "unknown-client"
