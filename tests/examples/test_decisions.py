"""What each plan of the reference app gets: the rules as a customer would state them, one row a case."""

from __future__ import annotations

from typing import Any

import pytest

from tests.examples.asking import EVERY_CONSENT, evaluate, override, question

FREE = {"kb.search", "chat.ask", "ticket.read", "data.export_own"}
PRO = FREE | {"report.export", "ticket.write", "seat.assign", "fax.send"}
ENTERPRISE = (PRO - {"fax.send"}) | {"crm.sync", "agent.autopilot", "sla.priority"}
SOLD = PRO | ENTERPRISE
ENDED, LASTING = "2000-01-01T00:00:00Z", "9999-01-01T00:00:00Z"


def said(tool: str, /, **told: Any) -> tuple[str, str]:
    answer = evaluate(question(tool, **told))
    context = answer["context"]
    assert answer["decision"] is (context["effect"] == "allow")
    return context["effect"], context["reason"]


@pytest.mark.parametrize(("plan", "included"), [("free", FREE), ("pro", PRO), ("enterprise", ENTERPRISE)])
def test_each_plan_has_its_tools_and_no_other(plan: str, included: set[str]) -> None:
    assert {tool for tool in SOLD if said(tool, plan=plan)[0] != "deny"} == included
    assert {said(tool, plan=plan) for tool in SOLD - included} <= {("deny", "not_in_plan")}


@pytest.mark.parametrize(
    ("tool", "told", "expected"),
    [
        ("coffee.make", {}, ("deny", "unknown_capability")),
        ("data.purge", {"plan": "enterprise"}, ("deny", "prohibited")),
        ("kb.search", {"tenant_linked": False}, ("deny", "tenant_not_linked")),
        ("kb.search", {"tenant_linked": "yes"}, ("deny", "tenant_not_linked")),
        ("kb.search", {"state": "PendingFulfillmentStart"}, ("deny", "not_activated")),
        ("kb.search", {"state": "Suspended"}, ("deny", "suspended")),
        ("data.export_own", {"state": "Suspended"}, ("allow", "entitled")),
        ("data.export_own", {"state": "Unsubscribed"}, ("deny", "unsubscribed")),
        ("kb.search", {"state": "Paused"}, ("deny", "unknown_state")),
        ("kb.search", {"plan": "gold"}, ("deny", "unknown_plan")),
        ("ticket.write", {}, ("require_approval", "approval_required")),
        ("ticket.write", {"plan": "enterprise"}, ("allow", "entitled")),
    ],
)
def test_rules_in_the_order_in_which_they_win(tool: str, told: dict[str, Any], expected: tuple[str, str]) -> None:
    assert said(tool, **told) == expected


@pytest.mark.parametrize(
    ("tool", "plan", "meter", "last"),
    [
        ("kb.search", "free", "messages", 19),
        ("report.export", "pro", "exports", 49),
        ("crm.sync", "pro", "messages", 498),
    ],
)
def test_the_last_use_that_fits_is_allowed_and_the_next_refused(tool: str, plan: str, meter: str, last: int) -> None:
    granted = override(tool, "grant")
    assert said(tool, plan=plan, usage={meter: last}, overrides=granted) == ("allow", "entitled")
    assert said(tool, plan=plan, usage={meter: last + 1}, overrides=granted) == ("deny", "limit_exceeded")


def test_a_refusal_at_a_limit_names_it() -> None:
    answer = evaluate(
        question("crm.sync", plan="free", usage={"messages": 19}, overrides=override("crm.sync", "grant"))
    )
    assert answer["context"]["limit"] == {
        "name": "messages", "limit": 20, "remaining": 1, "resets_at": "2026-01-02T00:00:00Z",
    }  # fmt: skip


def test_an_unlimited_meter_never_fills() -> None:
    assert said("kb.search", plan="enterprise", usage={"messages": 10**9}) == ("allow", "entitled")


def test_a_soft_limit_lets_through_and_says_so() -> None:
    assert said("chat.ask", usage={"tokens": 199_200}) == ("allow", "entitled")
    assert said("chat.ask", usage={"tokens": 199_201}) == ("allow", "soft_limit")


