"""Why cells failed, said once: 400 cells with one cause are one `Cause`, with who, what, where and one command to try.

Nothing is decided here. Cells that fail alike (same verdict, due decision and symptom) are one group; `boxes` finds the
axis values that explain it; groups of several rules that the same axis values explain are one cause ("everything is
allowed at the tool surface").
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plangate.entitlements.decision import Effect
from plangate.matrix.cell import AxisValue
from plangate.reports.axes import value_text
from plangate.reports.boxes import Box, Coordinate, explain
from plangate.reports.picture import Place
from plangate.reports.safe_text import clean
from plangate.reports.signatures import Due, Symptom, decision_text
from plangate.reports.spreads import Spread, spread_of
from plangate.reports.tally import Alike, Found, Tally
from plangate.reports.titles import Subject, title_of
from plangate.verdicts.result import SuiteSummary, Verdict

__all__ = ["Cause", "find_causes"]

_SPLIT_BY = ("capability", "plan", "surface", "state", "usage", "setting")
_FAULT_TEXTS_MAX = 5
"""Where one fault comes with more texts than this, the texts do not tell causes apart."""
_WORST_FIRST = {
    Verdict.LEAK: 0,
    Verdict.FLAKY: 2,
    Verdict.LOCKOUT: 3,
    Verdict.MISMATCH: 4,
    Verdict.ERROR: 5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One reason why cells failed."""

    title: str
    """One sentence: `free can use report.export at all 3 surfaces`."""
    verdict: Verdict
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


def find_causes(tally: Tally, suites: Sequence[SuiteSummary]) -> tuple[Cause, ...]:
    """The causes of all failing cells in `tally`, leaks first. Each failing cell is counted in exactly one."""
    groups: list[_Group] = []
    for alike, failing in tally.failing.items():
        groups.extend(_groups_of(alike, failing, tally))
    causes = [_cause(group, tally, suites) for group in _merged(groups, tally)]
    return tuple(sorted(causes, key=_order))


def _groups_of(alike: Alike, failing: dict[Coordinate, Found], tally: Tally) -> Iterable[_Group]:
    if alike.due is None:
        everything = tuple(failing.items())
        yield _Group(alike.verdict, alike.symptom, everything, whole=False, bounds=())
        return
    order = [tally.axes.index(axis) for axis in _SPLIT_BY if axis in tally.axes]
    universe = tally.universe[alike.due]
    counts = {coordinate: found.cells for coordinate, found in failing.items()}
    depth = 2 if len(universe) <= 2_000 else 1
    for box in explain(counts, universe, split_order=order, depth=depth):
        found = tuple((coordinate, failing[coordinate]) for coordinate in box.coordinates)
        yield _Group(alike.verdict, alike.symptom, found, box.whole, _telling(box, tally))


def _telling(box: Box, tally: Tally) -> tuple[tuple[int, frozenset[AxisValue]], ...]:
    """Bounds without the suite: which suite found it is no part of a cause."""
    return tuple((axis, held) for axis, held in box.bounds if tally.axes[axis] != "suite")


def _merged(groups: list[_Group], tally: Tally) -> Iterable[_Group]:
    """One group where the same bounds explain several due decisions with the same symptom."""
    together: dict[object, list[_Group]] = defaultdict(list)
    refusals = {due for due in tally.universe if due.effect is not Effect.ALLOW}
    open_wide = len(refusals) > 2 and refusals == {
        group.found[0][1].facts.due
        for group in groups
        if group.verdict is Verdict.LEAK and group.whole and not group.bounds
    }
    wordy = {kind for kind, count in Counter(map(_faults, groups)).items() if kind and count > _FAULT_TEXTS_MAX}
    for number, group in enumerate(groups):
        if _faults(group) in wordy:
            together[_faults(group)].append(group)
            continue
        # An unconditional leak of one rule says nothing about that of another, unless no rule holds at all.
        alone = group.verdict is Verdict.LEAK and not group.bounds and not open_wide
        key = number if alone else (group.verdict, group.symptom, group.bounds)
        together[key].append(group)
    for same in together.values():
        first = same[0]
        found = tuple(item for group in same for item in group.found)
        yield _Group(first.verdict, first.symptom, found, all(group.whole for group in same), first.bounds)


def _faults(group: _Group) -> tuple[str, ...]:
    """Which faults a group of errors saw, whatever the app wrote beside them; empty for other groups."""
    if group.verdict is not Verdict.ERROR or group.symptom.kind != "fault":
        return ()
    return tuple(sorted({fault for fault, _ in group.symptom.said}))


def _cause(group: _Group, tally: Tally, suites: Sequence[SuiteSummary]) -> Cause:
    dues: Counter[Due] = Counter()
    where: Counter[str] = Counter()
    observed: Counter[str] = Counter()
    for _, found in group.found:
        dues[found.facts.due] += found.cells
        where[found.facts.where] += found.cells
        observed.update(dict.fromkeys((" or ".join(found.facts.observed),), found.cells))
    plainest = min(group.found, key=lambda item: item[1].oddity)[1]
    spreads = tuple(
        spread_of(axis, {coordinate[index] for coordinate, _ in group.found}, suites=suites)
        for index, axis in enumerate(tally.axes)
    )
    subject = Subject(
        verdict=group.verdict,
        symptom=group.symptom,
        dues=tuple(due for due, _ in dues.most_common()),
        limits=_names(found.facts.limit for _, found in group.found),
        settings=_names(found.facts.setting for _, found in group.found),
        values={spread.axis: spread for spread in spreads},
        bounded=tuple(tally.axes[axis] for axis, _ in group.bounds),
        pairs=_pairs(group, tally),
        observed=observed.most_common(1)[0][0],
        leaked=any(found.leaked for _, found in group.found),
        refuses_nothing=_refuses_nothing(group, dues, tally),
    )
    return Cause(
        title=title_of(subject),
        verdict=group.verdict,
        cells=sum(found.cells for _, found in group.found),
        leaked=sum(found.leaked for _, found in group.found),
        due=tuple(decision_text(due.effect, due.reason) for due in subject.dues),
        rules=tuple(sorted({due.rule for due in dues}, key=_rule_number)),
        where=tuple(clean(place) for place, _ in where.most_common(5)),
        where_more=max(0, len(where) - 5),
        observed=tuple(text for text, _ in observed.most_common(3)),
        observed_more=max(0, len(observed) - 3),
        spreads=tuple(spread for spread in spreads if spread.spanned > 1),
        whole=group.whole,
        cell=plainest.cell,
        reproduce=plainest.reproduce,
        place=plainest.place,
    )


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


def _refuses_nothing(group: _Group, dues: Counter[Due], tally: Tally) -> bool:
    """Whether every refusal that the run asked for, within these bounds, was let through."""
    refusals = {due for due in tally.universe if due.effect is not Effect.ALLOW}
    return group.verdict is Verdict.LEAK and group.whole and len(dues) > 1 and set(dues) == refusals


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(clean(name, length_max=80) for name in dict.fromkeys(names) if name)


def _rule_number(rule: str) -> tuple[int, str]:
    return (int(rule[1:]) if rule[1:].isdigit() else 99, rule)


def _order(cause: Cause) -> tuple[int, int, str, str]:
    worst = 1 if cause.leaked and cause.verdict is Verdict.FLAKY else _WORST_FIRST[cause.verdict]
    return (worst, -cause.cells, cause.title, cause.cell)
