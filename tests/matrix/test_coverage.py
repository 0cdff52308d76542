"""The coverage checker counts by itself: it agrees with counting every cell, and finds what a generator leaves out."""

from __future__ import annotations

from itertools import combinations, product
from math import prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.documents.suite import AXES
from plangate.entitlements.oracle import Oracle
from plangate.matrix.coverage import MISSING_MAX, measure
from plangate.matrix.expansion import expand
from plangate.matrix.groups import Groups
from plangate.matrix.layout import Layout
from plangate.matrix.levels import levels_of
from plangate.matrix.space import Space
from tests.entitlements.catalogs import catalog_of, sample
from tests.entitlements.strategies import cases
from tests.matrix.naive import naive_cells
from tests.matrix.suites import FULL, PHRASINGS, TARGETS, spans, suite_of
from tests.matrix.test_expansion import rules

CELLS_MAX = 4_000
SMALL = {
    "plan": "all",
    "state": ["Subscribed"],
    "capability": ["kb.search", "report.export", "ticket.write"],
    "usage": "boundary",
    "addon": "each",
    "linked": [True, False],
    "consent": "boundary",
}


def space_of(catalog: Any, axes: dict[str, Any], **others: Any) -> Space:
    suite, oracle = suite_of(axes, **others), Oracle.of(catalog)
    levels = levels_of(suite, catalog=oracle.catalog, surfaces=TARGETS)
    return Space(Layout(suite, levels=levels, groups=Groups(suite, oracle, levels=levels), dense=False))


def counted(rows: list[tuple[Any, ...]], strength: int) -> set[Any]:
    """Every combination of `strength` axes that the rows have, found by looking at each."""
    spanned = [at for at in range(len(AXES)) if len({row[at] for row in rows}) > 1]
    return {(axes, tuple(row[at] for at in axes)) for row in rows for axes in combinations(spanned, strength)}


@given(cases(asked=0), spans(), rules, st.sampled_from([1, 2, 3]))
def test_what_is_possible_is_what_some_cell_has(case: Any, axes: dict[str, Any], exclude: Any, strength: int) -> None:
    cells = naive_cells(case.catalog, axes, phrasings=PHRASINGS, exclude=exclude)
    if not 0 < len(cells) <= CELLS_MAX:
        return
    space = space_of(catalog_of(case.catalog), axes, exclude=tuple(exclude))
    found = {
        (positions, tuple(space.values[at][value] for at, value in zip(positions, values, strict=True)))
        for positions in combinations(space.spanned, strength)
        for values in space.possible(positions)
    }

    assert found == counted(cells, strength)
    assert space.count == len(cells)
    assert [set(values) for values in space.values] == [{row[at] for row in cells} for at in range(len(AXES))]


@given(cases(asked=0), spans(most=4), st.data())
def test_rows_cover_what_counting_them_one_by_one_says(case: Any, axes: dict[str, Any], data: Any) -> None:
    cells = naive_cells(case.catalog, axes, phrasings=PHRASINGS)
    if not 0 < len(cells) <= CELLS_MAX:
        return
    space = space_of(catalog_of(case.catalog), axes)
    rows = data.draw(st.lists(st.sampled_from(cells), max_size=20))
    coverage = measure(rows, space=space, strength=2)

    spanned = [at for at in range(len(AXES)) if len({row[at] for row in cells}) > 1]
    covered = {(pair, tuple(row[at] for at in pair)) for row in rows for pair in combinations(spanned, 2)}
    sizes = [len({row[at] for row in cells}) for at in range(len(AXES))]
    assert coverage.covered == len(covered)
    assert coverage.possible == len(counted(cells, 2))
    assert coverage.total == sum(prod(sizes[at] for at in pair) for pair in combinations(spanned, 2))
    assert coverage.complete == (len(covered) == len(counted(cells, 2)))
    assert len(coverage.missing) == min(MISSING_MAX, coverage.possible - coverage.covered)


