"""Driver `authzen`: the published vectors asked over real HTTP; a server's error is never a denial; batches keep order.

Left out of ../shared/vectors/gating/authzen: search-*.json and idp-*.json, because plangate asks for decisions and
never searches; and the cerbos folder, because its cases need that server's own policies.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from plangate.documents.environment import Launch, Target
from plangate.drivers.authzen import AuthzenDriver
from plangate.entitlements.decision import Effect
from plangate.errors import DriverError, InputError
from plangate.testing import reference
from plangate.verdicts.observation import Fault, Observed
from tests.drivers.servers import serving
from tests.drivers.workspaces import REQUEST, context_in, request_for

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT.parent / "shared" / "vectors" / "gating" / "authzen"

Answer = Callable[["Pdp", str, Any], tuple[int, Any]]


class Pdp:
    """A decision point on a real port. `answer(pdp, path, body)` gives status and answer; each call is noted."""

    def __init__(self, answer: Answer, *, metadata: Any = None, echo: str | None = "same") -> None:
        self.calls: list[tuple[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self._answer = answer
        self._metadata = metadata
        self._echo = echo

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.headers.append(headers)
        found: Any
        if scope["path"].startswith("/.well-known/"):
            status, found = (404, {}) if self._metadata is None else (200, self._described(scope["path"]))
        else:
            asked = json.loads(body)
            self.calls.append((scope["path"], asked))
            status, found = self._answer(self, scope["path"], asked)
        raw = found if isinstance(found, bytes) else json.dumps(found).encode()
        said = [(b"content-type", b"application/json")]
        if self._echo is not None and "x-request-id" in headers:
            echo = headers["x-request-id"] if self._echo == "same" else self._echo
            said.append((b"x-request-id", echo.encode()))
        await send({"type": "http.response.start", "status": status, "headers": said})
        await send({"type": "http.response.body", "body": raw})

    def _described(self, path: str) -> Any:
        if isinstance(self._metadata, bytes):
            return self._metadata
        tenant = path.removeprefix("/.well-known/authzen-configuration")
        text = json.dumps(self._metadata).replace("URL", self.url + tenant).replace("ORIGIN", self.url)
        return json.loads(text)


BATCHES = {
    "policy_decision_point": "URL",
    "access_evaluation_endpoint": "URL/access/v1/evaluation",
    "access_evaluations_endpoint": "URL/access/v1/evaluations",
}


@contextlib.asynccontextmanager
async def driving(url: str, workspace: Path, **fields: Any) -> AsyncIterator[AuthzenDriver]:
    context = {name: fields.pop(name) for name in ("secrets", "environ", "concurrency") if name in fields}
    driver = AuthzenDriver(Target(driver="authzen", url=url, **fields), context_in(workspace, **context))
    try:
        await driver.open()
        yield driver
    finally:
        await driver.close()


def with_pdp(pdp: Pdp, workspace: Path, use: Callable[[AuthzenDriver], Any], *, path: str = "", **fields: Any) -> Any:
    """`await use(driver)` against `pdp`."""

    async def scenario() -> Any:
        async with driving(pdp.url + path, workspace, **fields) as driver:
            return await use(driver)

    with serving(pdp) as url:
        pdp.url = url
        return asyncio.run(scenario())


def observe(pdp: Pdp, workspace: Path, asked: dict[str, Any] = REQUEST, **fields: Any) -> Observed:
    return with_pdp(pdp, workspace, lambda driver: driver.observe(asked), **fields)


def observe_batch(pdp: Pdp, workspace: Path, asked: list[dict[str, Any]], **fields: Any) -> list[Observed]:
    return with_pdp(pdp, workspace, lambda driver: driver.observe_batch(asked), **fields)


def allow(pdp: Pdp, path: str, body: Any) -> tuple[int, Any]:
    one = {"decision": True, "context": {"reason": "entitled"}}
    return 200, {"evaluations": [one] * len(body["evaluations"])} if path.endswith("evaluations") else one


# --- a scenario of our own, small: notes of a team, asked one by one and in batches --------------------------------


def _noted(who: str, action: str, owner: str) -> dict[str, Any]:
    return {
        "subject": {"type": "user", "id": who, "properties": {"role": who.partition("-")[0]}},
        "action": {"name": action},
        "resource": {"type": "note", "id": f"note-of-{owner}", "properties": {"owner": owner}},
    }


NOTES = [
    (_noted(who, action, owner), action == "read" or who == owner or who.startswith("admin"))
    for who in ("member-1", "member-2", "admin-1")
    for action in ("read", "write", "remove")
    for owner in ("member-1", "member-2")
]
"""Everybody reads, members change their own, admins change all."""


def notes_pdp() -> Pdp:
    """Decides by what the request says of subject, action and resource: nothing of it may be lost on the way."""

    def one(asked: Any) -> Any:
        who, owner = asked["subject"], asked["resource"]["properties"]["owner"]
        admin = who["properties"]["role"] == "admin"
        return {"decision": asked["action"]["name"] == "read" or who["id"] == owner or admin}

    def answer(pdp: Pdp, path: str, body: Any) -> tuple[int, Any]:
        if path == "/access/v1/evaluation":
            return 200, one(body)
        shared = {name: value for name, value in body.items() if name != "evaluations"}
        return 200, {"evaluations": [one({**shared, **item}) for item in body["evaluations"]]}

    return Pdp(answer, metadata=BATCHES)


def test_decisions_come_back_one_by_one_and_in_batches_alike(tmp_path: Path) -> None:
    asked = [request for request, _ in NOTES]
    right = [Effect.ALLOW if yes else Effect.DENY for _, yes in NOTES]
    assert {*right} == {Effect.ALLOW, Effect.DENY}

    async def all_of_them(driver: AuthzenDriver) -> list[Observed]:
        return [await driver.observe(request) for request in asked]

    assert [one.effect for one in with_pdp(notes_pdp(), tmp_path, all_of_them)] == right
    pdp = notes_pdp()
    assert [one.effect for one in observe_batch(pdp, tmp_path, asked)] == right
    assert [path for path, _ in pdp.calls] == ["/access/v1/evaluations"]


# --- published vectors -----------------------------------------------------------------------------------------------


def vectors(name: str) -> Any:
    if not VECTORS.is_dir():
        pytest.skip("left out: ../shared/vectors is absent")
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def decisions() -> list[tuple[dict[str, Any], bool]]:
    """105 published pairs of request and decision: the todo scenario in two versions, and the API gateway's."""
    found = [
        *vectors("todo-decisions.json")["decisions"],
        *vectors("todo-decisions-1_0-02.json")["evaluation"],
        *vectors("api-gateway-decisions.json")["evaluation"],
    ]
    return [(case["request"], case["expected"]) for case in found]


