"""A run as JUnit XML, as CI servers read it (conventions of Jenkins' junit-10.xsd): a projection, not the evidence.

Names are stable: they say the cell's axis values and never its place in the run, so that a CI shows its history.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TextIO, cast

from plangate.reports.axes import further_axes, value_of, value_text
from plangate.reports.counts import count_text, stopped_text, verdict_text
from plangate.reports.safe_text import clean
from plangate.reports.shown import shown_texts
from plangate.reports.signatures import decision_text, fault_text
from plangate.verdicts.claims import not_tried
from plangate.verdicts.result import CellResult, RunHeader, RunReport, RunSummary, RunVerdict, SuiteSummary, Verdict

if TYPE_CHECKING:
    from io import TextIOBase
    from xml.sax.saxutils import XMLGenerator

__all__ = ["CASES_MAX", "write_junit"]

CASES_MAX = 20_000
"""Beyond this many cells, those that passed share a testcase for each plan and capability; so do further failures."""

_PHRASING_MAX = 60
_SHARED_AT_MOST = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """Why a testcase is not green."""

    element: str
    """`failure` or `error`."""
    kind: str
    message: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One testcase."""

    name: str
    classname: str
    outcome: _Outcome | None = None
    note: str = ""
    time_s: float | None = None
    where: str = ""
    """`file:line:column` of what decided."""


def write_junit(report: RunReport, stream: TextIO, *, cases_max: int = CASES_MAX) -> None:
    """Write `report` as JUnit XML (UTF-8) to `stream`, cell by cell: memory does not grow with the run."""
    summary = report.summary()
    left = {suite.name: suite for suite in summary.suites}
    each_cell = summary.totals.executed <= cases_max
    xml = _generator(stream)
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    name, took = f"plangate {summary.header.environment}", f"{summary.header.duration_s:.3f}"
    with _element(xml, "testsuites", depth=0, name=name, time=took):
        for suite_name, results in groupby(report.cells(), key=lambda result: result.suite):
            listed_max = None if each_cell else cases_max
            _write_suite(stream, left.pop(suite_name), results, summary=summary, listed_max=listed_max)
        for suite in left.values():
            _write_suite(stream, suite, (), summary=summary, listed_max=None)


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
    took_s = 0.0
    xml = _generator(stream)
    with TemporaryFile("w+", encoding="utf-8", newline="\n") as body:
        waiting = _generator(body)
        for case in (*_unobserved(suite, header), *_unproven(suite, summary)):
            counts[_write_case(waiting, case)] += 1
        for case in cases:
            counts[_write_case(waiting, case)] += 1
            took_s += case.time_s or 0.0
        body.seek(0)
        with _element(
            xml,
            "testsuite",
            name=suite.name,
            tests=str(counts.total()),
            failures=str(counts["failure"]),
            errors=str(counts["error"]),
            skipped="0",
            time=f"{took_s:.6f}",
            timestamp=header.started,
        ):
            _write_properties(xml, _properties(suite, summary, each_cell=listed_max is None))
            shutil.copyfileobj(body, stream)


def _generator(stream: TextIO) -> XMLGenerator:
    # Imported here: it brings half of urllib along.
    from xml.sax.saxutils import XMLGenerator

    return XMLGenerator(cast("TextIOBase", stream), "utf-8", short_empty_elements=True)


@contextmanager
def _element(xml: XMLGenerator, tag: str, *, depth: int = 1, **attributes: str) -> Iterator[None]:
    """An element with children, each on lines of its own."""
    _start(xml, tag, depth=depth, attributes=attributes)
    xml.ignorableWhitespace("\n")
    yield
    xml.ignorableWhitespace("  " * depth)
    _end(xml, tag)


def _text_element(xml: XMLGenerator, tag: str, text: str, *, depth: int, **attributes: str) -> None:
    _start(xml, tag, depth=depth, attributes=attributes)
    if text:
        xml.characters(text)
    _end(xml, tag)


