"""Rules D1 to D11 and each sentence below the plan catalog in the specification, one example or more each."""

from __future__ import annotations

from typing import Any

import pytest

from plangate.documents.catalog import Lane
from plangate.documents.environment import Policy
from plangate.entitlements.decision import Decision, LimitDetail
from plangate.entitlements.oracle import Oracle
from plangate.entitlements.request import Consent, Override, Request, Subject
from tests.entitlements.catalogs import catalog_of, sample

FULL = (Consent("Tickets.ReadWrite", "preauthorized"),)
NOW = "2026-01-01T00:00:00Z"


def decide(
    capability: str,
    *,
    plan: str = "pro",
    state: str = "Subscribed",
    catalog: Any = None,
    policy: Policy | None = None,
    settings: dict[str, Any] | None = None,
    cost: dict[str, Any] | None = None,
    time: str = NOW,
    **subject: Any,
) -> Decision:
    oracle = Oracle.of(catalog or sample(), policy or Policy())
    request = Request(capability=capability, settings=settings or {}, cost=cost or {}, time=time)
    return oracle.decide(Subject(plan=plan, state=state, consents=subject.pop("consents", FULL), **subject), request)


def said(decision: Decision) -> tuple[str, str, str]:
    return decision.rule, decision.effect.value, str(decision.reason)


# --- D1 to D5: is there anything to decide about? ---


def test_d1_capability_that_the_catalog_lacks_is_denied_before_all_else() -> None:
    decision = decide("fax.send", plan="nothing", state="Limbo", tenant_linked=False)
    assert said(decision) == ("D1", "deny", "unknown_capability")


def test_d2_prohibited_capability_is_denied_even_to_a_tenant_that_is_not_linked() -> None:
    assert said(decide("data.purge", tenant_linked=False)) == ("D2", "deny", "prohibited")


def test_d2_policy_denied_adds_to_what_the_catalog_prohibits() -> None:
    decision = decide("kb.search", policy=Policy(denied=("kb.search",)))
    assert (said(decision), decision.in_environment) == (("D2", "deny", "prohibited"), True)


def test_d3_tenant_that_is_not_linked_is_denied_before_its_state_is_looked_at() -> None:
    assert said(decide("kb.search", state="Suspended", tenant_linked=False)) == ("D3", "deny", "tenant_not_linked")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("PendingFulfillmentStart", "not_activated"),
        ("Suspended", "suspended"),
        ("Unsubscribed", "unsubscribed"),
        ("Limbo", "unknown_state"),
        ("subscribed", "unknown_state"),
        ("", "unknown_state"),
    ],
)
def test_d4_state_other_than_subscribed_denies_with_its_reason(state: str, reason: str) -> None:
    assert said(decide("kb.search", state=state)) == ("D4", "deny", reason)


def test_d4_capability_that_the_state_retains_passes_to_the_next_rules() -> None:
    assert said(decide("data.export_own", state="Suspended")) == ("D11", "allow", "entitled")
    assert said(decide("data.export_own", state="Suspended", plan="ghost")) == ("D5", "deny", "unknown_plan")


def test_d4_state_that_the_catalog_does_not_list_retains_nothing() -> None:
    assert said(decide("data.export_own", state="Suspended", catalog=sample(states={}))) == ("D4", "deny", "suspended")


def test_d4_state_of_the_catalog_s_own_is_an_unknown_state_that_may_retain() -> None:
    catalog = sample(states__Trial={"retains": ["kb.search"]})
    assert said(decide("kb.search", state="Trial", catalog=catalog)) == ("D11", "allow", "entitled")
    assert said(decide("report.export", state="Trial", catalog=catalog)) == ("D4", "deny", "unknown_state")


@pytest.mark.parametrize("state", ["canceled", "Suspended"])
def test_d4_state_may_give_its_own_reason(state: str) -> None:
    catalog = sample(**{f"states__{state}": {"retains": ["kb.search"], "reason": "subscription_canceled"}})
    assert said(decide("kb.search", state=state, catalog=catalog)) == ("D11", "allow", "entitled")
    assert said(decide("report.export", state=state, catalog=catalog)) == ("D4", "deny", "subscription_canceled")


def test_d5_plan_that_the_catalog_lacks_is_denied_even_with_a_grant_override() -> None:
    decision = decide("kb.search", plan="platinum", overrides=(Override("kb.search", "grant"),))
    assert said(decision) == ("D5", "deny", "unknown_plan")


