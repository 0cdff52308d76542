"""`why` ends in the oracle's own decision, and names what each rule on the way rested on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from plangate.documents.environment import Policy
from plangate.documents.positions import Positions
from plangate.entitlements.explanation import why
from plangate.entitlements.oracle import Oracle
from plangate.entitlements.request import Consent, Override, Request, Subject
from tests.entitlements.catalogs import catalog_of, policy_of, request_of, sample, subject_of
from tests.entitlements.strategies import Case, cases

PRO = Subject(plan="pro", state="Subscribed")


@settings(max_examples=5 * settings().max_examples)
@given(cases())
def test_why_ends_in_the_decision_of_the_oracle_after_every_rule_before_it(case: Case) -> None:
    oracle = Oracle.of(catalog_of(case.catalog), policy_of(case.policy))
    for raw_subject, raw_request in case.asked:
        subject, request = subject_of(raw_subject), request_of(raw_request)
        steps = why(oracle, subject, request)
        decision = oracle.decide(subject, request)
        assert steps[-1].decision == decision
        assert [step.rule for step in steps] == [f"D{n}" for n in range(1, int(decision.rule[1:]) + 1)]
        assert all(step.decision is None and step.text for step in steps[:-1])


def texts(subject: Subject, request: Request, *, policy: Policy = Policy()) -> list[str]:  # noqa: B008 - frozen
    return [f"{step.rule} {step.text}" for step in why(Oracle.of(sample(), policy), subject, request)]


def test_rules_on_the_way_to_an_entitled_use_are_told_one_by_one() -> None:
    subject = Subject(plan="pro", state="Subscribed", usage={"messages": 19})
    assert texts(subject, Request(capability="kb.search", settings={"data_scope": "own"})) == [
        "D1 the catalog has kb.search",
        "D2 neither the catalog prohibits it nor the environment denies it",
        "D3 the tenant is linked",
        "D4 the state is Subscribed",
        "D5 the catalog has the plan pro",
        "D6 the plan pro grants it, inherited from free",
        "D7 it needs no consent",
        "D8 within the plan: data_scope=own (plan: team)",
        "D9 messages: 19 used + 1 = 20 of 500",
        "D10 the lane is automatic",
        "D11 nothing stands against it",
    ]


@pytest.mark.parametrize(
    ("subject", "request_", "policy", "last"),
    [
        (PRO, Request(capability="fax"), Policy(), "D1 the catalog has no capability fax"),
        (PRO, Request(capability="data.purge"), Policy(), "D2 the catalog prohibits it, whatever the plan"),
        (PRO, Request(capability="kb.search"), Policy(denied=("kb.search",)), "D2 the environment denies it"),
        (
            Subject(plan="pro", state="Limbo"),
            Request(capability="kb.search"),
            Policy(),
            "D4 the state is Limbo, which the catalog does not have",
        ),
        (
            Subject(plan="free", state="Subscribed"),
            Request(capability="report.export"),
            Policy(),
            "D6 neither the plan free, nor an add-on, nor a live override grants it",
        ),
        (
            Subject(plan="pro", state="Subscribed", consents=(Consent("Tickets.ReadWrite", "user"),)),
            Request(capability="ticket.write"),
            Policy(),
            "D7 it needs Tickets.ReadWrite at level admin, to which nobody consented",
        ),
        (
            PRO,
            Request(capability="report.export", settings={"data_scope": "org"}),
            Policy(),
            "D8 data_scope=org is beyond the plan's team",
        ),
        (
            PRO,
            Request(capability="agent.run", settings={"max_steps": 3}),
            Policy(max_steps=2),
            "D8 max_steps=3 is above the environment's 2",
        ),
        (
            Subject(plan="pro", state="Subscribed", usage={"exports": 50}),
            Request(capability="report.export"),
            Policy(),
            "D9 exports: 50 used, 0 of 50 left, and this use needs more; it starts again at 2026-02-01T00:00:00Z",
        ),
        (
            Subject(plan="pro", state="Subscribed", consents=(Consent("Tickets.ReadWrite", "preauthorized"),)),
            Request(capability="ticket.write"),
            Policy(),
            "D10 the capability's lane is approval",
        ),
    ],
)
def test_the_rule_that_decides_says_what_it_found(
    subject: Subject, request_: Request, policy: Policy, last: str
) -> None:
    assert texts(subject, request_, policy=policy)[-1] == last


def test_a_grant_by_add_on_or_override_is_told() -> None:
    request = Request(capability="crm.sync")
    assert texts(Subject(plan="free", state="Subscribed", addons=("crm",)), request)[5] == "D6 the add-on crm grants it"
    granted = Subject(plan="free", state="Subscribed", overrides=(Override("crm.sync", "grant"),))
    assert texts(granted, request)[5] == "D6 a live override of the subject grants it"


def test_each_step_points_at_its_line() -> None:
    positions = Positions(
        "plans.yaml", {("capabilities", "kb.search"): (4, 3), ("plans", "free", "grants", 0): (9, 12)}
    )
    steps = why(Oracle.of(catalog_of(RAW, positions=positions)), Subject(plan="free", state="Subscribed"), KB)
    assert (steps[0].where, steps[5].where) == ("plans.yaml:4:3", "plans.yaml:9:12")


RAW = {"capabilities": {"kb.search": {}}, "plans": {"free": {"grants": ["kb.search"]}}}
KB = Request(capability="kb.search")


def test_a_state_with_its_own_reason_is_explained_as_a_state() -> None:
    catalog = sample(states__canceled={"retains": [], "reason": "subscription_canceled"})
    last = why(Oracle.of(catalog), Subject(plan="pro", state="canceled"), Request(capability="kb.search"))[-1]
    assert (last.rule, last.text) == ("D4", "the state is canceled, which does not retain it")