@pytest.mark.parametrize(
    ("seats", "used", "effect"), [(1, 0, "allow"), (1, 1, "deny"), (5, 4, "allow"), (5, 5, "deny")]
)
def test_seats_are_as_many_as_were_bought(seats: int, used: int, effect: str) -> None:
    assert said("seat.assign", quantity=seats, usage={"seats": used})[0] == effect


@pytest.mark.parametrize(
    ("plan", "addons", "room"),
    [
        ("pro", ["export-pack"], 150),
        ("pro", ["export-pack", "reports"], 170),
        ("pro", ["export-pack", "export-pack"], 150),
        ("free", ["reports"], 20),
        ("enterprise", ["export-pack"], 200),
        ("pro", ["unheard-of"], 50),
    ],
)
def test_addons_add_to_the_plan(plan: str, addons: list[str], room: int) -> None:
    assert said("report.export", plan=plan, addons=addons, usage={"exports": room - 1}) == ("allow", "entitled")
    assert said("report.export", plan=plan, addons=addons, usage={"exports": room}) == ("deny", "limit_exceeded")


def test_an_addon_that_adds_only_room_grants_nothing() -> None:
    assert said("report.export", plan="free", addons=["export-pack"]) == ("deny", "not_in_plan")


@pytest.mark.parametrize(
    ("tool", "overrides", "expected"),
    [
        ("crm.sync", override("crm.sync", "grant"), ("allow", "entitled")),
        ("crm.sync", override("crm.sync", "grant", LASTING), ("allow", "entitled")),
        ("crm.sync", override("crm.sync", "grant", ENDED), ("deny", "not_in_plan")),
        ("crm.sync", override("crm.sync", "grant", "soon"), ("deny", "not_in_plan")),
        ("crm.sync", override("kb.search", "grant"), ("deny", "not_in_plan")),
        ("kb.search", override("kb.search", "revoke"), ("deny", "revoked")),
        ("kb.search", override("kb.search", "revoke", ENDED), ("allow", "entitled")),
        ("kb.search", override("kb.search", "revoke", "soon"), ("deny", "revoked")),
        ("kb.search", override("kb.search", "grant") + override("kb.search", "revoke"), ("deny", "revoked")),
        ("report.export", override("report.export", "grant"), ("allow", "entitled")),
    ],
)
def test_overrides_hold_as_long_as_they_last(tool: str, overrides: list[Any], expected: tuple[str, str]) -> None:
    assert said(tool, overrides=overrides) == expected


def test_an_override_to_a_tool_whose_meter_the_plan_lacks_gives_nothing() -> None:
    assert said("report.export", plan="free", overrides=override("report.export", "grant")) == (
        "deny",
        "limit_exceeded",
    )


@pytest.mark.parametrize(
    ("level", "tool", "expected"),
    [
        ("user", "ticket.read", ("allow", "entitled")),
        ("preauthorized", "ticket.read", ("allow", "entitled")),
        ("user", "ticket.write", ("deny", "consent_required")),
        ("admin", "ticket.write", ("require_approval", "approval_required")),
        ("preauthorized", "ticket.write", ("require_approval", "approval_required")),
        ("somebody", "ticket.read", ("deny", "consent_required")),
    ],
)
def test_permissions_need_the_right_person(level: str, tool: str, expected: tuple[str, str]) -> None:
    names = {"ticket.read": "Tickets.Read", "ticket.write": "Tickets.ReadWrite"}
    assert said(tool, consents=[{"name": names[tool], "level": level}]) == expected


def test_every_permission_of_a_tool_is_needed() -> None:
    without = [consent for consent in EVERY_CONSENT if consent["name"] != "Crm.Read"]
    assert said("crm.sync", plan="enterprise", consents=without) == ("deny", "consent_required")


@pytest.mark.parametrize(
    ("plan", "tool", "named", "within"),
    [
        ("free", "kb.search", {"data_scope": "own"}, True),
        ("free", "kb.search", {"data_scope": "team"}, False),
        ("pro", "kb.search", {"data_scope": "team"}, True),
        ("pro", "kb.search", {"data_scope": "org"}, False),
        ("enterprise", "kb.search", {"data_scope": "galaxy"}, False),
        ("pro", "chat.ask", {"models": "large"}, True),
        ("pro", "chat.ask", {"models": "frontier"}, False),
        ("enterprise", "agent.autopilot", {"max_steps": 20}, True),
        ("enterprise", "agent.autopilot", {"max_steps": 21}, False),
        ("enterprise", "agent.autopilot", {"max_steps": "many"}, False),
        ("free", "data.export_own", {"data_scope": "org"}, True),
        ("free", "kb.search", {"data_scope": None}, True),
    ],
)
def test_what_a_request_names_lies_within_the_plan(plan: str, tool: str, named: dict[str, Any], within: bool) -> None:
    assert said(tool, plan=plan, named=named) == (("allow", "entitled") if within else ("deny", "out_of_scope"))


