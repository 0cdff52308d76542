"""The picture: each cell in one square, the worst of them as its mark."""

from __future__ import annotations

from collections import Counter

import pytest

from plangate.entitlements.decision import Effect
from plangate.reports import survey
from plangate.reports.marks import Mark
from plangate.reports.picture import PictureCounter
from tests.reports.fake_run import (
    CAPABILITIES,
    PLANS,
    STATES,
    Expected,
    FakeRun,
    cell_result,
    failed,
    right,
    run_of,
    said,
)

PLACE = ("Subscribed", "pro", "report.export")


def mark_after(*answers) -> Mark:
    axes = {"plan": "pro", "state": "Subscribed", "capability": "report.export", "surface": "tool"}
    held = [cell_result({**axes, "quantity": number}, answer) for number, answer in enumerate(answers)]
    return survey(FakeRun(held)).picture.mark(*PLACE)


ALLOWED, REFUSED = (said("allow", "entitled"),), (said("deny", "no"),)


@pytest.mark.parametrize(
    ("answers", "mark"),
    [
        ([ALLOWED], Mark.ALLOW),
        ([ALLOWED, REFUSED], Mark.LOCKOUT),
        ([ALLOWED, (failed("timeout"),)], Mark.ERROR),
        ([REFUSED, (failed("timeout"),)], Mark.LOCKOUT),
        ([(said("allow", "why"),)], Mark.MISMATCH),
        ([(said("allow", "entitled", count=1), said("deny", "no", count=1)), REFUSED], Mark.FLAKY),
    ],
)
def test_a_square_shows_the_worst_of_its_cells(answers, mark: Mark) -> None:
    assert mark_after(*answers) is mark


def test_a_flaky_cell_that_leaked_is_marked_as_a_leak() -> None:
    axes = {"plan": "free", "state": "Subscribed", "capability": "crm.sync", "surface": "tool"}
    held = [cell_result(axes, (said("allow", "entitled", count=1), said("deny", "not_in_plan", count=2)))]
    assert survey(FakeRun(held)).picture.mark("Subscribed", "free", "crm.sync") is Mark.LEAK


def test_what_passed_shows_the_most_that_is_sold() -> None:
    picture = survey(run_of(right)).picture
    assert picture.mark(*PLACE) is Mark.ALLOW
    assert picture.mark("Subscribed", "pro", "ticket.write") is Mark.APPROVAL
    assert picture.mark("Subscribed", "free", "report.export") is Mark.DENY
    assert picture.mark("Subscribed", "gold", "report.export") is Mark.NONE


def test_an_addon_or_an_override_does_not_change_what_a_plan_sells() -> None:
    axes = {"plan": "free", "state": "Subscribed", "capability": "crm.sync", "surface": "tool"}
    granted = Expected(effect=Effect.ALLOW, reason="entitled", rule="D11", where="x:1:1")
    by_addon = cell_result({**axes, "addon": "pack"}, (said("allow", "entitled"),), due=granted)
    plain = cell_result({**axes, "addon": "none"}, (said("deny", "not_in_plan"),))
    for held in ([by_addon, plain], [plain, by_addon]):
        assert survey(FakeRun(held)).picture.mark("Subscribed", "free", "crm.sync") is Mark.DENY
    assert survey(FakeRun([by_addon])).picture.mark("Subscribed", "free", "crm.sync") is Mark.ALLOW


def test_every_cell_is_in_one_square_and_names_keep_their_order() -> None:
    run = run_of(right)
    picture = survey(run).picture
    assert (picture.states, picture.plans, picture.capabilities) == (STATES, PLANS, CAPABILITIES)
    counted = Counter((one.axes["state"], one.axes["plan"], one.axes["capability"]) for one in run.held)
    assert {place: square.cells for place, square in picture.squares.items()} == counted


def test_beyond_the_largest_picture_cells_are_counted() -> None:
    run, counter = run_of(right), PictureCounter(squares_max=10)
    for result in run.cells():
        counter.add(result)
    picture = counter.picture(run.summary().suites)
    assert len(picture.squares) == 10
    assert picture.left_out + sum(square.cells for square in picture.squares.values()) == 396