def _start(xml: XMLGenerator, tag: str, *, depth: int, attributes: Mapping[str, str]) -> None:
    xml.ignorableWhitespace("  " * depth)
    xml.startElement(tag, {name: clean(value) for name, value in attributes.items()})  # type: ignore[arg-type]


def _end(xml: XMLGenerator, tag: str) -> None:
    xml.endElement(tag)
    xml.ignorableWhitespace("\n")


def _write_properties(xml: XMLGenerator, values: Mapping[str, str]) -> None:
    with _element(xml, "properties", depth=2):
        for name, value in values.items():
            _text_element(xml, "property", "", depth=3, name=name, value=value)


def _write_case(xml: XMLGenerator, case: _Case) -> str:
    """Write one testcase; which count it adds to."""
    attributes = {"name": case.name, "classname": case.classname}
    if case.time_s is not None:
        attributes["time"] = f"{case.time_s:.6f}"
    file, _, line = case.where.partition(":")
    if line:
        attributes |= {"file": file, "line": line.partition(":")[0]}
    if case.outcome is None and not case.note:
        _text_element(xml, "testcase", "", depth=2, **attributes)
        return "passed"
    with _element(xml, "testcase", depth=2, **attributes):
        if case.outcome is not None:
            told = {"type": case.outcome.kind, "message": case.outcome.message}
            _text_element(xml, case.outcome.element, case.outcome.text, depth=3, **told)
        if case.note:
            _text_element(xml, "system-out", case.note, depth=3)
    return case.outcome.element if case.outcome is not None else "passed"


def _properties(suite: SuiteSummary, summary: RunSummary, *, each_cell: bool) -> Mapping[str, str]:
    header = summary.header
    return {
        "plangate.run": header.run,
        "plangate.environment": header.environment,
        "plangate.verdict": summary.verdict.value,
        "plangate.release": header.release,
        "plangate.effective": header.effective,
        "plangate.suite": suite.digest,
        "plangate.suite_version": str(suite.version),
        "plangate.fingerprint": summary.fingerprint,
        "plangate.seed": str(suite.seed),
        "plangate.stopped": stopped_text(header),
        "plangate.ran": header.ran,
        **{f"plangate.requirement.{name}": text for name, text in shown_texts(summary).items()},
        "plangate.not_tried": "; ".join(not_tried(summary)),
        "plangate.coverage": suite.coverage,
        "plangate.selection": header.selection or (f"shard {header.shard}" if header.shard else "the whole matrix"),
        "plangate.cells": str(suite.totals.executed),
        "plangate.testcases": "one for each cell"
        if each_cell
        else f"one for each of the first {CASES_MAX:,} cells that did not pass; all others share one testcase for each "
        "plan and capability",
    }


def _each(results: Iterable[CellResult], header: RunHeader) -> Iterator[_Case]:
    for result in results:
        yield _case_of(result, header)


def _shared(results: Iterable[CellResult], header: RunHeader, *, listed_max: int) -> Iterator[_Case]:
    """Failing cells one by one up to `listed_max`; the others counted for each plan and capability."""
    counted: Counter[tuple[str, str, str, str]] = Counter()
    listed = 0
    for result in results:
        if result.verdict is not Verdict.PASS and listed < listed_max:
            listed += 1
            yield _case_of(result, header)
            continue
        came_to = result.verdict.value if result.whole or result.verdict is not Verdict.PASS else _MISSING
        key = (result.suite, _text(result, "plan"), _text(result, "capability"), came_to)
        if key not in counted and len(counted) >= _SHARED_AT_MOST:
            key = (result.suite, "", "", came_to)
        counted[key] += 1
    for (suite, plan, capability, came_to), cells in counted.items():
        yield _of_many(suite, plan, capability, came_to, cells=cells, header=header)


_MISSING = "missing"
"""The kind of an error where cells were not observed in every pass."""


