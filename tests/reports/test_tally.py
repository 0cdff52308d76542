"""Counting in bounded memory: axes are given up, cells are not."""

from __future__ import annotations

from plangate.reports.causes import find_causes
from plangate.reports.tally import Tally
from tests.reports.fake_run import allowing, failed, run_of

PHRASINGS = tuple(f"phrasing {number}" for number in range(40))


def tallied(run, **limits) -> Tally:
    tally = Tally(**limits)
    for result in run.cells():
        tally.add(result)
    return tally


def test_too_many_coordinates_cost_the_least_telling_axis_and_no_cell() -> None:
    run = run_of(allowing(lambda axes, due: axes["surface"] == "tool"), phrasings=PHRASINGS)
    tally = tallied(run, coordinates_max=1_000)
    assert "phrasing" not in tally.axes
    assert "surface" in tally.axes
    assert sum(len(counts) for counts in tally.universe.values()) <= 1_000
    assert sum(sum(counts.values()) for counts in tally.universe.values()) == len(run.held)
    causes = find_causes(tally, run.summary().suites)
    assert [cause.title for cause in causes] == ["Everything is allowed at the tool surface"]
    assert causes[0].cells == sum(one.leaked for one in run.held)


def test_no_limit_is_too_small_to_count() -> None:
    run = run_of(allowing(lambda axes, due: True))
    tally = tallied(run, coordinates_max=1)
    assert sum(cause.cells for cause in find_causes(tally, run.summary().suites)) == sum(one.leaked for one in run.held)


def test_an_app_that_words_every_answer_anew_costs_no_memory_without_bound() -> None:
    letters = iter(range(10**6))

    def word() -> str:
        return "".join(chr(97 + int(digit)) for digit in str(next(letters)))

    run = run_of(lambda axes, due: (failed("raised", word()),), phrasings=PHRASINGS[:10])
    tally = tallied(run, kinds_max=20)
    assert len(tally.failing) <= 21
    assert sum(cause.cells for cause in find_causes(tally, run.summary().suites)) == len(run.held)
