"""Driver `asgi`: an app of this process, called as a server would call it, its lifespan included."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from plangate.documents.environment import DecideRule, HttpCall, Target
from plangate.drivers.asgi import AsgiDriver
from plangate.entitlements.decision import Effect
from plangate.errors import DriverError, InputError
from plangate.verdicts.observation import Fault, Observed
from tests.drivers.workspaces import REQUEST, context_in, request_for, write_module

APP = """
import asyncio, json, sys
from urllib.parse import parse_qs

events = []
tenants = {}

async def reply(send, status, found, *, finish=True):
    raw = found if isinstance(found, bytes) else json.dumps(found).encode()
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": raw[:5], "more_body": True})
    await send({"type": "http.response.body", "body": raw[5:], "more_body": not finish})

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        scope["state"]["greeting"] = "hello"
        while True:
            message = await receive()
            events.append(message["type"])
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    events.append(f"{scope['method']} {scope['path']}")
    message = await receive()
    body = json.loads(message["body"] or b"null")
    if scope["method"] == "PUT":
        tenants[scope["path"].rpartition("/")[2]] = body["plan"]
        return await reply(send, 204, b"")
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    seen = {"raw": scope["raw_path"].decode(), "query": parse_qs(scope["query_string"].decode()),
            "state": scope["state"], "tenant": headers.get("x-tenant"), "tenants": tenants}
    await reply(send, 200, {"decision": True, "context": {"reason": json.dumps(seen, sort_keys=True)}})