# --- D6: who grants it? ---


def test_d6_capability_that_nothing_grants_is_not_in_plan() -> None:
    assert said(decide("report.export", plan="free")) == ("D6", "deny", "not_in_plan")


def test_d6_extends_copies_grants() -> None:
    assert said(decide("kb.search", plan="enterprise")) == ("D11", "allow", "entitled")


def test_d6_revokes_of_a_plan_takes_an_inherited_grant_away_and_is_not_in_plan() -> None:
    catalog = sample(plans__enterprise__revokes=["kb.search"])
    decision = decide("kb.search", plan="enterprise", catalog=catalog)
    assert said(decision) == ("D6", "deny", "not_in_plan")
    assert decision.pointer == ("plans", "enterprise", "revokes", 0)


def test_d6_child_grants_again_what_its_parent_revoked() -> None:
    catalog = sample(plans__pro__revokes=["kb.search"], plans__enterprise__grants=["kb.search"])
    assert said(decide("kb.search", plan="enterprise", catalog=catalog)) == ("D11", "allow", "entitled")


def test_d6_plan_that_grants_and_revokes_at_once_does_not_grant() -> None:
    catalog = sample(plans__free__revokes=["kb.search"])
    assert said(decide("kb.search", plan="free", catalog=catalog)) == ("D6", "deny", "not_in_plan")


def test_d6_add_on_grants() -> None:
    decision = decide("crm.sync", plan="free", addons=("crm",))
    assert (said(decision), decision.pointer) == (("D11", "allow", "entitled"), ("addons", "crm", "grants", 0))


def test_d6_add_on_that_the_catalog_lacks_grants_nothing() -> None:
    assert said(decide("crm.sync", plan="free", addons=("crm-plus",))) == ("D6", "deny", "not_in_plan")


def test_d6_live_override_grants() -> None:
    for expires in (None, "2026-01-01T00:00:01Z", "2026-01-01T00:00:00.001Z", "2026-01-01T00:00:00-00:01"):
        override = Override("crm.sync", "grant", expires)
        assert said(decide("crm.sync", plan="free", overrides=(override,))) == ("D11", "allow", "entitled"), expires


def test_d6_expired_override_counts_for_nothing() -> None:
    for expires in (NOW, "2025-12-31T23:59:59Z", "2026-01-01T00:59:59+01:00", "2000-01-01T00:00:00Z"):
        granted = decide("crm.sync", plan="free", overrides=(Override("crm.sync", "grant", expires),))
        revoked = decide("kb.search", overrides=(Override("kb.search", "revoke", expires),))
        assert (said(granted)[2], said(revoked)[2]) == ("not_in_plan", "entitled"), expires


def test_d6_override_with_an_expiry_that_cannot_be_read_never_allows() -> None:
    for expires in ("soon", "", "2026-13-01T00:00:00Z", "2099-01-01", "2099-01-01 00:00:00"):
        granted = decide("crm.sync", plan="free", overrides=(Override("crm.sync", "grant", expires),))
        revoked = decide("kb.search", overrides=(Override("kb.search", "revoke", expires),))
        assert (said(granted)[2], said(revoked)[2]) == ("not_in_plan", "revoked"), expires


def test_d6_override_with_an_expiry_never_allows_where_the_request_time_cannot_be_read() -> None:
    override = Override("crm.sync", "grant", "9999-01-01T00:00:00Z")
    assert said(decide("crm.sync", plan="free", overrides=(override,), time="now")) == ("D6", "deny", "not_in_plan")


def test_d6_revoke_beats_any_grant_and_is_looked_at_first() -> None:
    both = (Override("kb.search", "grant"), Override("kb.search", "revoke"))
    assert said(decide("kb.search", overrides=both)) == ("D6", "deny", "revoked")
    assert said(decide("crm.sync", plan="free", overrides=(Override("crm.sync", "revoke"),)))[2] == "revoked"


def test_d6_override_of_another_capability_changes_nothing() -> None:
    assert said(decide("kb.search", overrides=(Override("report.export", "revoke"),)))[2] == "entitled"
    assert said(decide("crm.sync", overrides=(Override("kb.search", "grant"),)))[2] == "not_in_plan"


def test_d6_override_whose_effect_is_unknown_is_read_as_a_revoke() -> None:
    assert said(decide("kb.search", overrides=(Override("kb.search", "extend"),)))[2] == "revoked"


# --- D7: consent ---


