"""Why cells failed, said once: 400 cells with one cause are one `Cause`, with who, what, where and one command to try.

Nothing is decided here. Cells that fail alike (same verdict, due decision and symptom) are one group; `boxes` finds the
axis values that explain it; groups of several rules that the same axis values explain are one cause ("everything is
allowed at the tool surface").
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from plangate.entitlements.decision import Effect, Reason
from plangate.matrix.cell import AxisValue
from plangate.reports.axes import value_text
from plangate.reports.boxes import Box, Coordinate, explain
from plangate.reports.picture import Place
from plangate.reports.safe_text import clean
from plangate.reports.signatures import PASSED_OVER, TOO_EARLY, Due, Symptom, could_be_refused_by, decision_text
from plangate.reports.spreads import Spread, spread_of
from plangate.reports.tally import Alike, Found, Tally
from plangate.reports.titles import Subject, title_of
from plangate.verdicts.result import SuiteSummary, Verdict

__all__ = ["Cause", "find_causes"]

_TELLING = ("capability", "plan", "surface", "state", "usage", "setting")
_SPLIT_BY = ("capability", "plan")
_FAULT_TEXTS_MAX = 5
"""Where one fault comes with more texts than this, the texts do not tell causes apart."""
_WORST_FIRST = {
    Verdict.LEAK: 0,
    Verdict.FLAKY: 1,
    Verdict.LOCKOUT: 2,
    Verdict.MISMATCH: 3,
    Verdict.ERROR: 4,
    Verdict.PASS: 5,
}


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One reason why cells failed."""

    title: str
    """One sentence: `free can use report.export at all 3 surfaces`."""
    verdict: Verdict
    """The worst among its cells."""
    verdicts: Mapping[Verdict, int]
    """Cells by verdict, worst first: a rule that is passed over leaks where no later one says no."""
    cells: int
    leaked: int
    """Cells with at least one leaking observation."""
    due: tuple[str, ...]
    """The decisions that were due, in words, most cells first."""
    rules: tuple[str, ...]
    """`D6`, ..., in the order of the rules."""
    where: tuple[str, ...]
    """`file:line:column` of what decided, most cells first; at most five."""
    where_more: int
    """Places beyond those listed."""
    observed: tuple[str, ...]
    """What was observed instead, in words, most cells first; at most three."""
    observed_more: int
    """Distinct observations beyond those listed."""
    spreads: tuple[Spread, ...]
    """The axes on which the suites span more than one value, in order."""
    whole: bool
    """Whether every cell with these axis values failed so: then they explain it."""
    cell: str
    """The plainest cell, as an example."""
    reproduce: str
    """The command that runs that cell."""
    place: Place
    """The square of the picture that it lies in."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Boxes of one or several due decisions that one cause explains."""

    verdict: Verdict
    symptom: Symptom
    found: tuple[tuple[Coordinate, Found], ...]
    whole: bool
    bounds: tuple[tuple[int, frozenset[AxisValue]], ...]

    @property
    def due(self) -> Due:
        """The decision that was due, of the first cell."""
        return self.found[0][1].facts.due


def find_causes(tally: Tally, suites: Sequence[SuiteSummary]) -> tuple[Cause, ...]:
    """The causes of all failing cells in `tally`, leaks first. Each failing cell is counted in exactly one."""
    groups: list[_Group] = []
    for alike, failing in tally.failing.items():
        groups.extend(_groups_of(alike, failing, tally))
    causes = [_cause(group, tally, suites) for group in _merged(groups, tally)]
    return tuple(sorted(causes, key=_order))


def _groups_of(alike: Alike, failing: dict[Coordinate, Found], tally: Tally) -> Iterable[_Group]:
    universe = _universe(alike, tally)
    if universe is None:
        yield _Group(_worst(list(failing.values())), alike.symptom, tuple(failing.items()), whole=False, bounds=())
        return
    telling = [tally.axes.index(axis) for axis in _TELLING if axis in tally.axes]
    split_by = [tally.axes.index(axis) for axis in _SPLIT_BY if axis in tally.axes and _is_about_grants(alike)]
    counts = {coordinate: found.cells for coordinate, found in failing.items()}
    for box in explain(counts, universe, telling=telling, split_by=split_by):
        found = tuple((coordinate, failing[coordinate]) for coordinate in box.coordinates)
        verdict = _worst([one for _, one in found])
        yield _Group(verdict, alike.symptom, found, whole=box.whole, bounds=_telling(box, tally))


