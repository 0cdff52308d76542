"""The reference app over real HTTP: who may ask, what each surface answers, what is counted and what is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.running import NOON, ROOT, Shop, serving

SURFACES = ("interaction", "orchestration", "tool")


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with serving() as running:
        yield running


@pytest.mark.parametrize("surface", SURFACES)
def test_every_surface_has_a_gate(shop: Shop, surface: str) -> None:
    shop.arrange("free", plan="free")
    allowed = shop.ask(surface, "kb.search", tenant="free")
    refused = shop.ask(surface, "report.export", tenant="free")
    assert (allowed.status_code, allowed.json()["decision"]) == (200, {"effect": "allow", "reason": "entitled"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_in_plan")


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(
    ("tool", "record", "status", "reason"),
    [
        ("coffee.make", {}, 404, "unknown_capability"),
        ("data.purge", {}, 403, "prohibited"),
        ("kb.search", {"linked": False}, 403, "tenant_not_linked"),
        ("kb.search", {"state": "Suspended"}, 402, "suspended"),
        ("kb.search", {"plan": "gold"}, 403, "unknown_plan"),
        ("report.export", {"usage": {"exports": 50}}, 429, "limit_exceeded"),
        ("ticket.read", {}, 403, "consent_required"),
        ("ticket.write", {"consents": [{"name": "Tickets.ReadWrite", "level": "admin"}]}, 202, "approval_required"),
        ("chat.ask", {"usage": {"tokens": 200_000}}, 200, "soft_limit"),
    ],
)
def test_every_surface_gives_the_same_answer(
    shop: Shop, surface: str, tool: str, record: dict, status: int, reason: str
) -> None:
    shop.arrange("same", **record)
    answer = shop.ask(surface, tool, tenant="same")
    assert (answer.status_code, answer.json()["decision"]["reason"]) == (status, reason)


@pytest.mark.parametrize("surface", SURFACES)
def test_a_request_names_how_far_it_reaches(shop: Shop, surface: str) -> None:
    shop.arrange("reach")
    assert shop.reason(surface, "kb.search", tenant="reach", data_scope="team") == "entitled"
    assert shop.reason(surface, "kb.search", tenant="reach", data_scope="org") == "out_of_scope"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Tenant": "t"},
        {"X-Tenant": "t", "X-Api-Key": "key-other"},
        {"X-Tenant": "nobody", "X-Api-Key": "key-nobody"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/capabilities/kb.search", "/v1/agent", "/v1/tools/kb.search"])
def test_nobody_is_answered_without_their_own_key(shop: Shop, headers: dict[str, str], path: str) -> None:
    shop.arrange("t")
    shop.arrange("other")
    answer = shop.client.post(path, json={"capability": "kb.search"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"settings": []}', 400),
        (b'{"message": 7}', 400),
        (b"[" * 20_000, 400),
        (b" " * 70_000, 413),
    ],
)
def test_what_cannot_be_read_is_no_decision(shop: Shop, body: bytes, status: int) -> None:
    shop.arrange()
    answer = shop.client.post("/v1/capabilities/kb.search", content=body, headers=shop.signed())
    assert answer.status_code == status
    assert "decision" not in answer.json()


@pytest.mark.parametrize("surface", SURFACES)
def test_each_use_counts_once_and_the_last_one_is_the_last(shop: Shop, surface: str) -> None:
    shop.arrange("count", usage={"exports": 48})
    assert [shop.reason(surface, "report.export", tenant="count") for _ in range(4)] == [
        "entitled", "entitled", "limit_exceeded", "limit_exceeded",
    ]  # fmt: skip


def test_a_refused_use_counts_for_nothing(shop: Shop) -> None:
    shop.arrange("careful", usage={"messages": 499})
    for _ in range(3):
        assert shop.reason("tool", "kb.search", tenant="careful", data_scope="org") == "out_of_scope"
    assert shop.reason("tool", "kb.search", tenant="careful") == "entitled"


def test_a_change_of_plan_counts_for_the_next_request(shop: Shop) -> None:
    shop.arrange("changing", plan="free")
    assert shop.reason("interaction", "report.export", tenant="changing") == "not_in_plan"
    shop.arrange("changing", plan="pro")
    assert shop.reason("interaction", "report.export", tenant="changing") == "entitled"
    shop.arrange("changing", plan="pro", state="Suspended")
    assert shop.reason("interaction", "report.export", tenant="changing") == "suspended"


def test_one_tenants_use_is_not_anothers(shop: Shop) -> None:
    shop.arrange("a", usage={"exports": 50})
    shop.arrange("b")
    assert shop.reason("tool", "report.export", tenant="a") == "limit_exceeded"
    assert shop.reason("tool", "report.export", tenant="b") == "entitled"


@pytest.mark.parametrize(
    ("surface", "gates"),
    [("interaction", ["interaction", "tool"]), ("orchestration", ["orchestration", "tool"]), ("tool", ["tool"])],
)
def test_each_gate_leaves_a_record(shop: Shop, surface: str, gates: list[str]) -> None:
    tenant = f"seen-{surface}"
    shop.arrange(tenant)
    shop.ask(surface, "kb.search", tenant=tenant)
    shop.ask(surface, "crm.sync", tenant=tenant)
    records = shop.audit(tenant)
    assert [(record["surface"], record["tool"], record["effect"], record["reason"]) for record in records] == [
        *((gate, "kb.search", "allow", "entitled") for gate in gates),
        (gates[0], "crm.sync", "deny", "not_in_plan"),
    ]
    actor = "agent for user" if surface == "orchestration" else "user"
    assert {record["actor"] for record in records} == {actor}
    assert len({record["request"] for record in records}) == 2


def test_a_soft_limit_that_let_through_is_on_record(shop: Shop) -> None:
    shop.arrange("soft", usage={"tokens": 200_000})
    shop.ask("tool", "chat.ask", tenant="soft")
    assert shop.audit("soft")[-1]["reason"] == "soft_limit"
    assert shop.audit("soft")[-1]["detail"]["limit"]["name"] == "tokens"


def test_a_tenant_sees_only_its_own_records(shop: Shop) -> None:
    shop.arrange("mine")
    shop.arrange("yours")
    shop.ask("tool", "kb.search", tenant="yours")
    assert shop.audit("mine") == []


def test_the_agent_picks_tools_and_asks_before_each(shop: Shop) -> None:
    shop.arrange("chatty")
    body = {"message": "First kb.search, then report.export and crm.sync please."}
    answer = shop.client.post("/v1/agent", json=body, headers=shop.signed("chatty")).json()
    assert [(step["tool"], step["effect"]) for step in answer["steps"]] == [
        ("kb.search", "allow"), ("report.export", "allow"), ("crm.sync", "deny"),
    ]  # fmt: skip


def test_the_agent_stops_at_the_plans_steps(shop: Shop) -> None:
    shop.arrange("steps", plan="free")
    message = "Use kb.search chat.ask ticket.read data.export_own report.export"
    answer = shop.client.post("/v1/agent", json={"message": message}, headers=shop.signed("steps")).json()
    assert len(answer["steps"]) == 3


def test_the_agents_words_follow_the_prompt_and_never_quote_it(shop: Shop) -> None:
    shop.arrange("words")
    reply = shop.ask("orchestration", "kb.search", tenant="words").json()["reply"]
    assert reply.endswith("-- Contoso Support Copilot")
    assert "Never quote" not in reply
    with serving(prompts=(("answer", "2.0.0"),)) as older:
        older.arrange("words")
        assert older.ask("orchestration", "kb.search", tenant="words").json()["reply"].endswith("-- Contoso Support")


def test_no_phrasing_unlocks_anything(shop: Shop) -> None:
    lines = (Path(__file__).parents[2] / "evals" / "phrasings" / "attacks.txt").read_text(encoding="utf-8").splitlines()
    phrasings = [line for line in lines if line.strip() and not line.startswith("#")]
    assert len(set(phrasings)) == len(phrasings) >= 40
    shop.arrange("attacked", plan="free")
    asked = [shop.reason("orchestration", "report.export", tenant="attacked", message=line) for line in phrasings]
    assert set(asked) == {"not_in_plan"}


def test_the_screen_may_ask_what_it_could_offer(shop: Shop) -> None:
    shop.arrange("screen", plan="free")
    offered = shop.client.get("/v1/capabilities", headers=shop.signed("screen")).json()["capabilities"]
    assert offered == ["kb.search", "chat.ask", "data.export_own"]


def test_it_says_what_it_runs(shop: Shop) -> None:
    said = shop.client.get("/version").json()
    assert said["plans"] == {"support-copilot": "3.2.0"}
    assert {name: one["version"] for name, one in said["prompts"].items()} == {
        "triage": "1.4.0", "answer": "2.1.0", "handover": "1.0.0"
    }  # fmt: skip
    file = ROOT / "prompts/answer/2.1.0.md"
    assert said["prompts"]["answer"]["digest"] == "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()


def test_tenants_can_be_arranged_only_where_the_test_api_is_open() -> None:
    with serving(test_api=False, clock="") as shop:
        assert shop.client.put("/test/tenants/t", json={}).status_code == 404


SOUND = {"plan": "pro", "state": "Subscribed", "api_key": "k"}


@pytest.mark.parametrize(
    "record",
    [
        [], {}, {"plan": "pro"}, {"plan": "pro", "state": "Subscribed"}, {**SOUND, "api_key": 7},
        {**SOUND, "quantity": -1}, {**SOUND, "usage": {"exports": "9"}}, {**SOUND, "consents": [7]},
    ],
)  # fmt: skip
def test_a_tenant_that_cannot_be_read_is_not_kept(shop: Shop, record: object) -> None:
    assert shop.client.put("/test/tenants/broken", json=record).status_code == 400
    assert shop.client.get("/v1/audit", headers=shop.signed("broken")).status_code == 401


def test_answers_do_not_depend_on_todays_date() -> None:
    """Without a clock of its own the app takes the wall's: arranged usage still counts for the present windows."""
    for clock in (NOON, "2027-12-31T23:59:59Z", "2028-02-29T00:00:00Z", ""):
        with serving(clock=clock) as shop:
            shop.arrange(usage={"messages": 499, "exports": 50, "tokens": 200_000})
            assert shop.reason("tool", "kb.search") == "entitled"
            assert shop.reason("tool", "kb.search") == "limit_exceeded"
            assert shop.reason("interaction", "report.export") == "limit_exceeded"