@pytest.mark.parametrize(
    ("needed", "given", "met"),
    [
        ("user", "user", True),
        ("user", "admin", True),
        ("user", "preauthorized", True),
        ("admin", "user", False),
        ("admin", "admin", True),
        ("admin", "preauthorized", True),
        ("preauthorized", "user", False),
        ("preauthorized", "admin", True),
        ("preauthorized", "preauthorized", True),
        ("user", "owner", False),
    ],
)
def test_d7_scope_is_met_at_its_level_or_above(needed: str, given: str, met: bool) -> None:
    catalog = sample(capabilities__ticket_dot_write={"scopes": [{"name": "S", "consent": needed}]})
    decision = decide("ticket.write", catalog=catalog, consents=(Consent("S", given),))
    assert decision.reason == ("entitled" if met else "consent_required")


def test_d7_consent_to_another_scope_does_not_count() -> None:
    decision = decide("ticket.write", consents=(Consent("Tickets.Read", "admin"),))
    assert (said(decision), decision.setting) == (("D7", "deny", "consent_required"), "Tickets.ReadWrite")


def test_d7_one_of_two_consents_to_the_same_scope_is_enough() -> None:
    consents = (Consent("Tickets.ReadWrite", "user"), Consent("Tickets.ReadWrite", "admin"))
    assert decide("ticket.write", consents=consents).rule == "D10"


def test_d7_is_decided_before_the_lane() -> None:
    assert said(decide("ticket.write", consents=())) == ("D7", "deny", "consent_required")


# --- D8: settings ---


@pytest.mark.parametrize(
    ("plan", "scope", "within"),
    [
        ("free", "own", True),
        ("free", "team", False),
        ("pro", "own", True),
        ("pro", "team", True),
        ("pro", "org", False),
        ("enterprise", "org", True),
    ],
)
def test_d8_order_is_within_up_to_the_plan_s_value(plan: str, scope: str, within: bool) -> None:
    decision = decide("kb.search", plan=plan, settings={"data_scope": scope})
    assert said(decision) == (("D11", "allow", "entitled") if within else ("D8", "deny", "out_of_scope"))


def test_d8_set_is_within_for_its_members() -> None:
    assert decide("agent.run", settings={"models": "small"}).reason == "entitled"
    assert decide("agent.run", settings={"models": "large"}).reason == "out_of_scope"


@pytest.mark.parametrize(("steps", "within"), [(1, True), (3, True), (4, False)])
def test_d8_integer_is_within_up_to_the_plan_s_number(steps: int, within: bool) -> None:
    assert decide("agent.run", settings={"max_steps": steps}).reason == ("entitled" if within else "out_of_scope")


@pytest.mark.parametrize(
    ("name", "value"),
    [("data_scope", "galaxy"), ("data_scope", ""), ("data_scope", 1), ("data_scope", ["own"]), ("data_scope", None)],
)
def test_d8_value_that_is_none_of_the_setting_is_out_of_scope(name: str, value: Any) -> None:
    assert said(decide("kb.search", settings={name: value})) == ("D8", "deny", "out_of_scope")


@pytest.mark.parametrize("value", [True, "1", 1.0, None, [1]])
def test_d8_integer_setting_takes_integers_only(value: Any) -> None:
    assert said(decide("agent.run", settings={"max_steps": value})) == ("D8", "deny", "out_of_scope")


def test_d8_setting_that_the_request_does_not_name_is_not_judged() -> None:
    assert decide("agent.run", settings={}).reason == "entitled"


def test_d8_setting_that_the_plan_does_not_set_is_out_of_scope_when_named() -> None:
    catalog = sample(plans__pro__settings={})
    decision = decide("agent.run", catalog=catalog, settings={"models": "small"})
    assert (said(decision), decision.setting) == (("D8", "deny", "out_of_scope"), "models")


def test_d8_capability_is_judged_only_on_settings_it_uses() -> None:
    assert decide("kb.search", settings={"max_steps": 99, "nothing": "x"}).reason == "entitled"


def test_d8_policy_max_steps_tightens_the_setting_of_that_name() -> None:
    tight = decide("agent.run", policy=Policy(max_steps=2), settings={"max_steps": 3})
    assert (said(tight), tight.in_environment) == (("D8", "deny", "out_of_scope"), True)
    assert decide("agent.run", policy=Policy(max_steps=2), settings={"max_steps": 2}).reason == "entitled"


