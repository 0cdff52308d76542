"""Why cells failed, said once: 400 cells with one cause are one `Cause`, with who, what, where and a command to try.

Nothing is decided here: `groups` finds what belongs together, this module says it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from plangate.entitlements.decision import Effect
from plangate.reports.axes import value_text
from plangate.reports.groups import WORST_FIRST, Group, groups_of, verdicts_of, worst_of
from plangate.reports.picture import Place
from plangate.reports.safe_text import clean
from plangate.reports.signatures import Due, decision_text
from plangate.reports.spreads import Spread, spread_of
from plangate.reports.tally import Found, Tally
from plangate.reports.titles import Subject, title_of
from plangate.verdicts.result import SuiteSummary, Verdict

__all__ = ["Cause", "find_causes"]

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
    """The command that shows it again."""
    alone: str
    """What is to be known before that cell is asked alone, or empty."""
    place: Place
    """The square of the picture that it lies in."""


def find_causes(tally: Tally, suites: Sequence[SuiteSummary]) -> tuple[Cause, ...]:
    """The causes of all failing cells in `tally`, leaks first. Each failing cell is counted in exactly one."""
    causes = [_cause(group, tally, suites) for group in groups_of(tally)]
    return tuple(sorted(causes, key=_order))


def _cause(group: Group, tally: Tally, suites: Sequence[SuiteSummary]) -> Cause:
    found = [one for _, one in group.found]
    dues = _weighed((one.facts.due, one) for one in found)
    where = _weighed((clean(one.facts.where), one) for one in found)
    observed = _weighed((" or ".join(one.facts.observed), one) for one in found)
    verdicts = verdicts_of(found)
    plainest = min(found, key=lambda one: (WORST_FIRST[worst_of([one])], one.oddity))
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
        refuses_nothing=_refuses_nothing(group, dues, tally),
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
        alone=plainest.alone,
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


def _pairs(group: Group, tally: Tally) -> dict[str, tuple[str, ...]]:
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


def _refuses_nothing(group: Group, dues: Sequence[Due], tally: Tally) -> bool:
    """Whether every refusal that the run asked for, within these bounds, was let through."""
    refusals = {due for due in tally.universe if due.effect is not Effect.ALLOW}
    refused = sum(one.cells for _, one in group.found if one.facts.due.effect is not Effect.ALLOW)
    leaked = sum(one.leaked for _, one in group.found)
    return group.whole and len(dues) > 1 and set(dues) >= refusals and leaked == refused


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(clean(name, length_max=80) for name in dict.fromkeys(names) if name)


def _rule_number(rule: str) -> tuple[int, str]:
    return (int(rule[1:]) if rule[1:].isdigit() else 99, rule)


def _order(cause: Cause) -> tuple[int, int, str, str]:
    # A flaky cell that leaked is a leak; of those, what concerns most cells comes first.
    worst = 0 if cause.leaked else WORST_FIRST[cause.verdict]
    return (worst, -cause.cells, cause.title, cause.cell)
