"""What a person reads at the terminal: the cause first, the picture, the totals; the same words without colour."""

from __future__ import annotations

import io
import re

import pytest

from plangate.reports import print_report, survey
from plangate.reports.safe_text import columns
from tests.reports.fake_run import (
    CAPABILITIES,
    FakeRun,
    allowing,
    cell_result,
    every_cell,
    expected,
    failed,
    nasty_run,
    right,
    run_of,
    said,
    with_header,
)

ONE_TOO_MANY = allowing(
    lambda axes, due: axes["plan"] == "free" and axes["capability"] == "report.export" and due.rule == "D6"
)


def printed(run, *, width: int = 100, colour: bool = False) -> str:
    stream = io.StringIO()
    print_report(run, stream, colour=colour, width=width)
    return stream.getvalue()


def test_a_leak_reads_as_one_cause_with_rule_place_and_command() -> None:
    run = run_of(ONE_TOO_MANY)
    (cause,) = survey(run).causes
    assert printed(run).replace(cause.cell, "c-ID") == SNAPSHOT_LEAK


SNAPSHOT_LEAK = """\
plangate  stage (nonproduction)   release 4f3a91c24f3a   support-copilot 4.2.0
          smollm2-135m-instruct q4_1   run r-20260102-7f3a   http http://127.0.0.1:8123 (launched)

 FAILED  3 leaks in 396 cells: 1 cause

    LEAK  free can use report.export at all 3 surfaces                                       3 cells
          expected  deny not_in_plan, rule D6, envs/plans/support-copilot/3.2.0.yaml:31:14
          observed  allow entitled
          where     plan free · state Subscribed · capability report.export · any surface
          try       plangate run stage --cell c-ID --seed 7

                 Subscribed            Suspended
                 free pro enterprise   free pro enterprise
kb.search         ✓    ✓      ✓         ·    ·      ·
ticket.read       ✓    ✓      ✓         ·    ·      ·
ticket.write      ·    A      A         ·    ·      ·
report.export     !    ✓      ✓         ·    ·      ·
data.export_own   ·    ✓      ✓         ·    ✓      ✓
agent.autopilot   ·    ·      ✓         ·    ·      ·
crm.sync          ·    ·      ✓         ·    ·      ·
audit.read        ·    ·      ✓         ·    ·      ·
data.purge        ·    ·      ·         ·    ·      ·

PendingFulfillmentStart, Unsubscribed: nothing is allowed
! leak   ✓ allowed   A needs approval   · denied

not tried axes never varied: setting, addon, quantity, consent, linked, override, cost, phrasing;
          what ran was not checked; rules that decided no cell: D1, D3, D5, D7, D8; not looked at:
          effects (what the app really did), audit records, how usage is counted, histories of a
          tenant

396 of 396 cells executed, 1,188 observations in 9.2 s
suite gating 5: 3 leaks; seed 7; exhaustive
fingerprint sha256:c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00
 FAILED  3 leaks
"""


def test_a_right_app_reads_as_passed() -> None:
    lines = printed(run_of(right)).splitlines()
    assert lines[3] == " PASSED  no difference found in 396 cells"
    assert lines[-1] == " PASSED  396 of 396 cells as sold"


BUGS = {
    "one grant too many": ONE_TOO_MANY,
    "tool boundary unchecked": allowing(lambda axes, due: axes["surface"] == "tool"),
    "checked in the user interface only": allowing(lambda axes, due: axes["surface"] != "tool" and due.rule == "D6"),
    "suspended keeps working": allowing(lambda axes, due: due.reason == "suspended"),
    "off by one": allowing(lambda axes, due: due.rule == "D9"),
    "down": lambda axes, due: (failed("unreachable", "connection refused"),),
    "first answer cached": lambda axes, due: (said("allow", "entitled", count=1), said("deny", "no", count=2)),
    "wrong words": lambda axes, due: (said("deny", "forbidden"),) if due.effect == "deny" else right(axes, due),
}


@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize("bug", BUGS)
def test_the_first_cause_is_whole_within_fifteen_lines(bug: str, width: int) -> None:
    first = printed(run_of(BUGS[bug]), width=width).splitlines()[:15]
    assert any("plangate run stage --cell c-" in line for line in first), "\n".join(first)


@pytest.mark.parametrize("bug", BUGS)
@pytest.mark.parametrize("width", [60, 80, 100])
def test_lines_fit_the_width_but_for_what_is_to_be_copied(bug: str, width: int) -> None:
    for line in printed(run_of(BUGS[bug]), width=width).splitlines():
        copied = any(word in line for word in ("--cell", "fingerprint", "envs/plans", "executed"))
        assert copied or columns(line) <= width, line


def test_no_escape_sequence_without_colour_and_no_control_character_from_the_app() -> None:
    text = printed(nasty_run())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028\ud800]", text)


