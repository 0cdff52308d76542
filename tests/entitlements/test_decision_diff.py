"""Two catalogs compared in decisions: every difference, none invented, each in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plangate.documents.catalog import Lane
from plangate.documents.environment import Policy
from plangate.entitlements.decision_diff import DecisionDiff, Said, ValueChange, decision_changes
from plangate.entitlements.diff_sentences import sentences
from plangate.entitlements.oracle import Oracle
from tests.entitlements.catalogs import catalog_of, policy_of, sample
from tests.entitlements.reference_oracle import reference_decision
from tests.entitlements.strategies import Case, cases


def diff(before: Any, after: Any) -> DecisionDiff:
    return decision_changes(Oracle.of(before), Oracle.of(after))


def told(before: Any, after: Any) -> list[str]:
    return list(sentences(diff(before, after)))


@settings(max_examples=2 * settings().max_examples)
@given(st.tuples(cases(asked=0), cases(asked=0)))
def test_decision_changes_are_those_of_the_independent_reading(pair: tuple[Case, Case]) -> None:
    old, new = pair
    oracles = [Oracle.of(catalog_of(one.catalog), policy_of(one.policy)) for one in pair]
    found = {(c.plan, c.state, c.capability): (c.before, c.after) for c in decision_changes(*oracles).decision_changes}
    for plan in ("free", "pro", "max"):
        for state in {"Subscribed", *old.catalog["states"], *new.catalog["states"]}:
            for capability in new.catalog["capabilities"]:
                said = [plain(one, plan, state, capability) for one in (old, new)]
                change = found.pop((plan, state, capability), None)
                assert (change is not None) == (said[0] != said[1])
                if change:
                    assert [(one.effect.value, str(one.reason)) for one in change] == said
    assert found == {}


def plain(case: Case, plan: str, state: str, capability: str) -> tuple[str, str]:
    subject = {
        "plan": plan,
        "state": state,
        "quantity": 1,
        "addons": [],
        "tenant_linked": True,
        "consents": [{"name": name, "level": "admin"} for name in ("Tickets.Read", "Tickets.Write")],
        "usage": {},
        "overrides": [],
    }
    request = {"capability": capability, "settings": {}, "cost": {}, "time": "2026-01-01T00:00:00Z"}
    decision = reference_decision(case.catalog, case.policy, subject, request)
    return decision["effect"], decision["reason"]


def test_catalog_compared_with_itself_differs_in_nothing() -> None:
    assert diff(sample(), sample()).empty
    assert told(sample(), sample()) == []


def test_grant_is_a_gain_and_a_revoke_a_loss() -> None:
    richer = sample(
        plans__free__grants=["kb.search", "data.export_own", "report.export"], plans__free__limits__exports=5
    )
    changes = diff(sample(), richer).decision_changes
    assert [(one.plan, one.state, one.capability) for one in changes] == [("free", "Subscribed", "report.export")]
    assert (changes[0].before, changes[0].after) == (Said("deny", "not_in_plan"), Said("allow", "entitled"))  # type: ignore[arg-type]
    assert told(sample(), richer) == ["free gains report.export", "free gains 5 exports a month (0, now 5)"]
    assert told(richer, sample())[0] == "free loses report.export (not_in_plan)"


def test_limit_changes_carry_the_values_as_yaml_writes_them() -> None:
    other = sample(plans__pro__limits={"messages": 300, "exports": {"per_quantity": 2}})
    assert diff(sample(), other).limit_changes == (
        ValueChange(plan="pro", name="messages", before=500, after=300),
        ValueChange(plan="pro", name="exports", before=50, after={"per_quantity": 2}),
        ValueChange(plan="pro", name="tokens", before=1000, after=None),
        ValueChange(plan="enterprise", name="tokens", before=1000, after=None),
    )


def test_limits_in_words() -> None:
    def one(before: Any, after: Any, *, name: str = "messages") -> str:
        path = f"plans__pro__limits__{name}"
        return next(text for text in told(sample(**{path: before}), sample(**{path: after})) if text.startswith("pro"))

    assert one(500, 300) == "pro loses 200 messages a day (500, now 300)"
    assert one(500, 501) == "pro gains 1 message a day (500, now 501)"
    assert one(500, "unlimited") == "pro: messages a day go from 500 to unlimited"
    assert one("unlimited", 500) == "pro: messages a day go from unlimited to 500"
    assert one({"per_quantity": 5}, {"per_quantity": 7}) == "pro gains 2 messages a day for each seat (5, now 7)"
    assert one(50, {"per_quantity": 5}) == "pro: messages a day go from 50 to 5 for each seat"


def test_settings_in_words() -> None:
    def one(name: str, before: Any, after: Any) -> list[str]:
        path = f"plans__enterprise__settings__{name}"
        return told(sample(**{path: before}), sample(**{path: after}))

    assert one("data_scope", "team", "org") == ["enterprise: data_scope widens from team to org"]
    assert one("data_scope", "team", "own") == ["enterprise: data_scope narrows from team to own"]
    assert one("max_steps", 3, 5) == ["enterprise: max_steps rises from 3 to 5"]
    assert one("models", ["small"], ["large"]) == ["enterprise gains large and loses small in models"]


def test_lanes_in_words() -> None:
    eased = sample(plans__enterprise__lanes={"ticket.write": "automatic"})
    assert told(sample(), eased) == ["enterprise no longer needs approval for ticket.write"]
    assert told(eased, sample()) == ["enterprise now needs approval for ticket.write"]


def test_states_that_change_alike_are_told_once_and_only_where_a_subscription_in_order_does_not() -> None:
    kinder = sample(
        states={
            "Suspended": {"retains": ["data.export_own", "kb.search"]},
            "Unsubscribed": {"retains": ["kb.search"]},
            "PendingFulfillmentStart": {},
        }
    )
    assert told(sample(), kinder) == [
        f"{plan} gains kb.search while Suspended or Unsubscribed" for plan in ("free", "pro", "enterprise")
    ]


def test_new_plan_is_told_by_what_it_allows_not_by_what_it_refuses() -> None:
    wider = sample(plans__team={"extends": "free", "grants": ["crm.sync"]})
    assert told(sample(), wider) == ["the plan team is new", "team gains kb.search, data.export_own, crm.sync"]


def test_new_capability_that_no_plan_grants_is_told_once() -> None:
    assert told(sample(), sample(capabilities__fax_dot_send={})) == ["the capability fax.send is new"]


def test_refusal_for_another_reason_is_told_once() -> None:
    prohibited = sample(capabilities__crm_dot_sync={"effect": "external", "prohibited": True})
    assert told(sample(), prohibited) == [
        "free is still refused crm.sync, now as prohibited (was not_in_plan)",
        "pro is still refused crm.sync, now as prohibited (was not_in_plan)",
        "enterprise loses crm.sync (prohibited)",
    ]


def test_terms_that_no_plan_carries_are_told() -> None:
    dearer = sample(
        capabilities__report_dot_export={"consumes": {"exports": 2}, "uses": ["data_scope"]},
        limits__messages__window="month",
        addons__export_dash_pack={"limits": {"exports": {"add": 5}}},
    )
    assert told(sample(), dearer) == [
        "the add-on export_dash_pack is new",
        "capabilities.report.export.consumes goes from {exports: 1} to {exports: 2}",
        "limits.messages.window goes from day to month",
    ]


@pytest.mark.parametrize(
    ("window", "period"),
    [
        ("week", "a week"),
        ("rolling P7D", "in any P7D"),
        ("billing P1M", "in a billing period of P1M"),
        ("run", "a run"),
    ],
)
def test_a_change_of_a_limit_says_in_which_window(window: str, period: str) -> None:
    before = sample(limits__messages__window=window)
    after = sample(limits__messages__window=window, plans__free__limits={"messages": 25})
    assert told(before, after) == [f"free gains 5 messages {period} (20, now 25)"]


def test_a_state_that_gets_its_own_reason_is_told_for_each_plan() -> None:
    before = sample(states__Trial={"retains": ["kb.search"]})
    after = sample(states__Trial={"retains": ["kb.search"], "reason": "trial_over"})
    found = decision_changes(Oracle.of(before), Oracle.of(after)).decision_changes
    assert {(one.state, one.before.reason, one.after.reason) for one in found} == {
        ("Trial", "unknown_state", "trial_over")
    }


def test_policy_of_the_environment_shows_in_the_decisions() -> None:
    before, after = (
        Oracle.of(sample()),
        Oracle.of(sample(), Policy(denied=("crm.sync",), lanes={"kb.search": Lane.APPROVAL})),
    )
    found = {
        (one.plan, one.capability): one.after.reason
        for one in decision_changes(before, after).decision_changes
        if one.state == "Subscribed"
    }
    assert found == {
        ("free", "kb.search"): "approval_required",
        ("pro", "kb.search"): "approval_required",
        ("enterprise", "kb.search"): "approval_required",
        ("free", "crm.sync"): "prohibited",
        ("pro", "crm.sync"): "prohibited",
        ("enterprise", "crm.sync"): "prohibited",
    }


def test_long_lists_of_names_are_cut_with_a_count() -> None:
    names = [f"cap{number:02}" for number in range(15)]
    base = {"capabilities": {name: {} for name in names}, "plans": {"free": {}}}
    wider = {**base, "plans": {"free": {"grants": names}}}
    assert told(catalog_of(base), catalog_of(wider)) == [f"free gains {', '.join(names[:12])} and 3 more"]
