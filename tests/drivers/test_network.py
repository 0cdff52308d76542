"""Certificates, proxies, redirects and encodings: one behaviour, whichever HTTP client carries the requests."""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from plangate.documents.environment import DecideRule, HttpCall, Target
from plangate.drivers.http import HttpDriver
from plangate.drivers.http_client import LIBRARIES, Call, TransportError, open_client
from plangate.drivers.network import DIRECT, Network, certificate_problem, network_of
from plangate.drivers.registry import make_driver
from plangate.entitlements.decision import Effect
from plangate.errors import DriverError, InputError
from plangate.verdicts.observation import Fault, Observed
from tests.drivers.certificates import Authority
from tests.drivers.servers import answering, closed_port, raw_server, read_request
from tests.drivers.workspaces import REQUEST, context_in

CLIENTS = [name for name in LIBRARIES if importlib.util.find_spec(name) is not None]
ALLOW = b'HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\n{"decision": true}'
EACH = pytest.mark.parametrize("client", CLIENTS)


def test_both_clients_that_plangate_depends_on_are_tried() -> None:
    assert {"pyreqwest", "httpx2"} <= set(CLIENTS)


async def asked(
    url: str, workspace: Path, client: str, *, environ: dict[str, str] | None = None, **fields: Any
) -> Observed:
    target = Target(**{"driver": "http", "url": url, "timeout_s": 5.0, "options": {"client": client}, **fields})
    driver = make_driver(target, context_in(workspace, environ=environ or {}))
    try:
        await driver.open()
        return await driver.observe(REQUEST)
    finally:
        await driver.close()


def refused(scenario: Callable[[], Awaitable[object]]) -> DriverError:
    with pytest.raises(DriverError) as caught:
        asyncio.run(scenario())  # type: ignore[arg-type]
    return caught.value


# --- certificates ----------------------------------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize("how", ["ca", "SSL_CERT_FILE", "both"])
def test_a_private_authority_can_be_named(
    client: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    environ = {}
    if how != "ca":  # pyreqwest reads the variable itself
        other = authority if how == "SSL_CERT_FILE" else Authority(tmp_path, name="other.pem")
        environ["SSL_CERT_FILE"] = str(other.path)
        monkeypatch.setenv("SSL_CERT_FILE", str(other.path))
    fields = {} if how == "SSL_CERT_FILE" else {"ca": "ca.pem"}

    async def scenario() -> Observed:
        async with raw_server(answering(ALLOW), tls=authority.server()) as url:
            return await asked(url, tmp_path, client, environ=environ, **fields)

    assert asyncio.run(scenario()).effect is Effect.ALLOW


@EACH
def test_a_bundle_of_authorities_may_be_named(client: str, tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, name="other.pem")
    (tmp_path / "all.pem").write_bytes(b"# ours\n" + other.path.read_bytes() + authority.path.read_bytes())

    async def scenario() -> Observed:
        async with raw_server(answering(ALLOW), tls=authority.server()) as url:
            return await asked(url, tmp_path, client, ca="all.pem")

    assert asyncio.run(scenario()).effect is Effect.ALLOW


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown authority": ({"trusted": False}, "certificate not trusted", "ca: PATH"),
    "expired": ({"before": -0.5}, "expired", "renew"),
    "not yet": ({"after": 1}, "not valid yet", "clock"),
    "another name": ({"name": "app.example.test"}, "another name", "name that the certificate is for"),
}


@EACH
@pytest.mark.parametrize("kind", WRONG)
def test_a_certificate_that_will_not_do_is_named_before_anything_is_asked(
    client: str, kind: str, tmp_path: Path
) -> None:
    made, words, hint = WRONG[kind]
    made = dict(made)
    ca = "ca.pem" if made.pop("trusted", True) else None
    authority = Authority(tmp_path)

    async def scenario() -> None:
        async with raw_server(answering(ALLOW), tls=authority.server(**made)) as url:
            await asked(url, tmp_path, client, ca=ca)

    error = refused(scenario)
    assert error.code == "certificate-not-trusted"
    assert words in error.message
    assert hint in error.hint


