"""Boundary values sit on both sides of where the oracle's decision flips, and it flips once."""

from __future__ import annotations

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


@given(cases(asked=0))
def test_the_decision_flips_exactly_once_between_the_last_fit_and_the_first_over(case: Any) -> None:
    catalog = catalog_of(case.catalog)
    oracle, cells = cells_of(catalog, WIDE)
    for cell in cells[::3]:
        kind, _, limit = str(cell.axes[4]).partition(":")
        if kind not in ("last_fit", "first_over"):
            continue
        decision = oracle.decide(cell.subject, cell.request)
        if kind == "last_fit":
            assert decision.reason is not Reason.LIMIT_EXCEEDED or decision.limit.name != limit
        before = oracle.decide(replace(cell.subject, usage={**cell.subject.usage, limit: 0}), cell.request)
        if kind == "first_over" and before.reason in (Reason.ENTITLED, Reason.APPROVAL_REQUIRED):
            soft = catalog.limits[limit].soft
            allowed = Reason.SOFT_LIMIT if before.effect is Effect.ALLOW else before.reason
            assert decision.reason is (allowed if soft else Reason.LIMIT_EXCEEDED)
            one_less = {**cell.subject.usage, limit: cell.subject.usage[limit] - 1}
            assert oracle.decide(replace(cell.subject, usage=one_less), cell.request) == before


@given(cases(asked=0))
def test_usage_that_nobody_could_exceed_is_tried_where_a_limit_is_unlimited(case: Any) -> None:
    oracle, cells = cells_of(catalog_of(case.catalog), WIDE)
    for cell in cells[::3]:
        kind, _, limit = str(cell.axes[4]).partition(":")
        assert (kind == "huge") == (bool(limit) and oracle.limit_of(cell.subject, limit) is None)
        if kind == "huge":
            assert cell.subject.usage[limit] == 10**9
            at_zero = replace(cell.subject, usage={**cell.subject.usage, limit: 0})
            assert oracle.decide(cell.subject, cell.request) == oracle.decide(at_zero, cell.request)


@pytest.mark.parametrize(
    ("limit", "cost", "expected"),
    [
        (20, 1, {"zero": 0, "last_fit:messages": 19, "first_over:messages": 20}),
        (20, 3, {"zero": 0, "last_fit:messages": 17, "first_over:messages": 18}),
        (3, 3, {"zero": 0, "first_over:messages": 1}),
        (2, 3, {"zero": 0}),
        (0, 1, {"zero": 0}),
        (1, 1, {"zero": 0, "first_over:messages": 1}),
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
        ("last_fit:tokens", {"messages": 0, "exports": 0, "tokens": 900}),
        ("first_over:tokens", {"messages": 0, "exports": 0, "tokens": 901}),
    ]


def test_boundaries_follow_seats_and_addons() -> None:
    axes = {"plan": ["enterprise"], "state": ["Subscribed"], "capability": ["report.export"], "usage": "boundary"}
    _, cells = cells_of(sample(), {**axes, "addon": "each", "quantity": [2]})
    over = {cell.axes[6]: cell.subject.usage["exports"] for cell in cells if cell.axes[4] == "first_over:exports"}

    assert over == {"none": 200, "export-pack": 300, "crm": 200}


def test_a_plan_that_does_not_set_a_limit_is_tried_at_zero_only() -> None:
    axes = {"plan": ["free"], "state": ["Subscribed"], "capability": ["report.export"], "usage": "boundary"}
    _, cells = cells_of(sample(), axes)

    assert [cell.axes[4] for cell in cells] == ["zero"]


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
    )


def test_only_full_consent_lets_a_scope_through() -> None:
    axes = {"plan": ["pro"], "state": ["Subscribed"], "capability": ["ticket.write"], "consent": "boundary"}
    oracle, cells = cells_of(sample(), axes)

    assert {cell.axes[8]: oracle.decide(cell.subject, cell.request).reason for cell in cells} == {
        "full": Reason.APPROVAL_REQUIRED,
        "none": Reason.CONSENT_REQUIRED,
        "missing:Tickets.ReadWrite": Reason.CONSENT_REQUIRED,
        "short:Tickets.ReadWrite": Reason.CONSENT_REQUIRED,
    }


def test_overrides_grant_expire_and_revoke() -> None:
    axes = {"plan": ["free", "pro"], "state": ["Subscribed"], "capability": ["crm.sync"], "override": "boundary"}
    catalog = sample(plans__pro__grants=["crm.sync"])
    oracle, cells = cells_of(catalog, axes)

    assert {(cell.axes[0], cell.axes[10]): oracle.decide(cell.subject, cell.request).reason for cell in cells} == {
        ("free", "none"): Reason.NOT_IN_PLAN,
        ("free", "grant"): Reason.ENTITLED,
        ("free", "expired_grant"): Reason.NOT_IN_PLAN,
        ("free", "revoke"): Reason.REVOKED,
        ("pro", "none"): Reason.ENTITLED,
        ("pro", "grant"): Reason.ENTITLED,
        ("pro", "expired_grant"): Reason.ENTITLED,
        ("pro", "revoke"): Reason.REVOKED,
    }
