"""Leaves of nested values that differ: each by its path, in one order, none that reads the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plangate.releases.diff import changes
from plangate.releases.nested import Change, change_lines, nested_changes, same_value

TOOLS = {"tools": [{"name": "search", "limits": {"calls": 3}}, {"name": "export"}], "stop": ["END"]}


def test_a_leaf_is_told_by_its_path_through_lists_and_mappings() -> None:
    after = json.loads(json.dumps(TOOLS).replace('"calls": 3', '"calls": 4').replace('"export"', '"exports"'))
    assert nested_changes(TOOLS, after) == (
        Change("tools[0].limits.calls", 3, 4),
        Change("tools[1].name", "export", "exports"),
    )
    assert nested_changes([1], [2], path="a.b") == (Change("a.b[0]", 1, 2),)
    assert nested_changes("a", {"b": 1}) == (Change("", "a", {"b": 1}),)


def test_entries_of_a_list_come_in_the_order_of_their_numbers() -> None:
    before, after = ([{"v": kind, "n": number} for number in range(12)] for kind in (0, 1))
    assert [one.path for one in nested_changes(before, after)] == [f"[{number}].v" for number in range(12)]


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (1, 1.0, True), (True, 1, False), (0, False, False), ([1], (1.0,), True), ({"a": None}, {}, True),
        ({"a": 1}, MappingProxyType({"a": 1}), True), ("1", 1, False), ([], {}, False), ([True], [1], False),
        (" not present", "not present", False), ("not present", "x", False), ([1, True], [1, 1], False),
        ([{"b": False}], [{"b": 0}], False), (True, "\0true", False), ("\0true", "true", False), ([1.0], [1], True),
    ],
)  # fmt: skip
def test_what_reads_the_same_in_json_is_no_difference(before: Any, after: Any, same: bool) -> None:
    assert (nested_changes({"v": before}, {"v": after}) == ()) is same


def test_a_text_that_looks_like_the_librarys_own_is_a_text() -> None:
    assert nested_changes({"v": "not present"}, {"v": "x"}) == (Change("v", "not present", "x"),)


_LEAF = st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a", "1"])
_TREE = st.recursive(
    _LEAF,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b.c", "[0]"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@example([True, 1], [1, True])
@example([[0], "\0true"], [[False], True])
@given(_TREE, _TREE)
def test_nothing_is_told_of_equal_values_and_something_of_others(before: Any, after: Any) -> None:
    found = nested_changes(before, after)
    assert (found == ()) is (json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True))
    assert found == nested_changes(before, after)
    assert not any(same_value(one.before, one.after) for one in found)
    values = [json.dumps(value) for value in (*_parts(before), *_parts(after), None)]
    assert all(json.dumps(side) in values for one in found for side in (one.before, one.after)), "values are real ones"


def _parts(tree: Any) -> Iterator[Any]:
    yield tree
    for inner in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _parts(inner)


def test_lines_are_bounded_and_hide_what_must_not_be_shown() -> None:
    found = nested_changes(
        {"a": "x" * 500, "headers": {"X-Key": "old"}, "n": [[number] for number in range(9)], "secrets": [{"k": 1}]},
        {"a": "y" * 500, "headers": {"X-Key": "new"}, "n": [[-1] for _ in range(9)], "secrets": [{"k": 2}]},
    )
    lines = list(change_lines(found, lines_max=4, hidden=("headers", "secrets")))
    assert lines[1] == "headers.X-Key: another value (not shown)"
    assert lines[-1] == f"... and {len(found) - 4} more"
    assert len(lines) == 5
    assert max(map(len, lines)) < 500
    assert list(change_lines(found, lines_max=99, hidden=("secrets",)))[-1] == "secrets[0].k: another value (not shown)"


def test_what_is_hidden_stays_so_inside_a_whole_part_that_came() -> None:
    found = nested_changes({}, {"targets": {"a": {"url": "u", "headers": {"X-Key": "k3y"}}, "b": [{"secrets": "s3c"}]}})
    told = "\n".join(change_lines(found, lines_max=9, hidden=("headers", "secrets")))
    assert '"url": "u"' in told
    assert "k3y" not in told
    assert "s3c" not in told


def test_parameters_of_a_model_are_told_down_to_the_leaf_and_pins_as_they_stand() -> None:
    before = {"model": {"version": "1", "parameters": TOOLS}, "plans": {"shop": "1.0.0"}}
    after = json.loads(json.dumps(before).replace('"calls": 3', '"calls": 4').replace('"END"', '"FIN"'))
    assert changes(before, {**after, "plans": {"shop": "1.1.0"}}) == (
        Change("model.parameters.stop", ["END"], ["FIN"]),
        Change("model.parameters.tools[0].limits.calls", 3, 4),
        Change("plans.shop", "1.0.0", "1.1.0"),
    )


def test_a_flat_list_of_pins_costs_no_import() -> None:
    program = (
        "import sys; from plangate.releases.diff import changes;"
        "assert len(changes({'plans': {'shop': '1'}, 'stop': ['a']}, {'plans': {'shop': '2'}, 'stop': ['b']})) == 2;"
        "assert changes({'a': [{'b': 1}]}, {'a': [{'b': 1.0}]}) == ();"
        "assert 'deepdiff' not in sys.modules;"
        "assert len(changes({'a': [{'b': 1}]}, {'a': [{'b': 2}]})) == 1; assert 'deepdiff' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