def _of_many(suite: str, plan: str, capability: str, came_to: str, *, cells: int, header: RunHeader) -> _Case:
    number = count_text(cells, "cell", "cells")
    words, outcome = "cells that passed", None
    if came_to != Verdict.PASS:
        words = f"further cells: {came_to}"
        element = "error" if came_to in (Verdict.ERROR, _MISSING) else "failure"
        outcome = _Outcome(element=element, kind=came_to, message=f"{number}: {came_to}", text="")
    return _Case(
        name=f"{plan or 'other plans'} / {capability or 'other capabilities'} / {words}",
        classname=_classname(header, suite, plan or "other"),
        outcome=outcome,
        note=f"{number}, told one by one by: plangate show {clean(header.run)}",
    )


def _case_of(result: CellResult, header: RunHeader) -> _Case:
    return _Case(
        name=_name(result),
        classname=_classname(header, result.suite, _text(result, "plan")),
        outcome=_outcome_of(result),
        time_s=result.took_us / 1e6,
        where=clean(result.expected.where),
    )


def _outcome_of(result: CellResult) -> _Outcome | None:
    if result.verdict is Verdict.PASS:
        if result.whole:
            return None
        seen = count_text(sum(one.count for one in result.observed), "time", "times")
        message = f"observed {seen}, as expected, and not in every pass"
        return _Outcome(element="error", kind=_MISSING, message=message, text=message)
    expected = result.expected
    due = decision_text(expected.effect, expected.reason, expected.limit)
    seen_texts = [
        fault_text(one.fault, one.detail) if one.effect is None else decision_text(one.effect, one.reason, one.limit)
        for one in result.observed
    ]
    message = f"{result.verdict.value}: expected {due}, observed {' or '.join(seen_texts) or 'nothing'}"
    text = [f"expected: {due} (rule {expected.rule}, {expected.where})"]
    for one, said in zip(result.observed, seen_texts, strict=True):
        text.append(f"observed: {said}, {count_text(one.count, 'time', 'times')}")
        if one.effect is not None and one.detail:
            text.append(f"answered: {clean(one.detail)}")
    text.append(f"reproduce: {result.reproduce}")
    if result.alone:
        text.append(f"note: {result.alone}")
    return _Outcome(
        element="error" if result.verdict is Verdict.ERROR else "failure",
        kind=result.verdict.value,
        message=message,
        text="\n".join(map(clean, text)),
    )


def _unobserved(suite: SuiteSummary, header: RunHeader) -> Iterator[_Case]:
    """An error where cells were not observed: a file with passes only must mean that the suite passed (rule R2)."""
    totals = suite.totals
    if totals.missing <= 0 and totals.executed:
        return
    message = f"{totals.missing:,} of {count_text(totals.expected, 'cell', 'cells')} not observed in every pass"
    why = clean(stopped_text(header))
    stopped = f"The run was stopped: {why}\n" if why else ""
    text = f"{stopped}resume: plangate run {clean(header.environment)} --resume {clean(header.run)}"
    outcome = _Outcome(element="error", kind=_MISSING, message=message, text=text)
    name = "every expected cell is observed"
    yield _Case(name=name, classname=_classname(header, suite.name), outcome=outcome)


def _unproven(suite: SuiteSummary, summary: RunSummary) -> Iterator[_Case]:
    """An error where every cell passed and the run is undecided all the same: what ran, or that nothing was allowed."""
    totals = suite.totals
    whole = 0 < totals.expected == totals.executed == totals.passed
    if not whole or summary.verdict is not RunVerdict.UNDECIDED:
        return
    why = clean(stopped_text(summary.header)) or verdict_text(summary)
    outcome = _Outcome(element="error", kind="undecided", message=why, text=why)
    name = "what passed proves something"
    yield _Case(name=name, classname=_classname(summary.header, suite.name), outcome=outcome)


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
