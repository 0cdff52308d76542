"""A report in a file: its format follows from the file's name, and the file is whole or not there."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from plangate.errors import InputError
from plangate.line_guard import LineGuard, inert_json
from plangate.reports.html_report import html_report
from plangate.reports.json_report import run_document
from plangate.reports.junit import write_junit
from plangate.reports.markdown import markdown_report
from plangate.reports.survey import Survey, survey
from plangate.reports.terminal import print_report
from plangate.verdicts.result import RunReport

__all__ = ["REPORT_SUFFIXES", "report_suffix", "write_report"]

_Writer = Callable[[RunReport, TextIO, Survey], None]


def _write_json(report: RunReport, stream: TextIO, surveyed: Survey) -> None:
    document = run_document(report, surveyed=surveyed)
    stream.write(inert_json(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)) + "\n")


_WRITERS: Mapping[str, _Writer] = {
    ".html": lambda report, stream, surveyed: _write(stream, html_report(report, surveyed=surveyed)),
    ".json": _write_json,
    ".md": lambda report, stream, surveyed: _write(stream, LineGuard()(markdown_report(report, surveyed=surveyed))),
    ".txt": lambda report, stream, surveyed: _write(stream, LineGuard()(_as_text(report, surveyed))),
    ".xml": lambda report, stream, _: write_junit(report, stream),
}

REPORT_SUFFIXES: tuple[str, ...] = (".html", ".json", ".junit.xml", ".md", ".txt", ".xml")
"""The endings that name a format; `.xml` is JUnit too."""


def report_suffix(path: Path) -> str:
    """The ending of `path` that names its format. Raises InputError `unknown-report-format`.

    Call it before a run, so that a misspelt name does not cost one.
    """
    suffix = path.suffix.lower()
    if suffix not in _WRITERS:
        raise InputError(
            f"no report format is called {suffix or path.name!r}",
            code="unknown-report-format",
            where=str(path),
            hint=f"name a file that ends in {', '.join(REPORT_SUFFIXES)}",
        )
    return suffix


def write_report(report: RunReport, path: Path, *, surveyed: Survey | None = None) -> None:
    """Write `report` to `path` in the format that its ending names; folders above it are made.

    The file appears whole under its name or not at all. Raises InputError `unknown-report-format` or
    `report-not-written`.
    """
    writer = _WRITERS[report_suffix(path)]
    looked = surveyed or survey(report)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("w", encoding="utf-8", newline="\n") as stream:
                writer(report, stream, looked)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"the report could not be written: {error.strerror or error}",
            code="report-not-written",
            where=str(path),
            hint="name a file in a folder that can be written to, on a disk with room; the run itself is stored",
        ) from error


def _as_text(report: RunReport, surveyed: Survey) -> str:
    stream = io.StringIO()
    print_report(report, stream, colour=False, surveyed=surveyed, requirements=True)
    return stream.getvalue()


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