def batched() -> list[tuple[dict[str, Any], bool]]:
    """The items of the published batches, each written out in full."""
    return [
        ({**{name: value for name, value in case["request"].items() if name != "evaluations"}, **item}, one["decision"])
        for case in vectors("todo-decisions-1_0-02.json")["evaluations"]
        for item, one in zip(case["request"]["evaluations"], case["expected"], strict=True)
    ]


def published_pdp() -> Pdp:
    """Answers what the vectors say, and only requests that the published schema takes."""
    schema = Draft202012Validator(vectors("evaluation-request.schema.json"))
    reply_schema = Draft202012Validator(vectors("evaluation-response.schema.json"))
    table = {json.dumps(request, sort_keys=True): expected for request, expected in [*decisions(), *batched()]}

    def one(request: Any) -> Any:
        schema.validate(request)
        asked = {name: request[name] for name in ("subject", "action", "resource")}
        answer = {"decision": table[json.dumps(asked, sort_keys=True)]}
        reply_schema.validate(answer)
        return answer

    def answer(pdp: Pdp, path: str, body: Any) -> tuple[int, Any]:
        if path == "/access/v1/evaluation":
            return 200, one(body)
        return 200, {"evaluations": [one(item) for item in body["evaluations"]]}

    return Pdp(answer, metadata=BATCHES)


