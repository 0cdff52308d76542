"""Failing cells in groups that have one cause each: alike, explained by the same axis values, or by a larger group's.

Nothing is decided here: which cells failed, and how, is given.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from plangate.entitlements.decision import Effect, Reason
from plangate.reports.axes import MAIN_AXES
from plangate.reports.boxes import Bounds, Box, Coordinate, cells_inside, explain
from plangate.reports.signatures import PASSED_OVER, TOO_EARLY, Due, Symptom, could_be_refused_by
from plangate.reports.tally import Alike, Found, Tally
from plangate.verdicts.result import Verdict

__all__ = ["WORST_FIRST", "Group", "groups_of", "verdicts_of", "worst_of"]

_TELLING = ("capability", "plan", "surface", "state", "usage", "setting")
_SPLIT_BY = ("capability", "plan")
_FAULT_TEXTS_MAX = 5
"""Where one fault comes with more texts than this, the texts do not tell causes apart."""

WORST_FIRST: Mapping[Verdict, int] = {
    Verdict.LEAK: 0,
    Verdict.FLAKY: 1,
    Verdict.LOCKOUT: 2,
    Verdict.MISMATCH: 3,
    Verdict.ERROR: 4,
    Verdict.PASS: 5,
}


@dataclass(frozen=True, slots=True)
class Group:
    """Boxes of one or several due decisions that one cause explains."""

    verdict: Verdict
    symptom: Symptom
    found: tuple[tuple[Coordinate, Found], ...]
    whole: bool
    bounds: Bounds

    @property
    def due(self) -> Due:
        """The decision that was due, of the first cell."""
        return self.found[0][1].facts.due


def groups_of(tally: Tally) -> Iterable[Group]:
    """The groups of all failing cells in `tally`; each failing cell is in exactly one."""
    groups: list[Group] = []
    for alike, failing in tally.failing.items():
        groups.extend(_boxed(alike, failing, tally))
    return _merged(groups, tally)


def verdicts_of(found: Sequence[Found]) -> Mapping[Verdict, int]:
    """Cells by verdict, the worst first."""
    totals = [sum(counts) for counts in zip(*(one.verdicts for one in found), strict=True)]
    counted = {verdict: count for verdict, count in zip(Verdict, totals, strict=True) if count}
    return {verdict: counted[verdict] for verdict in sorted(counted, key=WORST_FIRST.__getitem__)}


def worst_of(found: Sequence[Found]) -> Verdict:
    """The worst verdict of any of these cells."""
    return next(iter(verdicts_of(found)))


def _boxed(alike: Alike, failing: dict[Coordinate, Found], tally: Tally) -> Iterable[Group]:
    universe = _universe(alike, tally)
    if universe is None:
        yield Group(worst_of(list(failing.values())), alike.symptom, tuple(failing.items()), whole=False, bounds=())
        return
    telling = [tally.axes.index(axis) for axis in _TELLING if axis in tally.axes]
    split_by = [tally.axes.index(axis) for axis in _SPLIT_BY if axis in tally.axes and _is_about_grants(alike)]
    counts = {coordinate: found.cells for coordinate, found in failing.items()}
    for box in explain(counts, universe, telling=telling, split_by=split_by):
        found = tuple((coordinate, failing[coordinate]) for coordinate in box.coordinates)
        verdict = worst_of([one for _, one in found])
        yield Group(verdict, alike.symptom, found, whole=box.whole, bounds=_telling(box, tally))


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


def _telling(box: Box, tally: Tally) -> Bounds:
    """Bounds without the suite: which suite found it is no part of a cause."""
    return tuple((axis, held) for axis, held in box.bounds if tally.axes[axis] != "suite")


def _merged(groups: list[Group], tally: Tally) -> Iterable[Group]:
    """One group where the same bounds, or the same plan and capability, explain several due decisions."""
    together: dict[object, list[Group]] = defaultdict(list)
    refusals = {due for due in tally.universe if due.effect is not Effect.ALLOW}
    without_bounds = {
        group.due for group in groups if group.verdict is Verdict.LEAK and group.whole and not group.bounds
    }
    open_wide = len(refusals) > 2 and refusals <= without_bounds
    wordy = {kind for kind, count in Counter(map(_faults, groups)).items() if kind and count > _FAULT_TEXTS_MAX}
    for number, group in enumerate(groups):
        together[_key(group, number, tally, open_wide=open_wide, wordy=wordy)].append(group)
    yield from _hosted([_joined(same) for same in together.values()], tally)


def _joined(same: Sequence[Group]) -> Group:
    found = tuple(item for group in same for item in group.found)
    worst = min((group.verdict for group in same), key=WORST_FIRST.__getitem__)
    shared = set.intersection(*({axis for axis, _ in group.bounds} for group in same))
    bounds = tuple(
        (axis, frozenset().union(*(held for group in same for one, held in group.bounds if one == axis)))
        for axis in sorted(shared)
    )
    return Group(worst, same[0].symptom, found, whole=all(group.whole for group in same), bounds=bounds)


def _hosted(groups: Sequence[Group], tally: Tally) -> Iterable[Group]:
    """Groups that the bounds of a larger one explain go with it: a sample hits each rule only here and there."""
    standing: list[list[Group]] = []
    for group in sorted(groups, key=lambda group: -len(group.found)):
        host = next((one for one in standing if _explains(one[0], group, tally)), None)
        if host is None:
            standing.append([group])
        else:
            host.append(group)
    for first, *guests in standing:
        joined = _joined([first, *guests])
        yield Group(joined.verdict, first.symptom, joined.found, whole=first.whole, bounds=first.bounds)


def _explains(host: Group, guest: Group, tally: Tally) -> bool:
    """Whether the bounds of `host` hold all of `guest`, and nothing with the same due decision that did not fail."""
    if not (host.symptom.kind == guest.symptom.kind == PASSED_OVER and host.whole and _main(host, tally)):
        return False
    within = host.bounds if guest.whole else _main(host, tally)
    if not all(coordinate[axis] in held for coordinate, _ in guest.found for axis, held in within):
        return False
    cells = sum(found.cells for _, found in guest.found)
    return not guest.whole or cells == cells_inside(tally.universe[guest.due], within)


def _main(group: Group, tally: Tally) -> Bounds:
    """Bounds on plan, state, capability and surface."""
    return tuple((axis, held) for axis, held in group.bounds if tally.axes[axis] in MAIN_AXES)


def _key(group: Group, number: int, tally: Tally, *, open_wide: bool, wordy: Container[tuple[str, ...]]) -> object:
    """Groups with equal keys are one cause."""
    if _faults(group) in wordy:
        return _faults(group)
    if group.symptom.kind != PASSED_OVER:
        return (group.verdict, group.symptom, group.bounds)
    places = {(found.place[1], found.place[2]) for _, found in group.found}
    if group.verdict is Verdict.LEAK and len(places) == 1 and {"plan", "capability"} <= set(tally.axes):
        return places.pop()
    # That one rule never holds says nothing about another, unless no rule holds at all.
    if not group.whole or not (group.bounds or open_wide):
        return number
    return (PASSED_OVER, _main(group, tally) or group.bounds)


def _faults(group: Group) -> tuple[str, ...]:
    """Which faults a group of errors saw, whatever the app wrote beside them; empty for other groups."""
    if group.verdict is not Verdict.ERROR or group.symptom.kind != "fault":
        return ()
    return tuple(sorted({fault for fault, _ in group.symptom.said}))
