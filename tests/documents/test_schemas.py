"""The schemas: each is a valid JSON Schema, passes its example, and another library finds the same problems with it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from plangate.documents.kinds import Kind, schema_check, schema_of, schema_text
from plangate.documents.loader import load
from plangate.documents.schema_check import Finding, compile_schema, finder
from plangate.documents.validation import SCHEMA_CODES
from tests.documents.sample_documents import KINDS

EACH = pytest.mark.parametrize("kind", list(Kind))


def example(kind: Kind) -> Any:
    text = KINDS[kind.value]
    return load((text.split("---\n")[1] if kind is Kind.PROMPT else text).encode(), path=kind.value).value


@EACH
def test_it_is_a_valid_schema_of_draft_2020_12(kind: Kind) -> None:
    schema = json.loads(schema_text(kind))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@EACH
def test_the_example_passes(kind: Kind) -> None:
    assert schema_check(kind)(example(kind)) == []


@EACH
def test_an_unknown_field_and_a_missing_one_fail(kind: Kind) -> None:
    value = example(kind)
    value["surprise"] = 1
    del value["metadata"]
    assert {(error.keyword, error.detail) for error in schema_check(kind)(value)} == {
        ("additionalProperties", "surprise"),
        ("required", "metadata"),
    }


@EACH
def test_every_field_says_what_it_is_for(kind: Kind) -> None:
    """Editors show these. A field may take its description from the definition that it refers to."""
    schema = schema_of(kind)
    silent = []

    def walk(node: Any, place: str) -> None:
        if not isinstance(node, dict):
            return
        for name, part in node.get("properties", {}).items():
            target = schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else {}
            if "if" not in place and not part.get("description") and not target.get("description"):
                silent.append(f"{place}.{name}")
        for key, part in node.items():
            for index, inner in enumerate(part if isinstance(part, list) else [part]):
                walk(inner, f"{place}.{key}{index}")

    walk(schema, "")
    assert silent == []


@EACH
def test_its_own_messages_have_known_codes_and_say_what_to_write(kind: Kind) -> None:
    found = [
        words
        for line in json.dumps(schema_of(kind), indent=1).split('"x-plangate": ')[1:]
        for words in json.JSONDecoder().raw_decode(line)[0].values()
    ]
    assert {words["code"] for words in found} <= SCHEMA_CODES
    assert [words for words in found if not words["message"] or not words["hint"]] == []


@EACH
def test_every_keyword_is_one_that_a_validator_or_an_editor_knows(kind: Kind) -> None:
    """A misspelled keyword would be a rule that nobody enforces."""
    known = {*Draft202012Validator.VALIDATORS, "then", "else", "$schema", "$id", "$defs", "title", "description"}
    unknown = set()

    def walk(schema: Any) -> None:
        unknown.update(set(schema) - known - {"patternErrorMessage", "x-plangate"})
        for key in ("properties", "$defs"):
            for part in schema.get(key, {}).values():
                walk(part)
        for key in ("items", "additionalProperties", "propertyNames", "if", "then", "else"):
            if isinstance(schema.get(key), dict):
                walk(schema[key])
        for key in ("anyOf", "oneOf", "allOf"):
            for part in schema.get(key, ()):
                walk(part)

    walk(schema_of(kind))
    assert unknown == set()


@EACH
def test_a_reference_stands_alone(kind: Kind) -> None:
    """It is replaced by what it names: a rule beside it would be one that nobody enforces."""

    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, list):
            node = dict(enumerate(node))
        if isinstance(node, dict):
            if "$ref" in node:
                assert node["$ref"].startswith("#/$defs/")
                yield from set(node) - {"$ref", "description", "title"}
            for inner in node.values():
                yield from walk(inner)

    assert list(walk(schema_of(kind))) == []


def _places(schema: dict[str, Any], value: Any) -> list[tuple[tuple[str | int, ...], str]]:
    return sorted((error.pointer, error.keyword) for error in compile_schema(schema)(value))


def test_a_line_break_does_not_slip_past_the_end_of_a_pattern() -> None:
    assert _places({"type": "string", "pattern": "^[a-z]+$"}, "abc\n") == [((), "pattern")]


def test_true_is_not_one_nor_text() -> None:
    schema = {"properties": {"a": {"enum": [1, "x"]}, "b": {"const": True}}}
    assert _places(schema, {"a": True, "b": 1}) == [(("a",), "enum"), (("b",), "const")]
    assert _places(schema, {"a": 1, "b": True}) == []


def test_a_whole_number_is_an_integer_however_it_is_written() -> None:
    wrong = [value for value in (14, 14.0, 14.5, True, "14", None) if _places({"type": "integer"}, value)]
    assert wrong == [14.5, True, "14", None]


def test_each_name_and_each_item_that_is_wrong_has_its_own_place() -> None:
    schema = {
        "required": ["x", "y"],
        "properties": {"list": {"uniqueItems": True}, "x": {}},
        "additionalProperties": False,
        "propertyNames": {"maxLength": 4},
    }
    assert _places(schema, {"list": [1, "a", 1.0, True, "a"], "one": 0, "fifth": 0}) == [
        ((), "required"),
        ((), "required"),
        (("fifth",), "additionalProperties"),
        (("fifth",), "maxLength"),
        (("list", 2), "uniqueItems"),
        (("list", 4), "uniqueItems"),
        (("one",), "additionalProperties"),
    ]


def test_of_several_forms_the_one_that_the_value_resembles_answers() -> None:
    seats = {"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#/$defs/count"}}}
    schema = {
        "$defs": {"count": {"type": "integer", "minimum": 0}},
        "properties": {"limit": {"anyOf": [{"const": "unlimited", "type": "string"}, {"type": "integer"}, seats]}},
    }
    assert _places(schema, {"limit": {"n": -1}}) == [(("limit", "n"), "minimum")]
    assert _places(schema, {"limit": {}}) == [(("limit",), "required")]
    assert _places(schema, {"limit": "unlimted"}) == [(("limit",), "anyOf")], "every form is named"
    assert _places(schema, {"limit": []}) == [(("limit",), "anyOf")]
    assert _places(schema, {"limit": 2.0}) == []


def test_what_is_of_another_type_is_told_once() -> None:
    assert _places({"type": "string", "enum": ["a", "b"]}, 5) == [((), "type")]


def test_editors_are_told_which_schema_belongs_to_which_file() -> None:
    root = Path(__file__).resolve().parents[2]
    mapping = json.loads((root / ".vscode" / "settings.json").read_text("utf-8"))["yaml.schemas"]
    patterns = {Path(schema).stem: files for schema, files in mapping.items()}
    assert patterns == {
        "environment": ["envs/*.yaml", "!envs/trust.yaml"],
        "plan-catalog": ["envs/plans/*/*.yaml"],
        "suite": ["evals/*.yaml"],
        "trust": ["envs/trust.yaml"],
    }
    assert all((root / schema).is_file() for schema in mapping)


# --- agreement with another library --------------------------------------------------------------------------------

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 700)
    | st.sampled_from([0.5, -1.5, 2.0, 1e300])
    | st.sampled_from(["", "free", "unlimited", "latest", "env:NAME", "all", "x y", "PT1H", "sha256:0", "2026-01-01"])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "order", "add", "status", "file", "any", "strength"]), inner, max_size=2
        )
    ),
    max_leaves=4,
)


def _pointers(value: Any, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [here]
    if isinstance(value, dict):
        for key, item in value.items():
            found += _pointers(item, (*here, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _pointers(item, (*here, index))
    return found


def _mutate(data: st.DataObject, value: Any) -> Any:
    value = copy.deepcopy(value)
    for _ in range(data.draw(st.integers(1, 4))):
        pointer = data.draw(st.sampled_from(_pointers(value)))
        if not pointer:
            continue
        parent = value
        for step in pointer[:-1]:
            parent = parent[step]
        action = data.draw(st.sampled_from(["replace", "drop", "add", "rename", "repeat"]))
        if action == "drop":
            del parent[pointer[-1]]
        elif action == "repeat" and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[0]))
        elif action == "add" and isinstance(parent[pointer[-1]], dict):
            parent[pointer[-1]][data.draw(st.sampled_from(["surprise", "description", "limits"]))] = data.draw(_VALUES)
        elif action == "rename" and isinstance(parent, dict):
            parent[data.draw(st.sampled_from(["bad name!", "other", "x" * 200]))] = parent.pop(pointer[-1])
        else:
            parent[pointer[-1]] = data.draw(_VALUES)
    return value


@cache
def _ours(kind: Kind) -> Callable[[Any], Iterator[Finding]]:
    return finder(schema_of(kind))


@cache
def _other(kind: Kind) -> Any:
    library = pytest.importorskip("jsonschema_rs", reason="it has no wheel for every platform")
    return library.Draft202012Validator(schema_of(kind))


def _key(error: Any) -> str | None:
    """The name that `propertyNames` refuses."""
    inner = getattr(error.kind, "error", None)
    return None if inner is None else inner.instance


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data())
def test_another_library_finds_the_same_problems_at_the_same_places(kind: Kind, data: st.DataObject) -> None:
    value = _mutate(data, example(kind))
    ours = {(one.pointer, one.keyword, one.key) for one in _ours(kind)(value)}
    assert ours == {
        (tuple(error.instance_path), str(error.schema_path[-1]), _key(error))
        for error in _other(kind).iter_errors(value)
    }


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data())
def test_a_problem_is_told_where_the_library_alone_would_refuse(kind: Kind, data: st.DataObject) -> None:
    value = _mutate(data, example(kind))
    assert (schema_check(kind)(value) == []) is Draft202012Validator(schema_of(kind)).is_valid(value)
