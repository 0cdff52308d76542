"""The table of what each plan gets agrees with the oracle and says the limits in few words."""

from __future__ import annotations

from hypothesis import given

from plangate.entitlements.decision import Effect, Reason
from plangate.entitlements.oracle import Oracle
from plangate.matrix.expansion import expand
from plangate.matrix.table import decision_table
from tests.entitlements.catalogs import catalog_of, policy_of, sample
from tests.entitlements.strategies import cases
from tests.matrix.suites import TARGETS, suite_of


@given(cases(asked=0))
def test_the_table_is_what_the_plain_matrix_decides(case: object) -> None:
    oracle = Oracle.of(catalog_of(case.catalog), policy_of(case.policy))
    axes = {"plan": "all", "state": "all", "capability": "all"}
    cells = expand(suite_of(axes), oracle, surfaces=TARGETS)
    decided = {cell.axes[:3]: oracle.decide(cell.subject, cell.request) for cell in cells}
    table = {(one.plan, one.state, one.capability): (one.effect, one.reason) for one in decision_table(oracle)}

    assert table == {place: (decision.effect, decision.reason) for place, decision in decided.items()}


def test_notes_say_number_window_seats_and_softness() -> None:
    catalog = sample(
        limits__tokens={"window": "rolling PT1H", "enforcement": "soft"},
        capabilities__crm_dot_sync={"consumes": {"seats": 1}},
        limits__seats={"window": "term"},
        limits__exports__window="billing P1M",
        plans__enterprise__limits={"messages": "unlimited", "tokens": "unlimited", "seats": {"per_quantity": 1}},
    )
    oracle = Oracle.of(catalog)
    notes = {(one.plan, one.capability): one.note for one in decision_table(oracle, states=["Subscribed"]) if one.note}

    assert notes == {
        ("free", "kb.search"): "20/day",
        ("pro", "kb.search"): "500/day",
        ("enterprise", "kb.search"): "unlimited",
        ("pro", "report.export"): "50/P1M",
        ("enterprise", "report.export"): "50/P1M",
        ("pro", "agent.run"): "500/day, ~1,000/1h",
        ("enterprise", "agent.run"): "unlimited",
        ("enterprise", "crm.sync"): "1/term per seat",
    }


def test_any_part_may_be_asked_for_and_unknown_names_are_denied() -> None:
    table = decision_table(
        Oracle.of(sample()), plans=["pro", "gold"], states=["Subscribed", "Limbo"], capabilities=["kb.search", "fly"]
    )

    assert [(one.state, one.capability, one.plan, one.effect, one.reason) for one in table] == [
        ("Subscribed", "kb.search", "pro", Effect.ALLOW, Reason.ENTITLED),
        ("Subscribed", "kb.search", "gold", Effect.DENY, Reason.UNKNOWN_PLAN),
        ("Subscribed", "fly", "pro", Effect.DENY, Reason.UNKNOWN_CAPABILITY),
        ("Subscribed", "fly", "gold", Effect.DENY, Reason.UNKNOWN_CAPABILITY),
        ("Limbo", "kb.search", "pro", Effect.DENY, Reason.UNKNOWN_STATE),
        ("Limbo", "kb.search", "gold", Effect.DENY, Reason.UNKNOWN_STATE),
        ("Limbo", "fly", "pro", Effect.DENY, Reason.UNKNOWN_CAPABILITY),
        ("Limbo", "fly", "gold", Effect.DENY, Reason.UNKNOWN_CAPABILITY),
    ]
