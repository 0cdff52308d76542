"""A report in a file: the format by its name, whole or not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plangate.errors import InputError
from plangate.reports import report_suffix, write_report
from tests.reports.fake_run import FakeRun, nasty_run, right, run_of

STARTS = {
    "out.html": "<!doctype html>",
    "out.json": '{\n  "format": 1,\n  "run": "r-20260102-7f3a"',
    "out.md": "### ✅ plangate stage",
    "out.txt": "plangate  stage",
    "out.xml": '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites',
    "deep/er/OUT.junit.XML": '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites',
}


@pytest.mark.parametrize("name", STARTS)
def test_the_ending_names_the_format(tmp_path: Path, name: str) -> None:
    write_report(run_of(right), tmp_path / name)
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(STARTS[name])
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == [Path(name).name]


@pytest.mark.parametrize("name", STARTS)
def test_hostile_texts_are_written_in_every_format(tmp_path: Path, name: str) -> None:
    write_report(nasty_run(), tmp_path / name)
    assert (tmp_path / name).stat().st_size > 500


@pytest.mark.parametrize("name", ["out", "out.pdf", "out.html.gz", ".html"])
def test_an_unknown_ending_lists_the_known_ones(name: str) -> None:
    with pytest.raises(InputError) as caught:
        report_suffix(Path(name))
    assert caught.value.code == "unknown-report-format"
    assert ".html, .json, .junit.xml, .md, .txt, .xml" in str(caught.value)


def test_a_report_that_fails_half_way_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    class Breaking(FakeRun):
        def failures(self, *, limit=None):
            raise RuntimeError("the store is gone")

    path = tmp_path / "out.json"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        write_report(Breaking(run_of(right).held), path)
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["out.json"]


def test_a_place_that_cannot_be_written_to_is_an_error_for_people(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        write_report(run_of(right), tmp_path / "file" / "out.json")
    assert caught.value.code == "report-not-written"
    assert "file/out.json" in str(caught.value)


def test_json_in_a_file_is_the_document(tmp_path: Path) -> None:
    write_report(run_of(right), tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text())["totals"]["pass"] == 396
