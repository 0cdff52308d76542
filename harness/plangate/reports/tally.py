"""Cells counted by coordinate as they stream by, in bounded memory: what the search for causes looks at.

Each cell is reduced to a coordinate (its values on the axes that are kept). Where there would be too many coordinates,
an axis is given up, the least telling first, and what was counted is folded: counts stay exact, descriptions coarsen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import NamedTuple

from plangate.documents.suite import AXES
from plangate.matrix.cell import AxisValue
from plangate.reports.axes import NORMAL, oddity
from plangate.reports.boxes import Coordinate
from plangate.reports.picture import Place, place_of
from plangate.reports.safe_text import clean
from plangate.reports.signatures import PASSED_OVER, TOO_EARLY, Due, Symptom, due_of, observed_texts, symptom_of
from plangate.verdicts.result import CellResult, Verdict

__all__ = ["Alike", "Facts", "Found", "Tally"]

# First to go: the axes with many values that explain least.
_GIVEN_UP_FIRST = (
    "phrasing",
    "cost",
    "override",
    "linked",
    "consent",
    "quantity",
    "addon",
    "setting",
    "usage",
    "suite",
    "surface",
    "state",
    "capability",
    "plan",
)


class Alike(NamedTuple):
    """What cells share that fail alike.

    `verdict` is None where an earlier or later rule answered: whether that leaks depends on which one. `due` is None
    where it does not matter: for flaky cells, errors, and a rule that answers too early.
    """

    verdict: Verdict | None
    symptom: Symptom
    due: Due | None


class Facts(NamedTuple):
    """What a report tells of a failing cell beside its axes."""

    due: Due
    where: str
    limit: str
    setting: str
    observed: tuple[str, ...]
    said: tuple[tuple[str, str], ...]
    """(effect, reason) of each distinct decision."""


class Found(NamedTuple):
    """The failing cells at one coordinate: how many, how many leaked, and the plainest of them as an example."""

    cells: int
    leaked: int
    verdicts: tuple[int, ...]
    """Cells by verdict, in the order of `Verdict`."""
    facts: Facts
    oddity: int
    """On how many axes the example differs from the normal value."""
    cell: str
    reproduce: str
    alone: str
    place: Place
    """Where the example lies in the picture."""


class Tally:
    """Counts cells one by one; see `failing`, `universe` and `axes` once all are in."""

    def __init__(self, *, coordinates_max: int = 20_000, kinds_max: int = 200) -> None:
        self.axes: tuple[str, ...] = (*AXES, "suite")
        """The axes that coordinates still hold."""
        self.failing: dict[Alike, dict[Coordinate, Found]] = {}
        self.universe: dict[Due, dict[Coordinate, int]] = {}
        self._pick = _picker(self.axes)
        self._coordinates_max = coordinates_max
        self._kinds_max = kinds_max
        self._held = 0
        self._same: dict[object, object] = {}

    def add(self, result: CellResult) -> None:
        """Count one cell."""
        due = due_of(result.expected)
        coordinate = self._pick({**NORMAL, **result.axes, "suite": result.suite})
        counts = self.universe.get(due)
        if counts is None:
            counts = self.universe[due] = {}
        if coordinate in counts:
            counts[coordinate] += 1
        else:
            counts[tuple([self._shared(value) for value in coordinate])] = 1
            self._held += 1
        if result.verdict is not Verdict.PASS:
            self._add_failing(result, due, coordinate)
        if self._held > self._coordinates_max:
            self._give_up_an_axis()

    def cells_due(self, wanted: Callable[[Due], bool]) -> Mapping[Coordinate, int]:
        """Cells by coordinate, of all due decisions that are `wanted`."""
        total: Counter[Coordinate] = Counter()
        for due, counts in self.universe.items():
            if wanted(due):
                total.update(counts)
        return total

    def _shared(self, value: AxisValue) -> AxisValue:
        """The one copy of an equal string: rows bring a new one each."""
        return self._same.setdefault(value, value) if isinstance(value, str) else value  # type: ignore[return-value]

    def _add_failing(self, result: CellResult, due: Due, coordinate: Coordinate) -> None:
        alike = _alike(result, due)
        if alike not in self.failing and len(self.failing) >= self._kinds_max:
            # An app that words each answer anew must not cost memory without bound.
            alike = Alike(result.verdict, Symptom("various", ()), None)
        found = _found(result, due)
        group = self.failing.setdefault(alike, {})
        before = group.get(coordinate)
        self._held += before is None
        facts = found.facts if before is None else before.facts
        shared = self._same.setdefault(facts, facts)
        found = found._replace(facts=shared)  # type: ignore[arg-type]
        group[coordinate] = found if before is None else _together(before, found)

    def _give_up_an_axis(self) -> None:
        gone = next((axis for axis in _GIVEN_UP_FIRST if axis in self.axes), None)
        if gone is None:
            return
        self._same.clear()
        place = self.axes.index(gone)
        self.axes = self.axes[:place] + self.axes[place + 1 :]
        self._pick = _picker(self.axes)
        self.universe = {due: _folded(counts, place) for due, counts in self.universe.items()}
        self.failing = {alike: _folded_found(group, place) for alike, group in self.failing.items()}
        self._held = sum(map(len, self.universe.values())) + sum(map(len, self.failing.values()))
        if self._held > self._coordinates_max:
            self._give_up_an_axis()


def _picker(axes: tuple[str, ...]) -> Callable[[Mapping[str, AxisValue]], Coordinate]:
    """Takes a coordinate out of a cell's axis values, as fast as may be: it is asked for each cell."""
    if len(axes) > 1:
        return itemgetter(*axes)
    return lambda held: tuple(held[axis] for axis in axes)


