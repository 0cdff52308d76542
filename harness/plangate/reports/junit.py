"""A run as JUnit XML, as CI servers read it (conventions of Jenkins' junit-10.xsd): a projection, not the evidence.

Names are stable: they say the cell's axis values and never its place in the run, so that a CI shows its history.
"""

from __future__ import annotations

import html
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TextIO

from plangate.reports.axes import further_axes, value_of, value_text
from plangate.reports.counts import count_text, verdict_text
from plangate.reports.safe_text import clean
from plangate.reports.signatures import decision_text, fault_text
from plangate.verdicts.claims import not_tried
from plangate.verdicts.result import CellResult, RunHeader, RunReport, RunSummary, RunVerdict, SuiteSummary, Verdict

__all__ = ["CASES_MAX", "write_junit"]

CASES_MAX = 20_000
"""Beyond this many cells, those that passed share a testcase for each plan and capability; so do further failures."""

_PHRASING_MAX = 60
_SHARED_AT_MOST = 50_000


def write_junit(report: RunReport, stream: TextIO, *, cases_max: int = CASES_MAX) -> None:
    """Write `report` as JUnit XML (UTF-8) to `stream`, cell by cell: memory does not grow with the run."""
    summary = report.summary()
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    name = f"plangate {summary.header.environment}"
    stream.write(f"<testsuites{_attributes(name=name, time=f'{summary.header.duration_s:.3f}')}>\n")
    left = {suite.name: suite for suite in summary.suites}
    each_cell = summary.totals.executed <= cases_max
    for suite_name, results in groupby(report.cells(), key=lambda result: result.suite):
        _write_suite(
            stream, left.pop(suite_name), results, summary=summary, listed_max=None if each_cell else cases_max
        )
    for suite in left.values():
        _write_suite(stream, suite, (), summary=summary, listed_max=None)
    stream.write("</testsuites>\n")


def _write_suite(
    stream: TextIO,
    suite: SuiteSummary,
    results: Iterable[CellResult],
    *,
    summary: RunSummary,
    listed_max: int | None,
) -> None:
    """One testsuite. Its counts stand before its cases, so the cases wait in a temporary file."""
    from tempfile import TemporaryFile

    header = summary.header
    cases = _each(results, header) if listed_max is None else _shared(results, header, listed_max=listed_max)
    counts: Counter[str] = Counter()
    with TemporaryFile("w+", encoding="utf-8", newline="\n") as body:
        for kind, text in cases:
            counts[kind] += 1
            body.write(text)
        for kind, text in (*_missing(suite, header), *_unproven(suite, summary)):
            counts[kind] += 1
            body.write(text)
        body.seek(0)
        attributes = _attributes(
            name=suite.name,
            tests=str(counts.total()),
            failures=str(counts["failure"]),
            errors=str(counts["error"]),
            skipped="0",
            timestamp=header.started,
        )
        stream.write(f"  <testsuite{attributes}>\n")
        stream.writelines(_properties(suite, summary, each_cell=listed_max is None))
        shutil.copyfileobj(body, stream)
    stream.write("  </testsuite>\n")


def _properties(suite: SuiteSummary, summary: RunSummary, *, each_cell: bool) -> Iterator[str]:
    header = summary.header
    values = {
        "plangate.run": header.run,
        "plangate.environment": header.environment,
        "plangate.verdict": summary.verdict.value,
        "plangate.release": header.release,
        "plangate.effective": header.effective,
        "plangate.suite": suite.digest,
        "plangate.suite_version": str(suite.version),
        "plangate.fingerprint": summary.fingerprint,
        "plangate.seed": str(suite.seed),
        "plangate.ran": header.ran,
        "plangate.not_tried": "; ".join(not_tried(summary)),
        "plangate.coverage": suite.coverage,
        "plangate.selection": header.selection or (f"shard {header.shard}" if header.shard else "the whole matrix"),
        "plangate.cells": str(suite.totals.executed),
        "plangate.testcases": "one for each cell"
        if each_cell
        else f"one for each of the first {CASES_MAX:,} cells that did not pass; all others share one testcase for each "
        "plan and capability",
    }
    yield "    <properties>\n"
    for name, value in values.items():
        yield f"      <property{_attributes(name=name, value=value)}/>\n"
    yield "    </properties>\n"


def _each(results: Iterable[CellResult], header: RunHeader) -> Iterator[tuple[str, str]]:
    for result in results:
        yield _case_of(result, header)


