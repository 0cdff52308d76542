"""Templates of requests: `{subject.id}`, `{secret.api_key}`, ... compiled once, filled for each cell (documents.md).

| placeholder | stands for |
|---|---|
| `{subject.id}`, `{subject.type}`, `{resource.id}`, `{resource.type}`, `{action.name}` | that field |
| `{subject.plan}`, `{resource.data_scope}`, `{subject.usage.messages}` | a property, or a value inside one |
| `{subject.properties}`, `{resource.properties}`, `{subject}`, `{resource}`, `{action}`, `{context}` | all of it |
| `{context.surface}` | a field of the context |
| `{request}` | the whole evaluation request |
| `{secret.api_key}`, `{port}` | a resolved secret; the port chosen for `launch` |

A string that is exactly one placeholder takes the value as JSON; inside longer text a value is text: nothing for an
absent one, JSON for an object. `{{word}}` stands for the text `{word}`; braces around anything else are plain text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii
from typing import Any, Final
from urllib.parse import quote

from plangate.documents.environment import Json
from plangate.documents.wording import did_you_mean, listed, shown
from plangate.drivers.protocol import EvaluationRequest
from plangate.errors import InputError

__all__ = [
    "BodyTemplate",
    "Constants",
    "TemplateError",
    "TextTemplate",
    "compile_body",
    "compile_text",
    "literal",
    "mentions_request",
    "placeholders",
]

TextTemplate = Callable[[EvaluationRequest], str]
"""Fills a text. Raises TemplateError where a value cannot stand there."""
BodyTemplate = Callable[[EvaluationRequest], bytes]
"""Fills a JSON body: UTF-8 bytes."""

_PLACEHOLDER: Final = re.compile(r"\{\{(?P<literal>[A-Za-z_][\w.-]*)\}\}|\{(?P<name>[A-Za-z_][\w.-]*)\}")
_NAMED: Final = re.compile(r"\{[A-Za-z_][\w.-]*\}")
_ROOTS: Final = ("action", "context", "port", "request", "resource", "secret", "subject")
_ENTITY: Final = ("id", "type", "properties")
_FIELDS: Final = {"subject": _ENTITY, "resource": _ENTITY, "action": ("name",)}
_UNSAFE_IN_HEADER: Final = re.compile(r"[^\x21-\x7e\x80-\U0010ffff \t]")
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")

_Getter = Callable[[EvaluationRequest], Any]


class TemplateError(Exception):
    """A value that cannot stand where the template puts it: a line break in a header, `..` in a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """What placeholders stand for throughout a run."""

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    port: int | None = None
    """None where nothing is launched: then `{port}` is unknown."""


def compile_text(text: str, *, place: str, constants: Constants, where: str) -> TextTemplate:
    """A template of a `url`, `path` or `header` (`place`), escaped as that place needs it; `plain` is not escaped.

    `where` names the template in messages. Raises InputError `unknown-placeholder`, and `bad-template` where a constant
    cannot stand there (a secret with a line break in a header).
    """
    try:
        return _compile_text(text, _ESCAPES[place], constants, where)
    except TemplateError as error:
        raise InputError(str(error), code="bad-template", where=where, hint="change the text or the secret") from error


def _compile_text(text: str, escape: Callable[[str], str], constants: Constants, where: str) -> TextTemplate:
    parts: list[str | _Getter] = []
    for part in _split(text):
        if isinstance(part, str):
            parts.append(escape(part) if escape is _for_header else part)
            continue
        constant, getter = _resolve(part[0], constants, where)
        if getter is None:
            parts.append(escape(_as_text(constant)))
        else:
            parts.append(_escaped(getter, escape))
    return _joined(parts)


def literal(text: str) -> str:
    """A template that stands for `text` itself, whatever braces it holds."""
    return _NAMED.sub(lambda found: "{" + found.group() + "}", text)


def mentions_request(text: str) -> bool:
    """Whether filling this template depends on the request."""
    return any(name.partition(".")[0] not in ("secret", "port") for name in placeholders(text))


def placeholders(text: str) -> list[str]:
    """The names in braces in a template, in order."""
    return [part[0] for part in _split(text) if not isinstance(part, str)]


def compile_body(value: Json, *, constants: Constants, where: str) -> BodyTemplate:
    """A template of a JSON body. What is constant is serialized now, so that filling it only writes what varies.

    Raises InputError `unknown-placeholder`.
    """
    parts: list[str | _Getter] = []
    _body_parts(value, parts, constants, where)
    joined = _joined(parts)
    return lambda request: joined(request).encode("ascii")


def _body_parts(value: Json, parts: list[str | _Getter], constants: Constants, where: str) -> None:
    if isinstance(value, dict):
        opening = "{"
        for key, inner in value.items():
            parts.append(f"{opening}{_dumps(key)}:")
            _body_parts(inner, parts, constants, f"{where}.{key}")
            opening = ","
        parts.append("}" if value else "{}")
    elif isinstance(value, list):
        opening = "["
        for number, inner in enumerate(value):
            parts.append(opening)
            _body_parts(inner, parts, constants, f"{where}[{number}]")
            opening = ","
        parts.append("]" if value else "[]")
    elif isinstance(value, str):
        parts.append(_string_part(value, constants, where))
    else:
        parts.append(_dumps(value))


