"""Driver `http` against a small app of its own ways, over real sockets: templates out, rules in, subjects in place."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from plangate.documents.environment import DecideRule, HttpCall, Target
from plangate.drivers.http import HttpDriver
from plangate.entitlements.decision import Effect, LimitDetail
from plangate.errors import DriverError, InputError
from plangate.verdicts.observation import Fault, Observed
from tests.drivers.servers import closed_port, serving
from tests.drivers.workspaces import REQUEST, context_in, request_for

Answer = Callable[[dict[str, Any]], tuple[int, object]]


class App:
    """Notes each call, and answers as it is told to."""

    def __init__(self, answer: Answer) -> None:
        self.calls: list[dict[str, Any]] = []
        self._answer = answer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        body += message.get("body", b"")
        call = {
            "method": scope["method"],
            "path": scope["raw_path"].decode(),
            "query": scope["query_string"].decode(),
            "headers": {name.decode(): value.decode("latin-1") for name, value in scope["headers"]},
            "json": json.loads(body) if body else None,
        }
        self.calls.append(call)
        status, answer = self._answer(call)
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": raw})


@asynccontextmanager
async def driving(target: Target, workspace: Path, **fields: Any) -> AsyncIterator[HttpDriver]:
    driver = HttpDriver(target, context_in(workspace, **fields))
    try:
        await driver.open()
        yield driver
    finally:
        await driver.close()


def ask(workspace: Path, answer: Answer, asked: dict[str, Any] = REQUEST, **fields: Any) -> tuple[Observed, App]:
    """One observation of an app that answers by `answer`; `fields` describe the target."""
    context = {name: fields.pop(name) for name in ("secrets", "environ") if name in fields}
    app = App(answer)

    async def once(url: str) -> Observed:
        async with driving(Target(driver="http", url=url, **fields), workspace, **context) as driver:
            return await driver.observe(asked)

    with serving(app) as url:
        return asyncio.run(once(url)), app


def test_without_templates_the_request_is_sent_as_it_is_and_the_answer_read_as_it_is(tmp_path: Path) -> None:
    limit = {"name": "exports", "limit": 50, "remaining": 0}
    answer = {"decision": False, "context": {"effect": "deny", "reason": "limit_exceeded", "limit": limit}}
    observed, app = ask(tmp_path, lambda call: (200, answer))
    assert observed == Observed(effect=Effect.DENY, reason="limit_exceeded", limit=LimitDetail("exports", 50, 0))
    (call,) = app.calls
    assert (call["method"], call["json"]) == ("POST", REQUEST)
    assert call["headers"]["content-type"] == "application/json"


def test_templates_fill_path_headers_and_body(tmp_path: Path) -> None:
    observed, app = ask(
        tmp_path,
        lambda call: (200, {}),
        request_for("a/b c?d", subject="t-ü"),
        headers={"X-Tenant": "{subject.id}", "Authorization": "Bearer {secret.key}", "X-Ref": "env:REF"},
        request=HttpCall(
            method="put",
            path="/v1/{action.name}/{subject.gone}?scope={resource.data_scope}",
            headers={"x-tenant": "own {subject.plan}"},
            json={"usage": "{subject.usage}", "text": "uses {subject.usage}", "gone": "{subject.gone}", "seven": [7]},
        ),
        decide=(DecideRule(statuses=(200,), effect="allow", reason="entitled"),),
        secrets={"key": "s3cr3t"},
        environ={"REF": "{not.a.placeholder}"},
    )
    assert observed == Observed(effect=Effect.ALLOW, reason="entitled")
    (call,) = app.calls
    assert call["method"] == "PUT"
    assert (call["path"], call["query"]) == ("/v1/a%2Fb%20c%3Fd/", "scope=team")
    assert call["json"] == {"usage": {"messages": 3}, "text": 'uses {"messages":3}', "gone": None, "seven": [7]}
    assert call["headers"]["x-tenant"] == "own pro"
    assert call["headers"]["authorization"] == "Bearer s3cr3t"
    assert call["headers"]["x-ref"] == "{not.a.placeholder}"


RULES = (
    DecideRule(statuses=(200,), effect="allow", reason="entitled"),
    DecideRule(statuses=(202,), effect="require_approval", reason="approval_required"),
    DecideRule(statuses=(403,), json={"/error/type": "plan"}, effect="deny", reason="not_in_plan"),
    DecideRule(statuses=(403, 429), effect="deny", reason="$.error.code"),
    DecideRule(statuses=(207,), effect="$.effect", reason="/why/0"),
    DecideRule(json={"$.final": True}, effect="deny"),
)


@pytest.mark.parametrize(
    ("status", "body", "observed"),
    [
        (200, b"<html>", Observed(effect=Effect.ALLOW, reason="entitled")),
        (202, {}, Observed(effect=Effect.REQUIRE_APPROVAL, reason="approval_required")),
        (403, {"error": {"type": "plan", "code": "x"}}, Observed(effect=Effect.DENY, reason="not_in_plan")),
        (403, {"error": {"type": "state", "code": "suspended"}}, Observed(effect=Effect.DENY, reason="suspended")),
        (429, {"error": {}}, Observed(effect=Effect.DENY)),
        (207, {"effect": "allow", "why": ["entitled"]}, Observed(effect=Effect.ALLOW, reason="entitled")),
        (418, {"final": True}, Observed(effect=Effect.DENY)),
    ],
)
def test_the_first_rule_that_matches_decides(tmp_path: Path, status: int, body: object, observed: Observed) -> None:
    assert ask(tmp_path, lambda call: (status, body), decide=RULES)[0] == observed


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (404, {}, Fault.UNMATCHED),
        (302, {}, Fault.UNMATCHED),
        (418, {"final": 1}, Fault.UNMATCHED),
        (500, {"final": False}, Fault.RAISED),
        (503, {}, Fault.RAISED),
        (403, b"<html>", Fault.MALFORMED),
        (429, {"error": {"code": 7}}, Fault.MALFORMED),
        (429, {"error": {"code": "x" * 201}}, Fault.MALFORMED),
        (207, {"effect": "maybe"}, Fault.MALFORMED),
        (207, {}, Fault.MALFORMED),
        (207, b'{"effect": "deny", "effect": "allow"}', Fault.MALFORMED),
    ],
)
def test_an_answer_that_no_rule_reads_is_a_fault(tmp_path: Path, status: int, body: object, fault: Fault) -> None:
    observed, _ = ask(tmp_path, lambda call: (status, body), decide=RULES)
    assert (observed.effect, observed.fault) == (None, fault)
    assert f"status {status}" in (observed.detail or "")


def test_secrets_do_not_come_back_in_what_an_app_says(tmp_path: Path) -> None:
    secret = "s3cr3t-value-of-the-key"
    rules = (DecideRule(statuses=(403,), effect="deny", reason="$.why"),)
    for status in (403, 500):
        observed, _ = ask(
            tmp_path,
            lambda call, status=status: (status, {"why": f"bad {call['headers']['authorization']}"}),
            headers={"Authorization": "Key {secret.key}"},
            secrets={"key": secret},
            decide=rules,
        )
        assert observed.reason or observed.detail
        assert secret not in repr(observed)


# --- subjects ------------------------------------------------------------------------------------------------------


ARRANGE = HttpCall(method="PUT", path="/tenants/{subject.id}", json={"plan": "{subject.plan}"})


def paths(app: App) -> list[str]:
    return [f"{call['method']} {call['path']}" for call in app.calls]


def observe_all(workspace: Path, requests: list[dict[str, Any]], *, reset_usage: bool) -> App:
    app = App(lambda call: (200, {"decision": True}))

    async def all_of_them(url: str) -> None:
        target = Target(driver="http", url=url, arrange=ARRANGE)
        async with driving(target, workspace, reset_usage=reset_usage) as driver:
            for request in requests:
                assert (await driver.observe(request)).effect is Effect.ALLOW

    with serving(app) as url:
        asyncio.run(all_of_them(url))
    return app


def test_a_subject_is_arranged_once_before_its_first_request(tmp_path: Path) -> None:
    requests = [request_for(subject="a"), request_for(subject="a"), request_for(subject="b"), request_for(subject="a")]
    app = observe_all(tmp_path, requests, reset_usage=True)
    assert paths(app) == ["PUT /tenants/a", "POST /", "POST /", "PUT /tenants/b", "POST /", "POST /"]
    assert app.calls[0]["json"] == {"plan": "pro"}


def test_a_subject_that_may_have_spent_usage_is_arranged_again(tmp_path: Path) -> None:
    spending = request_for(subject="a", cost={"messages": 1})
    free = request_for(subject="a")
    app = observe_all(tmp_path, [free, spending, spending, free, free], reset_usage=True)
    assert paths(app) == [
        *("PUT /tenants/a", "POST /", "POST /"),
        *("PUT /tenants/a", "POST /"),
        *("PUT /tenants/a", "POST /", "POST /"),
    ]


def test_usage_is_not_reset_where_nobody_needs_it(tmp_path: Path) -> None:
    spending = request_for(subject="a", cost={"messages": 1})
    assert paths(observe_all(tmp_path, [spending] * 3, reset_usage=False)) == ["PUT /tenants/a", *["POST /"] * 3]


def test_a_subject_that_cannot_be_arranged_is_a_fault_and_asked_nothing(tmp_path: Path) -> None:
    observed, app = ask(tmp_path, lambda call: (409, {"why": "no such plan"}), arrange=ARRANGE)
    assert observed.fault is Fault.ARRANGE
    assert "no such plan" in (observed.detail or "")
    assert paths(app) == ["PUT /tenants/t-1"]


def test_an_arrange_that_cannot_be_written_or_read_is_the_same_fault(tmp_path: Path) -> None:
    observed, _ = ask(tmp_path, lambda call: (200, b" " * 2_000_000), arrange=ARRANGE)
    assert observed.fault is Fault.ARRANGE
    arrange = HttpCall(method="PUT", path="/", headers={"X-Said": "{context.phrasing}"})
    observed, app = ask(tmp_path, lambda call: (200, {}), request_for(phrasing="a\nb"), arrange=arrange)
    assert observed.fault is Fault.ARRANGE
    assert app.calls == []


@pytest.mark.parametrize("name", ["..", "."])
def test_a_name_that_would_change_the_path_is_a_fault(tmp_path: Path, name: str) -> None:
    request = HttpCall(method="GET", path="/v1/{action.name}")
    observed, app = ask(tmp_path, lambda call: (200, {}), request_for(name), request=request)
    assert observed.fault is Fault.MALFORMED
    assert app.calls == []


def test_a_line_break_in_a_header_is_a_fault_and_never_sent(tmp_path: Path) -> None:
    observed, app = ask(
        tmp_path,
        lambda call: (200, {}),
        request_for(phrasing="hello\r\nX-Plan: enterprise"),
        headers={"X-Said": "{context.phrasing}"},
    )
    assert observed.fault is Fault.MALFORMED
    assert app.calls == []


# --- what is wrong with a target ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "incomplete-target"),
        ({"url": "127.0.0.1:8000"}, "bad-url"),
        ({"url": "ftp://127.0.0.1"}, "bad-url"),
        ({"url": "http://127.0.0.1:99999"}, "bad-url"),
        ({"url": "env:GONE"}, "missing-environment-variable"),
        ({"url": "http://x", "headers": {"A": "env:GONE"}}, "missing-environment-variable"),
        ({"url": "http://x", "headers": {"A": "{secret.kee}"}}, "unknown-placeholder"),
        ({"url": "http://x", "headers": {"A B": "c"}}, "bad-template"),
        ({"url": "http://x", "headers": {"A": "b\r\nc: d"}}, "bad-template"),
        ({"url": "http://x", "request": HttpCall(method="GET", path="/{subjekt.id}")}, "unknown-placeholder"),
        ({"url": "http://x", "request": HttpCall(method="GET", path="/{port}")}, "unknown-placeholder"),
        ({"url": "http://x", "request": HttpCall(method="GET", path="/{action.nmae}")}, "unknown-placeholder"),
        ({"url": "http://x", "request": HttpCall(method="BREW", path="/")}, "unknown-method"),
        ({"url": "http://x", "decide": (DecideRule(effect="alow"),)}, "unknown-effect"),
        ({"url": "http://x", "decide": (DecideRule(effect="allow", reason="$error"),)}, "bad-path"),
    ],
)
def test_what_is_wrong_with_a_target_is_said_before_anything_starts(
    tmp_path: Path, fields: dict[str, Any], code: str
) -> None:
    with pytest.raises(InputError) as caught:
        HttpDriver(Target(driver="http", **fields), context_in(tmp_path, secrets={"key": "x"}))
    assert caught.value.code == code


def test_a_near_miss_in_a_placeholder_gets_a_suggestion(tmp_path: Path) -> None:
    for header, meant in (("{subjekt.id}", "subject"), ("{secret.kee}", "key")):
        with pytest.raises(InputError, match=f"did you mean '{meant}'"):
            HttpDriver(
                Target(driver="http", url="http://x", headers={"A": header}),
                context_in(tmp_path, secrets={"key": "x"}),
            )


def test_an_app_that_is_down_is_said_when_opening(tmp_path: Path) -> None:
    driver = HttpDriver(Target(driver="http", url=f"http://127.0.0.1:{closed_port()}"), context_in(tmp_path))

    async def scenario() -> None:
        with pytest.raises(DriverError) as caught:
            await driver.open()
        assert caught.value.code == "target-unreachable"
        await driver.close()
        await driver.close()

    asyncio.run(scenario())
