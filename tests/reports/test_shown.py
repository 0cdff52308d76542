"""Every report says which requirements the run shows: those of the suites that passed whole, with what each asks."""

import io
import json
from xml.etree import ElementTree

import pytest

from plangate.documents.requirements import REQUIREMENTS
from plangate.reports.html_report import html_report
from plangate.reports.json_report import run_document
from plangate.reports.junit import write_junit
from plangate.reports.markdown import markdown_report
from plangate.reports.terminal import print_report
from tests.reports.fake_run import FakeRun, allowing, run_of, with_header

TEXT = REQUIREMENTS["C2"].text


def text_of(run: FakeRun) -> str:
    stream = io.StringIO()
    print_report(run, stream, colour=False, requirements=True, width=200)
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


@pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS)
def test_a_requirement_is_told_with_its_text(made) -> None:
    assert TEXT in made(run_of())


@pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize(
    "run",
    [run_of(allowing(lambda axes, due: True)), with_header(run_of(), shard="1/2"), with_header(run_of(), finished="")],
    ids=["failed", "shard", "unfinished"],
)
def test_what_did_not_pass_whole_shows_nothing(made, run) -> None:
    assert TEXT not in made(run)


def test_a_terminal_names_the_ids_alone() -> None:
    stream = io.StringIO()
    print_report(run_of(), stream, colour=False)
    assert "\nshows     C2\n" in stream.getvalue()
    assert TEXT not in stream.getvalue()


def test_a_property_for_each_requirement() -> None:
    held = {one.get("name"): one.get("value") for one in ElementTree.fromstring(junit_of(run_of())).iter("property")}
    assert held["plangate.requirement.C2"].startswith(TEXT)
