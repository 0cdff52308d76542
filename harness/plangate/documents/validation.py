"""A loaded document against its JSON Schema: every error at once, each with its line and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from plangate.documents.environment import Json
from plangate.documents.kinds import Kind, schema_check
from plangate.documents.positions import Positions
from plangate.documents.problems import PROBLEMS_MAX
from plangate.documents.wording import did_you_mean, dotted, listed, shown
from plangate.errors import Problem

if TYPE_CHECKING:
    from plangate.documents.schema_check import SchemaError

__all__ = ["SCHEMA_CODES", "validate"]

SCHEMA_CODES: Final = frozenset(
    {"cost-not-positive", "floating-pin", "literal-secret", "missing-field", "negative-limit", "policy-widens"}
    | {"bad-format", "cannot-judge"}
)
"""Codes that the schemas give to their own rules, with words of their own, under `x-plangate`."""

_TYPE_WORDS: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}
_Words = tuple[str, str, str]
"""Code, message, hint."""


def validate(kind: Kind, value: Json, positions: Positions) -> list[Problem]:
    """What is wrong with `value` as a document of `kind`, sorted by place. Total: never raises."""
    if stranger := _wrong_kind(kind, value, positions):
        return [stranger]
    errors = schema_check(kind)(value)
    problems = sorted(_problem(error, positions) for error in errors[:PROBLEMS_MAX])
    if len(errors) > PROBLEMS_MAX:
        problems.append(
            Problem(
                path=positions.path,
                line=problems[-1].line,
                column=problems[-1].column,
                code="too-many-problems",
                message=f"{len(errors) - PROBLEMS_MAX} more problems are not listed",
                hint="mend these first",
            )
        )
    return problems


def _wrong_kind(kind: Kind, value: Json, positions: Positions) -> Problem | None:
    found = value.get("kind") if isinstance(value, dict) else None
    others = {other.document_kind: other for other in Kind if other is not kind}
    if not isinstance(found, str) or found not in others:
        return None
    place = positions.of("kind")
    return Problem(
        path=place.path,
        line=place.line,
        column=place.column,
        code="wrong-kind",
        message=f"this is a {found}, where a {kind.document_kind} belongs",
        hint=f"a {found} lies in {others[found].folder}",
    )


def _problem(error: SchemaError, positions: Positions) -> Problem:
    pointer = error.pointer
    as_key = error.in_key or error.keyword in ("required", "minProperties", "oneOf")
    place = positions.of_key(*pointer) if as_key else positions.of(*pointer)
    code, message, hint = _words(error)
    where = dotted(pointer)
    return Problem(
        path=place.path,
        line=place.line,
        column=place.column,
        code=code,
        message=f"{where}: {message}" if where else message,
        hint=hint,
    )


def _words(error: SchemaError) -> _Words:
    own = error.schema.get("x-plangate", {}).get(error.keyword)
    if own:
        return own["code"], own["message"].replace("{value}", shown(error.value)), own["hint"]
    writer = _WRITERS.get(error.keyword)
    if writer:
        return writer(error)
    return "bad-value", f"{shown(error.value)} does not satisfy {error.keyword}", ""


def _unknown_field(error: SchemaError) -> _Words:
    known: Mapping[str, Any] = error.schema.get("properties", {})
    hint = did_you_mean(str(error.detail), known) or f"known here: {listed(known)}"
    return "unknown-field", "unknown field", hint


def _missing_field(error: SchemaError) -> _Words:
    about = error.schema.get("properties", {}).get(error.detail, {}).get("description", "")
    return "missing-field", f"{shown(error.detail)} is missing", about.rstrip(".")


def _wrong_type(error: SchemaError) -> _Words:
    names = error.schema["type"]
    wanted = [names] if isinstance(names, str) else names
    message = f"must be {' or '.join(_TYPE_WORDS[name] for name in wanted)}, is {shown(error.value)}"
    return "wrong-type", message, _type_hint(wanted, error)


def _type_hint(wanted: list[str], error: SchemaError) -> str:
    value = error.value
    hints = {
        "write a value, or remove the line": value is None,
        f'put it in quotes: "{shown(value)}"': "string" in wanted and isinstance(value, bool | int | float),
        "remove the quotes": "integer" in wanted and isinstance(value, str) and value.lstrip("-").isdigit(),
        "write true or false": "boolean" in wanted and isinstance(value, str),
        "write it between [ and ]": "array" in wanted and isinstance(value, str | int),
    }
    about: str = error.schema.get("description", "")
    return next((hint for hint, fits in hints.items() if fits), about.rstrip("."))


def _not_listed(error: SchemaError) -> _Words:
    allowed = [str(value) for value in error.schema.get("enum", [error.schema.get("const")])]
    hint = did_you_mean(str(error.value), allowed) if isinstance(error.value, str) else ""
    wanted = allowed[0] if len(allowed) == 1 else f"one of {listed(allowed, words_max=20)}"
    return "bad-value", f"{shown(error.value)} must be {wanted}", hint


def _bounds(code: str, text: str) -> Callable[[SchemaError], _Words]:
    def write(error: SchemaError) -> _Words:
        bound = error.schema[error.keyword]
        return code, text.format(value=shown(error.value), bound=bound), ""

    return write


def _alternatives(error: SchemaError) -> _Words:
    branches = error.schema[error.keyword]
    titles = [branch["title"] for branch in branches if "title" in branch]
    message = f"{shown(error.value)} must be {' or '.join(titles)}" if titles else "fits none of the forms"
    words = [str(word) for branch in branches for word in branch.get("enum", [branch.get("const")]) if word]
    hint = did_you_mean(str(error.value), words) if isinstance(error.value, str) else ""
    return "bad-value", message, hint


_WRITERS: Final[dict[str, Callable[[SchemaError], _Words]]] = {
    "additionalProperties": _unknown_field,
    "required": _missing_field,
    "type": _wrong_type,
    "enum": _not_listed,
    "const": _not_listed,
    "pattern": lambda error: ("bad-format", f"{shown(error.value)} is not written as it must be", ""),
    "minimum": _bounds("out-of-range", "{value} is below {bound}"),
    "maximum": _bounds("out-of-range", "{value} is above {bound}"),
    "exclusiveMinimum": _bounds("out-of-range", "{value} must be above {bound}"),
    "minLength": lambda error: ("too-short", "must not be empty", ""),
    "maxLength": _bounds("too-long", "is longer than {bound} characters"),
    "minItems": lambda error: ("too-few", "the list must not be empty", ""),
    "maxItems": _bounds("too-many", "has more than {bound} entries"),
    "minProperties": lambda error: ("too-few", "must not be empty", ""),
    "maxProperties": _bounds("too-many", "must have only {bound} of its fields"),
    "uniqueItems": lambda error: ("duplicate-item", f"{shown(error.value)} is listed twice", "keep one of the two"),
    "anyOf": _alternatives,
    "oneOf": _alternatives,
}
