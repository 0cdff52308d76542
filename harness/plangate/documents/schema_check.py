"""A value against a JSON Schema (draft 2020-12): what a library finds, told where a person would mend it.

jsonschema-rs finds it. Where that has no wheel, jsonschema does, a tenth of a second later and with the same answer: a
property test holds the two to it. What is added here: a missing, unknown or repeated name stands at the name, and where
a value may have several forms, the answer is about the form that it resembles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, NamedTuple

from plangate.documents.environment import Json
from plangate.documents.positions import Pointer

__all__ = ["ENGINES", "SchemaCheck", "SchemaError", "compile_schema", "fastest"]

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


class _Found(NamedTuple):
    """What both libraries say of an error."""

    pointer: Pointer
    keyword: str
    schema: Schema
    key: str | None
    """The name that `propertyNames` refuses; `pointer` leads to its mapping."""


_Engine = Callable[[Schema], Callable[[Json], Iterator[_Found]]]


def compile_schema(schema: Schema, *, engine: str | None = None) -> SchemaCheck:
    """The check of a whole schema document by the fastest library there is, or by the one of that name."""
    make = ENGINES[engine or fastest()]
    whole = make(schema)
    shared = schema.get("$defs", {})
    branches: dict[int, SchemaCheck] = {}

    def check(value: Json) -> list[SchemaError]:
        return _told(whole(value), value, of_branch)

    def of_branch(part: Schema) -> SchemaCheck:
        # A part lives as long as its schema, so its id names it.
        if id(part) not in branches:
            find = make({**part, "$defs": shared})
            branches[id(part)] = lambda value: _told(find(value), value, of_branch)
        return branches[id(part)]

    return check


def _told(found: Iterable[_Found], value: Json, of_branch: Callable[[Schema], SchemaCheck]) -> list[SchemaError]:
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


def _named(one: _Found, here: Any) -> Iterator[SchemaError]:
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


def _alternatives(one: _Found, here: Json, of_branch: Callable[[Schema], SchemaCheck]) -> Iterator[SchemaError]:
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


def _rust(schema: Schema) -> Callable[[Json], Iterator[_Found]]:
    from jsonschema_rs import Draft202012Validator

    validator = Draft202012Validator(dict(schema))

    def find(value: Json) -> Iterator[_Found]:
        for error in validator.iter_errors(value):
            *part, keyword = error.schema_path
            inner: Any = getattr(error.kind, "error", None)
            key = None if inner is None else inner.instance
            yield _Found(tuple(error.instance_path), str(keyword), _at(schema, part), key)

    return find


def _python(schema: Schema) -> Callable[[Json], Iterator[_Found]]:
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Any, expression: str, value: Any, __: Any) -> Iterator[ValidationError]:
        if isinstance(value, str) and not _whole(expression).search(value):
            yield ValidationError("is not written so")

    validator: Any = extend(Draft202012Validator, {"pattern": pattern})(schema)  # type: ignore[no-untyped-call]

    def find(value: Json) -> Iterator[_Found]:
        for error in validator.iter_errors(value):
            pointer = tuple(error.absolute_path)
            # Of a key, jsonschema gives the mapping's place and the key itself.
            key = error.instance if isinstance(error.instance, str) and isinstance(_at(value, pointer), dict) else None
            yield _Found(pointer, str(error.validator), error.schema, key)

    return find


@cache
def _whole(expression: str) -> re.Pattern[str]:
    """In JSON Schema `$` is the end of the text; in Python it would let a line break follow."""
    return re.compile(re.sub(r"(?<!\[)\$", r"\\Z", expression))


ENGINES: Final[Mapping[str, _Engine]] = {"jsonschema-rs": _rust, "jsonschema": _python}
"""The libraries that can do it, by name."""


@cache
def fastest() -> str:
    """The name of the fastest library that is installed."""
    try:
        import jsonschema_rs  # noqa: F401 - whether it is there
    except ImportError:
        return "jsonschema"
    return "jsonschema-rs"
