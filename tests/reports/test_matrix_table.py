"""The matrix as a product manager reads it."""

from __future__ import annotations

import csv
import io

from plangate.entitlements.decision import Effect
from plangate.reports import TableRow, matrix_table, print_matrix, write_matrix_csv
from plangate.reports.safe_text import columns
from tests.reports.fake_run import CAPABILITIES, LIMITS, PLANS, STATES, expected

WINDOWS = {"messages": "day", "exports": "month"}


def rows(plans=PLANS, states=STATES, capabilities=CAPABILITIES) -> list[TableRow]:
    made = []
    for state in states:
        for plan in plans:
            for capability in capabilities:
                due = expected({"plan": plan, "state": state, "capability": capability})
                limit = LIMITS.get((plan, capability)) if due.effect is Effect.ALLOW else None
                note = f"{limit[1]}/{WINDOWS[limit[0]]}" if limit else ""
                made.append(
                    TableRow(
                        plan=plan, state=state, capability=capability, effect=due.effect, reason=due.reason, note=note
                    )
                )
    return made


def test_plans_across_capabilities_down_and_quiet_states_in_a_sentence() -> None:
    assert (
        matrix_table(rows())
        == """\
Subscribed
                  free       pro          enterprise
kb.search         ✓ 20/day   ✓ 500/day    ✓
ticket.read       ✓          ✓            ✓
ticket.write      ·          A            A
report.export     ·          ✓ 50/month   ✓
data.export_own   ·          ✓            ✓
agent.autopilot   ·          ·            ✓
crm.sync          ·          ·            ✓
audit.read        ·          ·            ✓
data.purge        ·          ·            ·

PendingFulfillmentStart, Unsubscribed: nothing
Suspended: nothing but data.export_own (pro, enterprise)

✓ allowed   A needs approval   · denied
"""
    )


def test_ten_capabilities_four_plans_and_four_states_fit_a_screen() -> None:
    wide = [
        TableRow(
            plan=plan,
            state=state,
            capability=f"capability.number_{number}",
            effect=Effect.ALLOW if (number + len(state)) % 3 else Effect.DENY,
            reason="entitled",
            note="1000/month" if number % 2 else "",
        )
        for state in ("Subscribed", "PendingFulfillmentStart", "Suspended")
        for plan in ("free", "starter", "pro", "enterprise")
        for number in range(10)
    ]
    lines = matrix_table([*wide, *rows(states=["Unsubscribed"], plans=["free"])[:1]]).splitlines()
    assert len(lines) <= 50
    assert max(map(columns, lines)) <= 100


def test_plans_that_do_not_fit_go_on_below() -> None:
    text = matrix_table(rows(), width=40)
    assert max(map(columns, text.splitlines())) <= 56
    assert text.count("kb.search ") == 3


def test_a_state_in_which_all_plans_are_refused_is_a_table_where_it_is_the_only_one() -> None:
    assert "kb.search" in matrix_table(rows(states=["Unsubscribed"]))


def test_approvals_in_a_quiet_state_are_said() -> None:
    quiet = TableRow(plan="pro", state="Suspended", capability="a.b", effect=Effect.REQUIRE_APPROVAL, reason="x")
    loud = [
        TableRow(plan="pro", state="Subscribed", capability=f"c{n}", effect=Effect.ALLOW, reason="x") for n in range(5)
    ]
    assert "Suspended: nothing but a.b, with approval" in matrix_table([*loud, quiet])


def test_nothing_selected_says_so() -> None:
    assert matrix_table([]) == "nothing to show: no plan, state or capability was selected\n"


def test_csv_has_one_line_a_decision_and_gives_every_text_back() -> None:
    odd = TableRow(plan='a "b", c', state="S\nT", capability="x", effect=Effect.ALLOW, reason="entitled", note="20/day")
    stream = io.StringIO()
    write_matrix_csv([odd], stream)
    assert list(csv.reader(io.StringIO(stream.getvalue()))) == [
        ["plan", "state", "capability", "effect", "reason", "note"],
        ['a "b", c', "S\nT", "x", "allow", "entitled", "20/day"],
    ]


def test_colour_changes_no_word() -> None:
    stream = io.StringIO()
    print_matrix(rows(), stream, colour=True)
    assert "\x1b[" in stream.getvalue()
    assert "20/day" in stream.getvalue()
