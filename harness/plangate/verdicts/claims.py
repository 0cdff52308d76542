"""What a run may claim: what it asked and saw, and beside it everything that was not tried (rule R12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from plangate.documents.suite import AXES, JudgeMode
from plangate.matrix.cell import AxisValue
from plangate.matrix.identity import NORMAL
from plangate.verdicts.ran import DIFFERS
from plangate.verdicts.result import RunSummary, RunVerdict, SuiteSummary, Totals

__all__ = ["NOTHING_ALLOWED", "headline", "not_tried", "refuses_only", "shown_requirements"]

NOTHING_ALLOWED = "no cell was expected to be allowed, so an app that refuses everything would look the same"
"""Why a run of refusals decides nothing."""

_RULES = tuple(f"D{number}" for number in range(1, 12))
_SURFACES = ("interaction", "orchestration", "tool")
_NAMED_AXES = ("plan", "state", "capability", "surface")
_NAMES_MAX = 5
_PLURAL = {"plan": "plans", "state": "states", "capability": "capabilities"}
# This version judges answers. Whoever adds a look at effects or histories takes its words out here.
_NEVER_LOOKED_AT = (
    "not looked at: effects (what the app really did), audit records, how usage is counted, histories of a tenant"
)


def headline(summary: RunSummary) -> str:
    """The sentence of a run in which nothing was found wrong.

    The whole claim stands only where nothing was left untried; else it says in how many cells no difference was found.
    """
    cells = _cells(summary.totals.executed)
    if not not_tried(summary):
        return f"every plan gets exactly what it bought, {cells}"
    if summary.header.selection or summary.header.shard:
        return f"no difference found in this part, {cells}; it is no verdict on the whole"
    return f"no difference found in {cells}"


def refuses_only(summary: RunSummary) -> bool:
    """Whether all was as sold and the run is undecided all the same: nothing in it was expected to be allowed."""
    totals = summary.totals
    whole = 0 < totals.expected == totals.executed == totals.passed
    return summary.verdict is RunVerdict.UNDECIDED and whole and not totals.allowing


def not_tried(summary: RunSummary) -> tuple[str, ...]:
    """What this run did not ask, or did not look at, a sentence each; the narrowest choice first. Total."""
    return (
        *_left_out(summary),
        *_names_without_cells(summary.suites),
        *_surfaces_without_cells(summary.suites),
        *_axes_never_varied(summary.suites),
        *_not_judged(summary),
        *_rules_without_cells(summary.suites),
        _NEVER_LOOKED_AT,
    )


def shown_requirements(summary: RunSummary) -> tuple[str, ...]:
    """Ids of the requirements that this run shows: those of the suites that passed whole, each once, in order."""
    header = summary.header
    whole = header.finished and not (header.stopped or header.selection or header.shard or header.ran == DIFFERS)
    if not whole or not summary.totals.allowing:
        return ()
    passed = (one for one in summary.suites if 0 < one.totals.expected == one.totals.executed == one.totals.passed)
    return tuple(dict.fromkeys(requirement for suite in passed for requirement in suite.covers))


def _left_out(summary: RunSummary) -> Iterator[str]:
    header, totals = summary.header, summary.totals
    if header.selection:
        yield f"only {header.selection} was run"
    if header.shard:
        yield f"only shard {header.shard} was run"
    if totals.missing:
        yield f"{totals.missing:,} of {_cells(totals.expected)} were not observed{_every_pass(totals)}"


def _every_pass(totals: Totals) -> str:
    return " in every pass" if totals.observations else ""


def _names_without_cells(suites: Iterable[SuiteSummary]) -> Iterator[str]:
    """Plans, states and capabilities of the catalog that no suite asks about."""
    each = tuple(suites)
    for axis, plural in _PLURAL.items():
        asked = {value for suite in each for value in suite.axes.get(axis, ())}
        left = [name for name in dict.fromkeys(_of_all(each, axis)) if name not in asked]
        if left:
            yield f"{axis if len(left) == 1 else plural} without a cell: {_names(left)}"


def _of_all(suites: Iterable[SuiteSummary], axis: str) -> Iterator[str]:
    return (name for suite in suites for name in suite.left_out.get(axis, ()))


def _surfaces_without_cells(suites: Iterable[SuiteSummary]) -> Iterator[str]:
    asked = {value for suite in suites for value in suite.axes.get("surface", ())}
    left = [surface for surface in _SURFACES if surface not in asked]
    if left and asked:
        yield f"{'surface' if len(left) == 1 else 'surfaces'} without a cell: {_names(left)}"


def _axes_never_varied(suites: Iterable[SuiteSummary]) -> Iterator[str]:
    each = tuple(suites)
    still = [axis for axis in AXES if axis not in _NAMED_AXES and not any(_varies(suite.axes, axis) for suite in each)]
    if still and each:
        yield f"{'axis' if len(still) == 1 else 'axes'} never varied: {', '.join(still)}"


def _varies(axes: Mapping[str, tuple[AxisValue, ...]], axis: str) -> bool:
    return any(value != NORMAL.get(axis) for value in axes.get(axis, ()))


def _not_judged(summary: RunSummary) -> Iterator[str]:
    for suite in summary.suites:
        if suite.judge is JudgeMode.EFFECT_ONLY:
            yield f"suite {suite.name} judged effects only, no reasons"
        if suite.excluded:
            yield f"suite {suite.name} excludes {_names(list(suite.excluded))}"
        if suite.coverage and not suite.coverage.startswith("exhaustive"):
            yield f"suite {suite.name} did not ask every combination ({suite.coverage.partition(':')[0]})"
        if suite.passes == 1:
            yield f"suite {suite.name} asked each cell once, so answers that change were not looked for"
        elif not suite.asked_again:
            yield f"suite {suite.name} asked no process for a cell twice, so another second answer was not looked for"
    if summary.header.ran == "not checked":
        yield "what ran was not checked"
    if summary.header.reused_from:
        yield f"what run {summary.header.reused_from} had observed was not asked again"


def _rules_without_cells(suites: Iterable[SuiteSummary]) -> Iterator[str]:
    decided = {rule for suite in suites for rule in suite.rules}
    idle = [rule for rule in _RULES if rule not in decided]
    if idle:
        yield f"{'rule' if len(idle) == 1 else 'rules'} that decided no cell: {', '.join(idle)}"


def _names(names: list[str]) -> str:
    more = len(names) - _NAMES_MAX
    return ", ".join(names[:_NAMES_MAX]) + (f" and {more:,} more" if more > 0 else "")


def _cells(number: int) -> str:
    return f"{number:,} {'cell' if number == 1 else 'cells'}"