async def simple(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await reply(send, 200, {"decision": True})

async def raises(scope, receive, send):
    await simple(scope, receive, send) if scope["type"] == "lifespan" else None
    raise ValueError("no such tenant")

async def raises_after(scope, receive, send):
    await simple(scope, receive, send)
    raise ValueError("the audit record could not be written")

async def leaves(scope, receive, send):
    sys.exit(4)

async def hangs(scope, receive, send):
    await asyncio.sleep(60)

async def hangs_in_requests(scope, receive, send):
    assert scope["type"] == "http"
    await asyncio.sleep(60)

async def big(scope, receive, send):
    assert scope["type"] == "http"
    await reply(send, 200, b" " * 2_000_000)

async def never_done(scope, receive, send, body=b"", headers=()):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
    while True:
        await send({"type": "http.response.body", "body": body, "more_body": True})

async def never_done_and_big(scope, receive, send):
    await never_done(scope, receive, send, b"x" * 100_000)

async def streams_events(scope, receive, send):
    await never_done(scope, receive, send, b"", [(b"Content-Type", b"text/event-stream; charset=utf-8")])

async def compresses(scope, receive, send):
    assert scope["type"] == "http"
    assert (b"accept-encoding", b"identity") in scope["headers"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-encoding", b"gzip")]})
    await send({"type": "http.response.body", "body": b"\\x1f\\x8b"})

async def moves(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 308, "headers": [(b"location", b"/new")]})
    await send({"type": "http.response.body", "body": b""})

async def halves(scope, receive, send):
    assert scope["type"] == "http"
    await reply(send, 200, {"decision": True}, finish=False)

async def silent(scope, receive, send):
    assert scope["type"] == "http"

async def refuses(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database, key s3cr3t-value"})

async def waits_for_the_end(scope, receive, send):
    assert scope["type"] == "http"
    await receive()
    await reply(send, 200, {"decision": False})
    assert (await receive())["type"] == "http.disconnect"

thing = 7
"""


@contextlib.asynccontextmanager
async def driving(workspace: Path, name: str, **fields: Any) -> AsyncIterator[AsgiDriver]:
    context = {key: fields.pop(key) for key in ("secrets", "environ") if key in fields}
    fields = {"timeout_s": 0.4, **fields}
    driver = AsgiDriver(
        Target(driver="asgi", object=f"asgi_under_test:{name}", **fields), context_in(workspace, **context)
    )
    try:
        await driver.open()
        yield driver
    finally:
        await driver.close()
        await driver.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    write_module(tmp_path, "asgi_under_test", APP)
    return tmp_path


def ask(workspace: Path, name: str, asked: dict[str, Any] = REQUEST, **fields: Any) -> Observed:
    async def once() -> Observed:
        async with driving(workspace, name, **fields) as driver:
            return await driver.observe(asked)

    return asyncio.run(once())


def test_the_app_sees_what_a_server_would_show_it(workspace: Path) -> None:
    observed = ask(
        workspace,
        "app",
        request_for("a/b"),
        headers={"X-Tenant": "{subject.id}"},
        arrange=HttpCall(method="PUT", path="/tenants/{subject.id}", json={"plan": "{subject.plan}"}),
        request=HttpCall(method="GET", path="/v1/{action.name}?scope={resource.data_scope}"),
    )
    seen = (
        '{"query": {"scope": ["team"]}, "raw": "/v1/a%2Fb", "state": {"greeting": "hello"}, "tenant": "t-1", '
        '"tenants": {"t-1": "pro"}}'
    )
    assert observed == Observed(effect=Effect.ALLOW, reason=seen)


def test_the_lifespan_surrounds_the_requests(workspace: Path) -> None:
    ask(workspace, "app")
    import asgi_under_test  # type: ignore[import-not-found]  # the app the driver has just imported

    assert asgi_under_test.events == ["lifespan.startup", "POST /", "lifespan.shutdown"]


def test_an_app_without_a_lifespan_is_served(workspace: Path) -> None:
    assert ask(workspace, "simple").effect is Effect.ALLOW


def test_an_app_that_waits_for_the_caller_to_go_gets_its_wish(workspace: Path) -> None:
    assert ask(workspace, "waits_for_the_end").effect is Effect.DENY


@pytest.mark.parametrize(
    ("name", "fault", "words"),
    [
        ("raises", Fault.RAISED, "ValueError: no such tenant"),
        ("raises_after", Fault.RAISED, "audit record"),
        ("hangs_in_requests", Fault.TIMEOUT, "0.4 s"),
        ("big", Fault.MALFORMED, "larger than"),
        ("never_done", Fault.TIMEOUT, "0.4 s"),
        ("never_done_and_big", Fault.MALFORMED, "larger than"),
        ("streams_events", Fault.TIMEOUT, "event stream (SSE)"),
        ("compresses", Fault.MALFORMED, "the answer is gzip"),
        ("moves", Fault.UNMATCHED, "redirects to '/new'"),
        ("halves", Fault.RAISED, "without a complete answer"),
        ("silent", Fault.RAISED, "without a complete answer"),
    ],
)
def test_what_an_app_does_wrong_is_a_fault(workspace: Path, name: str, fault: Fault, words: str) -> None:
    observed = ask(workspace, name)
    assert observed.fault is fault
    assert words in (observed.detail or "")


def test_decide_rules_read_the_answer(workspace: Path) -> None:
    rules = (DecideRule(json={"$.decision": True}, effect="require_approval", reason="approval_required"),)
    observed = ask(workspace, "simple", decide=rules)
    assert observed == Observed(effect=Effect.REQUIRE_APPROVAL, reason="approval_required")


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("refuses", "startup-failed", "no database, key [redacted]"),
        ("leaves", "startup-failed", "exited with 4"),
        ("gone", "import-failed", "gone"),
        ("thing", "not-callable", "int"),
    ],
)
def test_an_app_that_cannot_be_served_is_said_when_opening(workspace: Path, name: str, code: str, words: str) -> None:
    with pytest.raises(DriverError) as caught:
        ask(workspace, name, secrets={"key": "s3cr3t-value"})
    assert caught.value.code == code
    assert words in str(caught.value)


def test_what_is_wrong_with_a_target_is_said_before_anything_is_imported(tmp_path: Path) -> None:
    for fields, code in (
        ({}, "incomplete-target"),
        ({"object": "a:b", "headers": {"A": "env:GONE"}}, "missing-environment-variable"),
        ({"object": "a:b", "request": HttpCall(method="GET", path="/{port}")}, "unknown-placeholder"),
    ):
        with pytest.raises(InputError) as caught:
            AsgiDriver(Target(driver="asgi", **fields), context_in(tmp_path))  # type: ignore[arg-type]
        assert caught.value.code == code