def test_d8_policy_max_steps_never_widens_a_plan() -> None:
    decision = decide("agent.run", policy=Policy(max_steps=50), settings={"max_steps": 4})
    assert (said(decision), decision.in_environment) == (("D8", "deny", "out_of_scope"), False)


# --- D9: limits ---


@pytest.mark.parametrize(("used", "reason"), [(0, "entitled"), (49, "entitled"), (50, "limit_exceeded")])
def test_d9_usage_at_the_limit_denies_with_reason(used: int, reason: str) -> None:
    assert decide("report.export", usage={"exports": used}).reason == reason


def test_d9_names_limit_remaining_and_when_the_window_starts_again() -> None:
    decision = decide("report.export", usage={"exports": 50}, time="2026-11-22T00:00:00Z")
    assert said(decision) == ("D9", "deny", "limit_exceeded")
    assert decision.limit == LimitDetail("exports", 50, 0, "2026-12-01T00:00:00Z")
    assert decision.pointer == ("plans", "pro", "limits", "exports")


def test_d9_remaining_is_what_was_left_though_too_little() -> None:
    decision = decide("report.export", usage={"exports": 48}, cost={"exports": 3})
    assert decision.limit == LimitDetail("exports", 50, 2, "2026-02-01T00:00:00Z")


def test_d9_remaining_is_never_below_zero() -> None:
    assert decide("report.export", usage={"exports": 70}).limit == LimitDetail("exports", 50, 0, "2026-02-01T00:00:00Z")


def test_d9_unlimited_is_never_exceeded() -> None:
    assert decide("kb.search", plan="enterprise", usage={"messages": 10**12}).reason == "entitled"


def test_d9_unlimited_stays_unlimited_with_an_add_on() -> None:
    catalog = sample(addons__pack={"limits": {"messages": {"add": 5}}})
    assert (
        decide("kb.search", plan="enterprise", catalog=catalog, addons=("pack",), usage={"messages": 10**9}).rule
        == "D11"
    )


def test_d9_per_quantity_multiplies_by_the_seats() -> None:
    for used, reason in ((299, "entitled"), (300, "limit_exceeded")):
        assert decide("report.export", plan="enterprise", quantity=3, usage={"exports": used}).reason == reason


def test_d9_add_ons_are_summed_on_top_each_once() -> None:
    catalog = sample(addons__more={"limits": {"exports": {"add": 10}}})
    addons = ("export-pack", "more", "export-pack", "unknown")
    for used, reason in ((159, "entitled"), (160, "limit_exceeded")):
        assert decide("report.export", catalog=catalog, addons=addons, usage={"exports": used}).reason == reason


def test_d9_limit_that_nothing_sets_is_zero() -> None:
    decision = decide("report.export", plan="free", overrides=(Override("report.export", "grant"),))
    assert decision.limit == LimitDetail("exports", 0, 0, "2026-02-01T00:00:00Z")


def test_d9_limit_that_only_an_add_on_sets_is_the_add_on_s() -> None:
    decision = decide(
        "report.export",
        plan="free",
        overrides=(Override("report.export", "grant"),),
        addons=("export-pack",),
        usage={"exports": 100},
    )
    assert decision.limit == LimitDetail("exports", 100, 0, "2026-02-01T00:00:00Z")
    assert decision.pointer == ("addons", "export-pack", "limits", "exports")


def test_d9_reports_the_first_exceeded_hard_limit_in_catalog_order() -> None:
    catalog = sample(capabilities__kb_dot_search={"consumes": {"exports": 1, "messages": 1}})
    decision = decide("kb.search", catalog=catalog, usage={"messages": 500, "exports": 50})
    assert decision.limit is not None
    assert decision.limit.name == "messages"


def test_d9_limit_that_the_use_does_not_count_against_is_not_judged() -> None:
    assert decide("report.export", usage={"messages": 10**6}).reason == "entitled"


def test_d9_request_may_raise_the_cost_never_lower_it() -> None:
    assert decide("report.export", usage={"exports": 40}, cost={"exports": 11}).reason == "limit_exceeded"
    for cost in (0, -5, True, "0", None):
        assert decide("report.export", usage={"exports": 50}, cost={"exports": cost}).reason == "limit_exceeded", cost


def test_d9_a_use_that_costs_nothing_counts_against_nothing() -> None:
    """Not even against a limit that the catalog lacks and somebody has used."""
    catalog = catalog_of({"capabilities": {"a": {"consumes": {"gone": 0}}}, "plans": {"pro": {"grants": ["a"]}}})
    assert said(decide("a", catalog=catalog, usage={"gone": 5}))[2] == "entitled"


