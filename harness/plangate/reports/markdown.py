"""A run for a pull-request comment or a job summary: the verdict, the small picture, each cause to be opened."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from plangate.reports.causes import Cause
from plangate.reports.counts import count_text, duration_text, seeds_text, short_digest, stopped_text, verdict_text
from plangate.reports.marks import LEGEND, SIGN, Mark
from plangate.reports.picture import Picture
from plangate.reports.safe_text import clean
from plangate.reports.shown import shown_texts
from plangate.reports.survey import Survey, survey
from plangate.verdicts.claims import not_tried
from plangate.verdicts.result import RunReport, RunSummary, RunVerdict

__all__ = ["BYTES_MAX", "markdown_report"]

BYTES_MAX = 60_000
"""GitHub refuses comments above 65,536 characters."""

_ROWS_MAX = 25
_PLANS_MAX = 12
_CAUSES_MAX = 50
_SIGNS = {
    **SIGN,
    Mark.LEAK: "❗ **leak**",
    Mark.FLAKY: "🔀 flaky",
    Mark.LOCKOUT: "⛔ lockout",
    Mark.MISMATCH: "≠ mismatch",
    Mark.ERROR: "❓ error",
    Mark.UNSEEN: "➖ not observed",
}
_VERDICT_SIGN = {RunVerdict.PASSED: "✅", RunVerdict.FAILED: "❌", RunVerdict.UNDECIDED: "⚠️"}
_SPECIAL = re.compile(r"([\\`*_\[\]#|~])")


def markdown_report(report: RunReport, *, surveyed: Survey | None = None, bytes_max: int = BYTES_MAX) -> str:
    """The run as GitHub-flavoured Markdown, at most `bytes_max` bytes whatever the run; texts of the app are inert."""
    looked = surveyed or survey(report)
    ending = f"{_shown(looked.summary)}{_not_tried(looked.summary)}\n{_totals(looked.summary)}"
    blocks = [_headline(looked), *_tables(looked.picture), *_causes(looked)]
    cut = f"\n_Shortened. `plangate show {_bare(looked.summary.header.run + looked.place)}` shows all._\n"
    room = bytes_max - len((ending + cut).encode())
    kept, used = [], 0
    for block in blocks:
        size = len(block.encode()) + 1
        if used + size > room:
            kept.append(cut)
            break
        kept.append(block)
        used += size
    return "\n".join([*kept, ending])


def _headline(looked: Survey) -> str:
    summary = looked.summary
    name = _escaped(summary.header.environment)
    lines = [f"### {_VERDICT_SIGN[summary.verdict]} plangate {name}: {_escaped(verdict_text(summary))}", ""]
    if stopped := stopped_text(summary.header):
        lines += [f"The run was stopped: {_escaped(stopped)}", ""]
    if summary.header.app_wrote:
        lines += [f"Note: {_escaped(summary.header.app_wrote)}", ""]
    lines += [
        f"- **{_escaped(cause.title)}** ({count_text(cause.cells, 'cell', 'cells')})" for cause in looked.causes[:3]
    ]
    more = len(looked.causes) - 3
    if more > 0:
        lines.append(f"- and {count_text(more, 'more cause', 'more causes')}")
    return "\n".join([*lines, ""])


def _tables(picture: Picture) -> Iterator[str]:
    """A table for each state with findings; the other states folded away."""
    if not picture.squares or len(picture.plans) > _PLANS_MAX:
        return
    found = [
        state
        for state in picture.states
        if any(
            picture.mark(state, plan, capability).is_finding
            for plan in picture.plans
            for capability in picture.capabilities
        )
    ]
    for state in found[:3]:
        yield _table(picture, state, only_findings=len(picture.capabilities) > _ROWS_MAX)
    rest = [state for state in picture.states if state not in found[:3]]
    if rest and len(picture.capabilities) <= _ROWS_MAX:
        tables = "\n".join(_table(picture, state, only_findings=False) for state in rest)
        names = html.escape(_inert(", ".join(map(clean, rest))))
        yield f"<details><summary>{names}</summary>\n\n{tables}\n</details>\n"
    seen = {picture.mark(*place) for place in picture.squares}
    yield (
        " · ".join(f"{SIGN[mark]} {word}" for mark, word in LEGEND.items() if mark in seen and not mark.is_finding)
        + "\n"
    )


def _table(picture: Picture, state: str, *, only_findings: bool) -> str:
    lines = [
        f"| {_cell(state)} | {' | '.join(map(_cell, picture.plans))} |",
        f"|:--|{':-:|' * len(picture.plans)}",
    ]
    rows = 0
    for capability in picture.capabilities:
        marks = [picture.mark(state, plan, capability) for plan in picture.plans]
        if only_findings and not any(mark.is_finding for mark in marks):
            continue
        rows += 1
        if rows > _ROWS_MAX:
            break
        lines.append(f"| {_cell(capability)} | {' | '.join(_SIGNS[mark] for mark in marks)} |")
    left = len(picture.capabilities) - min(rows, _ROWS_MAX)
    note = [f"\n{count_text(left, 'more capability', 'more capabilities')}"] if left else []
    return "\n".join([*lines, *note, ""])


def _causes(looked: Survey) -> Iterator[str]:
    for number, cause in enumerate(looked.causes[:_CAUSES_MAX]):
        yield _cause(cause, opened=number == 0)
    more = len(looked.causes) - _CAUSES_MAX
    if more > 0:
        yield f"and {count_text(more, 'more cause', 'more causes')}\n"


def _cause(cause: Cause, *, opened: bool) -> str:
    title = html.escape(_inert(cause.title))
    verdict, cells = cause.verdict.value, count_text(cause.cells, "cell", "cells")
    lines = [
        f"<details{' open' if opened else ''}><summary><b>{verdict}</b>: {title} ({cells})</summary>",
        "",
        f"- expected {_codes(cause.due[:3])}, rule {', '.join(cause.rules)}, {_codes(cause.where[:3])}",
        f"- observed {_codes(cause.observed)}",
        f"- where: {_where(cause)}",
        "",
        "```sh",
        clean(cause.reproduce).replace("`", ""),
        "```",
        *((_escaped(cause.alone), "") if cause.alone else ()),
        "</details>",
        "",
    ]
    return "\n".join(lines)


def _where(cause: Cause) -> str:
    told = [f"{spread.axis} {_code(spread.short(6))}" for spread in cause.spreads if spread.is_told]
    return ", ".join(told) or "everywhere"


def _shown(summary: RunSummary) -> str:
    """The requirements that the run shows; empty where it shows none."""
    texts = shown_texts(summary)
    if not texts:
        return ""
    lines = [f"- **{_escaped(name)}** {_escaped(text)}" for name, text in texts.items()]
    return "\n".join(
        [f"<details><summary>Requirements shown ({len(lines)})</summary>", "", *lines, "", "</details>", ""]
    )


def _not_tried(summary: RunSummary) -> str:
    """What the run says nothing about; kept whatever else has to go."""
    sentences = [f"- {_escaped(sentence)}" for sentence in not_tried(summary)]
    return "\n".join(
        [f"<details><summary>Not tried ({len(sentences)})</summary>", "", *sentences, "", "</details>", ""]
    )


def _totals(summary: RunSummary) -> str:
    totals, header = summary.totals, summary.header
    suites = ", ".join(f"{suite.name} {suite.version}" for suite in summary.suites)
    parts = [
        f"{totals.executed:,} of {count_text(totals.expected, 'cell', 'cells')}",
        count_text(totals.observations, "observation", "observations"),
        duration_text(header.duration_s),
        f"suites {_escaped(suites)}",
        f"release {_code(short_digest(header.release))}",
        f"fingerprint {_code(short_digest(summary.fingerprint))}",
        seeds_text(summary),
        f"run {_code(header.run)}",
    ]
    return f"<sub>{' · '.join(parts)}</sub>\n"


def _codes(texts: tuple[str, ...]) -> str:
    return ", ".join(map(_code, texts))


def _code(text: str) -> str:
    """A code span that no backtick in `text` can leave."""
    safe = clean(text, length_max=300) or " "
    fence = "`"
    while fence in safe:
        fence += "`"
    pad = " " if safe.startswith("`") or safe.endswith("`") else ""
    return f"{fence}{pad}{safe}{pad}{fence}"


def _cell(text: str) -> str:
    """A code span for a table: a bar inside would start a new column."""
    return _code(clean(text, length_max=80).replace("|", "\\|"))


def _bare(text: str) -> str:
    return clean(text, length_max=80).replace("`", "")


def _escaped(text: str) -> str:
    """Text that is neither Markdown nor HTML and calls nobody."""
    return _inert(_SPECIAL.sub(r"\\\1", html.escape(clean(text, length_max=400), quote=False)))


def _inert(text: str) -> str:
    """`@name` would notify people and an address would become a link, in a comment, with whatever the app wrote."""
    return text.replace("@", "@\N{ZERO WIDTH SPACE}").replace("://", ":\N{ZERO WIDTH SPACE}//")
