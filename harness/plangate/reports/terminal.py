"""A run for a person at a terminal: what failed and why first, then the picture, then the totals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TextIO

from plangate.reports.causes import Cause
from plangate.reports.counts import (
    count_text,
    duration_text,
    findings_text,
    passed_text,
    short_digest,
    stopped_text,
    verdict_text,
)
from plangate.reports.lines import Line, wrapped, write_lines
from plangate.reports.marks import OF_VERDICT, Mark
from plangate.reports.safe_text import clean, columns
from plangate.reports.shown import shown_texts
from plangate.reports.survey import Survey, survey
from plangate.reports.terminal_picture import picture_lines
from plangate.verdicts.claims import not_tried
from plangate.verdicts.result import RunReport, RunSummary, RunVerdict, Verdict

__all__ = ["print_report", "report_lines"]

_CAUSES_MAX = 10
_VALUES_MAX = 3
_INDENT = " " * 10
_PLURAL = {
    Verdict.PASS: "passes",
    Verdict.LEAK: "leaks",
    Verdict.FLAKY: "flaky",
    Verdict.LOCKOUT: "lockouts",
    Verdict.MISMATCH: "mismatches",
    Verdict.ERROR: "errors",
}
_VERDICT_STYLE = {RunVerdict.PASSED: "good", RunVerdict.FAILED: "bad", RunVerdict.UNDECIDED: "warn"}


def print_report(
    report: RunReport,
    stream: TextIO,
    *,
    colour: bool,
    width: int = 100,
    surveyed: Survey | None = None,
    requirements: bool = False,
) -> None:
    """Print `report` on `stream` in at most `width` columns (commands to copy may be longer).

    Pass `surveyed` where the run was looked through already. With `requirements`, those that the run shows are told
    in words, not by their ids alone. Without `colour`, no escape sequence is written.
    """
    lines = report_lines(surveyed or survey(report), width=max(40, width), requirements=requirements)
    write_lines(lines, stream, colour=colour, width=max(40, width))


def report_lines(surveyed: Survey, *, width: int, requirements: bool = False) -> Iterator[Line]:
    """The report as styled lines; each cause of a failure stands before the picture."""
    yield from _header(surveyed.summary, width=width)
    yield ()
    yield from _outcome(surveyed, width=width)
    if stopped := stopped_text(surveyed.summary.header):
        for number, line in enumerate(wrapped(clean(stopped), width=width - len(_INDENT))):
            yield ((f"{'stopped' if not number else '':<10}", "warn"), (line, ""))
    for cause in surveyed.causes[:_CAUSES_MAX]:
        yield ()
        yield from _cause(cause, width=width)
    more = len(surveyed.causes) - _CAUSES_MAX
    if more > 0:
        yield ()
        again = f"plangate show {surveyed.summary.header.run}{surveyed.place}"
        yield ((f"and {count_text(more, 'more cause', 'more causes')}: {again}", "bold"),)
    yield ()
    picture = tuple(picture_lines(surveyed.picture, width=width))
    if picture:
        yield from picture
        yield ()
    yield from _shown(surveyed.summary, width=width, in_words=requirements)
    yield from _not_tried(surveyed.summary, width=width)
    yield ()
    yield from _totals(surveyed.summary, width=width)


def _header(summary: RunSummary, *, width: int) -> Iterator[Line]:
    header = summary.header
    name = clean(header.environment)
    parts = [
        f"{name} ({clean(header.tier)})",
        f"release {short_digest(header.release)}",
        header.app,
        header.model,
        f"run {header.run}",
        f"shard {header.shard}" if header.shard else "",
        f"only {header.selection}" if header.selection else "",
        f"reused {header.reused_from}" if header.reused_from else "",
        header.target,
    ]
    first, *more = _flowing(map(clean, parts), width=width)
    yield (("plangate  ", "dim"), (name, "bold"), (first.removeprefix(name), ""))
    for line in more:
        yield ((_INDENT + line, "dim"),)
    if header.app_wrote:
        for line in wrapped(clean(header.app_wrote), width=width - len(_INDENT)):
            yield ((_INDENT + line, "dim"),)


def _flowing(parts: Iterable[str], *, width: int) -> list[str]:
    """Parts beside each other as far as they fit, indented later; a longer part is wrapped at its words."""
    room = width - len(_INDENT)
    lines = [""]
    for part in filter(None, parts):
        if not lines[-1]:
            lines[-1:] = wrapped(part, width=room)
        elif columns(lines[-1]) + 3 + columns(part) <= room:
            lines[-1] += f"   {part}"
        else:
            lines += wrapped(part, width=room)
    return lines


def _outcome(surveyed: Survey, *, width: int) -> Iterator[Line]:
    summary = surveyed.summary
    word, _, rest = verdict_text(summary).partition(":")
    causes = len(surveyed.causes)
    why = f": {count_text(causes, 'cause', 'causes')}" if causes else ""
    indent = len(word) + 3
    for number, line in enumerate(wrapped(f"{rest.strip()}{why}", width=width - indent)):
        if number:
            yield ((" " * indent + line, "bold"),)
        else:
            yield ((f" {word.upper()} ", _VERDICT_STYLE[summary.verdict]), (f" {line}", "bold"))


def _cause(cause: Cause, *, width: int) -> Iterator[Line]:
    mark = Mark.LEAK if cause.leaked else OF_VERDICT[cause.verdict]
    cells = count_text(cause.cells, "cell", "cells")
    head = f"{cause.verdict.value.upper():>8}"
    first = wrapped(cause.title, width=width - len(_INDENT) - len(cells) - 2)[0]
    rest = cause.title[len(first) :].strip()
    lines = [first, *(wrapped(rest, width=width - len(_INDENT)) if rest else ())]
    room = max(1, width - len(_INDENT) - columns(lines[0]) - len(cells))
    yield ((head, mark), ("  ", ""), (lines[0], "bold"), (" " * room + cells, "dim"))
    for line in lines[1:]:
        yield ((_INDENT + line, "bold"),)
    for label, text in _details(cause):
        for number, line in enumerate(wrapped(text, width=width - len(_INDENT) - 10)):
            yield ((f"{_INDENT}{label if not number else '':<10}", "dim"), (line, ""))
    yield ((f"{_INDENT}{'try':<10}", "dim"), (cause.reproduce, "command"))
    for line in wrapped(cause.alone, width=width - len(_INDENT) - 10) if cause.alone else ():
        yield ((f"{_INDENT}{'':<10}", "dim"), (line, "dim"))


def _details(cause: Cause) -> Iterator[tuple[str, str]]:
    if cause.verdict is not Verdict.ERROR:
        rule = f", rule {cause.rules[0]}" if len(cause.rules) == 1 else f", rules {', '.join(cause.rules)}"
        due = _some(cause.due, shown=2, more=0) + rule
        yield "expected", f"{due}, {_some(_places(cause.where), shown=2, more=cause.where_more)}"
    yield "observed", _some(cause.observed, shown=2, more=cause.observed_more)
    if len(cause.verdicts) > 1:
        counts = (count_text(count, verdict.value, _PLURAL[verdict]) for verdict, count in cause.verdicts.items())
        yield "of these", ", ".join(counts)
    if cause.verdict is Verdict.FLAKY and cause.leaked:
        yield "leaked", f"{count_text(cause.leaked, 'of these cells was', 'of these cells were')} allowed at least once"
    told = [spread for spread in cause.spreads if spread.is_told and not spread.everywhere]
    everywhere = [spread.axis for spread in cause.spreads if spread.is_told and spread.everywhere]
    parts = [f"{spread.axis} {spread.short(_VALUES_MAX)}" for spread in told]
    if everywhere:
        parts.append(f"any {', '.join(everywhere)}")
    if parts:
        yield "where", " · ".join(parts)


def _shown(summary: RunSummary, *, width: int, in_words: bool) -> Iterator[Line]:
    """The requirements that the run shows."""
    texts = shown_texts(summary)
    told = [f"{name} {clean(text)}" for name, text in texts.items()] if in_words else [", ".join(texts)]
    lines = [line for text in told if text for line in wrapped(text, width=width - len(_INDENT))]
    for number, line in enumerate(lines):
        yield ((f"{'shows' if not number else '':<10}", "bold"), (line, "dim"))


def _not_tried(summary: RunSummary, *, width: int) -> Iterator[Line]:
    """What the run says nothing about, in as few lines as hold it."""
    text = "; ".join(clean(sentence) for sentence in not_tried(summary))
    for number, line in enumerate(wrapped(text, width=width - len(_INDENT))):
        yield ((f"{'not tried' if not number else '':<10}", "bold"), (line, "dim"))


def _places(where: tuple[str, ...]) -> tuple[str, ...]:
    """Places with the file named once: `3.2.0.yaml:31:14`, `:32:14`."""
    file = where[0].partition(":")[0]
    return (where[0], *(place.removeprefix(file) for place in where[1:]))


def _some(texts: tuple[str, ...], *, shown: int, more: int) -> str:
    rest = len(texts) - shown + more if len(texts) > shown else more
    return "; ".join(texts[:shown]) + (f" and {rest} more" if rest else "")


def _totals(summary: RunSummary, *, width: int) -> Iterator[Line]:
    totals, header = summary.totals, summary.header
    seen = f"{count_text(totals.observations, 'observation', 'observations')} in {duration_text(header.duration_s)}"
    retried = f", {totals.retried:,} retried" if totals.retried else ""
    yield ((f"{totals.executed:,} of {count_text(totals.expected, 'cell', 'cells')} executed, {seen}{retried}", ""),)
    for suite in summary.suites:
        findings = findings_text(suite.totals, leaked=0) or (
            "all as sold" if suite.totals.passed else "nothing observed"
        )
        text = f"suite {clean(suite.name)} {suite.version}: {findings}; seed {suite.seed}; {clean(suite.coverage)}"
        for number, line in enumerate(wrapped(text, width=width - 2)):
            yield (("  " * bool(number) + line, "dim"),)
    yield ((f"fingerprint {summary.fingerprint}", "dim"),)
    word = summary.verdict.value.upper()
    findings = findings_text(totals, leaked=summary.leaked)
    yield ((f" {word} ", _VERDICT_STYLE[summary.verdict]), (f" {findings or passed_text(totals)}", "bold"))
