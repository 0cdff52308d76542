"""The laws that hold for every catalog: total, monotonic along the tiers, covered by the suites."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings

from plangate.documents.positions import Positions
from plangate.entitlements.coverage import possible_reasons
from plangate.entitlements.decision import Reason
from plangate.entitlements.laws import check
from plangate.entitlements.oracle import Oracle
from plangate.entitlements.request import Consent, Request, Subject
from tests.entitlements.catalogs import catalog_of, sample
from tests.entitlements.reference_oracle import reference_decision
from tests.entitlements.strategies import Case, cases
from tests.matrix.suites import suite_of


def found(catalog: Any) -> list[tuple[str, str]]:
    return [(problem.code, problem.severity) for problem in check(catalog)]


def two_tiers(lower: dict[str, Any], higher: dict[str, Any], **more: Any) -> Any:
    """A catalog with a tier `low` and a tier `high` that does not extend it."""
    raw = {
        "capabilities": {"a": {}, "b": {"lane": "approval"}, "c": {"prohibited": True}},
        "limits": {"messages": {"unit": "message", "window": "day"}},
        "settings": {
            "scope": {"order": ["own", "team", "org"]},
            "models": {"set": ["small", "large"]},
            "steps": {"integer": {"minimum": 1}},
        },
        "tiers": ["low", "high"],
        "plans": {"low": lower, "high": higher},
        **more,
    }
    return catalog_of(raw)


def test_sample_of_the_specification_breaks_no_law() -> None:
    assert check(sample()) == []


# --- L1 total ---


def test_l1_plan_that_grants_and_revokes_the_same_is_an_error() -> None:
    assert found(sample(plans__free__revokes=["kb.search"])) == [
        ("grants-and-revokes", "error"),
    ]


def test_l1_capability_that_a_plan_lists_twice_is_an_error() -> None:
    assert found(sample(plans__free__grants=["kb.search", "data.export_own", "kb.search"])) == [
        ("duplicate-grant", "error")
    ]


def test_l1_grant_that_is_inherited_already_is_a_warning() -> None:
    assert found(sample(plans__enterprise__grants=["crm.sync", "kb.search"])) == [("grant-repeated", "warning")]


def test_l1_revoke_of_what_nothing_grants_is_a_warning() -> None:
    assert found(sample(plans__free__revokes=["crm.sync"])) == [("revoke-without-grant", "warning")]


# --- L2 monotonic ---


def test_l2_tier_that_loses_a_capability_is_an_error_at_its_line() -> None:
    raw = {
        "capabilities": {"a": {}},
        "tiers": ["low", "high"],
        "plans": {"low": {"grants": ["a"]}, "high": {"extends": "low", "revokes": ["a"]}},
    }
    positions = Positions("p.yaml", {("plans", "high", "revokes", 0): (9, 31)})
    (problem,) = check(catalog_of(raw, positions=positions))
    assert (problem.code, problem.where, problem.severity) == ("tier-loses-capability", "p.yaml:9:31", "error")
    assert "low" in problem.message
    assert 'capability: a, reason: "..."' in problem.hint


def test_l2_capability_that_nobody_may_use_is_not_lost() -> None:
    assert found(two_tiers({"grants": ["c"]}, {})) == []


def test_l2_without_tiers_any_plan_may_have_less() -> None:
    assert found(two_tiers({"grants": ["a"]}, {}, tiers=[])) == []


@pytest.mark.parametrize(
    ("lower", "higher", "shrinks"),
    [
        (5, 5, False),
        (5, 4, True),
        (5, "unlimited", False),
        ("unlimited", 10**9, True),
        ("unlimited", {"per_quantity": 10**9}, True),
        ("unlimited", "unlimited", False),
        (None, 0, False),
        (0, None, False),
        (1, None, True),
        ({"per_quantity": 5}, {"per_quantity": 5}, False),
        ({"per_quantity": 5}, {"per_quantity": 4}, True),
        (5, {"per_quantity": 5}, False),
        (5, {"per_quantity": 4}, True),
        ({"per_quantity": 5}, 5, True),
        ({"per_quantity": 5}, 10**6, True),
        ({"per_quantity": 0}, 0, False),
        ({"per_quantity": 5}, "unlimited", False),
    ],
)
def test_l2_limit_may_not_shrink_at_any_quantity(lower: Any, higher: Any, shrinks: bool) -> None:
    bodies = [{} if value is None else {"limits": {"messages": value}} for value in (lower, higher)]
    assert found(two_tiers(*bodies)) == ([("tier-shrinks-limit", "error")] if shrinks else [])


def test_l2_limit_per_seat_names_the_quantity_at_which_it_overtakes() -> None:
    (problem,) = check(two_tiers({"limits": {"messages": {"per_quantity": 10}}}, {"limits": {"messages": 100}}))
    assert "at 11 seats" in problem.message


@pytest.mark.parametrize(
    ("lower", "higher", "shrinks"),
    [
        ({"scope": "team"}, {"scope": "team"}, False),
        ({"scope": "team"}, {"scope": "org"}, False),
        ({"scope": "team"}, {"scope": "own"}, True),
        ({"scope": "own"}, {}, True),
        ({}, {"scope": "own"}, False),
        ({"models": ["small"]}, {"models": ["large", "small"]}, False),
        ({"models": ["small", "large"]}, {"models": ["large"]}, True),
        ({"models": ["small"]}, {"models": []}, True),
        ({"steps": 3}, {"steps": 3}, False),
        ({"steps": 3}, {"steps": 2}, True),
    ],
)
def test_l2_setting_may_not_shrink(lower: Any, higher: Any, shrinks: bool) -> None:
    catalog = two_tiers({"settings": lower}, {"settings": higher})
    assert found(catalog) == ([("tier-shrinks-setting", "error")] if shrinks else [])


def test_l2_lane_may_not_be_tightened() -> None:
    both = {"grants": ["a", "b"]}
    assert found(two_tiers(both, {**both, "lanes": {"a": "approval"}})) == [("tier-tightens-lane", "error")]
    assert found(two_tiers({**both, "lanes": {"b": "automatic"}}, both)) == [("tier-tightens-lane", "error")]
    assert found(two_tiers(both, {**both, "lanes": {"b": "automatic"}})) == []


def test_l2_exemption_with_a_reason_excuses_what_it_names_and_no_more() -> None:
    lower, higher = {"grants": ["a", "b"], "limits": {"messages": 5}}, {"limits": {"messages": 4}}
    one = {"law": "monotonic", "plan": "high", "capability": "a", "reason": "retired"}
    assert [p.message.split(",")[0] for p in check(two_tiers(lower, higher, exemptions=[one]))] == [
        "plans.high: loses b",
        "plans.high: the limit messages shrinks to 4; the lower tier low has 5",
    ]
    all_of_it = {"law": "monotonic", "plan": "high", "reason": "a product of its own"}
    assert found(two_tiers(lower, higher, exemptions=[all_of_it])) == []


@pytest.mark.parametrize(
    "exemption",
    [
        {"law": "monotonic", "plan": "high", "capability": "a", "reason": "  "},
        {"law": "covered", "plan": "high", "capability": "a", "reason": "x"},
        {"law": "monotonic", "plan": "low", "capability": "a", "reason": "x"},
        {"law": "monotonic", "plan": "high", "limit": "messages", "reason": "x"},
    ],
)
def test_l2_exemption_without_reason_or_about_something_else_excuses_nothing(exemption: dict[str, str]) -> None:
    catalog = two_tiers({"grants": ["a"]}, {}, exemptions=[exemption])
    assert ("tier-loses-capability", "error") in found(catalog)


def test_l2_exemption_that_excuses_nothing_is_a_warning() -> None:
    exemption = {"law": "monotonic", "plan": "high", "capability": "a", "reason": "x"}
    assert found(two_tiers({}, {}, exemptions=[exemption])) == [("exemption-unused", "warning")]


def test_l2_what_a_tier_lost_by_exemption_the_tiers_above_need_not_have() -> None:
    catalog = two_tiers(
        {"grants": ["a"]},
        {},
        plans={"low": {"grants": ["a"]}, "high": {}, "top": {}},
        tiers=["low", "high", "top"],
        exemptions=[{"law": "monotonic", "plan": "high", "capability": "a", "reason": "x"}],
    )
    assert found(catalog) == []


EVERYTHING = (Consent("Tickets.Read", "admin"), Consent("Tickets.Write", "admin"))
NAMED: list[dict[str, Any]] = [{}, {"data_scope": "own"}, {"data_scope": "team"}, {"models": "large"}, {"max_steps": 2}]
RANK = {"deny": 0, "require_approval": 1, "allow": 2}


def test_l2_plan_without_problems_is_never_decided_worse_than_the_one_below() -> None:
    judged = 0

    @settings(max_examples=4 * settings().max_examples)
    @given(cases(asked=0))
    def never_worse(case: Case) -> None:
        nonlocal judged
        catalog = catalog_of({**case.catalog, "tiers": ["free", "pro"]})
        if any(problem.code.startswith("tier-") for problem in check(catalog)):
            return
        oracle = Oracle.of(catalog)
        for capability, named, seats, used in product(catalog.capabilities, NAMED, (1, 4), (0, 1)):
            request = Request(capability=capability, settings=named)
            usage = dict.fromkeys(catalog.limits, used)
            below, above = (
                oracle.decide(
                    Subject(plan=plan, state="Subscribed", quantity=seats, usage=usage, consents=EVERYTHING), request
                )
                for plan in ("free", "pro")
            )
            judged += below.effect != "deny"
            assert RANK[above.effect] >= RANK[below.effect]

    never_worse()
    assert judged > 100, "decisions of the lower plan that the higher one could have lost"


# --- L4 covered ---


def test_l4_every_reason_of_the_sample_is_possible() -> None:
    assert list(possible_reasons(sample())) == list(Reason)


def test_l4_reason_without_a_cell_is_a_warning_that_names_the_axis() -> None:
    seen = set(Reason) - {Reason.CONSENT_REQUIRED}
    (problem,) = check(sample(), covered=seen)
    assert (problem.code, problem.severity) == ("reason-not-covered", "warning")
    assert "consent_required" in problem.message
    assert "consent: boundary" in problem.hint


def test_l4_is_not_judged_without_the_suites() -> None:
    assert check(sample()) == []


def test_l4_reasons_that_a_catalog_cannot_produce_are_not_asked_for() -> None:
    catalog = catalog_of({"capabilities": {"a": {}}, "plans": {"free": {"grants": ["a"]}}})
    never = {"prohibited", "not_in_plan", "consent_required", "out_of_scope", "limit_exceeded", "approval_required"}
    no_states = {"not_activated", "suspended", "unsubscribed", "unknown_state"}
    assert {reason.value for reason in Reason} - set(possible_reasons(catalog)) == never | no_states | {"soft_limit"}


def test_l4_what_no_catalog_says_is_asked_for_where_a_suite_asks_for_it() -> None:
    plain = suite_of({"plan": "all", "state": "all", "linked": [True]})
    wide = suite_of({"linked": [True, False], "override": "boundary"})
    beside = {Reason.TENANT_NOT_LINKED, Reason.REVOKED}
    assert set(possible_reasons(sample())) - set(possible_reasons(sample(), suites=[plain])) == beside
    assert set(possible_reasons(sample(), suites=[plain, wide])) == set(possible_reasons(sample()))


def test_l4_only_states_that_the_catalog_declares_are_asked_for() -> None:
    base = {"capabilities": {"a": {}, "b": {}}, "plans": {"free": {"grants": ["a", "b"]}}}
    states = {"Suspended": {"retains": ["a"]}, "PastDue": {"reason": "payment_late"}, "Kept": {"retains": ["a", "b"]}}
    found = possible_reasons(catalog_of({**base, "states": states}))
    assert {"suspended", "payment_late", "unknown_state"} <= set(found)
    assert not {"not_activated", "unsubscribed"} & set(found)


def test_l4_a_hint_never_asks_for_an_axis_that_stands_there() -> None:
    def hint(*axes: dict[str, Any]) -> str:
        seen = set(Reason) - {Reason.SUSPENDED}
        (problem,) = check(sample(), covered=seen, suites=[suite_of(one) for one in axes])
        return problem.hint

    assert hint({"state": ["Subscribed"], "linked": [False]}) == "give a suite the axis state: all"
    assert "state: all" not in hint({"state": ["Subscribed"]}, {"state": "all+unknown"})
    assert "expects: suspended" in hint({"state": "all"})


def test_l4_exemption_names_the_reason_that_no_cell_needs_to_expect() -> None:
    exemption = {"law": "covered", "expects": "suspended", "reason": "no such state in this offer"}
    covered = set(Reason) - {Reason.SUSPENDED}
    assert [problem.code for problem in check(sample(), covered=covered)] == ["reason-not-covered"]
    assert check(sample(exemptions=[exemption]), covered=covered) == []
    other = sample(exemptions=[{**exemption, "expects": "prohibited"}])
    assert "reason-not-covered" in [problem.code for problem in check(other, covered=covered)]


def _unused(*exemptions: dict[str, str], lacking: set[Reason], axes: dict[str, Any] | None = None) -> list[str]:
    """What is said of exemptions from L4, where no cell expects the reasons that are `lacking`."""
    catalog = sample(exemptions=[{"law": "covered", "reason": "x", **one} for one in exemptions])
    suites = None if axes is None else [suite_of(axes)]
    problems = check(catalog, covered=set(Reason) - lacking, suites=suites)
    return [f"{problem.code}: {problem.message}".partition("]")[0] for problem in problems]


def test_l4_exemption_that_excuses_nothing_is_a_warning() -> None:
    suspended, unused = {"expects": "suspended"}, "exemption-unused: exemptions["
    assert _unused(suspended, lacking={Reason.SUSPENDED}) == []
    assert _unused(suspended, lacking=set()) == [f"{unused}0"], "a cell expects it"
    assert _unused({"expects": "no_such_reason"}, suspended, lacking={Reason.SUSPENDED}) == [f"{unused}0"]
    plain = {"plan": "all", "state": "all", "linked": [True]}
    assert _unused({"expects": "revoked"}, lacking={Reason.REVOKED}, axes=plain) == [f"{unused}0"], "no suite asks"
    assert f"{unused}0" in _unused({"plan": "pro", "capability": "kb.search"}, lacking={Reason.SUSPENDED})


def test_l4_exemptions_that_excuse_a_reason_only_together_are_all_used() -> None:
    places = [{"plan": "pro", "capability": "ticket.write"}, {"plan": "enterprise", "capability": "ticket.write"}]
    assert _unused(*places, lacking={Reason.APPROVAL_REQUIRED}) == []
    every = [{"plan": plan} for plan in sample().plans]
    assert _unused(*every, lacking={Reason.SUSPENDED}) == [], "of a catalog without plans nothing is asked"


def test_l4_exemption_of_every_plan_takes_the_states_and_the_link_away_too() -> None:
    every = [{"law": "covered", "plan": plan, "reason": "x"} for plan in sample().plans]
    left = set(possible_reasons(sample(exemptions=every)))
    assert left == {"unknown_capability", "unknown_plan", "prohibited"}
    assert "suspended" in possible_reasons(sample(exemptions=every[1:]))


def test_l4_exemption_takes_a_witness_away() -> None:
    exemption = {"law": "covered", "plan": "pro", "capability": "ticket.write", "reason": "tried by hand"}
    unexempt = {"law": "covered", "plan": "enterprise", "capability": "ticket.write", "reason": "tried by hand"}
    assert Reason.APPROVAL_REQUIRED not in possible_reasons(sample(exemptions=[exemption, unexempt]))
    assert Reason.APPROVAL_REQUIRED in possible_reasons(sample(exemptions=[exemption]))


def test_l4_every_reason_that_a_plain_subject_gets_is_among_the_possible_ones() -> None:
    judged = 0

    @settings(max_examples=3 * settings().max_examples)
    @given(cases())
    def is_possible(case: Case) -> None:
        nonlocal judged
        possible = set(possible_reasons(catalog_of(case.catalog)))
        states = case.catalog.get("states", {})
        for subject, request in case.asked:
            if subject["state"] not in ("Subscribed", *states, *(["no state of any catalog"] if states else [])):
                continue  # a state that is not declared is asked for by its unknown name
            plain = {**subject, "addons": [], "overrides": [o for o in subject["overrides"] if o["effect"] != "grant"]}
            usage = {name: used for name, used in subject["usage"].items() if type(used) is int and used >= 0}
            named = {name: value for name, value in request["settings"].items() if name in ("data_scope", "models")}
            asked = {**request, "cost": {}, "settings": {n: v for n, v in named.items() if v in DECLARED}}
            decision = reference_decision(case.catalog, {}, {**plain, "usage": usage}, asked)
            judged += 1
            assert decision["reason"] in possible

    is_possible()
    assert judged > 100


DECLARED = ("own", "team", "org", "small", "large")


def test_oracle_and_laws_agree_that_a_clean_catalog_lets_higher_tiers_do_more() -> None:
    oracle = Oracle.of(sample())
    for capability in oracle.catalog.capabilities:
        allowed = [
            oracle.decide(Subject(plan=plan, state="Subscribed"), Request(capability=capability)).effect == "allow"
            for plan in oracle.catalog.tiers
        ]
        assert allowed == sorted(allowed)