def test_a_caller_may_expect_to_spend_more_but_never_less_than_the_tool_does() -> None:
    dear = question("report.export", usage={"exports": 48})
    dear["context"]["cost"] = {"exports": 3}
    assert evaluate(dear)["context"]["reason"] == "limit_exceeded"
    free_of_charge = question("report.export", usage={"exports": 50})
    free_of_charge["context"]["cost"] = {"exports": -5}
    assert evaluate(free_of_charge)["context"]["reason"] == "limit_exceeded"


@pytest.mark.parametrize(
    "broken",
    [
        {}, {"subject": {}}, {"subject": {"id": "t"}}, {"subject": None},
        question("kb.search", plan=["pro"]), question("kb.search", state=None), question("kb.search", quantity="5"),
        question("kb.search", quantity=-1), question("kb.search", quantity=True), question("kb.search", addons=[["x"]]),
        question("kb.search", usage={"messages": "0"}), question("kb.search", usage=[1]),
        question("kb.search", consents=[7]), question("kb.search", overrides=[{"effect": "grant"}]),
        question("kb.search", overrides=override("kb.search", "grant", 7)),  # type: ignore[arg-type]
        {**question("kb.search"), "action": {"name": ["kb.search"]}},
        {**question("kb.search"), "resource": {"properties": ["own"]}},
        {**question("kb.search"), "context": {"cost": {"messages": None}}},
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_read_is_not_answered(broken: dict[str, Any]) -> None:
    from copilot.authzen import MalformedQuestionError

    with pytest.raises(MalformedQuestionError):
        evaluate(broken)


def test_what_cannot_be_told_gives_nothing_and_takes_all_the_same() -> None:
    """No time, no link: temporary grants are over, temporary revocations still hold, nobody is linked."""

    def without_time(**told: Any) -> str:
        return str(evaluate({**question("kb.search", **told), "context": {}})["context"]["reason"])

    assert without_time() == "entitled"
    assert without_time(overrides=override("kb.search", "revoke", ENDED)) == "revoked"
    assert without_time(plan="free", overrides=override("kb.search", "grant", LASTING)) == "entitled"
    asked = {**question("crm.sync", overrides=override("crm.sync", "grant", LASTING)), "context": {}}
    assert evaluate(asked)["context"]["reason"] == "not_in_plan"
    unlinked = question("kb.search")
    del unlinked["subject"]["properties"]["tenant_linked"]
    assert evaluate(unlinked)["context"]["reason"] == "tenant_not_linked"


def test_the_older_plan_book_sells_what_it_sold() -> None:
    from copilot.authzen import ask_from, customer_from
    from copilot.entitlements import EntitlementService
    from copilot.plans import read_plan_book

    service = EntitlementService(read_plan_book("3.1.0"))

    def then(tool: str, **told: Any) -> str:
        asked = question(tool, **told)
        return service.decide(customer_from(asked), ask_from(asked)).reason

    assert then("fax.send", plan="enterprise") == "entitled"
    assert then("ticket.read", plan="free") == "not_in_plan"
    assert then("agent.autopilot", plan="enterprise") == "unknown_capability"
    assert then("report.export", usage={"exports": 25}) == "limit_exceeded"


def test_the_newest_plan_book_is_what_the_decision_point_sells_unless_told_otherwise() -> None:
    from copilot.pdp import evaluate as point

    for asked, reason in (
        (question("report.export", plan="free"), "entitled"),
        (question("report.export", plan="free", usage={"exports": 3}), "limit_exceeded"),
        (question("chat.ask", plan="pro", usage={"messages": 299}), "entitled"),
        (question("chat.ask", plan="pro", usage={"messages": 300}), "limit_exceeded"),
    ):
        assert point(asked) == evaluate(asked, book="3.3.0")
        assert point(asked)["context"]["reason"] == reason
