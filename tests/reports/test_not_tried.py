"""What a run says nothing about stands in every format, beside what it found (rule R12)."""

import io
import json
from xml.etree import ElementTree

import pytest

from plangate.reports.html_report import html_report
from plangate.reports.json_report import run_document
from plangate.reports.junit import write_junit
from plangate.reports.markdown import markdown_report
from plangate.reports.terminal import print_report
from plangate.verdicts.claims import NOTHING_ALLOWED, not_tried
from tests.reports.fake_run import FakeRun, every_cell, expected, results, run_of, with_header


def text_of(run: FakeRun) -> str:
    stream = io.StringIO()
    print_report(run, stream, colour=False)
    return " ".join(stream.getvalue().split())


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


def refusals() -> FakeRun:
    return FakeRun(results(axes for axes in every_cell() if expected(axes).effect == "deny"))


@pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS)
def test_every_format_lists_what_was_not_tried(made) -> None:
    run = run_of()
    text = made(run)
    for sentence in not_tried(run.summary()):
        assert sentence in text
    assert "exactly what it bought" not in text


@pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS)
def test_a_run_of_refusals_is_undecided_and_says_why(made) -> None:
    text = made(refusals())
    assert "undecided" in text.lower()
    assert NOTHING_ALLOWED in text


@pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS)
def test_a_run_of_something_else_says_how_it_differs(made) -> None:
    run = with_header(run_of(), ran="differs", ran_differences=("model is smollm3, not smollm2",))
    text = made(run)
    assert "model is smollm3, not smollm2" in text
    assert "what ran was not checked" not in text


def test_a_junit_file_of_an_undecided_run_is_not_green() -> None:
    root = ElementTree.fromstring(junit_of(refusals()))
    (suite,) = root.iter("testsuite")
    assert suite.get("errors") == "1"
    (error,) = root.iter("error")
    assert error.get("type") == "undecided"
