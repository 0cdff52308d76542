"""What a suite asks of an axis becomes values of the catalog, or an error that says where and what to write instead."""

from __future__ import annotations

from typing import Any

import pytest

from plangate.documents.positions import Positions
from plangate.entitlements.oracle import Oracle
from plangate.errors import InputError
from plangate.matrix.expansion import Matrix, expand
from tests.entitlements.catalogs import sample
from tests.matrix.suites import suite_of


def matrix_of(axes: dict[str, Any], *, surfaces: tuple[str, ...] = ("default",), **others: Any) -> Matrix:
    return expand(suite_of(axes, **others), Oracle.of(others.pop("catalog", None) or sample()), surfaces=surfaces)


def refused(axes: dict[str, Any], **others: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        matrix_of(axes, **others)
    return caught.value


def test_axes_left_out_take_all_that_the_catalog_has_or_their_normal_value() -> None:
    matrix = matrix_of({"plan": ["free"]})

    assert {cell.axes[4:] for cell in matrix} == {("zero", "plan", "none", 1, "full", True, "none", "catalog", None)}
    assert matrix.axes["surface"] == ("default",)
    assert len(matrix) == len(sample().capabilities) * 4


@pytest.mark.parametrize(
    ("surfaces", "all_of_them"),
    [
        (("default",), ("interaction", "orchestration", "tool")),
        (("tool", "interaction"), ("interaction", "tool")),
        (("tool", "default"), ("interaction", "orchestration", "tool")),
        (("orchestration",), ("orchestration",)),
    ],
)
def test_all_surfaces_are_those_with_a_target_or_all_where_a_default_serves_the_rest(
    surfaces: tuple[str, ...], all_of_them: tuple[str, ...]
) -> None:
    assert matrix_of({"surface": "all"}, surfaces=surfaces).axes["surface"] == all_of_them


def test_listed_surfaces_are_served_by_their_own_target_or_by_the_default() -> None:
    assert matrix_of({"surface": ["tool"]}).axes["surface"] == ("tool",)
    assert matrix_of({"surface": "default"}).axes["surface"] == ("default",)
    assert matrix_of({"surface": ["tool"]}, surfaces=("tool",)).axes["surface"] == ("tool",)


@pytest.mark.parametrize(
    ("axes", "surfaces"),
    [
        ({"surface": ["tool", "interaction"]}, ("tool",)),
        ({}, ("tool",)),
        ({"surface": "default"}, ("tool",)),
        ({"surface": ["tol"]}, ("tool", "default")),
    ],
)
def test_a_surface_without_a_target_is_refused_with_its_place(axes: dict[str, Any], surfaces: tuple[str, ...]) -> None:
    positions = Positions("evals/gating.yaml", {("matrix", "axes", "surface"): (8, 14)})
    error = refused(axes, surfaces=surfaces, positions=positions)

    assert error.code == "surface-without-target"
    assert axes == {} or error.where == "evals/gating.yaml:8:14"
    assert "tool" in error.message


@pytest.mark.parametrize(
    ("axes", "hint"),
    [
        ({"plan": ["free", "prro"]}, "did you mean 'pro'?"),
        ({"state": ["Supended"]}, "did you mean 'Suspended'?"),
        ({"capability": ["kb.serch"]}, "did you mean 'kb.search'?"),
        ({"plan": ["gold"]}, "known: enterprise, free, pro"),
    ],
)
def test_a_name_that_the_catalog_does_not_have_is_refused(axes: dict[str, Any], hint: str) -> None:
    error = refused(axes)

    assert (error.code, error.hint) == ("unknown-axis-value", hint)


def test_the_unknown_names_may_be_listed_by_themselves() -> None:
    matrix = matrix_of({"plan": ["unknown-plan", "pro"], "capability": ["unknown.capability"]})

    assert matrix.axes["plan"] == ("unknown-plan", "pro")


def test_the_states_of_the_marketplace_may_be_listed_though_the_catalog_has_none() -> None:
    bare = sample(states={})
    oracle = Oracle.of(bare)

    assert expand(suite_of({"state": "all"}), oracle, surfaces=("default",)).axes["state"] == ("Subscribed",)
    listed = expand(suite_of({"state": ["Suspended"]}), oracle, surfaces=("default",))
    assert listed.axes["state"] == ("Suspended",)


def test_an_unknown_name_is_one_that_the_catalog_really_does_not_have() -> None:
    catalog = sample(
        **{"plans__unknown-plan": {}, "plans__unknown-plan-x": {}, "capabilities__unknown_dot_capability": {}}
    )
    matrix = expand(
        suite_of({"plan": "all+unknown", "capability": "all+unknown"}), Oracle.of(catalog), surfaces=("default",)
    )

    assert matrix.axes["plan"][-1] == "unknown-plan-x-x"
    assert matrix.axes["capability"][-1] == "unknown.capability-x"


@pytest.mark.parametrize(
    "axes",
    [
        {"plan": "some"},
        {"usage": "most"},
        {"setting": ["plan", "boundary"]},
        {"addon": "every"},
        {"consent": "half"},
        {"override": "grant"},
        {"cost": "less"},
        {"cost": ["more", 2]},
        {"cost": []},
        {"phrasing": "rude"},
    ],
)
def test_a_word_that_an_axis_does_not_know_is_refused(axes: dict[str, Any]) -> None:
    assert refused(axes).code == "unknown-axis-word"


@pytest.mark.parametrize(
    "axes",
    [
        {"quantity": [0]},
        {"quantity": [1, True]},
        {"quantity": "all"},
        {"linked": [1]},
        {"linked": "all"},
    ],
)
def test_quantities_are_numbers_and_linked_is_true_or_false(axes: dict[str, Any]) -> None:
    assert refused(axes).code == "unknown-axis-value"


def test_values_said_twice_are_one() -> None:
    matrix = matrix_of(
        {"plan": ["pro", "pro"], "quantity": [2, 2], "phrasing": {"file": "x"}}, phrasings=("a", "b", "a")
    )

    assert (matrix.axes["plan"], matrix.axes["quantity"], matrix.axes["phrasing"]) == (("pro",), (2,), ("a", "b"))


@pytest.mark.parametrize(
    ("changes", "axes"),
    [
        ({"addons": {"a": {}, "b": {}, "a+b": {}}}, {"addon": "all"}),
        ({"addons": {"none": {}}}, {"addon": "each"}),
        (
            {
                "settings": {"a": {"set": ["b=c"]}, "a=b": {"set": ["c"]}},
                "capabilities__kb_dot_search": {"uses": ["a", "a=b"]},
            },
            {"setting": "boundary"},
        ),
    ],
)
def test_two_values_with_one_name_are_refused(changes: dict[str, Any], axes: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        expand(suite_of({"plan": ["free"], **axes}), Oracle.of(sample(**changes)), surfaces=("default",))
    assert caught.value.code == "ambiguous-axis-value"


def test_a_rule_about_no_axis_is_refused() -> None:
    error = refused({"plan": "all"}, exclude=({"plans": ("free",)},))

    assert error.code == "unknown-axis"


def test_a_block_too_large_to_thin_out_is_refused_and_t_way_is_not() -> None:
    axes = {"plan": ["free"], "capability": ["kb.search"], "quantity": list(range(1, 3_000)), "phrasing": {"file": "x"}}
    lines = tuple(str(number) for number in range(2_000))
    rules = ({"quantity": ("7",), "phrasing": ("7",)},)

    assert refused(axes, phrasings=lines, exclude=rules).code == "matrix-too-large"
    assert len(matrix_of(axes, phrasings=lines)) == 4 * 2_999 * 2_000
    assert len(matrix_of(axes, phrasings=lines[:5], exclude=rules, strength=1)) == 2_999


def test_more_blocks_than_can_be_numbered_are_refused() -> None:
    catalog = sample(
        plans={"free": {}},
        states={f"s{number}": {} for number in range(2_100)},
        capabilities={f"c{number}": {} for number in range(2_100)},
    )
    with pytest.raises(InputError) as caught:
        expand(suite_of({"state": "all", "capability": "all"}), Oracle.of(catalog), surfaces=("default",))
    assert caught.value.code == "matrix-too-large"