def test_the_published_decisions_come_back_one_by_one(tmp_path: Path) -> None:
    cases = decisions()
    assert len(cases) == 105

    async def all_of_them(driver: AuthzenDriver) -> list[Observed]:
        return [await driver.observe(request) for request, _ in cases]

    found = with_pdp(published_pdp(), tmp_path, all_of_them)
    assert [observed.effect for observed in found] == [Effect.ALLOW if yes else Effect.DENY for _, yes in cases]


def test_the_published_decisions_come_back_in_batches(tmp_path: Path) -> None:
    cases = decisions()
    pdp = published_pdp()
    found = observe_batch(pdp, tmp_path, [request for request, _ in cases])
    assert [observed.effect for observed in found] == [Effect.ALLOW if yes else Effect.DENY for _, yes in cases]
    assert [path for path, _ in pdp.calls] == ["/access/v1/evaluations"]


def test_the_published_batches_mean_the_same_with_every_item_written_out(tmp_path: Path) -> None:
    cases = batched()
    assert len(cases) > 3
    found = observe_batch(published_pdp(), tmp_path, [request for request, _ in cases])
    assert [observed.effect is Effect.ALLOW for observed in found] == [yes for _, yes in cases]


def test_what_plangate_sends_is_what_the_published_schema_takes(tmp_path: Path) -> None:
    schema = Draft202012Validator(vectors("evaluation-request.schema.json"))
    pdp = Pdp(allow, metadata=BATCHES)
    observe(pdp, tmp_path)
    observe_batch(pdp, tmp_path, [request_for(subject=f"t-{number}") for number in range(3)])
    (_, single), (_, batch) = pdp.calls
    for request in (single, *batch["evaluations"]):
        schema.validate(request)
    assert single == REQUEST
    assert set(batch) == {"evaluations"}, "no defaults: servers differ in how they merge them"


# --- errors are never denials ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "answer", "fault"),
    [
        (400, "Bad Request", Fault.UNMATCHED),
        (401, "Unauthorized", Fault.UNMATCHED),
        (403, {"decision": False}, Fault.UNMATCHED),
        (404, {}, Fault.UNMATCHED),
        (429, {}, Fault.UNMATCHED),
        (500, "Internal Error", Fault.RAISED),
        (503, {"decision": False}, Fault.RAISED),
        (201, {"decision": True}, Fault.UNMATCHED),
        (200, {"decision": "yes"}, Fault.MALFORMED),
        (200, {}, Fault.MALFORMED),
        (200, [], Fault.MALFORMED),
        (200, b"<html>", Fault.MALFORMED),
        (200, {"decision": False, "context": {"error": {"status": 404, "message": "no resource"}}}, Fault.RAISED),
    ],
)
def test_an_error_is_a_fault_and_never_a_denial(tmp_path: Path, status: int, answer: Any, fault: Fault) -> None:
    observed = observe(Pdp(lambda pdp, path, body: (status, answer)), tmp_path)
    assert (observed.effect, observed.fault) == (None, fault)
    assert observed.detail


@pytest.mark.parametrize("count", [0, 2, 4])
def test_a_batch_of_another_length_is_no_answer_to_anybody(tmp_path: Path, count: int) -> None:
    pdp = Pdp(lambda pdp, path, body: (200, {"evaluations": [{"decision": True}] * count}), metadata=BATCHES)
    found = observe_batch(pdp, tmp_path, [request_for(subject=f"t-{number}") for number in range(3)])
    assert [observed.fault for observed in found] == [Fault.MALFORMED] * 3
    assert f"{count} answers to a batch of 3" in (found[0].detail or "")


