"""The schemas: each is a valid JSON Schema, passes its example, and finds what is wrong where `jsonschema` finds it."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from plangate.documents.kinds import Kind, schema_check, schema_of, schema_text
from plangate.documents.loader import load
from plangate.documents.schema_check import SchemaError, compile_schema
from plangate.documents.validation import SCHEMA_CODES
from tests.documents.sample_documents import KINDS

EACH = pytest.mark.parametrize("kind", list(Kind))


def example(kind: Kind) -> Any:
    text = KINDS[kind.value]
    return load((text.split("---\n")[1] if kind is Kind.PROMPT else text).encode(), path=kind.value).value


@cache
def library(kind: Kind) -> Draft202012Validator:
    return Draft202012Validator(schema_of(kind))


@cache
def rust(kind: Kind) -> Any:
    jsonschema_rs = pytest.importorskip("jsonschema_rs", reason="left out: jsonschema-rs is not installed")
    return jsonschema_rs.Draft202012Validator(schema_of(kind))


def ours(kind: Kind, value: Any) -> list[SchemaError]:
    errors: list[SchemaError] = []
    schema_check(kind)(value, (), errors)
    return errors


@EACH
def test_it_is_a_valid_schema_of_draft_2020_12(kind: Kind) -> None:
    schema = json.loads(schema_text(kind))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@EACH
def test_the_example_passes(kind: Kind) -> None:
    assert ours(kind, example(kind)) == []
    assert list(library(kind).iter_errors(example(kind))) == []


@EACH
def test_an_unknown_field_and_a_missing_one_fail(kind: Kind) -> None:
    value = example(kind)
    value["surprise"] = 1
    del value["metadata"]
    assert {(error.keyword, error.detail) for error in ours(kind, value)} == {
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


def test_a_keyword_that_nobody_enforces_is_refused() -> None:
    with pytest.raises(ValueError, match="contains"):
        compile_schema({"type": "array", "contains": {"type": "string"}})
    with pytest.raises(ValueError, match="nowhere"):
        compile_schema({"$ref": "#/$defs/gone"})


def test_a_line_break_does_not_slip_past_the_end_of_a_pattern() -> None:
    check = compile_schema({"type": "string", "pattern": "^[a-z]+$"})
    errors: list[SchemaError] = []
    check("abc\n", (), errors)
    assert [error.keyword for error in errors] == ["pattern"]


def test_true_is_not_one_nor_text() -> None:
    check = compile_schema({"properties": {"a": {"enum": [1, "x"]}, "b": {"const": True}}})
    errors: list[SchemaError] = []
    check({"a": True, "b": 1}, (), errors)
    check({"a": 1, "b": True}, (), errors)
    assert [error.pointer for error in errors] == [("a",), ("b",)]


def test_an_integer_is_written_as_one() -> None:
    check = compile_schema({"type": "integer"})
    for value, wrong in ((14, False), (14.0, True), (True, True), ("14", True)):
        errors: list[SchemaError] = []
        check(value, (), errors)
        assert bool(errors) is wrong


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


# --- agreement with the jsonschema library -------------------------------------------------------------------------

Places = set[tuple[str | int, ...]]

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 700)
    | st.sampled_from([0.5, -1.5])
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


_TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None)}


def _takes(branch: dict[str, Any], value: Any) -> bool:
    names = branch.get("type")
    if names is None:
        return True
    names = [names] if isinstance(names, str) else names
    return any(type(value) is _TYPES[name] for name in names)


def _theirs(errors: Any) -> Places:
    """Where `jsonschema` sees errors; inside anyOf and oneOf, those of the only branch that takes such values."""
    places: Places = set()
    for error in errors:
        if error.validator in ("anyOf", "oneOf"):
            branches = error.schema[error.validator]
            near = [index for index, branch in enumerate(branches) if _takes(branch, error.instance)]
            if len(near) == 1:
                places |= _theirs(part for part in error.context if part.schema_path[0] == near[0])
                continue
        places.add(tuple(error.absolute_path))
    return places


def _our_places(errors: list[SchemaError]) -> Places:
    """The library reports these three at the value that holds the key or the item; we point at the key or item."""
    return {error.pointer[:-1] if error.in_key or error.keyword == "uniqueItems" else error.pointer for error in errors}


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data())
def test_errors_stand_where_jsonschema_finds_them(kind: Kind, data: st.DataObject) -> None:
    value = _mutate(data, example(kind))
    assert _our_places(ours(kind, value)) == _theirs(library(kind).iter_errors(value))


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data())
def test_the_rust_validator_agrees_on_what_is_valid(kind: Kind, data: st.DataObject) -> None:
    validator = rust(kind)
    value = _mutate(data, example(kind))
    assert (ours(kind, value) == []) is validator.is_valid(value)
