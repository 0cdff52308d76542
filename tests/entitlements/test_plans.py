"""`extends` resolved: what a plan has in the end, and where each piece of it stands."""

from __future__ import annotations

import pytest

from plangate.documents.catalog import Lane, LimitValue
from plangate.documents.positions import Positions
from plangate.entitlements.oracle import Oracle
from plangate.entitlements.plans import Declared, resolve
from plangate.entitlements.request import Request, Subject
from plangate.errors import InputError
from tests.entitlements.catalogs import SAMPLE, catalog_of, sample


def test_child_has_what_its_ancestors_declare_each_with_its_line() -> None:
    plan = resolve(sample())["enterprise"]
    assert plan.lineage == ("enterprise", "pro", "free")
    assert plan.grants == {
        "kb.search": ("plans", "free", "grants", 0),
        "data.export_own": ("plans", "free", "grants", 1),
        "report.export": ("plans", "pro", "grants", 0),
        "ticket.write": ("plans", "pro", "grants", 1),
        "agent.run": ("plans", "pro", "grants", 2),
        "crm.sync": ("plans", "enterprise", "grants", 0),
    }
    assert plan.settings["max_steps"] == Declared(3, ("plans", "free", "settings", "max_steps"))
    assert plan.limits["tokens"] == Declared(LimitValue(1000), ("plans", "pro", "limits", "tokens"))


def test_child_overrides_limits_settings_and_lanes() -> None:
    catalog = sample(plans__pro__lanes={"kb.search": "approval"}, plans__enterprise__lanes={"kb.search": "automatic"})
    plan = resolve(catalog)["enterprise"]
    assert plan.limits["messages"] == Declared(LimitValue(None), ("plans", "enterprise", "limits", "messages"))
    assert plan.settings["data_scope"] == Declared("org", ("plans", "enterprise", "settings", "data_scope"))
    assert plan.lanes["kb.search"] == Declared(Lane.AUTOMATIC, ("plans", "enterprise", "lanes", "kb.search"))


def test_revoked_capability_keeps_the_place_that_took_it_away() -> None:
    plan = resolve(sample(plans__pro__revokes=["kb.search"]))["enterprise"]
    assert "kb.search" not in plan.grants
    assert plan.revokes == {"kb.search": ("plans", "pro", "revokes", 0)}


def test_order_of_plans_in_the_file_does_not_matter() -> None:
    reversed_plans = dict(reversed(SAMPLE["plans"].items()))
    plans = resolve(catalog_of({**SAMPLE, "plans": reversed_plans}))
    assert list(plans) == ["enterprise", "pro", "free"]
    assert plans == resolve(sample())


def test_line_of_a_thousand_plans_resolves() -> None:
    plans = {f"p{n}": {"extends": f"p{n + 1}"} if n < 1_000 else {"grants": ["kb.search"]} for n in range(1_001)}
    assert "kb.search" in resolve(catalog_of({**SAMPLE, "plans": plans}))["p0"].grants


def test_circle_is_refused_with_its_line() -> None:
    raw = {"capabilities": {}, "plans": {"a": {"extends": "b"}, "b": {"extends": "c"}, "c": {"extends": "b"}}}
    positions = Positions("plans.yaml", {("plans", "b", "extends"): (7, 15)})
    with pytest.raises(InputError) as caught:
        resolve(catalog_of(raw, positions=positions))
    assert (caught.value.code, caught.value.where) == ("extends-circle", "plans.yaml:7:15")
    assert "b -> c -> b" in str(caught.value)


def test_parent_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        resolve(catalog_of({"capabilities": {}, "plans": {"a": {"extends": "b"}}}))
    assert caught.value.code == "unknown-name"


def test_where_is_the_line_that_decided() -> None:
    positions = Positions(
        "envs/plans/p/1.0.0.yaml",
        {("plans", "free"): (30, 15), ("plans", "free", "grants"): (30, 24), ("plans", "pro", "grants", 0): (31, 40)},
    )
    oracle = Oracle.of(catalog_of(SAMPLE, positions=positions))
    request = Request(capability="report.export")
    refused = oracle.decide(Subject(plan="free", state="Subscribed"), request)
    allowed = oracle.decide(Subject(plan="enterprise", state="Subscribed"), request)
    assert oracle.where(refused) == "envs/plans/p/1.0.0.yaml:30:24"
    assert oracle.where(allowed) == "envs/plans/p/1.0.0.yaml:31:40"


def test_where_of_a_policy_is_in_the_environment() -> None:
    from plangate.documents.environment import Policy

    policy = Policy(denied=("crm.sync", "kb.search"))
    positions = Positions("envs/stage.yaml", {("bindings", "policy", "denied", 1): (40, 30)})
    subject, request = Subject(plan="free", state="Subscribed"), Request(capability="kb.search")
    known = Oracle.of(sample(), policy, environment_positions=positions)
    assert known.where(known.decide(subject, request)) == "envs/stage.yaml:40:30"
    unknown = Oracle.of(sample(), policy)
    assert unknown.where(unknown.decide(subject, request)) == "bindings.policy.denied.1"
