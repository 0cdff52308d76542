"""Few cells in which every combination occurs: all are cells of the exhaustive matrix, and nearly as few as can be."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.documents.catalog import Capability, Offer, PlanCatalog, PlanDeclaration
from plangate.documents.suite import AXES
from plangate.entitlements.oracle import Oracle
from plangate.errors import InputError
from plangate.matrix.coverage import measure
from plangate.matrix.covering import cover
from plangate.matrix.expansion import expand
from plangate.matrix.space import Space
from tests.entitlements.catalogs import catalog_of, sample
from tests.entitlements.strategies import cases
from tests.matrix.naive import naive_cells
from tests.matrix.suites import FULL, PHRASINGS, TARGETS, spans, suite_of
from tests.matrix.test_coverage import counted, space_of
from tests.matrix.test_expansion import rules

CELLS_MAX = 3_000


@given(cases(asked=0), spans(most=6), rules, st.sampled_from([1, 2, 3]))
def test_every_combination_that_some_cell_has_is_in_a_row(
    case: Any, axes: dict[str, Any], exclude: Any, strength: int
) -> None:
    cells = naive_cells(case.catalog, axes, phrasings=PHRASINGS, exclude=exclude)
    if not 0 < len(cells) <= CELLS_MAX:
        return
    suite = suite_of(axes, exclude=tuple(exclude), strength=strength)
    matrix = expand(suite, Oracle.of(catalog_of(case.catalog)), surfaces=TARGETS)
    rows = [cell.axes for cell in matrix]

    assert len(set(rows)) == len(rows) == len(matrix)
    assert set(rows) <= set(cells)
    assert rows == sorted(rows, key=cells.index)
    wanted = counted(cells, strength)
    assert wanted <= {(at, tuple(row[one] for one in at)) for at in {at for at, _ in wanted} for row in rows}


def test_a_sampled_cell_is_the_cell_of_the_exhaustive_matrix() -> None:
    axes = {**FULL, "phrasing": "none", "addon": "each", "quantity": [1], "override": "none"}
    oracle = Oracle.of(sample())
    whole = {cell.digest: cell for cell in expand(suite_of(axes), oracle, surfaces=TARGETS)}
    sampled = expand(suite_of(axes, strength=2), oracle, surfaces=TARGETS)

    for number, cell in enumerate(sampled):
        one = whole[cell.digest]
        assert (cell.number, cell.axes, cell.subject, cell.request) == (number, one.axes, one.subject, one.request)
    numbers = [5, 0, len(sampled) - 1]
    assert [cell.number for cell in sampled.cells(numbers)] == numbers
    with pytest.raises(IndexError):
        sampled.cell(len(sampled))


def uniform(*sizes: int) -> Space:
    """A space of independent axes: plans, states, capabilities, quantities."""
    plans, states, capabilities, quantities = sizes
    catalog = PlanCatalog(
        name="c",
        version="1.0.0",
        offer=Offer(model="saas", id="c"),
        capabilities={f"c{at}": Capability(name=f"c{at}") for at in range(capabilities)},
        plans={f"p{at}": PlanDeclaration(name=f"p{at}") for at in range(plans)},
    )
    names = ["Subscribed", "Suspended", "Unsubscribed", "PendingFulfillmentStart"]
    axes = {"plan": "all", "capability": "all", "state": names[:states], "quantity": [*range(1, quantities + 1)]}
    return space_of(catalog, axes)


@pytest.mark.parametrize(
    ("sizes", "strength", "least"),
    [((4, 4, 4, 4), 2, 16), ((3, 3, 3, 3), 2, 9), ((4, 4, 4, 4), 3, 64), ((6, 4, 5, 3), 2, 30), ((2, 2, 2, 2), 2, 5)],
)
def test_rows_are_nearly_as_few_as_can_be(sizes: tuple[int, ...], strength: int, least: int) -> None:
    assert least <= len(cover(uniform(*sizes), strength=strength)) <= 1.45 * least


def test_a_peer_chooses_hardly_fewer_rows_and_the_checker_accepts_them() -> None:
    covertable = pytest.importorskip("covertable")
    axes = {"plan": "all", "capability": "all", "usage": "boundary", "addon": "each", "linked": [True, False]}
    space = space_of(sample(), axes)
    factors = {AXES[at]: list(range(len(space.values[at]))) for at in space.spanned}

    def exists(row: dict[str, int]) -> bool:
        return space.has([row.get(axis, 0) for axis in AXES])

    def meet(one: int, other: int) -> dict[str, Any]:
        possible = space.possible((one, other))
        names = [AXES[one], AXES[other]]
        return {
            "operator": "fn",
            "requires": names,
            "evaluate": lambda row: (row[names[0]], row[names[1]]) in possible,
        }

    constraints = [meet(one, other) for one, other in combinations(space.spanned, 2)]
    constraints.append({"operator": "fn", "requires": list(factors), "evaluate": exists})
    peers = covertable.make(factors, strength=2, constraints=constraints)
    rows = [tuple(space.values[at][row.get(axis, 0)] for at, axis in enumerate(AXES)) for row in peers]

    assert measure(rows, space=space, strength=2).complete
    assert len(cover(space, strength=2)) <= 1.1 * len(rows)


def test_more_combinations_than_can_be_held_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        cover(uniform(6, 4, 6, 3), strength=2, combinations_max=100)
    assert caught.value.code == "matrix-too-large"
