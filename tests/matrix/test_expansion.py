"""Expansion gives what the specification describes, in its order, from any number, and holds none of it in memory."""

from __future__ import annotations

import hashlib
import random
import tracemalloc
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from plangate.documents.suite import AXES
from plangate.entitlements.oracle import Oracle
from plangate.errors import InputError
from plangate.matrix.expansion import Matrix, expand
from plangate.matrix.request_shape import evaluation_request
from tests.entitlements.catalogs import catalog_of, sample
from tests.entitlements.strategies import Case, cases
from tests.matrix.naive import naive_cells, naive_question
from tests.matrix.suites import FULL, PHRASINGS, TARGETS, spans, suite_of

CELLS_MAX = 600
NORMAL = {
    "usage": "zero",
    "setting": "plan",
    "addon": "none",
    "quantity": 1,
    "consent": "full",
    "linked": True,
    "override": "none",
    "cost": "catalog",
    "phrasing": None,
}


def matrix_of(case: Case | Any, axes: dict[str, Any], **others: Any) -> Matrix:
    return expand(suite_of(axes, **others), Oracle.of(catalog_of(case.catalog)), surfaces=TARGETS)


def matrix_of_sample(axes: dict[str, Any], **others: Any) -> Matrix:
    return expand(suite_of(axes, **others), Oracle.of(sample()), surfaces=TARGETS)


rules = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "plan": st.sampled_from([("free",), ("*",), ("pro", "max")]),
            "state": st.sampled_from([("Suspended",), ("Subscribed",)]),
            "capability": st.sampled_from([("kb.search",), ("*",)]),
            "surface": st.sampled_from([("tool",), ("default",)]),
            "usage": st.sampled_from([("zero",), ("first_over:messages", "last_fit:exports"), ("*",)]),
            "setting": st.sampled_from([("data_scope=org",), ("plan",)]),
            "addon": st.sampled_from([("pack",), ("none",)]),
            "quantity": st.sampled_from([("3",), ("1",)]),
            "consent": st.sampled_from([("none",), ("*",)]),
            "linked": st.just(("false",)),
            "override": st.sampled_from([("grant", "revoke"), ("none",)]),
            "phrasing": st.sampled_from([("none",), ("please",)]),
        },
    ).filter(bool),
    max_size=2,
)


@given(cases(asked=0), spans(), rules)
def test_cells_are_those_of_the_naive_product_in_its_order(case: Any, axes: dict[str, Any], exclude: Any) -> None:
    expected = naive_cells(case.catalog, axes, phrasings=PHRASINGS, exclude=exclude)
    if not expected:
        with pytest.raises(InputError, match="empty matrix"):
            matrix_of(case, axes, exclude=tuple(exclude))
        return
    matrix = matrix_of(case, axes, exclude=tuple(exclude))

    assert len(matrix) == len(expected)
    for number, (cell, names) in enumerate(zip(matrix, expected[:CELLS_MAX], strict=False)):
        assert (cell.number, cell.axes) == (number, names)
        request = evaluation_request(cell)
        identifier = request["subject"].pop("id")
        assert identifier == cell.subject_id
        assert request == naive_question(case.catalog, names, time="2026-01-01T00:00:00Z")


@given(cases(asked=0), spans())
def test_digests_follow_their_definition_and_no_two_are_alike(case: Any, axes: dict[str, Any]) -> None:
    seen = set()
    subjects: dict[str, bytes] = {}
    for number, cell in enumerate(matrix_of(case, axes)):
        if number == CELLS_MAX:
            break
        named = dict(zip(AXES, cell.axes, strict=True))
        kept = {axis: value for axis, value in named.items() if axis not in NORMAL or value != NORMAL[axis]}
        if kept.get("override") == "grant_expired":
            kept["override"] = "expired_grant"  # what it was called when ids were first given
        message = rfc8785.dumps({"axes": kept, "catalog": "sample", "suite": "gating"})
        assert cell.digest == hashlib.sha256(message).digest()[:10]
        assert cell.id == "c-" + hashlib.sha256(message).hexdigest()[:20]
        seen.add(cell.digest)
        properties = rfc8785.dumps(evaluation_request(cell)["subject"]["properties"])
        assert cell.subject_id.rsplit("-", 1)[1] == hashlib.sha256(properties).hexdigest()[:12]
        assert subjects.setdefault(cell.subject_id, properties) == properties
    assert len(seen) == min(CELLS_MAX, len(matrix_of(case, axes)))


@given(cases(asked=0), spans(), rules, st.integers(0, 2**32))
def test_any_order_gives_the_cells_of_the_forward_order(
    case: Any, axes: dict[str, Any], exclude: Any, seed: int
) -> None:
    if not naive_cells(case.catalog, axes, phrasings=PHRASINGS, exclude=exclude):
        return
    matrix = matrix_of(case, axes, exclude=tuple(exclude))
    numbers = list(range(min(len(matrix), CELLS_MAX)))
    forward = list(matrix.cells(numbers))
    shuffled = random.Random(seed).sample(numbers, len(numbers))

    assert list(matrix.cells(shuffled)) == [forward[number] for number in shuffled]
    assert list(matrix.cells(reversed(numbers))) == forward[::-1]
    for number in shuffled[:2]:
        assert matrix.cell(number) == forward[number]
        assert matrix.find(forward[number].digest) == forward[number]


