"""A value against a JSON Schema (draft 2020-12): what jsonschema finds, told where a person would mend it.

What is added here: a missing, unknown or repeated name stands at the name, and where a value may have several forms,
the answer is about the form that it resembles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, NamedTuple

from plangate.documents.environment import Json
from plangate.documents.positions import Pointer

__all__ = ["Finding", "SchemaCheck", "SchemaError", "compile_schema", "finder"]

Schema = Mapping[str, Any]
SchemaCheck = Callable[[Json], "list[SchemaError]"]
"""Every error of a value."""


@dataclass(frozen=True, slots=True)
class SchemaError:
    """One keyword that one value does not satisfy."""

    pointer: Pointer
    keyword: str
    schema: Schema
    """The part of the schema that holds the keyword."""
    value: Json
    detail: Any = None
    """required: the missing name; additionalProperties: the unknown one."""
    in_key: bool = False
    """Whether the last key of `pointer` is what is wrong, not the value under it."""


class Finding(NamedTuple):
    """What the library says of an error."""

    pointer: Pointer
    keyword: str
    schema: Schema
    key: str | None
    """The name that `propertyNames` refuses; `pointer` leads to its mapping."""


def compile_schema(schema: Schema) -> SchemaCheck:
    """The check of a whole schema document."""
    whole = finder(schema)
    branches: dict[int, SchemaCheck] = {}

    def check(value: Json) -> list[SchemaError]:
        return _told(whole(value), value, of_branch)

    def of_branch(part: Schema) -> SchemaCheck:
        # A part lives as long as its schema, so its id names it.
        if id(part) not in branches:
            find = _find_in(part)
            branches[id(part)] = lambda value: _told(find(value), value, of_branch)
        return branches[id(part)]

    return check


def _told(found: Iterable[Finding], value: Json, of_branch: Callable[[Schema], SchemaCheck]) -> list[SchemaError]:
    each = {(one.pointer, id(one.schema), one.keyword, one.key): one for one in found}
    mistyped = {(one.pointer, id(one.schema)) for one in each.values() if one.keyword == "type"}
    errors: list[SchemaError] = []
    for one in each.values():
        if one.keyword != "type" and (one.pointer, id(one.schema)) in mistyped:
            continue  # a value of another type: what else is asked of it says nothing new
        here = _at(value, one.pointer)
        if one.keyword in ("anyOf", "oneOf"):
            errors += _alternatives(one, here, of_branch)
        elif one.key is not None:
            errors.append(SchemaError((*one.pointer, one.key), one.keyword, one.schema, one.key, in_key=True))
        else:
            errors += _named(one, here)
    return errors


def _named(one: Finding, here: Any) -> Iterator[SchemaError]:
    """One error for each name or item that is wrong."""
    pointer, keyword, schema, _ = one
    if keyword == "required":
        for name in schema["required"]:
            if name not in here:
                yield SchemaError(pointer, keyword, schema, here, name)
    elif keyword == "additionalProperties":
        for key, item in here.items():
            if key not in schema.get("properties", ()):
                yield SchemaError((*pointer, key), keyword, schema, item, key, in_key=True)
    elif keyword == "uniqueItems":
        for index in _repeated(here):
            yield SchemaError((*pointer, index), keyword, schema, here[index])
    else:
        yield SchemaError(pointer, keyword, schema, here)


def _repeated(items: list[Any]) -> Iterator[int]:
    seen: set[tuple[bool, Any]] = set()
    for index, item in enumerate(items):
        # `1` and `1.0` are one item, `1` and `true` are two.
        same = (isinstance(item, bool), repr(item) if isinstance(item, dict | list) else item)
        if same in seen:
            yield index
        seen.add(same)


def _alternatives(one: Finding, here: Json, of_branch: Callable[[Schema], SchemaCheck]) -> Iterator[SchemaError]:
    """The errors of the branch that takes values of this type, if there is but one.

    A wrong word is an error of the whole, so that the message can name every form.
    """
    near = [part for part in one.schema[one.keyword] if _takes(part, here)]
    inner = of_branch(near[0])(here) if len(near) == 1 else []
    if inner and not all(error.pointer == () and error.keyword in ("enum", "const") for error in inner):
        yield from (replace(error, pointer=(*one.pointer, *error.pointer)) for error in inner)
    else:
        yield SchemaError(one.pointer, one.keyword, one.schema, here)


def _takes(part: Schema, value: Json) -> bool:
    names = part.get("type")
    if names is None:
        return True
    if isinstance(value, float) and value.is_integer() and "integer" in names:
        return True
    return any(type(value) in _TYPES[name] for name in ([names] if isinstance(names, str) else names))


_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


def _at(value: Any, pointer: Iterable[str | int]) -> Any:
    for step in pointer:
        value = value[step]
    return value


def finder(schema: Schema) -> Callable[[Json], Iterator[Finding]]:
    """What the library finds in a value by a whole schema document, each error once or more."""
    return _find_in(_joined(schema, schema.get("$defs", {}), {}))


def _find_in(schema: Schema) -> Callable[[Json], Iterator[Finding]]:
    validator = _validator()(schema)

    def find(value: Json) -> Iterator[Finding]:
        for error in validator.iter_errors(value):
            pointer = tuple(error.absolute_path)
            # Of a key, jsonschema gives the mapping's place and the key itself.
            key = error.instance if isinstance(error.instance, str) and isinstance(_at(value, pointer), dict) else None
            yield Finding(pointer, str(error.validator), error.schema, key)

    return find


def _joined(part: Any, shared: Mapping[str, Any], done: dict[str, Any]) -> Any:
    """The schema with each `$ref` replaced by what it names: looking it up for each value is a third of the time."""
    if isinstance(part, list):
        return [_joined(inner, shared, done) for inner in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        name = part["$ref"].removeprefix("#/$defs/")
        if name not in done:
            done[name] = _joined(shared[name], shared, done)
        return done[name]
    return {key: _joined(inner, shared, done) for key, inner in part.items() if key != "$defs"}


@cache
def _validator() -> Any:
    """The library's class, with patterns as JSON Schema reads them; imported with the first document (0.1 s)."""
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Any, expression: str, value: Any, __: Any) -> Iterator[ValidationError]:
        if isinstance(value, str) and not _whole(expression).search(value):
            yield ValidationError("is not written so")

    return extend(Draft202012Validator, {"pattern": pattern})  # type: ignore[no-untyped-call]


@cache
def _whole(expression: str) -> re.Pattern[str]:
    """In JSON Schema `$` is the end of the text; in Python it would let a line break follow."""
    return re.compile(re.sub(r"(?<!\[)\$", r"\\Z", expression))