@pytest.mark.parametrize("answer", [{"decision": True}, {"evaluations": {}}, []])
def test_a_batch_without_a_list_is_no_answer_to_anybody(tmp_path: Path, answer: Any) -> None:
    pdp = Pdp(lambda pdp, path, body: (200, answer), metadata=BATCHES)
    found = observe_batch(pdp, tmp_path, [REQUEST, request_for(subject="t-2")])
    assert [observed.fault for observed in found] == [Fault.MALFORMED] * 2


def test_one_failed_item_of_a_batch_is_a_fault_of_that_item_only(tmp_path: Path) -> None:
    items = [{"decision": True}, {"decision": False, "context": {"error": {"status": 400}}}, {"decision": False}]
    pdp = Pdp(lambda pdp, path, body: (200, {"evaluations": items}), metadata=BATCHES)
    found = observe_batch(pdp, tmp_path, [request_for(subject=f"t-{number}") for number in range(3)])
    assert [(observed.effect, observed.fault) for observed in found] == [
        (Effect.ALLOW, None),
        (None, Fault.RAISED),
        (Effect.DENY, None),
    ]


def test_a_failed_batch_is_a_fault_of_every_item(tmp_path: Path) -> None:
    pdp = Pdp(lambda pdp, path, body: (400, "too many"), metadata=BATCHES)
    found = observe_batch(pdp, tmp_path, [REQUEST, request_for(subject="t-2")])
    assert [observed.fault for observed in found] == [Fault.UNMATCHED] * 2


def test_each_request_has_an_id_of_its_own(tmp_path: Path) -> None:
    pdp = Pdp(allow)

    async def twice(driver: AuthzenDriver) -> None:
        assert (await driver.observe(REQUEST)).effect is Effect.ALLOW
        assert (await driver.observe(REQUEST)).effect is Effect.ALLOW

    with_pdp(pdp, tmp_path, twice)
    ids = [headers["x-request-id"] for headers in pdp.headers if "x-request-id" in headers]
    assert len(set(ids)) == 2


def test_an_id_that_does_not_come_back_is_harmless_but_another_one_is_a_mix_up(tmp_path: Path) -> None:
    assert observe(Pdp(allow, echo=None), tmp_path).effect is Effect.ALLOW
    mixed_up = observe(Pdp(allow, echo="somebody-else"), tmp_path)
    assert (mixed_up.effect, mixed_up.fault) == (None, Fault.MALFORMED)


# --- metadata --------------------------------------------------------------------------------------------------------


def test_without_metadata_there_are_single_calls_at_the_standard_address(tmp_path: Path) -> None:
    for metadata in (None, b"<html>welcome</html>", b"[]"):
        pdp = Pdp(allow, metadata=metadata)

        async def look(driver: AuthzenDriver) -> int:
            found = await driver.observe_batch([REQUEST, request_for(subject="t-2")])
            assert [observed.effect for observed in found] == [Effect.ALLOW] * 2
            return driver.batch_max

        assert with_pdp(pdp, tmp_path, look) == 1
        assert [path for path, _ in pdp.calls] == ["/access/v1/evaluation"] * 2


def test_metadata_without_batches_means_single_calls(tmp_path: Path) -> None:
    metadata = {"policy_decision_point": "URL", "access_evaluation_endpoint": "URL/own/place"}
    pdp = Pdp(allow, metadata=metadata)

    async def look(driver: AuthzenDriver) -> int:
        await driver.observe(REQUEST)
        return driver.batch_max

    assert with_pdp(pdp, tmp_path, look) == 1
    assert [path for path, _ in pdp.calls] == ["/own/place"]


