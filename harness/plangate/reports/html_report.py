"""A run as one self-contained HTML file: the matrix as a picture, each square to be opened. Nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import quote

from plangate.reports.cell_data import CELLS_MAX, cell_data, json_for_script
from plangate.reports.counts import count_text, duration_text, seeds_text, stopped_text, verdict_text
from plangate.reports.marks import LEGEND, OF_VERDICT, SIGN, Mark
from plangate.reports.picture import Picture, Place, Square
from plangate.reports.rules import RULES
from plangate.reports.safe_text import clean
from plangate.reports.shown import shown_texts
from plangate.reports.survey import Survey, survey
from plangate.verdicts.claims import not_tried
from plangate.verdicts.result import RunReport, RunSummary, Verdict

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["html_report", "square_link"]

_ROWS_AS_THEY_COME = 30
"""With more capabilities than this, those with findings come first."""
_SQUARES_MAX = 12_000
_CAUSES_MAX = 200

# Widths that report.css leads to, generously rounded: they only choose between layouts.
_ROW_PX = 1_140.0
_SQUARE_PX = {"large": 34, "medium": 27, "small": 22}
_GAP_PX = 30.0
_NAME_LETTER_PX, _TITLE_LETTER_PX = 7.5, 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """One state: a row of squares for each capability."""

    state: str
    words: tuple[str, ...]
    """The name in the pieces between which a line may break: `PendingFulfillmentStart` is long."""
    findings: int
    rows: Sequence[Sequence[_Cell]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """One square as drawn."""

    mark: Mark
    sign: str
    link: str
    label: str


def html_report(report: RunReport, *, surveyed: Survey | None = None, cells_max: int = CELLS_MAX) -> str:
    """The page; with more than `cells_max` cells it lists only those that did not pass.

    Every text of the app is escaped; a policy in the page forbids whatever it does not carry itself."""
    looked = surveyed or survey(report)
    picture, left_out = _drawn(looked.picture)
    panels = [_panel(picture, state) for state in picture.states]
    style, script = _asset("report.css"), _asset("report.js")
    data = {
        **cell_data(report, looked.picture, summary=looked.summary, cells_max=cells_max),
        "rules": dict(RULES),
        "signs": {mark.value: SIGN[mark] for mark in Mark},
    }
    template = _templates().get_template("report.html.jinja")
    return template.render(
        style=style,
        script=script,
        policy=_policy(style=style, script=script),
        data=json_for_script(data),
        summary=looked.summary,
        headline=verdict_text(looked.summary).partition(":"),
        picture=picture,
        panels=panels,
        layout=_layout(picture, panels),
        left_out=left_out,
        uncounted=looked.picture.left_out,
        facts=_facts(looked.summary),
        stopped=stopped_text(looked.summary.header),
        shown=shown_texts(looked.summary),
        not_tried=not_tried(looked.summary),
        chips=_chips(looked.summary),
        legend=_legend(looked.picture),
        causes=looked.causes[:_CAUSES_MAX],
        causes_more=max(0, len(looked.causes) - _CAUSES_MAX),
        everything=data["everything"],
    )


def square_link(place: Place) -> str:
    """The fragment that opens a square: `#free/report.export/Subscribed`."""
    state, plan, capability = (quote(clean(name), safe="") for name in place)
    return f"#{plan}/{capability}/{state}"


def _templates() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    templates = Environment(
        loader=FunctionLoader(_asset), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters |= {
        "clean": clean,
        "cells": lambda number: count_text(number, "cell", "cells"),
        "link": square_link,
        "sign": lambda mark: SIGN[mark],
        "mark_of": lambda cause: Mark.LEAK if cause.leaked else OF_VERDICT[cause.verdict],
    }
    return templates


def _asset(name: str) -> str:
    return (resources.files("plangate.reports") / "templates" / name).read_text(encoding="utf-8")


def _policy(*, style: str, script: str) -> str:
    """Nothing may run or load but the very style and script of this page."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _drawn(picture: Picture) -> tuple[Picture, int]:
    """The picture as drawn, and how many capabilities that leaves out: findings first where there are many rows."""
    names = picture.capabilities
    if len(names) > _ROWS_AS_THEY_COME:
        found = {name for name in names if picture.has_finding(name)}
        names = (*(name for name in names if name in found), *(name for name in names if name not in found))
    rows = max(1, _SQUARES_MAX // max(1, len(picture.plans) * len(picture.states)))
    drawn = Picture(states=picture.states, plans=picture.plans, capabilities=names[:rows], squares=picture.squares)
    return drawn, max(0, len(names) - rows)


def _panel(picture: Picture, state: str) -> _Panel:
    rows = [[_cell(picture, (state, plan, name)) for plan in picture.plans] for name in picture.capabilities]
    words = tuple(re.split(r"(?<=[a-z0-9])(?=[A-Z])", clean(state)))
    return _Panel(
        state=state, words=words, rows=rows, findings=sum(cell.mark.is_finding for row in rows for cell in row)
    )


def _cell(picture: Picture, place: Place) -> _Cell:
    square = picture.squares.get(place)
    mark = square.mark if square else Mark.NONE
    state, plan, capability = place
    said = _said(square) if square else "not in this run"
    label = f"{clean(plan)}, {clean(capability)}, {clean(state)}: {said}"
    return _Cell(mark=mark, sign=SIGN[mark], link=square_link(place), label=label)


def _said(square: Square) -> str:
    """What a square says without its colour: `leak, 3 of 3 cells`."""
    if not square.mark.is_finding:
        return f"{LEGEND[square.mark]} as sold, {count_text(square.cells, 'cell', 'cells')}"
    if square.mark is Mark.UNSEEN:
        return f"{square.unseen} of {count_text(square.cells, 'cell', 'cells')} not observed in every pass"
    wrong = sum(square.verdicts.values()) - square.verdicts[Verdict.PASS]
    return f"{LEGEND[square.mark]}, {wrong} of {count_text(square.cells, 'cell', 'cells')}"


def _layout(picture: Picture, panels: Sequence[_Panel]) -> str:
    """How large squares are drawn, and whether all states stand in one row: then only the first repeats the names."""
    longest = max((len(name) for name in picture.capabilities), default=0)
    names = min(200.0, _NAME_LETTER_PX * longest) + 10
    for size, square in _SQUARE_PX.items():
        wide = names
        for panel in panels:
            title = _TITLE_LETTER_PX * max(map(len, panel.words))
            wide += max(len(picture.plans) * (square + 2.0), title) + _GAP_PX
        if wide <= _ROW_PX:
            return f"size-{size} one-row"
    return "size-medium" if len(picture.plans) <= 12 else "size-small"


def _facts(summary: RunSummary) -> list[tuple[str, str]]:
    header = summary.header
    facts = [
        ("Run", header.run),
        ("Environment", f"{header.environment} ({header.tier})"),
        ("App", header.app),
        ("Model", header.model),
        ("Target", header.target),
        ("Release", header.release),
        ("Effective config", header.effective),
        *((f"Suite {suite.name} {suite.version}", f"{suite.digest} ({suite.coverage})") for suite in summary.suites),
        ("Fingerprint", summary.fingerprint),
        ("Seed", seeds_text(summary).partition(" ")[2]),
        ("Started", header.started),
        ("Took", duration_text(header.duration_s)),
        ("Part of the matrix", header.selection),
        ("Shard", header.shard),
        ("Results taken from", header.reused_from),
        ("Stopped", stopped_text(header)),
        ("Printed", header.app_wrote),
        ("Made with", f"plangate {header.plangate}"),
    ]
    return [(name, clean(text)) for name, text in facts if text]


def _chips(summary: RunSummary) -> list[tuple[str, str, str]]:
    """(style, number, noun) of each total worth a glance."""
    totals = summary.totals
    hidden = summary.leaked - totals.leak
    flaky = f"flaky, {hidden:,} leaked" if hidden > 0 else "flaky"
    chips = [
        ("leak", totals.leak, "leak", "leaks"),
        ("leak" if hidden > 0 else "flaky", totals.flaky, flaky, flaky),
        ("lockout", totals.lockout, "lockout", "lockouts"),
        ("mismatch", totals.mismatch, "mismatch", "mismatches"),
        ("error", totals.error, "error", "errors"),
        ("error", totals.missing, "not observed", "not observed"),
    ]
    found = [(style, f"{number:,}", one if number == 1 else many) for style, number, one, many in chips if number]
    as_sold = ("allow", f"{totals.passed:,}", f"of {count_text(totals.expected, 'cell', 'cells')} as sold")
    seen = f"observations in {duration_text(summary.header.duration_s)}"
    return [*found, as_sold, ("plain", f"{totals.observations:,}", seen)]


def _legend(picture: Picture) -> list[tuple[Mark, str, str]]:
    seen = {square.mark for square in picture.squares.values()}
    return [(mark, SIGN[mark], word) for mark, word in LEGEND.items() if mark in seen]