@EACH
@pytest.mark.parametrize("kind", WRONG)
def test_a_client_names_a_bad_certificate_in_the_same_words(client: str, kind: str, tmp_path: Path) -> None:
    """Where the address changes with the request, nothing is tried beforehand."""
    made, words, _ = WRONG[kind]
    made = dict(made)
    authority = Authority(tmp_path)
    network = Network(ca=(authority.path.read_bytes(),)) if made.pop("trusted", True) else DIRECT

    async def scenario() -> TransportError:
        opened = open_client(concurrency=1, timeout_s=5, library=client, network=network)
        async with raw_server(answering(ALLOW), tls=authority.server(**made)) as url:
            try:
                with pytest.raises(TransportError) as caught:
                    await opened.send(Call("GET", url, (), None))
            finally:
                await opened.close()
        return caught.value

    error = asyncio.run(scenario())
    assert error.fault is Fault.UNREACHABLE
    assert words in error.detail.partition(":")[0]


def test_words_about_something_else_are_no_certificate_problem() -> None:
    assert certificate_problem("connection refused") == ""
    assert certificate_problem("the certificate office is closed") == ""


@EACH
def test_an_app_without_tls_behind_https_is_named(client: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async def answers_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()

        async with raw_server(answers_at_once) as url:
            await asked(url.replace("http:", "https:"), tmp_path, client)

    assert refused(scenario).code == "no-tls"


@pytest.mark.parametrize(
    ("ca", "code"),
    [
        ("gone.pem", "unreadable-file"),
        ("../ca.pem", "path-escapes"),
        ("empty.pem", "bad-certificate"),
        ("junk.pem", "bad-certificate"),
    ],
)
def test_a_file_that_names_no_authority_is_wrong_input(tmp_path: Path, ca: str, code: str) -> None:
    (tmp_path / "empty.pem").write_text("nothing here\n")
    (tmp_path / "junk.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(InputError) as caught:
        HttpDriver(Target(driver="http", url="https://x", ca=ca), context_in(tmp_path))
    assert caught.value.code == code


def test_a_variable_that_names_no_file_is_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        HttpDriver(Target(driver="http", url="https://x"), context_in(tmp_path, environ={"SSL_CERT_FILE": "/gone"}))
    assert caught.value.code == "unreadable-file"
    HttpDriver(Target(driver="http", url="http://x"), context_in(tmp_path, environ={"SSL_CERT_FILE": "/gone"}))


# --- what is sent ----------------------------------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize("tls", [False, True])
def test_requests_are_http_1_1_and_ask_for_plain_text(client: str, tls: bool, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    heads: list[bytes] = []
    spoken: list[str | None] = []

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await read_request(reader))
        if tls:
            spoken.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        writer.write(ALLOW)
        await writer.drain()

    async def scenario() -> Observed:
        async with raw_server(noting, tls=authority.server() if tls else None) as url:
            return await asked(url, tmp_path, client, ca="ca.pem" if tls else None)

    assert asyncio.run(scenario()).effect is Effect.ALLOW
    (head,) = heads
    first, *headers = head.partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
    assert first.endswith(b"http/1.1")
    assert b"accept-encoding: identity" in headers
    assert b"user-agent: plangate" in headers
    assert set(spoken) <= {"http/1.1", None}


# --- proxies ---------------------------------------------------------------------------------------------------------


class Proxy:
    """A small HTTP proxy: forwards to one address whatever host was asked for, and notes what was asked."""

    def __init__(self, upstream: str) -> None:
        self.asked: list[str] = []
        _, _, place = upstream.partition("://")
        self._host, _, port = place.partition(":")
        self._port = int(port)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.partition(b"\r\n")[0].decode())
        upstream_reader, upstream = await asyncio.open_connection(self._host, self._port)
        if head.startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            upstream.write(head)
        try:
            await asyncio.gather(_pipe(reader, upstream), _pipe(upstream_reader, writer))
        finally:
            upstream.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


@EACH
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used_where_the_target_says_so(
    client: str, variable: str, tmp_path: Path
) -> None:
    async def scenario() -> tuple[Observed, list[str]]:
        async with raw_server(answering(ALLOW)) as url:
            proxy = Proxy(url)
            async with raw_server(proxy) as address:
                environ = {variable: address}
                found = await asked("http://app.invalid", tmp_path, client, environ=environ, proxy="env")
        return found, proxy.asked

    found, seen = asyncio.run(scenario())
    assert found.effect is Effect.ALLOW
    assert [line.split()[1] for line in seen] == ["http://app.invalid/"]


@EACH
def test_tls_goes_through_a_tunnel_of_the_proxy(client: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    async def scenario() -> tuple[Observed, list[str]]:
        async with raw_server(answering(ALLOW), tls=authority.server(name="app.invalid")) as url:
            proxy = Proxy(url)
            async with raw_server(proxy) as address:
                environ = {"HTTPS_PROXY": address, "HTTP_PROXY": "http://127.0.0.1:1"}
                found = await asked("https://app.invalid", tmp_path, client, environ=environ, proxy="env", ca="ca.pem")
        return found, proxy.asked

    found, seen = asyncio.run(scenario())
    assert found.effect is Effect.ALLOW
    assert [line.split()[:2] for line in seen] == [["CONNECT", "app.invalid:443"]]


@EACH
@pytest.mark.parametrize(
    ("proxy", "more"),
    [(None, {}), ("env", {"NO_PROXY": "127.0.0.1"}), ("env", {"no_proxy": "*"})],
    ids=["off", "excepted", "all excepted"],
)
def test_without_it_or_for_an_exception_no_proxy_is_asked(
    client: str, proxy: str | None, more: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = f"http://127.0.0.1:{closed_port()}"
    environ = {"HTTP_PROXY": nowhere, "ALL_PROXY": nowhere, "http_proxy": nowhere, **more}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    async def scenario() -> Observed:
        async with raw_server(answering(ALLOW)) as url:
            return await asked(url, tmp_path, client, environ=environ, proxy=proxy)

    assert asyncio.run(scenario()).effect is Effect.ALLOW


@EACH
def test_a_proxy_that_is_down_is_named(client: str, tmp_path: Path) -> None:
    port = closed_port()

    async def scenario() -> None:
        environ = {"HTTP_PROXY": f"127.0.0.1:{port}"}
        await asked("http://app.invalid", tmp_path, client, environ=environ, proxy="env")

    error = refused(scenario)
    assert f"the proxy 127.0.0.1:{port}" in error.message
    assert "NO_PROXY" in error.hint


def test_the_variable_in_lower_case_and_of_the_scheme_counts_first(tmp_path: Path) -> None:
    environ = {
        "https_proxy": "http://a:1",
        "HTTPS_PROXY": "http://b:1",
        "ALL_PROXY": "http://c:1",
        "HTTP_PROXY": "http://d:1",
    }
    context = context_in(tmp_path, environ=environ)
    target = Target(driver="http", proxy="env")
    assert network_of(target, context, url="https://app").proxy == "http://a:1"
    assert network_of(target, context, url="http://app").proxy == "http://d:1"
    assert network_of(Target(driver="http"), context, url="https://app").proxy is None
    excepted = context_in(tmp_path, environ={**environ, "NO_PROXY": "other, .example.test"})
    assert network_of(target, excepted, url="https://app.example.test:8443/x").proxy is None
    assert network_of(target, excepted, url="https://app").proxy == "http://a:1"


def test_a_proxy_of_another_kind_is_wrong_input(tmp_path: Path) -> None:
    environ = {"HTTP_PROXY": "socks5://127.0.0.1:1"}
    with pytest.raises(InputError) as caught:
        HttpDriver(Target(driver="http", url="http://x", proxy="env"), context_in(tmp_path, environ=environ))
    assert caught.value.code == "bad-proxy"


# --- answers that nobody can read ------------------------------------------------------------------------------------


def raw(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


JSON = b'{"decision": true}'
UNREADABLE = {
    "gzip": (raw(gzip.compress(JSON), "content-encoding: gzip"), "gzip"),
    "deflate": (raw(b"x\x9c" + JSON, "content-encoding: deflate"), "deflate"),
    "br": (raw(b"\x0b\x08\x80" + JSON, "Content-Encoding: br"), "br"),
    "zstd": (raw(b"\x28\xb5\x2f\xfd" + JSON, "content-encoding: zstd"), "zstd"),
    "sse": (raw(b"data: {}\n\n", "content-type: text/event-stream; charset=utf-8"), "event stream (SSE)"),
}


@EACH
@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("driver", ["http", "authzen"])
def test_an_answer_in_another_form_is_told_by_name(client: str, driver: str, name: str, tmp_path: Path) -> None:
    sent, words = UNREADABLE[name]
    options = {"client": client, **({"metadata": "ignore"} if driver == "authzen" else {})}

    async def scenario() -> Observed:
        async with raw_server(answering(sent)) as url:
            return await asked(url, tmp_path, client, driver=driver, options=options)

    found = asyncio.run(scenario())
    assert found.fault is Fault.MALFORMED
    assert f"the answer is {'an ' if 'SSE' in words else ''}{words}" in (found.detail or "")


@EACH
def test_an_event_stream_without_end_is_told_by_name(client: str, tmp_path: Path) -> None:
    async def streams(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        while True:
            writer.write(b": still here\n\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def scenario() -> Observed:
        async with raw_server(streams) as url:
            driver = HttpDriver(
                Target(driver="http", url=url, timeout_s=0.5, options={"client": client}), context_in(tmp_path)
            )
            await driver.open()
            first, second = [await driver.observe(REQUEST) for _ in range(2)]
            await driver.close()
            assert first.fault is Fault.TIMEOUT
            return second

    found = asyncio.run(scenario())
    assert found.fault is Fault.TIMEOUT
    assert "event stream (SSE)" in (found.detail or "")


MOVED = raw(b"", "Location: /decide/", status="307 Temporary Redirect")


@EACH
def test_a_redirect_that_no_rule_reads_tells_where_it_leads(client: str, tmp_path: Path) -> None:
    rule = (DecideRule(statuses=(200,), effect="allow"),)

    async def scenario(**fields: Any) -> Observed:
        async with raw_server(answering(MOVED)) as url:
            return await asked(url, tmp_path, client, **fields)

    for fields in ({}, {"decide": rule}):
        found = asyncio.run(scenario(**fields))
        assert found.fault is Fault.UNMATCHED
        assert "redirects to '/decide/'" in (found.detail or "")[:100]
    arranged = asyncio.run(scenario(arrange=HttpCall(method="PUT", path="/t")))
    assert arranged.fault is Fault.ARRANGE
    assert "redirects to '/decide/'" in (arranged.detail or "")[:100]
    single = asyncio.run(scenario(driver="authzen", options={"client": client, "metadata": "ignore"}))
    assert single.fault is Fault.UNMATCHED
    assert "redirects to '/decide/'" in (single.detail or "")[:100]


@EACH
def test_a_redirect_that_a_rule_reads_is_a_decision(client: str, tmp_path: Path) -> None:
    async def scenario() -> Observed:
        async with raw_server(answering(MOVED)) as url:
            rule = DecideRule(statuses=(307,), effect="deny", reason="not_in_plan")
            return await asked(url, tmp_path, client, decide=(rule,))

    assert asyncio.run(scenario()) == Observed(effect=Effect.DENY, reason="not_in_plan")


@EACH
def test_a_metadata_document_that_redirects_is_named(client: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with raw_server(answering(MOVED)) as url:
            await asked(url, tmp_path, client, driver="authzen", options={"client": client})

    error = refused(scenario)
    assert error.code == "metadata-mismatch"
    assert "/decide/" in error.message


@EACH
def test_where_a_redirect_leads_holds_no_secret(client: str, tmp_path: Path) -> None:
    moved = raw(b"", "Location: /login?key=s3cr3t-value", status="302 Found")

    async def opened(url: str) -> None:
        target = Target(driver="authzen", url=url, timeout_s=5, options={"client": client})
        driver = make_driver(target, context_in(tmp_path, secrets={"key": "s3cr3t-value"}))
        try:
            await driver.open()
        finally:
            await driver.close()

    async def scenario() -> None:
        async with raw_server(answering(moved)) as url:
            await opened(url)

    error = refused(scenario)
    assert "/login?key=[redacted]" in error.message


# --- targets that share an address -----------------------------------------------------------------------------------


def test_a_launched_app_is_asked_without_a_proxy(tmp_path: Path) -> None:
    from plangate.documents.environment import Launch

    target = Target(driver="http", url="http://127.0.0.1:{port}", proxy="env", launch=Launch(command=("x",)))
    context = context_in(tmp_path, environ={"HTTP_PROXY": "http://127.0.0.1:1"})
    assert network_of(target, context, url="http://127.0.0.1:1").proxy is None
