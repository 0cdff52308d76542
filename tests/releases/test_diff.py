"""What differs between two releases: every value that changed, came or went, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plangate.releases.diff import Change, changes

BEFORE = {
    "app": {"name": "shop", "version": "1.0.0"},
    "prompts": {"triage": {"version": "1.3.0", "digest": "sha256:a"}},
    "flags": {"new": False, "limit": 1},
}


def test_the_same_release_has_no_changes() -> None:
    assert changes(BEFORE, dict(BEFORE)) == ()


def test_each_changed_value_is_told_by_its_path() -> None:
    after = {
        "app": {"name": "shop", "version": "1.1.0"},
        "prompts": {"triage": {"version": "1.4.0", "digest": "sha256:b"}, "answer": {"version": "2.0.0"}},
        "flags": {"new": 0},
    }
    assert changes(BEFORE, after) == (
        Change("app.version", "1.0.0", "1.1.0"),
        Change("flags.limit", 1, None),
        Change("flags.new", False, 0),
        Change("prompts.answer.version", None, "2.0.0"),
        Change("prompts.triage.digest", "sha256:a", "sha256:b"),
        Change("prompts.triage.version", "1.3.0", "1.4.0"),
    )


def test_a_list_is_one_value() -> None:
    assert changes({"a": [1, 2]}, {"a": [1, 3]}) == (Change("a", [1, 2], [1, 3]),)


_TREE = st.recursive(
    st.integers(0, 3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3),
    max_leaves=8,
)
_TREES = st.dictionaries(st.sampled_from("xyz"), _TREE, max_size=3)


def _leaves(tree: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {path: tree}
    return {p: v for key, part in tree.items() for p, v in _leaves(part, f"{path}.{key}" if path else key).items()}


@given(_TREES, _TREES)
def test_the_changes_are_empty_exactly_for_equal_trees_and_name_real_values(before: dict, after: dict) -> None:
    found = changes(before, after)
    assert (found == ()) is (before == after)
    assert list(found) == sorted(found, key=lambda change: change.path)
    old, new = _leaves(before), _leaves(after)
    for change in found:
        if not isinstance(change.before, dict) and not isinstance(change.after, dict):
            assert (old.get(change.path), new.get(change.path)) == (change.before, change.after)


@given(_TREES, _TREES)
def test_the_other_way_round_swaps_before_and_after(before: dict, after: dict) -> None:
    assert changes(after, before) == tuple(Change(one.path, one.after, one.before) for one in changes(before, after))