def _string_part(text: str, constants: Constants, where: str) -> str | _Getter:
    pieces = list(_split(text))
    if len(pieces) == 1 and isinstance(pieces[0], tuple):
        constant, getter = _resolve(pieces[0][0], constants, where)
        return _dumps(constant) if getter is None else _escaped(getter, _dumps)
    filled = compile_text(text, place="plain", constants=constants, where=where)
    if not mentions_request(text):
        return _dumps(filled({}))
    return lambda request: encode_basestring_ascii(filled(request))


def _split(text: str) -> list[str | tuple[str]]:
    """Plain text, and placeholders as one-tuples, in order. Never empty."""
    parts: list[str | tuple[str]] = []
    plain, end = "", 0
    for found in _PLACEHOLDER.finditer(text):
        plain += text[end : found.start()]
        end = found.end()
        if found["literal"]:
            plain += "{" + found["literal"] + "}"
            continue
        if plain:
            parts.append(plain)
        plain = ""
        parts.append((found["name"],))
    plain += text[end:]
    return [*parts, plain] if plain or not parts else parts


def _resolve(name: str, constants: Constants, where: str) -> tuple[Any, _Getter | None]:
    """What a placeholder stands for: a constant, or how to get it from a request."""
    root, _, path = name.partition(".")
    if root not in _ROOTS:
        raise _unknown(name, where, did_you_mean(root, _ROOTS) or f"known: {listed(_ROOTS)}")
    if root == "port":
        if constants.port is None or path:
            raise _unknown(name, where, "{port} is known only where the target has a launch")
        return constants.port, None
    if root == "secret":
        if path not in constants.secrets:
            hint = did_you_mean(path, constants.secrets) or "name it in bindings.secrets"
            raise _unknown(name, where, hint)
        return constants.secrets[path], None
    if root == "request":
        if path:
            raise _unknown(name, where, "{request} is the whole; its parts are {subject.id}, {action.name}, ...")
        return None, lambda request: request
    if root == "action" and path not in ("", "name"):
        raise _unknown(name, where, "an action has a name: {action.name}")
    return None, _getter(root, path)


def _unknown(name: str, where: str, hint: str) -> InputError:
    return InputError(
        f"unknown placeholder {shown('{' + name + '}')}", code="unknown-placeholder", where=where, hint=hint
    )


def _getter(root: str, path: str) -> _Getter:
    if not path:
        return lambda request: request.get(root)
    if root == "context":
        return lambda request: _at(request.get("context"), path)
    if path in _FIELDS[root]:
        return lambda request: (request.get(root) or _NOTHING).get(path)
    if "." in path:
        return lambda request: _at((request.get(root) or _NOTHING).get("properties"), path)
    return lambda request: ((request.get(root) or _NOTHING).get("properties") or _NOTHING).get(path)


_NOTHING: Final[dict[str, Any]] = {}


def _at(value: Any, path: str) -> Any:
    """The value at a dotted path; a key that holds the dots itself (a scope's name, say) comes first."""
    while isinstance(value, dict):
        if path in value:
            return value[path]
        head, dot, path = path.partition(".")
        if not dot:
            return None
        value = value.get(head)
    return None


def _joined(parts: list[str | _Getter]) -> TextTemplate:
    """All parts as one text; neighbouring constants are joined now."""
    merged: list[str | _Getter] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    if all(isinstance(part, str) for part in merged):
        constant = "".join(part for part in merged if isinstance(part, str))
        return lambda request: constant
    if len(merged) == 1 and not isinstance(merged[0], str):
        return merged[0]
    return lambda request: "".join([part if part.__class__ is str else part(request) for part in merged])  # type: ignore[operator]


def _escaped(getter: _Getter, escape: Callable[[Any], str]) -> _Getter:
    if escape is _dumps:
        return lambda request: _dumps(getter(request))
    return lambda request: escape(_as_text(getter(request)))


def _as_text(value: Any) -> str:
    if value.__class__ is str:
        return value
    return "" if value is None else _dumps(value)


def _dumps(value: Any) -> str:
    """JSON in ASCII. The shapes most common here go past the encoder's own preparations."""
    kind = value.__class__
    if kind is str:
        return encode_basestring_ascii(value)
    if kind is int:
        return str(value)
    return _ENCODER.encode(value)


_ENCODER: Final = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":"))
"""Nothing here holds itself: requests and templates come from documents. To look for that takes an eighth longer."""


def _for_path(text: str) -> str:
    if not text.strip("."):
        # Clients resolve dot segments, escaped or not: the request would go to another path than the one written.
        if text:
            raise TemplateError(f"{text!r} cannot be part of a path")
        return text
    return quote(text, safe="", errors="surrogatepass")


def _for_header(text: str) -> str:
    if _UNSAFE_IN_HEADER.search(text):
        raise TemplateError("a header cannot hold a line break or another control character")
    return _BEYOND_ASCII.sub(lambda found: quote(found.group(), errors="surrogatepass"), text)


_ESCAPES: Final[Mapping[str, Callable[[str], str]]] = {
    "header": _for_header,
    "path": _for_path,
    "plain": str,
    "url": _for_path,
}