@pytest.mark.parametrize(("batch", "most"), [(None, 50), (7, 7), (1, 1)])
def test_a_batch_is_as_large_as_the_target_says(tmp_path: Path, batch: int | None, most: int) -> None:
    async def look(driver: AuthzenDriver) -> int:
        return driver.batch_max

    assert with_pdp(Pdp(allow, metadata=BATCHES), tmp_path, look, batch=batch) == most


def test_the_metadata_of_a_decision_point_below_a_path_is_found(tmp_path: Path) -> None:
    pdp = Pdp(allow, metadata=BATCHES)
    found = with_pdp(pdp, tmp_path, lambda driver: driver.observe_batch([REQUEST]), path="/tenant-1/")
    assert found[0].effect is Effect.ALLOW
    assert [path for path, _ in pdp.calls] == ["/tenant-1/access/v1/evaluations"]


@pytest.mark.parametrize(
    "change",
    [
        {"policy_decision_point": "http://elsewhere.example"},
        {"policy_decision_point": None},
        {"policy_decision_point": "URL/other"},
        {"access_evaluation_endpoint": "http://elsewhere.example/access/v1/evaluation"},
        {"access_evaluations_endpoint": "http://127.0.0.1:1/access/v1/evaluations"},
        {"access_evaluations_endpoint": "http://user:word@127.0.0.1/"},
        {"access_evaluation_endpoint": 7},
        {"access_evaluation_endpoint": "/access/v1/evaluation"},
    ],
)
def test_metadata_that_leads_elsewhere_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    metadata = {**BATCHES, **change}
    with pytest.raises(DriverError) as caught:
        observe(Pdp(allow, metadata=metadata), tmp_path)
    assert caught.value.code == "metadata-mismatch"
    pdp = Pdp(allow, metadata=metadata)
    assert observe(pdp, tmp_path, options={"metadata": "ignore"}).effect is Effect.ALLOW
    assert [path for path, _ in pdp.calls] == ["/access/v1/evaluation"]


# --- headers, launching, what is wrong with a target -----------------------------------------------------------------


def test_headers_may_name_secrets_and_subjects(tmp_path: Path) -> None:
    pdp = Pdp(allow, metadata=BATCHES)
    headers = {"Authorization": "Bearer {secret.key}", "X-Tenant": "{subject.id}"}
    assert observe(pdp, tmp_path, headers=headers, secrets={"key": "s3cr3t"}).effect is Effect.ALLOW
    metadata, evaluation = pdp.headers
    assert metadata["authorization"] == evaluation["authorization"] == "Bearer s3cr3t"
    assert "x-tenant" not in metadata
    assert evaluation["x-tenant"] == "t-1"


def test_a_decision_point_can_be_launched(tmp_path: Path) -> None:
    command = ("python", "-m", "uvicorn", f"{reference.__name__}:app", "--port", "{port}", "--lifespan", "off")

    async def scenario() -> Observed:
        launch = Launch(command=command, ready="/.well-known/authzen-configuration")
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(path for path in sys.path if path)}
        fields = {"launch": launch, "environ": environ}
        async with driving("http://127.0.0.1:{port}", tmp_path, **fields) as driver:
            assert driver.alive()
            assert driver.batch_max == 50
            assert driver.base_url.startswith("http://127.0.0.1:")
            request = request_for("conformance.deny")
            (batched,) = await driver.observe_batch([request])
            assert batched == await driver.observe(request)
            return batched

    assert asyncio.run(scenario()) == Observed(effect=Effect.DENY, reason="not_in_plan")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "incomplete-target"),
        ({"url": "http://{subject.id}.example"}, "bad-url"),
        ({"url": "http://x", "batch": 0}, "bad-batch"),
        ({"url": "http://x", "headers": {"A": "{sbject.id}"}}, "unknown-placeholder"),
    ],
)
def test_what_is_wrong_with_a_target_is_said_at_once(tmp_path: Path, fields: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        AuthzenDriver(Target(driver="authzen", **fields), context_in(tmp_path))
    assert caught.value.code == code