def _universe(alike: Alike, tally: Tally) -> Mapping[Coordinate, int] | None:
    """The cells that could have failed like this; None where that says nothing."""
    if alike.due is not None:
        return tally.universe[alike.due]
    if alike.symptom.kind != TOO_EARLY:
        return None
    reason = alike.symptom.said[0][1]
    return tally.cells_due(lambda due: could_be_refused_by(reason, due))


def _is_about_grants(alike: Alike) -> bool:
    """Whether each wrong grant is a mistake of its own; a rule that does not hold is one mistake wherever it shows."""
    if alike.due is not None:
        return alike.due.reason == Reason.NOT_IN_PLAN
    return any(reason == Reason.NOT_IN_PLAN for _, reason in alike.symptom.said)


def _worst(found: Sequence[Found]) -> Verdict:
    return next(iter(_verdicts(found)))


def _telling(box: Box, tally: Tally) -> tuple[tuple[int, frozenset[AxisValue]], ...]:
    """Bounds without the suite: which suite found it is no part of a cause."""
    return tuple((axis, held) for axis, held in box.bounds if tally.axes[axis] != "suite")


def _merged(groups: list[_Group], tally: Tally) -> Iterable[_Group]:
    """One group where the same bounds, or the same plan and capability, explain several due decisions."""
    together: dict[object, list[_Group]] = defaultdict(list)
    refusals = {due for due in tally.universe if due.effect is not Effect.ALLOW}
    without_bounds = {
        group.due for group in groups if group.verdict is Verdict.LEAK and group.whole and not group.bounds
    }
    open_wide = len(refusals) > 2 and refusals <= without_bounds
    wordy = {kind for kind, count in Counter(map(_faults, groups)).items() if kind and count > _FAULT_TEXTS_MAX}
    for number, group in enumerate(groups):
        together[_key(group, number, tally, open_wide=open_wide, wordy=wordy)].append(group)
    for same in together.values():
        found = tuple(item for group in same for item in group.found)
        worst = min((group.verdict for group in same), key=_WORST_FIRST.__getitem__)
        whole = all(group.whole for group in same)
        yield _Group(worst, same[0].symptom, found, whole=whole, bounds=same[0].bounds)


def _key(group: _Group, number: int, tally: Tally, *, open_wide: bool, wordy: Container[tuple[str, ...]]) -> object:
    """Groups with equal keys are one cause."""
    if _faults(group) in wordy:
        return _faults(group)
    if group.symptom.kind != PASSED_OVER:
        return (group.verdict, group.symptom, group.bounds)
    places = {(found.place[1], found.place[2]) for _, found in group.found}
    if group.verdict is Verdict.LEAK and len(places) == 1 and {"plan", "capability"} <= set(tally.axes):
        return places.pop()
    # That one rule never holds says nothing about another, unless no rule holds at all.
    return (PASSED_OVER, group.bounds) if group.bounds or open_wide else number


def _faults(group: _Group) -> tuple[str, ...]:
    """Which faults a group of errors saw, whatever the app wrote beside them; empty for other groups."""
    if group.verdict is not Verdict.ERROR or group.symptom.kind != "fault":
        return ()
    return tuple(sorted({fault for fault, _ in group.symptom.said}))


