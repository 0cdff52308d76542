"""Asks a running app what it runs, and its model a few questions: one GET, and one call for each question."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from plangate.documents.environment import Bindings, HttpCall, Probe, Target
from plangate.documents.wording import shown
from plangate.drivers.answer_paths import ABSENT, lookup
from plangate.drivers.endpoint import Endpoint
from plangate.drivers.exchange import CallTemplate, Exchange
from plangate.drivers.http_client import HttpClient, TransportError
from plangate.drivers.jsonbytes import read_json
from plangate.drivers.protocol import DriverContext
from plangate.drivers.replies import explanation
from plangate.drivers.templates import mentions_request
from plangate.errors import DriverError, InputError
from plangate.releases.running import PARTS, Told

__all__ = ["probe_app"]

_DEPTH_MAX: Final = 12


async def probe_app(probe: Probe, bindings: Bindings, context: DriverContext) -> Told:
    """Open the address of the probe's target, launching the app where it says so, and ask.

    Raises InputError for a probe that is written wrong, DriverError where something gives no answer that can be read.
    """
    target = replace(_addressed(probe.target, bindings.targets), headers=dict(probe.headers))
    endpoint = Endpoint(target, context)
    try:
        client = await endpoint.open()
        redact = endpoint.redactor
        about = await _asked(client, _call(target, endpoint, HttpCall(method="GET", path=probe.path)), redact)
        answers = []
        for number, question in enumerate(probe.questions, 1):
            said = await _asked(client, _call(target, endpoint, question.call), redact)
            words = lookup(question.read, f"question {number}")(said)
            if words is ABSENT:
                raise _unread(f"the answer to question {number} has nothing at {question.read}")
            answers.append(hashlib.sha256(_canonical(words)).hexdigest())
    finally:
        await endpoint.close()
    return _told(about, probe, answers)


def _told(about: Any, probe: Probe, answers: Sequence[str]) -> Told:
    found = {part: lookup(probe.parts.get(part, f"$.{part}"), f"parts.{part}")(about) for part in PARTS}
    fingerprint = lookup(probe.parts.get("system_fingerprint", "$.model.system_fingerprint"), "parts")(about)
    if fingerprint is ABSENT:
        fingerprint = None
    if not isinstance(fingerprint, str | None):
        raise _unread(f"system_fingerprint is {shown(fingerprint)}, not text")
    return Told(
        parts={part: value for part, value in found.items() if value is not ABSENT},
        fingerprint=fingerprint,
        answers=tuple(answers),
    )


def _addressed(name: str, targets: Mapping[str, Target]) -> Target:
    """The target that has the address: the one named, or the one whose address it shares."""
    target = targets[name]
    prefix, _, other = (target.url or "").partition(":")
    return targets[other] if prefix == "target" else target


def _call(target: Target, endpoint: Endpoint, call: HttpCall) -> CallTemplate:
    texts = [call.path, json.dumps(call.json), *call.headers.values(), *target.headers.values()]
    if any(mentions_request(text) for text in texts):
        raise InputError(
            "a probe is about no subject: only {secret.NAME} may stand in it",
            code="bad-template",
            where="bindings.probe",
            hint="write the value itself, or a secret's name",
        )
    exchange = Exchange(
        replace(target, request=call, arrange=None, decide=()),
        url=endpoint.url,
        headers=endpoint.headers,
        constants=endpoint.constants,
        redactor=endpoint.redactor,
    )
    return exchange.ask


async def _asked(client: HttpClient, call: CallTemplate, redact: Callable[[str], str]) -> Any:
    sent = call({})
    where = f"{sent.method} {redact(sent.url)}"
    try:
        reply = await client.send(sent)
    except TransportError as error:
        raise _unread(f"{where}: {redact(error.detail)}") from error
    if reply.status != 200:
        why = explanation(reply)
        raise _unread(f"{where} answers {reply.status}" + (f": {redact(why)}" if why else ""))
    try:
        return _redacted(read_json(reply.body), redact)
    except ValueError as error:
        raise _unread(f"{where}: {redact(explanation(reply)) or error}") from error


def _redacted(value: Any, redact: Callable[[str], str], *, depth: int = 0) -> Any:
    """The same with every text redacted: what an app says may be printed and kept (rule R9)."""
    if depth > _DEPTH_MAX:
        raise ValueError(f"nested deeper than {_DEPTH_MAX}")
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redacted(one, redact, depth=depth + 1) for one in value]
    if isinstance(value, dict):
        return {redact(name): _redacted(one, redact, depth=depth + 1) for name, one in value.items()}
    return value


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=True).encode()


def _unread(what: str) -> DriverError:
    return DriverError(
        f"the app does not say what it runs: {what}",
        code="probe-failed",
        hint="bindings.probe says where it is asked; try that address by hand",
    )
