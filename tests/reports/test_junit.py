"""JUnit XML that a CI server reads: names that stay, counts that add up, nothing green that was not observed."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from collections import Counter

import pytest

from plangate.reports import write_junit
from plangate.verdicts.result import Verdict
from tests.reports.fake_run import (
    CATALOG,
    FakeRun,
    allowing,
    every_cell,
    failed,
    nasty_run,
    results,
    right,
    run_of,
    said,
    with_header,
)

# What Jenkins' junit-10.xsd allows: element -> (attributes, children); and of a testcase what GitLab reads: file, line.
ALLOWED = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package"},
        {"properties", "testcase", "system-out", "system-err", "testsuite"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": (
        {"name", "time", "classname", "group", "file", "line"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}
REQUIRED = {"testsuite": {"name", "tests", "failures", "errors"}, "property": {"name", "value"}, "testcase": {"name"}}
MIX = [
    lambda axes, due: (said("allow", "entitled"),) if due.rule == "D6" else right(axes, due),
    lambda axes, due: (failed("timeout", "no answer within 2 s"),) if axes["surface"] == "tool" else right(axes, due),
    lambda axes, due: (said("deny", "a", count=2), said("deny", "b", count=1)),
    right,
]


def written(run, **limits) -> ET.Element:
    stream = io.StringIO()
    write_junit(run, stream, **limits)
    return ET.fromstring(stream.getvalue().encode())


def check_shape(element: ET.Element) -> None:
    attributes, children = ALLOWED[element.tag]
    assert set(element.attrib) <= attributes, element.tag
    assert REQUIRED.get(element.tag, set()) <= set(element.attrib), element.tag
    for child in element:
        assert child.tag in children, (element.tag, child.tag)
        check_shape(child)


@pytest.mark.parametrize("cases_max", [20_000, 100, 5, 0])
@pytest.mark.parametrize("app", MIX)
def test_every_file_has_the_agreed_shape_and_counts_that_add_up(app, cases_max: int) -> None:
    root = written(run_of(app), cases_max=cases_max)
    check_shape(root)
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases)
        assert int(suite.get("failures", "")) == sum(case.find("failure") is not None for case in cases)
        assert int(suite.get("errors", "")) == sum(case.find("error") is not None for case in cases)
        names = Counter((case.get("classname"), case.get("name")) for case in cases)
        assert max(names.values()) == 1


def test_one_testcase_a_cell_named_by_its_axis_values() -> None:
    run = run_of(allowing(lambda axes, due: axes["plan"] == "free" and axes["capability"] == "report.export"))
    (suite,) = written(run)
    assert suite.get("name") == "gating"
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert len(cases) == 396
    assert "pro / Subscribed / report.export / tool / usage=first_over:exports" in cases
    case = cases["free / Subscribed / report.export / tool"]
    assert case.get("classname") == "plangate.stage.gating.free"
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("type") == "leak"
    assert failure.get("message") == "leak: expected deny not_in_plan, observed allow entitled"
    text = (failure.text or "").splitlines()
    assert text[:2] == [f"expected: deny not_in_plan (rule D6, {CATALOG}:31:14)", "observed: allow entitled, 3 times"]
    assert text[2].startswith("reproduce: plangate run stage --cell c-")


def test_an_error_is_an_error_and_says_what_came_back() -> None:
    (suite,) = written(run_of(lambda axes, due: (failed("unreachable", "connection refused"),)))
    error = suite.findall("testcase")[0].find("error")
    assert error is not None
    assert error.get("message", "").endswith("observed no answer: connection refused")


def test_properties_carry_digests_fingerprint_and_seed() -> None:
    (suite,) = written(run_of(right))
    held = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert held["plangate.release"] == "sha256:" + "4f3a91c2" * 8
    assert held["plangate.fingerprint"] == "sha256:" + "c0ffee00" * 8
    assert (held["plangate.seed"], held["plangate.verdict"]) == ("7", "passed")
    assert held["plangate.testcases"] == "one for each cell"


def test_cells_that_were_not_observed_are_an_error() -> None:
    run = with_header(FakeRun(run_of(right).held[:90], missing=306), stopped="interrupted")
    (suite,) = written(run)
    assert suite.get("errors") == "1"
    error = suite.find("testcase/error")
    assert error is not None
    assert error.get("message") == "306 of 396 cells not observed in every pass"
    assert "plangate run stage --resume r-20260102-7f3a" in (error.text or "")


def test_a_run_without_cells_is_not_green() -> None:
    (suite,) = written(FakeRun([]))
    assert suite.get("errors") == "1"


def test_a_large_run_shares_testcases_under_names_that_do_not_change() -> None:
    app = allowing(lambda axes, due: axes["plan"] == "free" and due.rule == "D6")
    run = run_of(app)
    (suite,) = written(run, cases_max=10)
    cases = suite.findall("testcase")
    single = [case for case in cases if " / tool" in (case.get("name") or "") or " / inter" in (case.get("name") or "")]
    assert len([case for case in cases if case.find("failure") is not None]) > 10
    assert single
    shared = next(case for case in cases if case.get("name") == "free / kb.search / cells that passed")
    # 4 states, 3 surfaces, 3 boundary values of the limit.
    assert (shared.findtext("system-out") or "").startswith("36 cells")
    rest = next(case for case in cases if case.get("name") == "free / crm.sync / further cells: leak")
    assert rest.find("failure") is not None
    held = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert "all others share one testcase" in (held["plangate.testcases"] or "")


def test_two_suites_are_two_testsuites() -> None:
    held = results(every_cell(plans=["free"]), right) + results(every_cell(plans=["pro"]), right, suite="safety")
    assert [suite.get("name") for suite in written(FakeRun(held))] == ["gating", "safety"]


def test_hostile_texts_break_neither_the_file_nor_a_name() -> None:
    root = written(nasty_run())
    check_shape(root)
    text = "".join(root.itertext()) + " ".join(value for one in root.iter() for value in one.attrib.values())
    assert "<script>alert(1)</script>" in text
    assert "\x1b" not in text


def test_long_phrasings_are_told_apart() -> None:
    long = "please " * 20
    run = run_of(right, plans=["free"], capabilities=["kb.search"], phrasings=[long + "one", long + "two"])
    names = [case.get("name") for suite in written(run) for case in suite.findall("testcase")]
    assert len(set(names)) == len(names) == len(run.held)
    assert max(map(len, map(str, names))) < 200
    assert all(one.verdict is Verdict.PASS for one in run.held)