def _alike(result: CellResult, due: Due) -> Alike:
    symptom = symptom_of(result)
    if symptom.kind == PASSED_OVER:
        return Alike(None, symptom, due)
    if symptom.kind == TOO_EARLY:
        return Alike(None, symptom, None)
    return Alike(result.verdict, symptom, None if result.verdict in (Verdict.FLAKY, Verdict.ERROR) else due)


def _found(result: CellResult, due: Due) -> Found:
    expected = result.expected
    facts = Facts(
        due=due,
        where=expected.where,
        limit=expected.limit.name if expected.limit else "",
        setting=expected.setting or "",
        observed=observed_texts(result),
        said=tuple(sorted({(str(one.effect), clean(one.reason or "")) for one in result.observed if one.effect})),
    )
    return Found(
        cells=1,
        leaked=int(result.leaked),
        verdicts=tuple(int(result.verdict is verdict) for verdict in Verdict),
        facts=facts,
        oddity=oddity(result.axes),
        cell=result.cell,
        reproduce=clean(result.reproduce),
        alone=clean(result.alone),
        place=place_of(result),
    )


def _together(first: Found, second: Found) -> Found:
    plainer = second if second.oddity < first.oddity else first
    verdicts = tuple(map(sum, zip(first.verdicts, second.verdicts, strict=True)))
    return plainer._replace(cells=first.cells + second.cells, leaked=first.leaked + second.leaked, verdicts=verdicts)


def _folded(counts: Mapping[Coordinate, int], place: int) -> dict[Coordinate, int]:
    folded: dict[Coordinate, int] = {}
    for coordinate, count in counts.items():
        shorter = coordinate[:place] + coordinate[place + 1 :]
        folded[shorter] = folded.get(shorter, 0) + count
    return folded


def _folded_found(group: Mapping[Coordinate, Found], place: int) -> dict[Coordinate, Found]:
    folded: dict[Coordinate, Found] = {}
    for coordinate, found in group.items():
        shorter = coordinate[:place] + coordinate[place + 1 :]
        folded[shorter] = _together(folded[shorter], found) if shorter in folded else found
    return folded
