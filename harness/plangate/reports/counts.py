"""Totals in words: `3 leaks, 1 lockout`, `396 of 400 cells`, `9.3 s`."""

from __future__ import annotations

from plangate.reports.safe_text import clean
from plangate.verdicts.claims import NOTHING_ALLOWED, headline, refuses_only
from plangate.verdicts.result import RunHeader, RunSummary, RunVerdict, Totals, Verdict

__all__ = [
    "count_text",
    "duration_text",
    "findings_text",
    "passed_text",
    "seeds_text",
    "short_digest",
    "stopped_text",
    "verdict_text",
]

_NOUNS = {
    "leak": ("leak", "leaks"),
    "flaky": ("flaky cell", "flaky cells"),
    "lockout": ("lockout", "lockouts"),
    "mismatch": ("mismatch", "mismatches"),
    "error": ("error", "errors"),
}


def count_text(number: int, one: str, many: str) -> str:
    """`1 cell`, `4,320 cells`."""
    return f"{number:,} {one if number == 1 else many}"


def findings_text(totals: Totals, *, leaked: int) -> str:
    """What did not pass, leaks first; empty where all passed. Cells that are missing count as not passed."""
    parts = []
    for name, nouns in _NOUNS.items():
        number = getattr(totals, Verdict(name).value)
        if number:
            hidden = leaked - totals.leak if name == "flaky" else 0
            parts.append(count_text(number, *nouns) + (f" ({hidden:,} leaked)" if hidden > 0 else ""))
    if totals.missing:
        every = " in every pass" if totals.observations else ""
        parts.append(f"{count_text(totals.missing, 'cell', 'cells')} not observed{every}")
    return ", ".join(parts)


def _of_all(totals: Totals, findings: str) -> str:
    cells = count_text(totals.expected, "cell", "cells")
    if not totals.missing or any(getattr(totals, name) for name in _NOUNS):
        return f"{findings or 'the run did not finish'} in {cells}"
    if not totals.observations:
        return f"none of {cells} was observed"
    return f"{totals.missing:,} of {cells} were not observed in every pass"


def passed_text(totals: Totals) -> str:
    """`396 of 396 cells as sold`."""
    return f"{totals.passed:,} of {count_text(totals.expected, 'cell', 'cells')} as sold"


def verdict_text(summary: RunSummary) -> str:
    """The one sentence of a run without its causes: `Failed: 3 leaks in 396 cells`."""
    totals = summary.totals
    findings = findings_text(totals, leaked=summary.leaked)
    word = summary.verdict.value.capitalize()
    if summary.verdict is RunVerdict.PASSED:
        return f"{word}: {headline(summary)}"
    if not totals.expected:
        return f"{word}: nothing was selected to run"
    if not totals.executed and not findings:
        return f"{word}: nothing was observed"
    if summary.header.ran == "differs":
        differs = "; ".join(summary.header.ran_differences) or "the probe says otherwise"
        return f"{word}: what ran is not what the manifest says: {differs}"
    if refuses_only(summary):
        return f"{word}: {headline(summary)}, but {NOTHING_ALLOWED}"
    return f"{word}: {_of_all(totals, findings)}"


def stopped_text(header: RunHeader) -> str:
    """Why the run did not come to its end; empty where it did."""
    if header.stopped or header.finished:
        return header.stopped
    return "the process that ran it was killed, or runs still"


def seeds_text(summary: RunSummary) -> str:
    """`seed 7`, or where suites differ `seeds gating 7, safety 3`: each suite has its own (rule R4)."""
    seeds = {suite.seed for suite in summary.suites} or {summary.header.seed}
    if len(seeds) == 1:
        return f"seed {seeds.pop()}"
    return "seeds " + ", ".join(f"{clean(suite.name)} {suite.seed}" for suite in summary.suites)


def duration_text(seconds: float) -> str:
    """`0.4 s`, `9.3 s`, `2 min 5 s`, `1 h 3 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def short_digest(digest: str) -> str:
    """The first twelve digits, without the name of the algorithm."""
    return digest.removeprefix("sha256:")[:12]
