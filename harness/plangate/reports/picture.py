"""The matrix as a picture: for each state, plan and capability, how many cells there are and what they came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from plangate.entitlements.decision import Effect
from plangate.matrix.cell import AxisValue
from plangate.reports.axes import oddity, value_of, value_text
from plangate.reports.marks import OF_EFFECT, OF_VERDICT, WORST_FIRST, Mark
from plangate.verdicts.result import CellResult, SuiteSummary, Verdict

__all__ = ["Picture", "PictureCounter", "Place", "Square", "axis_values", "place_of"]

Place = tuple[str, str, str]
"""State, plan, capability."""

_EFFECTS = (Effect.ALLOW, Effect.REQUIRE_APPROVAL, Effect.DENY)
_VERDICTS = (Verdict.PASS, Verdict.LEAK, Verdict.FLAKY, Verdict.LOCKOUT, Verdict.MISMATCH, Verdict.ERROR)
_NAMES: tuple[Effect | Verdict, ...] = (*_EFFECTS, *_VERDICTS)
_LEAKED = len(_NAMES)
_UNSEEN = _LEAKED + 1
_SOLD = _UNSEEN + 1
"""Where the counter keeps what the plainest cells may do: three times their oddity, plus the place of the effect."""
_ODDEST = 1_000
_SLOT: Mapping[Effect | Verdict, int] = {name: index for index, name in enumerate(_NAMES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """The cells of one state, plan and capability, over all surfaces and further axes."""

    sold: Effect
    """What is due in the plainest cells: no add-on, no override, nothing used up; the most, where surfaces differ."""
    expected: Mapping[Effect, int]
    """Cells by the effect that is due."""
    verdicts: Mapping[Verdict, int]
    """Cells by verdict."""
    leaked: int
    """Cells with at least one leaking observation; a flaky one counts too."""
    unseen: int = 0
    """Cells that were not observed in every pass, and did not fail in those that saw them."""

    @property
    def cells(self) -> int:
        """How many cells are expected here."""
        return sum(self.expected.values())

    @property
    def mark(self) -> Mark:
        """The worst that any cell came to; what is sold only where all were observed in every pass, and passed.

        A flaky cell that leaked is a leak."""
        if self.leaked:
            return Mark.LEAK
        came_to = {OF_VERDICT[verdict] for verdict, count in self.verdicts.items() if count and verdict in OF_VERDICT}
        as_sold = Mark.UNSEEN if self.unseen else OF_EFFECT[self.sold]
        return next((mark for mark in WORST_FIRST if mark in came_to), as_sold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Squares by place, and the values of the three axes in the order in which they are shown."""

    states: tuple[str, ...]
    plans: tuple[str, ...]
    capabilities: tuple[str, ...]
    squares: Mapping[Place, Square]
    left_out: int = 0
    """Cells that lie in squares beyond the largest picture."""

    def mark(self, state: str, plan: str, capability: str) -> Mark:
        """The mark at a place; NONE where no cell lies."""
        square = self.squares.get((state, plan, capability))
        return square.mark if square else Mark.NONE

    def column(self, state: str, plan: str) -> tuple[Mark, ...]:
        """The marks of a plan in a state, capabilities downwards."""
        return tuple(self.mark(state, plan, capability) for capability in self.capabilities)

    def has_finding(self, capability: str) -> bool:
        """Whether any square of this capability did not pass."""
        return any(self.mark(state, plan, capability).is_finding for state in self.states for plan in self.plans)


class PictureCounter:
    """Counts cells into squares as they stream by. Memory grows with squares, not with cells."""

    def __init__(self, *, squares_max: int = 100_000) -> None:
        self._squares_max = squares_max
        self._counts: dict[Place, list[int]] = {}
        self._left_out = 0

    def add(self, result: CellResult) -> None:
        """Count one cell that was observed, in some passes or in all."""
        counts = self._counts_at(result)
        if counts is not None:
            counts[_SLOT[result.verdict]] += 1
            counts[_LEAKED] += result.leaked
            counts[_UNSEEN] += not result.whole and result.verdict is Verdict.PASS

    def add_unobserved(self, result: CellResult) -> None:
        """Count one expected cell that nobody observed."""
        counts = self._counts_at(result)
        if counts is not None:
            counts[_UNSEEN] += 1

    def _counts_at(self, result: CellResult) -> list[int] | None:
        """The counts of the cell's square, with what is due there taken in; None beyond the largest picture."""
        place = place_of(result)
        counts = self._counts.get(place)
        if counts is None:
            if len(self._counts) >= self._squares_max:
                self._left_out += 1
                return None
            counts = self._counts[place] = [0] * (_SOLD + 1)
            counts[_SOLD] = _ODDEST
        counts[_SLOT[result.expected.effect]] += 1
        counts[_SOLD] = min(counts[_SOLD], 3 * oddity(result.axes) + _SLOT[result.expected.effect])
        return counts

    def picture(self, suites: Iterable[SuiteSummary]) -> Picture:
        """What was counted, in the order of the suites' axis values."""
        each = tuple(suites)
        found = [list(dict.fromkeys(place[index] for place in self._counts)) for index in range(3)]
        states, plans, capabilities = (
            _ordered(axis, each, found=names)
            for axis, names in zip(("state", "plan", "capability"), found, strict=True)
        )
        squares = {place: _square(counts) for place, counts in self._counts.items()}
        return Picture(states=states, plans=plans, capabilities=capabilities, squares=squares, left_out=self._left_out)


def place_of(result: CellResult) -> Place:
    """The square that a cell lies in."""
    axes = result.axes
    return (value_text(axes["state"]), value_text(axes["plan"]), value_text(axes["capability"]))


def _square(counts: list[int]) -> Square:
    return Square(
        sold=_EFFECTS[counts[_SOLD] % 3],
        expected={effect: counts[_SLOT[effect]] for effect in _EFFECTS},
        verdicts={verdict: counts[_SLOT[verdict]] for verdict in _VERDICTS},
        leaked=counts[_LEAKED],
        unseen=counts[_UNSEEN],
    )


def _ordered(axis: str, suites: tuple[SuiteSummary, ...], *, found: list[str]) -> tuple[str, ...]:
    known = [value_text(value) for value in axis_values(axis, suites)]
    return tuple(dict.fromkeys([*(name for name in known if name in set(found)), *found]))


def axis_values(axis: str, suites: Iterable[SuiteSummary]) -> tuple[AxisValue, ...]:
    """Every value that the suites span on `axis`, in their order; the normal value of a suite that leaves it out."""
    values: dict[tuple[type, AxisValue], AxisValue] = {}
    for suite in suites:
        for value in suite.axes.get(axis, (value_of({}, axis),)):
            values.setdefault((type(value), value), value)
    return tuple(values.values())
