"""What a session may claim of an environment's app: the same words as a run's report, and what was not tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from plangate.verdicts.claims import NOTHING_ALLOWED, headline, not_tried
from plangate.verdicts.result import RunSummary, SuiteSummary, Totals

__all__ = ["claim_lines"]


def claim_lines(environment: str, summaries: Sequence[RunSummary], *, cells: int) -> Iterator[str]:
    """Lines for the end of the session: what was found, then what was not tried. `cells`: what the suites have."""
    whole = _together(summaries)
    if whole.totals.expected < cells:
        part = f"{whole.totals.expected:,} of {cells:,} cells"
        whole = replace(whole, header=replace(whole.header, selection=part))
    totals = whole.totals
    if not 0 < totals.expected == totals.executed == totals.passed:
        yield f"{environment}: {totals.passed:,} of {totals.expected:,} cells passed"
    elif totals.allowing:
        yield f"{environment}: {headline(whole)}"
    else:
        yield f"{environment}: {headline(whole)}, but {NOTHING_ALLOWED}"
    yield f"not tried: {'; '.join(not_tried(whole))}"


def _together(summaries: Sequence[RunSummary]) -> RunSummary:
    """One summary of all that a session asked: each time it asks, it asks other cells."""
    suites: dict[str, SuiteSummary] = {}
    for suite in (suite for summary in summaries for suite in summary.suites):
        known = suites.get(suite.name)
        suites[suite.name] = suite if known is None else _joined(known, suite)
    totals = Totals()
    for summary in summaries:
        totals = _added(totals, summary.totals)
    return replace(summaries[0], suites=tuple(suites.values()), totals=totals)


def _joined(one: SuiteSummary, other: SuiteSummary) -> SuiteSummary:
    rules = tuple(sorted({*one.rules, *other.rules}))
    return replace(one, rules=rules, totals=_added(one.totals, other.totals))


def _added(one: Totals, other: Totals) -> Totals:
    return Totals(**{name: getattr(one, name) + getattr(other, name) for name in Totals.__slots__})
