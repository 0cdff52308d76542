"""Boundary values sit on both sides of where the oracle's decision flips, and it flips once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from plangate.documents.catalog import ConsentLevel, Scope, Setting, SettingKind
from plangate.entitlements.decision import Effect, Reason
from plangate.entitlements.oracle import Oracle
from plangate.matrix.boundaries import consent_names, own_settings, setting_points, usage_points
from plangate.matrix.cell import Cell
from plangate.matrix.expansion import expand
from tests.entitlements.catalogs import catalog_of, sample
from tests.entitlements.strategies import cases
from tests.matrix.suites import TARGETS, suite_of

WIDE = {
    "plan": "all",
    "capability": "all",
    "usage": "boundary",
    "addon": "all",
    "quantity": [1, 2],
    "override": "boundary",
}


def cells_of(catalog: Any, axes: dict[str, Any]) -> tuple[Oracle, list[Cell]]:
    oracle = Oracle.of(catalog)
    return oracle, list(expand(suite_of(axes), oracle, surfaces=TARGETS))


def test_the_decision_flips_exactly_once_between_the_last_fit_and_the_first_over() -> None:
    judged: Counter[str] = Counter()

    @given(cases(asked=0))
    def flips_once(case: Any) -> None:
        catalog = catalog_of(case.catalog)
        oracle, cells = cells_of(catalog, WIDE)
        for cell in cells[::3]:
            kind, _, limit = str(cell.axes[4]).partition(":")
            if kind not in ("last_fit", "first_over"):
                continue
            decision = oracle.decide(cell.subject, cell.request)
            if kind == "last_fit":
                judged[kind] += decision.effect is not Effect.DENY
                assert decision.reason is not Reason.LIMIT_EXCEEDED or decision.limit.name != limit
            before = oracle.decide(replace(cell.subject, usage={**cell.subject.usage, limit: 0}), cell.request)
            if kind == "first_over" and before.reason in (Reason.ENTITLED, Reason.APPROVAL_REQUIRED):
                soft = catalog.limits[limit].soft
                judged["soft" if soft else "hard"] += 1
                allowed = Reason.SOFT_LIMIT if before.effect is Effect.ALLOW else before.reason
                assert decision.reason is (allowed if soft else Reason.LIMIT_EXCEEDED)
                one_less = {**cell.subject.usage, limit: cell.subject.usage[limit] - 1}
                assert oracle.decide(replace(cell.subject, usage=one_less), cell.request) == before

    flips_once()
    assert min(judged[kind] for kind in ("last_fit", "soft", "hard")) > 20, judged


def test_usage_that_nobody_could_exceed_is_tried_where_a_limit_is_unlimited() -> None:
    judged: Counter[str] = Counter()

    @given(cases(asked=0))
    def nobody_exceeds(case: Any) -> None:
        oracle, cells = cells_of(catalog_of(case.catalog), WIDE)
        for cell in cells[::3]:
            kind, _, limit = str(cell.axes[4]).partition(":")
            assert (kind == "huge") == (bool(limit) and oracle.limit_of(cell.subject, limit) is None)
            if kind == "huge":
                at_zero = replace(cell.subject, usage={**cell.subject.usage, limit: 0})
                decision = oracle.decide(cell.subject, cell.request)
                judged["allowed"] += decision.effect is Effect.ALLOW
                assert cell.subject.usage[limit] == 10**9
                assert decision == oracle.decide(at_zero, cell.request)

    nobody_exceeds()
    assert judged["allowed"] > 20


@pytest.mark.parametrize(
    ("limit", "cost", "expected"),
    [
        (20, 1, {"zero": 0, "last_fit:messages": 19, "first_over:messages": 20, "far_over:messages": 41}),
        (
            20,
            3,
            {
                "zero": 0,
                "last_fit:messages": 17,
                "first_over:messages": 18,
                "exact:messages": 20,
                "far_over:messages": 43,
            },
        ),
        (3, 3, {"zero": 0, "first_over:messages": 1, "exact:messages": 3, "far_over:messages": 9}),
        (2, 3, {"zero": 0, "exact:messages": 2, "far_over:messages": 7}),
        (0, 1, {"zero": 0, "far_over:messages": 1}),
        (0, 2, {"zero": 0, "far_over:messages": 2}),
        (1, 1, {"zero": 0, "first_over:messages": 1, "far_over:messages": 3}),
        (None, 1, {"zero": 0, "huge:messages": 10**9}),
    ],
)
def test_usage_points_of_one_limit(limit: int | None, cost: int, expected: dict[str, int]) -> None:
    points = usage_points({"messages": cost}, limit_of=lambda _: limit)

    assert {point.name: point.number for point in points} == expected


def test_each_limit_is_tried_with_the_others_at_zero() -> None:
    _, cells = cells_of(sample(), {"plan": ["pro"], "capability": ["agent.run"], "usage": "boundary"})

    assert [(cell.axes[4], dict(cell.subject.usage)) for cell in cells if cell.axes[1] == "Subscribed"] == [
        ("zero", {"messages": 0, "exports": 0, "tokens": 0}),
        ("last_fit:messages", {"messages": 498, "exports": 0, "tokens": 0}),
        ("first_over:messages", {"messages": 499, "exports": 0, "tokens": 0}),
        ("exact:messages", {"messages": 500, "exports": 0, "tokens": 0}),
        ("far_over:messages", {"messages": 1002, "exports": 0, "tokens": 0}),
        ("last_fit:tokens", {"messages": 0, "exports": 0, "tokens": 900}),
        ("first_over:tokens", {"messages": 0, "exports": 0, "tokens": 901}),
        ("exact:tokens", {"messages": 0, "exports": 0, "tokens": 1000}),
        ("far_over:tokens", {"messages": 0, "exports": 0, "tokens": 2100}),
    ]


def test_boundaries_follow_seats_and_addons() -> None:
    axes = {"plan": ["enterprise"], "state": ["Subscribed"], "capability": ["report.export"], "usage": "boundary"}
    _, cells = cells_of(sample(), {**axes, "addon": "each", "quantity": [2]})
    over = {cell.axes[6]: cell.subject.usage["exports"] for cell in cells if cell.axes[4] == "first_over:exports"}

    assert over == {"none": 200, "export-pack": 300, "crm": 200}


def test_a_plan_that_does_not_set_a_limit_is_tried_at_zero_and_with_what_a_larger_plan_left() -> None:
    axes = {"plan": ["free"], "state": ["Subscribed"], "capability": ["report.export"], "usage": "boundary"}
    _, cells = cells_of(sample(), axes)

    assert [(cell.axes[4], cell.subject.usage["exports"]) for cell in cells] == [("zero", 0), ("far_over:exports", 1)]


SETTINGS = {
    "data_scope": Setting(name="data_scope", kind=SettingKind.ORDER, values=("own", "team", "org")),
    "models": Setting(name="models", kind=SettingKind.SET, values=("small", "large")),
    "max_steps": Setting(name="max_steps", kind=SettingKind.INTEGER, minimum=1),
}


def test_each_setting_is_tried_with_the_others_at_the_plans_own_value() -> None:
    own = {"data_scope": "team", "models": ("large", "small"), "max_steps": 3}
    points = setting_points(tuple(SETTINGS), settings=SETTINGS, own=own)
    normal = {"data_scope": "team", "models": "large", "max_steps": 3}

    assert own_settings(SETTINGS, own=own) == normal
    assert [(point.name, point.values) for point in points] == [
        ("data_scope=own", {**normal, "data_scope": "own"}),
        ("data_scope=team", normal),
        ("data_scope=org", {**normal, "data_scope": "org"}),
        ("models=small", {**normal, "models": "small"}),
        ("models=large", normal),
        ("max_steps=3", normal),
        ("max_steps=4", {**normal, "max_steps": 4}),
    ]


def test_a_setting_that_the_plan_does_not_have_is_not_named_but_tried_at_its_boundary() -> None:
    assert own_settings(("max_steps", "models"), own={"models": ()}) == {}
    points = setting_points(("max_steps",), settings=SETTINGS, own={})
    assert [(point.name, point.values) for point in points] == [("max_steps=1", {"max_steps": 1})]


def test_a_capability_without_settings_has_the_plans_own_value_only() -> None:
    points = setting_points((), settings=SETTINGS, own={"max_steps": 3})
    assert [(point.name, point.values) for point in points] == [("plan", {})]


def test_settings_at_their_boundary_split_where_the_oracle_splits() -> None:
    axes = {"plan": ["pro"], "state": ["Subscribed"], "capability": ["kb.search"], "setting": "boundary"}
    oracle, cells = cells_of(sample(), axes)

    assert {cell.axes[5]: oracle.decide(cell.subject, cell.request).reason for cell in cells} == {
        "data_scope=own": Reason.ENTITLED,
        "data_scope=team": Reason.ENTITLED,
        "data_scope=org": Reason.OUT_OF_SCOPE,
    }


def test_consents_are_tried_full_none_and_each_scope_missing_or_short() -> None:
    scopes = (Scope(name="Read"), Scope(name="Write", consent=ConsentLevel.ADMIN))
    scopes += (Scope(name="Sync", consent=ConsentLevel.PREAUTHORIZED),)

    assert consent_names(scopes) == (
        "full",
        "none",
        "missing:Read",
        "missing:Write",
        "short:Write",
        "missing:Sync",
        "short:Sync",
        "preauthorized",
    )


def test_only_full_consent_lets_a_scope_through() -> None:
    axes = {"plan": ["pro"], "state": ["Subscribed"], "capability": ["ticket.write"], "consent": "boundary"}
    oracle, cells = cells_of(sample(), axes)

    assert {cell.axes[8]: oracle.decide(cell.subject, cell.request).reason for cell in cells} == {
        "full": Reason.APPROVAL_REQUIRED,
        "none": Reason.CONSENT_REQUIRED,
        "missing:Tickets.ReadWrite": Reason.CONSENT_REQUIRED,
        "short:Tickets.ReadWrite": Reason.CONSENT_REQUIRED,
        "preauthorized": Reason.APPROVAL_REQUIRED,
    }


def test_an_override_counts_for_its_capability_until_it_ends_and_a_revoke_beats_a_grant() -> None:
    axes = {"plan": ["free", "pro"], "state": ["Subscribed"], "capability": ["crm.sync"], "override": "boundary"}
    catalog = sample(plans__pro__grants=["crm.sync"])
    oracle, cells = cells_of(catalog, axes)
    told = {(cell.axes[0], cell.axes[10]): oracle.decide(cell.subject, cell.request).reason.value for cell in cells}

    assert {override: (told["free", override], told["pro", override]) for _, override in told} == {
        "none": ("not_in_plan", "entitled"),
        "grant": ("entitled", "entitled"),
        "grant_expired": ("not_in_plan", "entitled"),
        "grant_ended_now": ("not_in_plan", "entitled"),
        "grant_other": ("not_in_plan", "entitled"),
        "revoke": ("revoked", "revoked"),
        "revoke_expired": ("not_in_plan", "entitled"),
        "revoke_ended_now": ("not_in_plan", "entitled"),
        "revoke_other": ("not_in_plan", "entitled"),
        "grant_and_revoke": ("revoked", "revoked"),
    }


def test_an_override_that_ends_now_ends_at_the_instant_of_the_request() -> None:
    axes = {"plan": ["free"], "capability": ["crm.sync"], "override": "boundary"}
    matrix = expand(suite_of(axes, time="2026-07-08T09:10:11Z"), Oracle.of(sample()), surfaces=TARGETS)
    ends = {cell.axes[10]: [one.expires for one in cell.subject.overrides] for cell in matrix}

    assert ends["grant_ended_now"] == ends["revoke_ended_now"] == ["2026-07-08T09:10:11Z"]
    assert {cell.request.time for cell in matrix} == {"2026-07-08T09:10:11Z"}


def test_an_override_of_another_capability_names_one_that_the_app_knows() -> None:
    axes = {"plan": ["free"], "state": ["Subscribed"], "capability": "all+unknown", "override": "boundary"}
    _, cells = cells_of(sample(), axes)
    named = {
        cell.request.capability: cell.subject.overrides[0].capability
        for cell in cells
        if cell.axes[10] == "grant_other"
    }

    assert named["kb.search"] == "report.export"
    assert named["crm.sync"] == named["unknown.capability"] == "kb.search"
    assert all(asked != other for asked, other in named.items())


def test_a_use_may_cost_one_more_than_the_catalog_says_and_has_boundaries_of_its_own() -> None:
    axes = {"plan": ["pro"], "state": ["Subscribed"], "capability": ["kb.search"], "usage": "boundary", "cost": "more"}
    oracle, cells = cells_of(sample(), axes)

    assert [(cell.axes[11], cell.axes[4], cell.request.cost, cell.subject.usage["messages"]) for cell in cells] == [
        ("catalog", "zero", {"messages": 1}, 0),
        ("more", "zero", {"messages": 2}, 0),
        ("catalog", "last_fit:messages", {"messages": 1}, 499),
        ("more", "last_fit:messages", {"messages": 2}, 498),
        ("catalog", "first_over:messages", {"messages": 1}, 500),
        ("more", "first_over:messages", {"messages": 2}, 499),
        ("more", "exact:messages", {"messages": 2}, 500),
        ("catalog", "far_over:messages", {"messages": 1}, 1001),
        ("more", "far_over:messages", {"messages": 2}, 1002),
    ]
    for cell in cells:
        fits = str(cell.axes[4]).partition(":")[0] in ("zero", "last_fit")
        assert (oracle.decide(cell.subject, cell.request).reason is Reason.ENTITLED) == fits


def test_what_consumes_nothing_costs_nothing_more() -> None:
    axes = {"plan": ["pro"], "state": ["Subscribed"], "capability": ["crm.sync", "kb.search"], "cost": ["more"]}
    _, cells = cells_of(sample(), axes)

    assert [(cell.request.capability, cell.axes[11]) for cell in cells] == [
        ("crm.sync", "catalog"),
        ("kb.search", "more"),
    ]


def test_a_flat_rate_has_no_seats_and_counts_as_one() -> None:
    axes = {"plan": ["enterprise"], "state": ["Subscribed"], "capability": ["report.export"], "usage": "boundary"}
    _, cells = cells_of(sample(), {**axes, "quantity": [None]})

    assert [(cell.subject.quantity, cell.subject.usage["exports"]) for cell in cells] == [
        (None, 0),
        (None, 99),
        (None, 100),
        (None, 201),
    ]