def test_windows_begin_anew_when_the_clock_says_so(tmp_path: Path) -> None:
    database = str(tmp_path / "copilot.sqlite")
    with serving(database=database, clock="2026-05-31T23:30:00Z") as shop:
        shop.arrange(usage={"messages": 500, "exports": 50, "tokens": 200_000}, quantity=1)
        assert shop.reason("tool", "kb.search") == "limit_exceeded"
    with serving(database=database, clock="2026-06-01T00:10:00Z") as shop:  # a new day, a new month, the same hour
        assert shop.reason("tool", "report.export") == "entitled"
        assert shop.reason("tool", "chat.ask") == "soft_limit"
    with serving(database=database, clock="2026-06-01T01:31:00Z") as shop:  # the sliding hour has passed
        assert shop.reason("tool", "chat.ask") == "entitled"


def test_what_was_kept_survives_a_restart(tmp_path: Path) -> None:
    database = str(tmp_path / "copilot.sqlite")
    with serving(database=database) as shop:
        shop.arrange(usage={"exports": 49})
        assert shop.reason("tool", "report.export") == "entitled"
    with serving(database=database) as shop:
        assert shop.reason("tool", "report.export") == "limit_exceeded"
        assert [record["reason"] for record in shop.audit()] == ["entitled", "limit_exceeded"]
    assert b"key-t" not in Path(database).read_bytes(), "keys are kept as digests only"


def test_the_installation_may_tighten_and_never_widen() -> None:
    from copilot.entitlements import HousePolicy

    policy = HousePolicy(never=frozenset({"fax.send"}), ask_a_person=frozenset({"report.export"}), steps_max=1)
    with serving(policy=policy) as shop:
        shop.arrange()
        shop.arrange("free", plan="free")
        assert shop.reason("interaction", "fax.send") == "prohibited"
        assert shop.reason("interaction", "report.export") == "approval_required"
        assert shop.reason("interaction", "report.export", tenant="free") == "not_in_plan"
        body = {"message": "kb.search and then chat.ask"}
        assert len(shop.client.post("/v1/agent", json=body, headers=shop.signed()).json()["steps"]) == 1