def test_adding_a_plan_a_capability_or_an_axis_renames_no_cell() -> None:
    before = {cell.id for cell in matrix_of_sample({**FULL, "plan": "all", "capability": "all", "override": "none"})}
    grown = sample(
        plans__trial={"grants": ["kb.search"], "limits": {"messages": 3}},
        capabilities__fax_dot_send={"effect": "external"},
    )
    wider = {**FULL, "plan": "all", "capability": "all", "override": "boundary"}
    after = {cell.id for cell in expand(suite_of(wider), Oracle.of(grown), surfaces=TARGETS)}

    assert before < after


def test_subjects_do_not_depend_on_the_capability_that_is_asked_for() -> None:
    cells = list(matrix_of_sample({"plan": ["pro"], "capability": "all"}))

    assert len({cell.request.capability for cell in cells}) > 5
    assert len({cell.subject_id for cell in cells if cell.axes[1] == "Subscribed"}) == 1


def test_ids_do_not_depend_on_the_order_of_the_catalog() -> None:
    raw = sample()
    turned = sample()
    for name in ("capabilities", "plans", "limits", "settings", "states", "addons"):
        object.__setattr__(turned, name, dict(reversed(getattr(turned, name).items())))
    straight = expand(suite_of({**FULL, "addon": "each"}), Oracle.of(raw), surfaces=TARGETS)
    around = expand(suite_of({**FULL, "addon": "each"}), Oracle.of(turned), surfaces=TARGETS)
    firsts = [cell.id for cell, _ in zip(straight, range(3), strict=False)]

    assert len(straight) == len(around)
    assert {cell.id for cell in straight.cells(range(0, len(straight), 97))} <= {cell.id for cell in around}
    assert [cell.id for cell, _ in zip(around, range(3), strict=False)] != firsts


def test_a_matrix_of_a_million_cells_is_not_held() -> None:
    matrix = matrix_of_sample({**FULL, "quantity": list(range(1, 12))})
    assert len(matrix) > 1_000_000
    jumps = random.Random(7)
    tracemalloc.start()
    try:
        for numbers in (range(30_000), (jumps.randrange(len(matrix)) for _ in range(10_000))):
            for _ in matrix.cells(numbers):
                pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 60 * 1024 * 1024


@pytest.mark.parametrize("number", [-1, 10**9])
def test_a_number_that_no_cell_has_is_refused(number: int) -> None:
    with pytest.raises(IndexError):
        matrix_of_sample({"plan": "all"}).cell(number)


def test_find_answers_nothing_for_an_unknown_digest() -> None:
    assert matrix_of_sample({"plan": "all"}).find(bytes(10)) is None


def test_axes_are_the_values_that_cells_have() -> None:
    matrix = matrix_of_sample(
        {"plan": "all", "state": "all", "capability": ["kb.search"], "usage": "boundary"},
        exclude=({"state": ("Unsubscribed",)}, {"plan": ("enterprise",), "usage": ("huge:messages",)}),
    )

    assert dict(matrix.axes) == {
        "plan": ("free", "pro", "enterprise"),
        "state": ("Subscribed", "PendingFulfillmentStart", "Suspended"),
        "capability": ("kb.search",),
        "surface": ("default",),
        "usage": ("zero", "last_fit:messages", "first_over:messages", "far_over:messages"),
    }
    assert {cell.axes[4] for cell in matrix} == set(matrix.axes["usage"])


def test_an_empty_matrix_says_which_axis_is_empty() -> None:
    with pytest.raises(InputError, match="axis phrasing has no value") as caught:
        matrix_of_sample({"plan": "all", "phrasing": {"file": "empty.txt"}}, phrasings=())
    assert caught.value.code == "empty-matrix"


@pytest.mark.parametrize("strength", [None, 2])
def test_a_matrix_that_rules_empty_says_so(strength: int | None) -> None:
    with pytest.raises(InputError, match="exclude rules leave no cell") as caught:
        matrix_of_sample({"plan": "all"}, exclude=({"plan": ("*",)},), strength=strength)
    assert caught.value.code == "empty-matrix"


@pytest.mark.parametrize(
    ("axis", "value"),
    [("override", "expired_grant"), ("usage", "over"), ("usage", "last_fit"), ("consent", "missing"), ("cost", "less"),
     ("linked", "no")],
)  # fmt: skip
def test_an_exclude_rule_with_a_word_that_no_cell_has_is_refused(axis: str, value: str) -> None:
    with pytest.raises(InputError) as raised:
        matrix_of_sample({"plan": "all", "override": "boundary"}, exclude=[{axis: (value,)}])
    assert raised.value.problems[0].code == "unknown-axis-value"
    assert value in str(raised.value)
