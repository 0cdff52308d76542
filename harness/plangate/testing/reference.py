"""A target that behaves as the driver kit expects: put it behind your protocol, and point your driver at it.

What it does depends on the capability that is asked for (`action.name`):

| capability | what it does |
|---|---|
| `conformance.allow` | allows, `entitled` |
| `conformance.deny` | denies, `not_in_plan` |
| `conformance.approval` | requires approval, `approval_required` |
| `conformance.limit` | denies, `limit_exceeded`, with `LIMIT` |
| `conformance.echo` | allows; the reason is `context.phrasing` or the subject's id; takes 0 to 8 ms by its last digit |
| `conformance.malformed` | answers `{"decision": "yes"}` |
| `conformance.raises` | fails, with `SECRET` in the message |
| `conformance.late` | answers after `LATE_S` |

It comes as a function (`answer_now`), a coroutine function (`answer`), an ASGI app (`app`: any POST; also AuthZEN 1.0
with metadata), and a process that answers lines (run this file: it imports nothing of plangate and starts fast).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

__all__ = ["LATE_S", "LIMIT", "SECRET", "TIMEOUT_S", "answer", "answer_now", "app", "main"]

SECRET: Final = "conformance-s3cr3t/value+1"  # noqa: S105 - it protects nothing
"""Give it to your driver as the secret `conformance`; the target says it when it fails."""
TIMEOUT_S: Final = 1.0
"""What the kit expects as the target's `timeout_s`."""
LATE_S: Final = 4.0
LIMIT: Final = {"name": "exports", "limit": 50, "remaining": 0, "resets_at": "2026-02-01T00:00:00Z"}

_ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "conformance.allow": {"decision": True, "context": {"effect": "allow", "reason": "entitled"}},
    "conformance.deny": {"decision": False, "context": {"effect": "deny", "reason": "not_in_plan"}},
    "conformance.approval": {
        "decision": False,
        "context": {"effect": "require_approval", "reason": "approval_required"},
    },
    "conformance.limit": {
        "decision": False,
        "context": {"effect": "deny", "reason": "limit_exceeded", "limit": LIMIT},
    },
    "conformance.malformed": {"decision": "yes"},
    "conformance.late": {"decision": True, "context": {"effect": "allow", "reason": "entitled"}},
}

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


def answer_now(request: dict[str, Any]) -> dict[str, Any]:
    """Answers in this thread. Raises RuntimeError for `conformance.raises`."""
    time.sleep(_delay_s(request))
    return _decide(request)


async def answer(request: dict[str, Any]) -> dict[str, Any]:
    """As `answer_now`, without holding the thread."""
    await asyncio.sleep(_delay_s(request))
    return _decide(request)


def main() -> None:
    """Answer each line of standard input with one line, in order, until it ends. A failure ends the process."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer_now(json.loads(line))) + "\n")
        sys.stdout.flush()


async def app(scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
    """The same over ASGI. A failure is status 500, with its message as the body."""
    if scope["type"] != "http":
        raise ValueError(f"only http is served, not {scope['type']}")  # how ASGI says that there is no lifespan
    if scope["path"] == "/.well-known/authzen-configuration":
        await _respond(send, 200, _metadata(scope))
        return
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    asked = json.loads(bytes(body))
    try:
        if scope["path"].endswith("/access/v1/evaluations"):
            found: Any = {"evaluations": [await _answer_while(one, receive) for one in asked["evaluations"]]}
        else:
            found = await _answer_while(asked, receive)
    except RuntimeError as error:
        await _respond(send, 500, {"error": str(error)})
        return
    await _respond(send, 200, found, echo=dict(scope["headers"]).get(b"x-request-id"))


def _decide(request: dict[str, Any]) -> dict[str, Any]:
    name = request["action"]["name"]
    if name == "conformance.echo":
        said = request["context"].get("phrasing") or request["subject"]["id"]
        return {"decision": True, "context": {"effect": "allow", "reason": said}}
    if name in _ANSWERS:
        return _ANSWERS[name]
    raise RuntimeError(f"refused: the key {SECRET} is not welcome")


def _delay_s(request: dict[str, Any]) -> float:
    name = request["action"]["name"]
    if name == "conformance.late":
        return LATE_S
    if name == "conformance.echo":
        last = str(request["subject"]["id"])[-1:]
        return int(last) % 5 * 0.002 if last.isdecimal() else 0.0
    return 0.0


async def _answer_while(request: dict[str, Any], receive: _Receive) -> dict[str, Any]:
    """The answer; sooner, and of no interest to anybody, where the caller has gone."""
    gone = asyncio.ensure_future(receive())
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(gone, _delay_s(request))
    gone.cancel()
    return _decide(request)


def _metadata(scope: MutableMapping[str, Any]) -> dict[str, str]:
    host = dict(scope["headers"])[b"host"].decode("ascii")
    origin = f"{scope['scheme']}://{host}"
    return {
        "policy_decision_point": origin,
        "access_evaluation_endpoint": f"{origin}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{origin}/access/v1/evaluations",
    }


async def _respond(send: _Send, status: int, found: Any, *, echo: bytes | None = None) -> None:
    raw = json.dumps(found).encode("ascii")
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(raw))]
    if echo is not None:
        headers.append((b"x-request-id", echo))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": raw})


if __name__ == "__main__":
    main()
