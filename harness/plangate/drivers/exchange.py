"""From an evaluation request to HTTP calls, and from a reply to an observation: what `http` and `asgi` share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from plangate.documents.environment import HttpCall, Target
from plangate.documents.wording import shown
from plangate.drivers.http_client import Call
from plangate.drivers.protocol import EvaluationRequest
from plangate.drivers.redaction import Redactor
from plangate.drivers.rules import ReplyReader, compile_rules
from plangate.drivers.templates import BodyTemplate, Constants, compile_body, compile_text, mentions_request
from plangate.errors import InputError

__all__ = ["CallTemplate", "Exchange"]

_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_WHOLE_REQUEST: Final = "{request}"

CallTemplate = Callable[[EvaluationRequest], Call]
"""Fills a call. Raises TemplateError where a value cannot stand where the template puts it."""


class Exchange:
    """A target's templates and rules, compiled. Raises InputError for what is wrong with them.

    A target without `request` is sent the whole evaluation request by POST to its `url`; one without `decide` must
    answer 200 with the answer of documents.md.
    """

    arrange: CallTemplate | None
    """The call that puts a subject in place; None where the app needs none."""
    ask: CallTemplate
    """The call that asks."""
    read: ReplyReader

    def __init__(
        self, target: Target, *, url: str, headers: Mapping[str, str], constants: Constants, redactor: Redactor
    ) -> None:
        compiler = _Compiler(url=url, headers=headers, constants=constants)
        self.ask = compiler.call(target.request or HttpCall(method="POST", path="", json=_WHOLE_REQUEST), "request")
        self.arrange = None if target.arrange is None else compiler.call(target.arrange, "arrange")
        self.read = compile_rules(target.decide, redact=redactor, where="decide")


class _Compiler:
    def __init__(self, *, url: str, headers: Mapping[str, str], constants: Constants) -> None:
        self._url = url
        self._headers = headers
        self._constants = constants

    def call(self, call: HttpCall, where: str) -> CallTemplate:
        method = call.method.upper()
        if method not in _METHODS:
            raise InputError(
                f"{shown(call.method)} is no HTTP method",
                code="unknown-method",
                where=f"{where}.method",
                hint=f"known: {', '.join(_METHODS)}",
            )
        base = compile_text(self._url.rstrip("/"), place="url", constants=self._constants, where="url")
        path = compile_text(_rooted(call.path), place="path", constants=self._constants, where=f"{where}.path")
        body = None
        if call.json is not None:
            body = compile_body(call.json, constants=self._constants, where=f"{where}.json")
        headers = self._header_templates(call, where, has_body=body is not None)
        if mentions_request(self._url + call.path):
            return _assembled(method, lambda request: base(request) + path(request), headers, body)
        address = base({}) + path({})
        return _assembled(method, lambda request: address, headers, body)

    def _header_templates(
        self, call: HttpCall, where: str, *, has_body: bool
    ) -> Callable[[EvaluationRequest], tuple[tuple[str, str], ...]]:
        merged: dict[str, tuple[str, str, str]] = {}
        if has_body:
            merged["content-type"] = ("Content-Type", "application/json", "")
        for place, given in (("headers", self._headers), (f"{where}.headers", call.headers)):
            merged |= {name.lower(): (name, value, f"{place}.{name}") for name, value in given.items()}
        compiled = [
            (_header_name(name, place), compile_text(value, place="header", constants=self._constants, where=place))
            for name, value, place in merged.values()
        ]
        if not any(mentions_request(value) for _, value, _ in merged.values()):
            constant = tuple((name, value({})) for name, value in compiled)
            return lambda request: constant
        return lambda request: tuple([(name, value(request)) for name, value in compiled])


def _assembled(
    method: str,
    url: Callable[[EvaluationRequest], str],
    headers: Callable[[EvaluationRequest], tuple[tuple[str, str], ...]],
    body: BodyTemplate | None,
) -> CallTemplate:
    if body is None:
        return lambda request: Call(method, url(request), headers(request), None)
    return lambda request: Call(method, url(request), headers(request), body(request))


def _rooted(path: str) -> str:
    return path if not path or path.startswith(("/", "?")) else f"/{path}"


def _header_name(name: str, where: str) -> str:
    if name and name.isascii() and all(mark.isalnum() or mark in "!#$%&'*+-.^_`|~" for mark in name):
        return name
    raise InputError(
        f"{shown(name)} is no header name", code="bad-template", where=where, hint="letters, digits and hyphens only"
    )