def _shared(results: Iterable[CellResult], header: RunHeader, *, listed_max: int) -> Iterator[tuple[str, str]]:
    """Failing cells one by one up to `listed_max`; the others counted for each plan and capability."""
    counted: Counter[tuple[str, str, str, str]] = Counter()
    listed = 0
    for result in results:
        if result.verdict is not Verdict.PASS and listed < listed_max:
            listed += 1
            yield _case_of(result, header)
            continue
        key = (result.suite, _text(result, "plan"), _text(result, "capability"), result.verdict.value)
        if key not in counted and len(counted) >= _SHARED_AT_MOST:
            key = (result.suite, "", "", result.verdict.value)
        counted[key] += 1
    for (suite, plan, capability, verdict), cells in counted.items():
        passed = verdict == Verdict.PASS
        words = "cells that passed" if passed else f"further cells: {verdict}"
        number = count_text(cells, "cell", "cells")
        yield _case(
            name=f"{plan or 'other plans'} / {capability or 'other capabilities'} / {words}",
            classname=_classname(header, suite, plan or "other"),
            outcome=None if passed else (_kind(Verdict(verdict)), verdict, f"{number}: {verdict}", ""),
            note=f"{number}, told one by one by: plangate show {clean(header.run)}",
        )


def _case_of(result: CellResult, header: RunHeader) -> tuple[str, str]:
    outcome = None
    if result.verdict is not Verdict.PASS:
        expected = result.expected
        due = decision_text(expected.effect, expected.reason, expected.limit)
        seen = [
            fault_text(one.fault, one.detail)
            if one.effect is None
            else decision_text(one.effect, one.reason, one.limit)
            for one in result.observed
        ]
        message = f"{result.verdict.value}: expected {due}, observed {' or '.join(seen) or 'nothing'}"
        text = [f"expected: {due} (rule {expected.rule}, {expected.where})"]
        for one, said in zip(result.observed, seen, strict=True):
            text.append(f"observed: {said}, {count_text(one.count, 'time', 'times')}")
            if one.effect is not None and one.detail:
                text.append(f"answered: {clean(one.detail)}")
        text.append(f"reproduce: {result.reproduce}")
        outcome = (_kind(result.verdict), result.verdict.value, message, "\n".join(map(clean, text)))
    return _case(name=_name(result), classname=_classname(header, result.suite, _text(result, "plan")), outcome=outcome)


def _case(*, name: str, classname: str, outcome: tuple[str, str, str, str] | None, note: str = "") -> tuple[str, str]:
    """Which count a testcase adds to, and its XML. `outcome` is (element, type, message, text)."""
    opening = f"    <testcase{_attributes(name=name, classname=classname)}"
    output = f"\n      <system-out>{html.escape(note)}</system-out>" if note else ""
    if outcome is None:
        return "passed", f"{opening}>{output}\n    </testcase>\n" if output else f"{opening}/>\n"
    element, kind, message, text = outcome
    failure = f"<{element}{_attributes(type=kind, message=message)}>{html.escape(text)}</{element}>"
    return element, f"{opening}>\n      {failure}{output}\n    </testcase>\n"


def _missing(suite: SuiteSummary, header: RunHeader) -> Iterator[tuple[str, str]]:
    """An error where cells were not observed: a file with passes only must mean that the suite passed (rule R2)."""
    totals = suite.totals
    if totals.missing <= 0 and totals.executed:
        return
    message = f"{totals.missing:,} of {count_text(totals.expected, 'cell', 'cells')} not observed in every pass"
    stopped = f"The run was stopped: {clean(header.stopped)}\n" if header.stopped else ""
    text = f"{stopped}resume: plangate run {clean(header.environment)} --resume {clean(header.run)}"
    name = "every expected cell is observed"
    yield _case(name=name, classname=_classname(header, suite.name), outcome=("error", "missing", message, text))


def _unproven(suite: SuiteSummary, summary: RunSummary) -> Iterator[tuple[str, str]]:
    """An error where every cell passed and the run is undecided all the same: what ran, or that nothing was allowed."""
    totals = suite.totals
    whole = 0 < totals.expected == totals.executed == totals.passed
    if not whole or summary.verdict is not RunVerdict.UNDECIDED or summary.header.stopped:
        return
    message = verdict_text(summary)
    name = "what passed proves something"
    yield _case(
        name=name, classname=_classname(summary.header, suite.name), outcome=("error", "undecided", message, message)
    )


def _kind(verdict: Verdict) -> str:
    return "error" if verdict is Verdict.ERROR else "failure"


def _text(result: CellResult, axis: str) -> str:
    return clean(value_text(value_of(result.axes, axis)), length_max=200)


def _name(result: CellResult) -> str:
    """`free / Subscribed / report.export / tool / usage=first_over:exports`."""
    parts = [_text(result, axis) for axis in ("plan", "state", "capability", "surface")]
    for axis, value in further_axes(result.axes):
        text = value_text(value)
        short = clean(text, length_max=_PHRASING_MAX)
        # A shortened phrasing is told apart by the end of the cell's id.
        parts.append(f"{axis}={short}" if len(text) <= _PHRASING_MAX else f"{axis}={short} #{result.cell[-8:]}")
    return " / ".join(parts)


def _classname(header: RunHeader, *parts: str) -> str:
    """`plangate.stage.gating.free`: dots inside a name would make packages of their own."""
    named = [clean(part).replace(".", "_").replace(" ", "_") for part in (header.environment, *parts)]
    return ".".join(["plangate", *named])


def _attributes(**values: str) -> str:
    return "".join(f' {name}="{html.escape(clean(value))}"' for name, value in values.items())