def test_a_row_that_is_dropped_is_missed_by_name() -> None:
    space = space_of(sample(), SMALL)
    suite = suite_of(SMALL, strength=2)
    rows = [cell.axes for cell in expand(suite, Oracle.of(sample()), surfaces=TARGETS)]
    assert measure(rows, space=space, strength=2).complete
    for dropped in range(len(rows)):
        left = rows[:dropped] + rows[dropped + 1 :]
        alone = counted(rows, 2) - counted_over(left, space)
        coverage = measure(left, space=space, strength=2)

        assert coverage.possible - coverage.covered == len(alone)
        assert set(coverage.missing) == {
            ", ".join(f"{AXES[at]}={spelled(value)}" for at, value in zip(axes, values, strict=True))
            for axes, values in alone
        }


def counted_over(rows: list[tuple[Any, ...]], space: Space) -> set[Any]:
    return {(axes, tuple(row[at] for at in axes)) for row in rows for axes in combinations(space.spanned, 2)}


def spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_rows_that_are_no_cells_cover_nothing() -> None:
    space = space_of(sample(), SMALL)
    impossible = (
        "free",
        "Subscribed",
        "kb.search",
        "default",
        "huge:messages",
        "plan",
        "none",
        1,
        "full",
        True,
        "none",
        "catalog",
        None,
    )
    unknown = ("gold", *impossible[1:4], "zero", *impossible[5:])

    assert measure([impossible, unknown], space=space, strength=2).covered == 0
    assert measure([(*impossible[:4], "zero", *impossible[5:])], space=space, strength=2).covered > 0


def test_values_that_exist_only_with_an_addon_are_impossible_without_it() -> None:
    axes = {"plan": ["free"], "state": ["Subscribed"], "capability": ["report.export"], "usage": "boundary"}
    space = space_of(sample(), {**axes, "addon": "each"})
    pairs = {(space.values[4][usage], space.values[6][addon]) for usage, addon in space.possible((4, 6))}

    assert pairs == {
        *product(["zero"], ["none", "export-pack", "crm"]),
        *product(["far_over:exports"], ["none", "export-pack", "crm"]),
        *product(["last_fit:exports", "first_over:exports"], ["export-pack"]),
    }


def test_coverage_is_said_in_a_sentence() -> None:
    oracle = Oracle.of(sample())
    exhaustive = expand(suite_of(SMALL), oracle, surfaces=TARGETS).coverage
    pairwise = expand(suite_of(SMALL, strength=2), oracle, surfaces=TARGETS).coverage
    part = measure([], space=space_of(sample(), SMALL), strength=2)

    assert str(exhaustive) == "exhaustive over plan, capability, usage, addon, consent, linked"
    assert exhaustive.not_covered == ()
    assert str(pairwise).startswith(
        f"2-way: {pairwise.possible} of {pairwise.possible} possible combinations of 2 axes"
    )
    assert pairwise.not_covered == (f"combinations of more than 2 axes, but for those of the {pairwise.cells} cells",)
    assert not part.complete
    assert "not covered: plan=free, capability=kb.search; " in str(part)


def test_a_strength_that_reaches_every_axis_is_exhaustive_and_says_so() -> None:
    axes = {"plan": "all", "state": ["Subscribed"], "capability": "all", "linked": [True, False]}
    oracle = Oracle.of(sample())
    matrix = expand(suite_of(axes, strength=3), oracle, surfaces=TARGETS)

    assert [cell.id for cell in matrix] == [cell.id for cell in expand(suite_of(axes), oracle, surfaces=TARGETS)]
    assert str(matrix.coverage) == (
        "exhaustive over plan, capability, linked (strength 3 asked for, but only 3 axes have more than one value)"
    )


@pytest.mark.parametrize("strength", [1, 2])
def test_every_axis_at_once_is_covered(strength: int) -> None:
    matrix = expand(suite_of(FULL, strength=strength), Oracle.of(sample()), surfaces=TARGETS)

    assert matrix.coverage.complete
    assert matrix.coverage.space == len(expand(suite_of(FULL), Oracle.of(sample()), surfaces=TARGETS))
    assert len(matrix) < matrix.coverage.space / 1_000
