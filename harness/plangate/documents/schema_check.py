"""JSON Schema 2020-12, as much of it as plangate's own schemas use, compiled once into plain functions.

The `jsonschema` library takes about a second for a catalog of 10,000 values; this takes a few hundredths (decision 3).
A property test holds the two to the same answer. One thing is stricter on purpose: `14.0` is no integer, because its
canonical JSON equals that of `14` while its text does not. A keyword that is not known here is refused when a schema is
compiled, so that no rule can be written that nobody enforces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from plangate.documents.environment import Json
from plangate.documents.positions import Pointer

__all__ = ["SchemaCheck", "SchemaError", "compile_schema"]

Schema = Mapping[str, Any]


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


SchemaCheck = Callable[[Json, Pointer, list[SchemaError]], None]
"""Appends every error of a value at a pointer to a list."""

_TYPES: Final[dict[str, frozenset[type]]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
    "object": frozenset({dict}),
    "array": frozenset({list}),
    "null": frozenset({type(None)}),
}
_ANNOTATIONS: Final = frozenset(
    {"$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples"}
    | {"patternErrorMessage", "x-plangate"}
)


def compile_schema(schema: Schema) -> SchemaCheck:
    """The check of a whole schema document.

    Raises ValueError where the schema uses a keyword, or a reference, that is not known here.
    """
    return _Compiler(schema).compile(schema)


class _Compiler:
    def __init__(self, root: Schema) -> None:
        self._root = root
        self._shared: dict[str, SchemaCheck] = {}

    def compile(self, schema: Schema) -> SchemaCheck:
        """One function for one node: the type first, then only the keywords that speak about that type."""
        allowed = _allowed_types(schema)
        general = self._group(schema, _GENERAL)
        typed = {
            kind: self._group(schema, makers)
            for kind, makers in ((str, _TEXT), (int, _NUMBER), (float, _NUMBER), (list, _ARRAY), (dict, _OBJECT))
        }
        unknown = set(schema) - _ANNOTATIONS - _KNOWN
        if unknown:
            raise ValueError(f"schema keywords that are not enforced: {sorted(unknown)}")
        by_type = {kind: checks + general for kind, checks in typed.items()}

        def check(value: Json, pointer: Pointer, errors: list[SchemaError]) -> None:
            kind = type(value)
            if allowed is not None and kind not in allowed:
                errors.append(SchemaError(pointer, "type", schema, value))
                return
            for one in by_type.get(kind, general):  # type: ignore[arg-type]
                one(value, pointer, errors)

        return check

    def reference(self, target: str) -> SchemaCheck:
        """The check of `#/$defs/NAME`, compiled once; found when first used, so that definitions may be circular."""
        shared = self._shared

        def check(value: Json, pointer: Pointer, errors: list[SchemaError]) -> None:
            shared[target](value, pointer, errors)

        if target not in shared:
            shared[target] = check
            shared[target] = self.compile(self._find(target))
        return shared[target]

    def _find(self, target: str) -> Schema:
        prefix, _, name = target.rpartition("/")
        found: Schema | None = self._root.get("$defs", {}).get(name)
        if prefix != "#/$defs" or found is None:
            raise ValueError(f"schema reference that leads nowhere: {target}")
        return found

    def _group(self, schema: Schema, makers: Mapping[str, _Maker]) -> tuple[SchemaCheck, ...]:
        return tuple(maker(self, schema) for keyword, maker in makers.items() if keyword in schema)


_Maker = Callable[[_Compiler, Schema], SchemaCheck]


def _allowed_types(schema: Schema) -> frozenset[type] | None:
    names = schema.get("type")
    if names is None:
        return None
    return frozenset[type]().union(*(_TYPES[name] for name in ([names] if isinstance(names, str) else names)))


def _test(keyword: str, schema: Schema, passes: Callable[[Any], bool]) -> SchemaCheck:
    def check(value: Json, pointer: Pointer, errors: list[SchemaError]) -> None:
        if not passes(value):
            errors.append(SchemaError(pointer, keyword, schema, value))

    return check


def _pattern(_: _Compiler, schema: Schema) -> SchemaCheck:
    # In JSON Schema `$` is the end of the text; in Python it would let a line break follow.
    search = re.compile(re.sub(r"(?<!\[)\$", r"\\Z", schema["pattern"])).search
    return _test("pattern", schema, lambda value: search(value) is not None)


def _length(keyword: str, passes: Callable[[int, Any], bool]) -> _Maker:
    def make(_: _Compiler, schema: Schema) -> SchemaCheck:
        bound = schema[keyword]
        return _test(keyword, schema, lambda value: passes(len(value), bound))

    return make


def _number(keyword: str, passes: Callable[[Any, Any], bool]) -> _Maker:
    def make(_: _Compiler, schema: Schema) -> SchemaCheck:
        bound = schema[keyword]
        return _test(keyword, schema, lambda value: passes(value, bound))

    return make


def _enum(_: _Compiler, schema: Schema) -> SchemaCheck:
    allowed = frozenset((type(value), value) for value in schema["enum"])
    return _test("enum", schema, lambda value: _same(value, allowed))


def _const(_: _Compiler, schema: Schema) -> SchemaCheck:
    allowed = frozenset({(type(schema["const"]), schema["const"])})
    return _test("const", schema, lambda value: _same(value, allowed))


def _same(value: Any, allowed: frozenset[tuple[type, Any]]) -> bool:
    return not isinstance(value, dict | list) and (type(value), value) in allowed


def _items(compiler: _Compiler, schema: Schema) -> SchemaCheck:
    item_check = compiler.compile(schema["items"])

    def check(value: Any, pointer: Pointer, errors: list[SchemaError]) -> None:
        for index, item in enumerate(value):
            item_check(item, (*pointer, index), errors)

    return check


def _unique(_: _Compiler, schema: Schema) -> SchemaCheck:
    def check(value: Any, pointer: Pointer, errors: list[SchemaError]) -> None:
        seen: set[tuple[type, Any]] = set()
        for index, item in enumerate(value):
            same = (type(item), repr(item) if isinstance(item, dict | list) else item)
            if same in seen:
                errors.append(SchemaError((*pointer, index), "uniqueItems", schema, item))
            seen.add(same)

    return check


def _properties(compiler: _Compiler, schema: Schema) -> SchemaCheck:
    checks = {name: compiler.compile(part) for name, part in schema["properties"].items()}

    def check(value: Any, pointer: Pointer, errors: list[SchemaError]) -> None:
        for key, item in value.items():
            if one := checks.get(key):
                one(item, (*pointer, key), errors)

    return check


def _additional(compiler: _Compiler, schema: Schema) -> SchemaCheck:
    known = frozenset(schema.get("properties", ()))
    rest = schema["additionalProperties"]
    item_check = None if rest is False else compiler.compile({} if rest is True else rest)

    def check(value: Any, pointer: Pointer, errors: list[SchemaError]) -> None:
        for key, item in value.items():
            if key in known:
                continue
            if item_check is None:
                errors.append(SchemaError((*pointer, key), "additionalProperties", schema, item, key, in_key=True))
            else:
                item_check(item, (*pointer, key), errors)

    return check


def _property_names(compiler: _Compiler, schema: Schema) -> SchemaCheck:
    name_check = compiler.compile(schema["propertyNames"])

    def check(value: Any, pointer: Pointer, errors: list[SchemaError]) -> None:
        found: list[SchemaError] = []
        for key in value:
            name_check(key, (*pointer, key), found)
        errors.extend(SchemaError(one.pointer, one.keyword, one.schema, one.value, in_key=True) for one in found)

    return check


def _required(_: _Compiler, schema: Schema) -> SchemaCheck:
    names = tuple(schema["required"])

    def check(value: Any, pointer: Pointer, errors: list[SchemaError]) -> None:
        errors.extend(SchemaError(pointer, "required", schema, value, name) for name in names if name not in value)

    return check


def _reference(compiler: _Compiler, schema: Schema) -> SchemaCheck:
    return compiler.reference(schema["$ref"])


def _all_of(compiler: _Compiler, schema: Schema) -> SchemaCheck:
    parts = [compiler.compile(part) for part in schema["allOf"]]

    def check(value: Json, pointer: Pointer, errors: list[SchemaError]) -> None:
        for part in parts:
            part(value, pointer, errors)

    return check


def _if(compiler: _Compiler, schema: Schema) -> SchemaCheck:
    condition = compiler.compile(schema["if"])
    then = compiler.compile(schema.get("then", {}))

    def check(value: Json, pointer: Pointer, errors: list[SchemaError]) -> None:
        found: list[SchemaError] = []
        condition(value, pointer, found)
        if not found:
            then(value, pointer, errors)

    return check


def _alternatives(keyword: str) -> _Maker:
    """anyOf, oneOf: where none fits, the errors of the branch that takes values of this type, if there is but one.

    A wrong word is an error of the whole, so that the message can name every form.
    """

    def make(compiler: _Compiler, schema: Schema) -> SchemaCheck:
        branches = [(_allowed_types(part), compiler.compile(part)) for part in schema[keyword]]

        def check(value: Json, pointer: Pointer, errors: list[SchemaError]) -> None:
            fitting = 0
            near: list[list[SchemaError]] = []
            for types, branch in branches:
                if types is not None and type(value) not in types:
                    continue
                found: list[SchemaError] = []
                branch(value, pointer, found)
                if not found:
                    if keyword == "anyOf":
                        return
                    fitting += 1
                near.append(found)
            if fitting == 1:
                return
            if len(near) == 1 and not all(one.pointer == pointer and one.keyword in _WORDS for one in near[0]):
                errors.extend(near[0])
            else:
                errors.append(SchemaError(pointer, keyword, schema, value))

        return check

    return make


_TEXT: Final[dict[str, _Maker]] = {
    "minLength": _length("minLength", lambda length, bound: length >= bound),
    "maxLength": _length("maxLength", lambda length, bound: length <= bound),
    "pattern": _pattern,
}
_NUMBER: Final[dict[str, _Maker]] = {
    "minimum": _number("minimum", lambda value, bound: value >= bound),
    "maximum": _number("maximum", lambda value, bound: value <= bound),
    "exclusiveMinimum": _number("exclusiveMinimum", lambda value, bound: value > bound),
}
_ARRAY: Final[dict[str, _Maker]] = {
    "minItems": _length("minItems", lambda length, bound: length >= bound),
    "maxItems": _length("maxItems", lambda length, bound: length <= bound),
    "uniqueItems": _unique,
    "items": _items,
}
_OBJECT: Final[dict[str, _Maker]] = {
    "minProperties": _length("minProperties", lambda length, bound: length >= bound),
    "maxProperties": _length("maxProperties", lambda length, bound: length <= bound),
    "required": _required,
    "propertyNames": _property_names,
    "properties": _properties,
    "additionalProperties": _additional,
}
_GENERAL: Final[dict[str, _Maker]] = {
    "enum": _enum,
    "const": _const,
    "$ref": _reference,
    "allOf": _all_of,
    "anyOf": _alternatives("anyOf"),
    "oneOf": _alternatives("oneOf"),
    "if": _if,
}
_WORDS: Final = frozenset({"enum", "const"})
_KNOWN: Final = frozenset({"type", "then", *_TEXT, *_NUMBER, *_ARRAY, *_OBJECT, *_GENERAL})