def test_d9_cost_of_a_limit_that_the_catalog_lacks_is_refused() -> None:
    decision = decide("kb.search", cost={"gold": 1})
    assert decision.limit == LimitDetail("gold", 0, 0, None)


def test_d9_usage_that_is_no_count_never_makes_room() -> None:
    for used in (-1_000, True, "0", None, 1.5):
        decision = decide("report.export", usage={"exports": used}, cost={"exports": 51})
        assert decision.reason == "limit_exceeded", used


# --- D10 and D11 ---


def test_d10_lane_of_the_capability_asks_for_approval() -> None:
    assert said(decide("ticket.write")) == ("D10", "require_approval", "approval_required")


def test_d10_lane_of_the_plan_overrides_the_capability_s() -> None:
    catalog = sample(
        plans__enterprise__lanes={"ticket.write": "automatic"}, plans__pro__lanes={"kb.search": "approval"}
    )
    assert decide("ticket.write", plan="enterprise", catalog=catalog).reason == "entitled"
    assert decide("kb.search", plan="enterprise", catalog=catalog).reason == "approval_required"


def test_d10_policy_lanes_may_only_tighten() -> None:
    policy = Policy(lanes={"ticket.write": Lane.AUTOMATIC, "kb.search": Lane.APPROVAL})
    assert decide("ticket.write", policy=policy).reason == "approval_required"
    forced = decide("kb.search", policy=policy)
    assert (said(forced), forced.in_environment) == (("D10", "require_approval", "approval_required"), True)


def test_d10_comes_after_the_limits() -> None:
    policy = Policy(lanes={"report.export": Lane.APPROVAL})
    assert decide("report.export", policy=policy, usage={"exports": 50}).reason == "limit_exceeded"


def test_d11_entitled_points_at_the_grant() -> None:
    decision = decide("kb.search", plan="enterprise")
    assert (said(decision), decision.pointer) == (("D11", "allow", "entitled"), ("plans", "free", "grants", 0))


def test_d11_soft_limit_allows_with_its_own_reason() -> None:
    decision = decide("agent.run", usage={"tokens": 950})
    assert said(decision) == ("D11", "allow", "soft_limit")
    assert decision.limit == LimitDetail("tokens", 1000, 50, "2026-01-01T01:00:00Z")


def test_d11_hard_limit_counts_before_a_soft_one() -> None:
    decision = decide("agent.run", usage={"tokens": 950, "messages": 499})
    assert (decision.reason, decision.limit and decision.limit.name) == ("limit_exceeded", "messages")


def test_d11_approval_comes_before_a_soft_limit() -> None:
    policy = Policy(lanes={"agent.run": Lane.APPROVAL})
    assert decide("agent.run", policy=policy, usage={"tokens": 950}).reason == "approval_required"


def test_limit_of_is_the_limit_that_decisions_use() -> None:
    oracle = Oracle.of(sample())
    subject = Subject(plan="enterprise", state="Subscribed", quantity=3, addons=("export-pack", "export-pack"))
    assert [oracle.limit_of(subject, name) for name in ("exports", "messages", "tokens", "gold")] == [
        400,
        None,
        1000,
        0,
    ]
    assert oracle.limit_of(Subject(plan="ghost", state="Subscribed"), "exports") == 0


def test_catalog_without_anything_denies_all() -> None:
    oracle = Oracle.of(catalog_of({"capabilities": {}, "plans": {}}))
    assert oracle.decide(Subject(plan="", state="Subscribed"), Request(capability="")).reason == "unknown_capability"


def test_d9_flat_rate_counts_as_one_seat_and_no_seats_as_none() -> None:
    for quantity, limit in ((None, 100), (1, 100), (0, 0)):
        decision = decide("report.export", plan="enterprise", quantity=quantity, usage={"exports": 100})
        assert (decision.reason, decision.limit and decision.limit.limit) == ("limit_exceeded", limit)
    assert decide("report.export", plan="enterprise", quantity=None, usage={"exports": 99}).reason == "entitled"


def test_d9_use_that_costs_nothing_of_a_limit_passes_it_though_it_is_overrun() -> None:
    overrun = {"messages": 0, "exports": 4_711}
    assert decide("kb.search", cost={"messages": 2, "exports": 0}, usage=overrun).reason == "entitled"
