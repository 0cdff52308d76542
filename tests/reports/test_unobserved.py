"""What was not observed is never drawn as sold, in no format, and no planned column vanishes for want of it."""

import io
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from plangate.reports import survey
from plangate.reports.html_report import html_report
from plangate.reports.json_report import run_document
from plangate.reports.junit import write_junit
from plangate.reports.markdown import markdown_report
from plangate.reports.marks import LEGEND, Mark
from plangate.reports.terminal import print_report
from tests.cli.shops import ENVIRONMENT, SUITE, make_shop, plangate
from tests.reports.fake_run import FakeRun, cell_result, run_of, with_header


def text_of(run: FakeRun) -> str:
    stream = io.StringIO()
    print_report(run, stream, colour=False)
    return stream.getvalue()


def junit_of(run: FakeRun) -> str:
    stream = io.StringIO()
    write_junit(run, stream)
    return stream.getvalue()


FORMATS = {
    "text": text_of,
    "json": lambda run: json.dumps(run_document(run)),
    "junit": junit_of,
    "markdown": markdown_report,
    "html": html_report,
}


def interrupted(*, seen: int = 0, finished: str = "", stopped: str = "interrupted") -> FakeRun:
    """A run that ended after `seen` of its cells were observed in one pass of three, and none in all."""
    whole = run_of().held
    once = [replace(one, whole=False, observed=(replace(one.observed[0], count=1),)) for one in whole[:seen]]
    never = [cell_result(dict(one.axes), ()) for one in whole[seen:]]
    return with_header(FakeRun(once, never=never), stopped=stopped, finished=finished)


def test_cells_seen_in_some_passes_are_not_as_sold() -> None:
    marks = {square.mark for square in survey(interrupted(seen=396)).picture.squares.values()}
    assert marks == {Mark.UNSEEN}


def test_a_square_is_as_sold_only_where_all_its_cells_were_observed_in_every_pass() -> None:
    run = run_of()
    one = next(cell for cell in run.held if cell.axes["capability"] == "kb.search" and cell.axes["plan"] == "free")
    run.held[run.held.index(one)] = replace(one, whole=False)
    picture = survey(run).picture
    assert picture.mark("Subscribed", "free", "kb.search") is Mark.UNSEEN
    assert picture.mark("Subscribed", "pro", "kb.search") is Mark.ALLOW
    assert picture.squares["Subscribed", "free", "kb.search"].unseen == 1


def test_what_was_planned_stays_in_the_picture() -> None:
    picture = survey(interrupted(seen=20)).picture
    assert picture.plans == ("free", "pro", "enterprise")
    assert len(picture.states) == 4
    assert len(picture.capabilities) == 9
    assert picture.mark("Suspended", "enterprise", "audit.read") is Mark.UNSEEN


def test_a_leak_is_drawn_though_the_rest_was_not_observed() -> None:
    run = interrupted(seen=20)
    run.held[0] = replace(run.held[0], leaked=True)
    (state, plan, capability) = (str(run.held[0].axes[axis]) for axis in ("state", "plan", "capability"))
    assert survey(run).picture.mark(state, plan, capability) is Mark.LEAK


@pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("seen", [0, 396])
def test_every_format_says_not_observed_and_nothing_as_sold(made, seen) -> None:
    text = made(interrupted(seen=seen))
    assert LEGEND[Mark.UNSEEN] in text or "not in every pass" in text
    assert "allowed as sold" not in text
    assert "✓ allowed" not in text
    assert ">✓<" not in text


@pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS)
def test_every_format_says_why_it_stopped(made) -> None:
    assert "No module named assistant" in made(interrupted(stopped="No module named assistant"))


@pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS)
def test_a_run_whose_process_was_killed_says_so(made) -> None:
    assert "was killed, or runs still" in " ".join(made(interrupted(seen=20, stopped="")).split())


def test_a_testcase_that_was_not_observed_in_every_pass_is_not_green() -> None:
    (suite,) = ElementTree.fromstring(junit_of(interrupted(seen=30)))
    cases = suite.findall("testcase")
    assert len(cases) == 31
    assert all(case.find("error") is not None for case in cases)
    assert suite.get("errors") == "31"


def test_the_legend_of_the_page_has_the_mark() -> None:
    page = html_report(interrupted())
    legend = page.partition('class="legend"')[2].partition("</ul>")[0]
    assert re.findall(r'class="q (\w+)"', legend) == ["unseen"]


def test_each_suite_has_its_own_seed() -> None:
    held = [replace(one, suite="safety") for one in run_of(plans=["free"]).held] + run_of(plans=["pro"]).held

    class Seeded(FakeRun):
        def summary(self):
            told = super().summary()
            suites = tuple(replace(one, seed=3 if one.name == "safety" else 7) for one in told.suites)
            return replace(told, suites=suites)

    run = Seeded(held)
    assert "suite safety 5: all as sold; seed 3;" in text_of(run)
    assert "seeds safety 3, gating 7" in markdown_report(run)
    assert "safety 3, gating 7" in html_report(run)
    assert run_document(run)["seeds"] == {"safety": 3, "gating": 7}
    seeds = [
        one.get("value")
        for one in ElementTree.fromstring(junit_of(run)).iter("property")
        if one.get("name") == "plangate.seed"
    ]
    assert seeds == ["3", "7"]


def test_cells_of_a_run_are_told_with_time_and_place() -> None:
    run = run_of()
    run.held = [replace(one, took_us=1_500) for one in run.held]
    (suite,) = ElementTree.fromstring(junit_of(run))
    case = suite.find("testcase")
    assert (case.get("time"), case.get("file"), case.get("line")) == (
        "0.001500",
        "envs/plans/support-copilot/3.2.0.yaml",
        "31",
    )
    assert float(suite.get("time")) == pytest.approx(0.0015 * 396)


@pytest.mark.parametrize("suffix", [".txt", ".md", ".json", ".xml", ".html"])
def test_an_app_that_cannot_be_imported_is_named_in_every_report_file(tmp_path, suffix) -> None:
    """Also where fresh processes import it: what a worker said goes into the run."""
    more = SUITE.replace("processes: 1", "processes: 2")
    root = make_shop(tmp_path, environment=ENVIRONMENT.replace("shop_app:", "no_such_app:"), suite=more)
    done = plangate("run", "dev", "--report", f"out{suffix}", cwd=root)
    assert done.returncode == 3
    assert "No module named" in " ".join((root / f"out{suffix}").read_text(encoding="utf-8").split())


def test_a_worker_says_why_to_the_run_and_nothing_into_the_progress_line(tmp_path) -> None:
    more = SUITE.replace("processes: 1", "processes: 2")
    root = make_shop(tmp_path, environment=ENVIRONMENT.replace("shop_app:", "no_such_app:"), suite=more)
    (error,) = [line for line in plangate("run", "dev", cwd=root).stderr.splitlines() if "error" in line.lower()]
    assert "no_such_app" in error.partition("; a process of this run ended with status 3")[0]