def test_with_colour_the_words_are_the_same() -> None:
    run = run_of(BUGS["wrong words"])
    coloured = printed(run, colour=True)
    assert "\x1b[" in coloured
    assert [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines()] == printed(run).splitlines()


def test_colour_lets_no_escape_sequence_of_the_app_through() -> None:
    without_own = re.sub(r"\x1b\[[0-9;]*m", "", printed(nasty_run(), colour=True))
    assert "\x1b" not in without_own


def test_a_stream_without_the_signs_gets_stand_ins() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_report(run_of(ONE_TOO_MANY), stream, colour=False)
    stream.flush()
    assert b"report.export     !    +      +" in raw.getvalue()


def test_an_unfinished_run_says_what_is_missing_and_why() -> None:
    run = with_header(FakeRun(run_of(right).held[:100], missing=296), stopped="interrupted")
    lines = printed(run).splitlines()
    assert lines[3] == " UNDECIDED  296 of 396 cells were not observed in every pass"
    assert lines[4] == "stopped   interrupted"
    assert lines[-1] == " UNDECIDED  296 cells not observed in every pass"


@pytest.mark.parametrize("part", [{"selection": "plan free"}, {"shard": "2/4"}])
def test_a_part_of_the_matrix_is_no_verdict_on_the_whole(part) -> None:
    lines = printed(with_header(run_of(right), **part), width=160).splitlines()
    assert lines[3] == " PASSED  no difference found in this part, 396 cells; it is no verdict on the whole"
    assert next(iter(part.values())) in "".join(lines[:2])


def test_a_run_of_nothing_is_not_a_pass() -> None:
    lines = printed(FakeRun([])).splitlines()
    assert lines[3] == " UNDECIDED  nothing was selected to run"


def test_many_capabilities_show_only_rows_with_findings() -> None:
    many = [*CAPABILITIES, *(f"extra.{number}" for number in range(40))]
    text = printed(run_of(ONE_TOO_MANY, capabilities=many))
    assert "48 more capabilities, as expected" in text
    assert "extra.7" not in text


def test_of_many_causes_ten_are_shown() -> None:
    run = run_of(
        lambda axes, due: (
            (failed("raised", "abcdefghijkl"[CAPABILITIES.index(str(axes["capability"]))] * 3),)
            if axes["plan"] == "free"
            else (said("deny", f"word_{'abcdefghi'[CAPABILITIES.index(str(axes['capability']))]}"),)
        )
    )
    text = printed(run)
    assert "more causes: plangate show r-20260102-7f3a" in text
    assert text.count("  try  ") == 10


LONG_PLANS = [f"plan-with-a-name-of-forty-letters-{number:06d}" for number in range(30)]
WIDE_STATES = [f"AwaitingConfirmationOfThePurchase{number}" for number in range(8)]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_thirty_long_plan_names_are_all_there_whole(width: int) -> None:
    text = printed(run_of(allowing(lambda axes, due: axes["plan"] == LONG_PLANS[7]), plans=LONG_PLANS), width=width)
    assert [name for name in LONG_PLANS if name not in text] == []
    assert "…" not in text
    assert [
        line for line in text.splitlines() if columns(line) > width and "--cell" not in line and "sha256" not in line
    ] == []


@pytest.mark.parametrize("width", [80, 120])
def test_every_state_with_a_finding_is_shown_with_its_whole_name(width: int) -> None:
    held = []
    for number, state in enumerate(WIDE_STATES):
        for axes in every_cell(states=["Subscribed"]):
            # Another capability in each state, so that no two states look alike.
            wrong = axes["capability"] == CAPABILITIES[number]
            held.append(
                cell_result(
                    {**axes, "state": state},
                    (said("deny", "wrong_reason"),) if wrong else right(axes, expected(axes)),
                    due=expected(axes),
                )
            )
    text = printed(FakeRun(held), width=width)
    assert [state for state in WIDE_STATES if state not in text] == []
    assert "not shown" not in text


def test_of_many_capabilities_with_findings_the_first_are_shown_and_the_others_counted() -> None:
    many = [f"extra.{number}" for number in range(40)]
    text = printed(run_of(allowing(lambda axes, due: True), capabilities=many))
    assert "extra.29" in text
    assert "10 more capabilities with findings" in text


def test_a_right_state_that_does_not_fit_is_named_as_sold() -> None:
    many = [*("abcdefgh"), *WIDE_STATES]
    held = [
        cell_result({**axes, "state": state}, right(axes, expected(axes)), due=expected(axes))
        for number, state in enumerate(many)
        for axes in every_cell(states=["Subscribed"], capabilities=CAPABILITIES[: number + 1])
        if number < len(CAPABILITIES)
    ]
    text = printed(FakeRun(held), width=80)
    assert ": as sold, not shown" in text
    assert [state for state in many[: len(CAPABILITIES)] if state not in text] == []