def _cause(group: _Group, tally: Tally, suites: Sequence[SuiteSummary]) -> Cause:
    found = [one for _, one in group.found]
    dues = _weighed((one.facts.due, one) for one in found)
    where = _weighed((clean(one.facts.where), one) for one in found)
    observed = _weighed((" or ".join(one.facts.observed), one) for one in found)
    verdicts = _verdicts(found)
    plainest = min(found, key=lambda one: (_WORST_FIRST[_worst([one])], one.oddity))
    spreads = tuple(
        spread_of(axis, {coordinate[index] for coordinate, _ in group.found}, suites=suites)
        for index, axis in enumerate(tally.axes)
    )
    leaked = sum(one.leaked for one in found)
    subject = Subject(
        verdict=group.verdict,
        symptom=group.symptom,
        dues=dues,
        limits=_names(one.facts.limit for one in found),
        settings=_names(one.facts.setting for one in found),
        values={spread.axis: spread for spread in spreads},
        bounded=tuple(tally.axes[axis] for axis, _ in group.bounds) if group.whole else (),
        pairs=_pairs(group, tally),
        observed=observed[0],
        said=_weighed((said, one) for one in found for said in one.facts.said),
        leaked=leaked > 0,
        refuses_nothing=leaked == sum(verdicts.values()) and _refuses_nothing(group, dues, tally),
    )
    return Cause(
        title=title_of(subject),
        verdict=group.verdict,
        verdicts=verdicts,
        cells=sum(verdicts.values()),
        leaked=leaked,
        due=tuple(decision_text(due.effect, due.reason) for due in dues),
        rules=tuple(sorted({due.rule for due in dues}, key=_rule_number)),
        where=where[:5],
        where_more=max(0, len(where) - 5),
        observed=observed[:3],
        observed_more=max(0, len(observed) - 3),
        spreads=tuple(spread for spread in spreads if spread.spanned > 1),
        whole=group.whole,
        cell=plainest.cell,
        reproduce=plainest.reproduce,
        place=plainest.place,
    )


def _weighed(told: Iterable[tuple[_T, Found]]) -> tuple[_T, ...]:
    """What is told of cells, each once: what leaked most first, then what concerns most cells."""
    leaked: Counter[_T] = Counter()
    cells: Counter[_T] = Counter()
    for what, found in told:
        leaked[what] += found.leaked
        cells[what] += found.cells
    return tuple(sorted(cells, key=lambda what: (-leaked[what], -cells[what])))


def _verdicts(found: Sequence[Found]) -> Mapping[Verdict, int]:
    totals = [sum(counts) for counts in zip(*(one.verdicts for one in found), strict=True)]
    counted = {verdict: count for verdict, count in zip(Verdict, totals, strict=True) if count}
    return {verdict: counted[verdict] for verdict in sorted(counted, key=_WORST_FIRST.__getitem__)}


def _pairs(group: _Group, tally: Tally) -> dict[str, tuple[str, ...]]:
    """Plan -> its failing capabilities, where they are not the same for each plan."""
    if "plan" not in tally.axes or "capability" not in tally.axes:
        return {}
    plan, capability = tally.axes.index("plan"), tally.axes.index("capability")
    pairs: dict[str, dict[str, None]] = defaultdict(dict)
    for coordinate, _ in group.found:
        pairs[value_text(coordinate[plan])][value_text(coordinate[capability])] = None
    if len({frozenset(names) for names in pairs.values()}) == 1:
        return {}
    return {
        clean(name, length_max=80): tuple(clean(one, length_max=80) for one in names) for name, names in pairs.items()
    }


def _refuses_nothing(group: _Group, dues: Sequence[Due], tally: Tally) -> bool:
    """Whether every refusal that the run asked for, within these bounds, was let through."""
    refusals = {due for due in tally.universe if due.effect is not Effect.ALLOW}
    return group.whole and len(dues) > 1 and set(dues) == refusals


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(clean(name, length_max=80) for name in dict.fromkeys(names) if name)


def _rule_number(rule: str) -> tuple[int, str]:
    return (int(rule[1:]) if rule[1:].isdigit() else 99, rule)


def _order(cause: Cause) -> tuple[int, int, str, str]:
    # A flaky cell that leaked is a leak; of those, what concerns most cells comes first.
    worst = 0 if cause.leaked else _WORST_FIRST[cause.verdict]
    return (worst, -cause.cells, cause.title, cause.cell)
