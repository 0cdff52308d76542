"""Registries that ask for tokens, lead elsewhere, or mean ill: real servers that answer as told."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from plangate.errors import DriverError
from plangate.evidence.bundle.layout import BundleFile, write_bundle
from plangate.evidence.registry.client import Access, Repository
from plangate.evidence.registry.reference import read_reference
from tests.evidence.registry.running import PASSWORD, USER
from tests.evidence.registry.test_transfer import FILES, PASSWORD_VARIABLE, USER_VARIABLE, called

RIGHT = {USER_VARIABLE: USER, PASSWORD_VARIABLE: PASSWORD}
Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def serving(
    answer: Callable[[str, str, dict[str, str]], Answer], *, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """`host:port` of a server; `answer` gets method, path and headers (small letters)."""

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, body = answer(
                self.command, self.path, {name.lower(): value for name, value in self.headers.items()}
            )
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = handle_one  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def packed(tmp_path: Path) -> tuple[bytes, dict[str, bytes]]:
    """A bundle's manifest, and its blobs by `sha256:...`."""
    path = tmp_path / "release.tar"
    write_bundle(path, FILES, annotations={})
    with BundleFile(path) as opened:
        return opened.manifest_bytes, {f"sha256:{name}": opened.blob(name) for name in opened.blobs()}


def _given(path: str, packed: tuple[bytes, dict[str, bytes]]) -> Answer:
    manifest, blobs = packed
    body = manifest if "/manifests/" in path else blobs.get(path.rsplit("/", 1)[1])
    return (200, {}, body) if body is not None else (404, {}, b"")


def test_a_token_is_fetched_with_our_credentials_and_used(tmp_path: Path, packed) -> None:
    asked: list[tuple[str, str]] = []

    def answer(method: str, path: str, headers: dict[str, str]) -> Answer:
        asked.append((path, headers.get("authorization", "")))
        if path.startswith("/token"):
            return 200, {}, json.dumps({"token": "t0ken"}).encode()
        if headers.get("authorization") != "Bearer t0ken":
            scope = 'service="reg",scope="repository:a/b:pull"'
            return 401, {"WWW-Authenticate": f'Bearer realm="http://{headers["host"]}/token",{scope}'}, b""
        return _given(path, packed)

    with serving(answer) as host:
        back = tmp_path / "back.tar"
        assert called("pull", f"{host}/a/b:1", "-o", str(back), environ=RIGHT)[0] == 0
        assert back.read_bytes() == (tmp_path / "release.tar").read_bytes()
    basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert ("/token?service=reg&scope=repository%3Aa%2Fb%3Apull", basic) in asked
    assert all(secret == basic for path, secret in asked if path.startswith("/token"))


def test_who_leads_to_another_host_gets_no_secret_there(tmp_path: Path, packed) -> None:
    seen: list[str | None] = []

    def elsewhere(method: str, path: str, headers: dict[str, str]) -> Answer:
        seen.append(headers.get("authorization"))
        return _given(path, packed)

    def answer(method: str, path: str, headers: dict[str, str]) -> Answer:
        if "authorization" not in headers:
            return 401, {"WWW-Authenticate": 'Basic realm="r"'}, b""
        return (307, {"Location": f"http://{other}{path}"}, b"") if "/blobs/" in path else _given(path, packed)

    with serving(elsewhere) as other, serving(answer) as host:
        assert called("pull", f"{host}/a/b:1", "-o", str(tmp_path / "back.tar"), environ=RIGHT)[0] == 0
    assert seen
    assert set(seen) == {None}


@pytest.mark.parametrize(
    ("spoil", "status", "code"),
    [
        ("circle", 3, "registry-unreachable"),
        ("much", 4, "bundle-too-large"),
        ("short", 4, "bundle-damaged"),
        ("huge", 4, "bundle-too-large"),
        ("text", 4, "malformed-evidence"),
        ("list", 4, "bundle-damaged"),
        ("error", 3, "registry-unreachable"),
        ("escape", 4, "bundle-unsafe"),
    ],
)
def test_what_a_registry_must_not_do_is_noticed_and_leaves_no_file(
    tmp_path: Path, packed, spoil: str, status: int, code: str
) -> None:
    manifest, blobs = packed
    title = {"org.opencontainers.image.title": "../../etc/cron.yaml"}
    layer = {"digest": f"sha256:{hashlib.sha256(b'{}').hexdigest()}", "size": 2, "annotations": title}
    documents = {
        "huge": {"layers": [{**layer, "size": 2**40}], "config": {**layer, "digest": "sha256:" + "0" * 64}},
        "list": [],
        "escape": {"layers": [layer], "config": layer, "annotations": {}},
    }

    def answer(method: str, path: str, headers: dict[str, str]) -> Answer:
        if "/manifests/" in path:
            if spoil in documents:
                return 200, {}, json.dumps(documents[spoil]).encode()
            return (200, {}, b"<html>") if spoil == "text" else (200, {}, manifest)
        given = _given(path, packed)
        changed = {
            "circle": (307, {"Location": path}, b""), "much": (200, {}, given[2] + b"x" * 100_000),
            "short": (200, {}, given[2][:-1]), "error": (500, {}, b"oops"),
        }  # fmt: skip
        return changed.get(spoil, given)

    back = tmp_path / "back.tar"
    with serving(answer) as host:
        assert called("pull", f"{host}/a/b:1", "-o", str(back)) == (status, code)
    assert not back.exists()
    assert blobs


def test_an_upload_to_another_host_is_refused_before_a_byte_goes_there(tmp_path: Path, packed) -> None:
    given: list[str] = []

    def elsewhere(method: str, path: str, headers: dict[str, str]) -> Answer:
        given.append(method)
        return 201, {}, b""

    def answer(method: str, path: str, headers: dict[str, str]) -> Answer:
        if method == "HEAD":
            return 404, {}, b""
        return (202, {"Location": f"http://{other}/upload"}, b"") if method == "POST" else (201, {}, b"")

    with serving(elsewhere) as other, serving(answer) as host:
        pushed = called("push", str(tmp_path / "release.tar"), f"{host}/a/b:1", environ=RIGHT)
    assert pushed == (3, "registry-unreachable")
    assert given == []


def test_what_is_asked_for_by_digest_is_not_another_bundle_that_is_whole(tmp_path: Path, packed) -> None:
    asked = "sha256:" + hashlib.sha256(packed[0] + b" ").hexdigest()
    back = tmp_path / "back.tar"
    with serving(lambda method, path, headers: _given(path, packed)) as host:
        assert called("pull", f"{host}/a/b@{asked}", "-o", str(back)) == (4, "bundle-damaged")
        assert not back.exists()
        right = "sha256:" + hashlib.sha256(packed[0]).hexdigest()
        assert called("pull", f"{host}/a/b@{right}", "-o", str(back))[0] == 0


def test_nothing_is_pushed_under_a_digest_that_is_not_the_bundles_own(tmp_path: Path, packed) -> None:
    asked: list[str] = []

    def answer(method: str, path: str, headers: dict[str, str]) -> Answer:
        asked.append(method)
        return (200 if method == "HEAD" else 201), {}, b""

    with serving(answer) as host:
        place = f"{host}/a/b@sha256:{'ab' * 32}"
        assert called("push", str(tmp_path / "release.tar"), place) == (4, "bundle-damaged")
    assert asked == []


def test_a_registry_with_tls_does_not_lead_to_one_without(packed) -> None:
    import httpx2

    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        if request.url.scheme == "http":
            return httpx2.Response(200, content=packed[0])
        return httpx2.Response(307, headers={"Location": str(request.url.copy_with(scheme="http"))})

    reference = read_reference("registry.example/a/b:1")
    with (
        Repository(reference, access=Access(environ={}), transport=httpx2.MockTransport(answer)) as repository,
        pytest.raises(DriverError, match="from https to plain http"),
    ):
        repository.manifest("1", bytes_max=10_000)
    assert asked == ["https://registry.example/v2/a/b/manifests/1"]


@pytest.mark.parametrize(
    "text",
    ["", "bundles:1", "host/", "host.example/UPPER:1", "host.example/a:b:c", "http://host.example/a:1", "a b.c/d:1",
     "host.example:99999/a", "host.example/a@sha256:12", "host.example/../a:1", "h.e/" + "a" * 2_000],
    ids=range(11),
)  # fmt: skip
def test_what_names_nothing_in_a_registry_is_refused(text: str, tmp_path: Path) -> None:
    assert called("pull", text, "-o", str(tmp_path / "back.tar")) == (2, "bad-reference")
