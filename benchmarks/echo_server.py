"""Trivial servers to be asked, as cheap as a Python server gets: raw ASGI on uvicorn, httptools and uvloop.

`POST /evaluate` allows everything without reading it. `POST /v1/chat/completions` answers as OpenAI's API does, with
the last user message. `GET /stats` says how many of each were answered, and how many bytes of questions `/evaluate`
got, so that no client can skip one unseen or ask less.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ALLOWED", "Server", "serving"]

ALLOWED = b'{"decision": true, "context": {"effect": "allow", "reason": "entitled"}}'
_HEADERS = [(b"content-type", b"application/json")]
_ALLOWED_HEADERS = [*_HEADERS, (b"content-length", str(len(ALLOWED)).encode())]
_LIFETIME_S = 3_600.0
_BODY_BYTES_MAX = 1_000_000
_READY_S = 30.0
_answered = {"evaluate": 0, "chat": 0, "bytes": 0}


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The ASGI application."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    body = await _body(receive)
    path = scope["path"]
    if path == "/evaluate":
        _answered["evaluate"] += 1
        _answered["bytes"] += len(body)
        await send({"type": "http.response.start", "status": 200, "headers": _ALLOWED_HEADERS})
        await send({"type": "http.response.body", "body": ALLOWED})
        return
    status, answer = 200, _answered
    if path == "/v1/chat/completions":
        _answered["chat"] += 1
        answer = _completion(json.loads(body))
    elif path != "/stats":
        status, answer = 404, {}
    data = json.dumps(answer).encode()
    headers = [*_HEADERS, (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


async def _live(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _body(receive: Any) -> bytes:
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body") and len(body) < _BODY_BYTES_MAX:
        message = await receive()
        body += message.get("body", b"")
    return body


def _completion(question: dict[str, Any]) -> dict[str, Any]:
    text = question["messages"][-1]["content"]
    if not isinstance(text, str):
        text = text[0]["text"]
    message = {"role": "assistant", "content": text}
    return {
        "id": f"echo-{_answered['chat']}",
        "object": "chat.completion",
        "created": 0,
        "model": question.get("model", "echo"),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 8, "completion_tokens": 8, "total_tokens": 16},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server."""

    url: str
    """`http://127.0.0.1:PORT`"""

    def answered(self, what: str) -> int:
        """How many requests to `evaluate` or `chat` were answered until now, or `bytes` sent to `evaluate`."""
        with urllib.request.urlopen(f"{self.url}/stats", timeout=30) as answer:
            return int(json.load(answer)[what])


@contextmanager
def serving(*, core: int | None = None) -> Iterator[Server]:
    """The server in a process of its own, pinned to `core` where one is given; stopped at the end."""
    pin = [] if core is None else ["--core", str(core)]
    root = Path(__file__).resolve().parent.parent
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.echo_server", *pin], cwd=root, stdout=subprocess.PIPE, text=True
    )
    watch = threading.Timer(_READY_S, process.kill)
    watch.start()
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        watch.cancel()
        if not port:
            raise RuntimeError("the echo server did not start; are uvicorn, httptools and uvloop installed?")
        yield Server(url=f"http://127.0.0.1:{port}")
    finally:
        watch.cancel()
        process.kill()
        process.communicate()


def main() -> None:
    """Serve on a free port, which is printed, until killed; after an hour in any case."""
    import uvicorn

    parser = argparse.ArgumentParser()
    parser.add_argument("--core", type=int)
    core = parser.parse_args().core
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    watch = threading.Timer(_LIFETIME_S, lambda: os._exit(0))
    watch.daemon = True
    watch.start()
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(
        app, http="httptools", loop="uvloop", log_level="error", access_log=False, timeout_keep_alive=75
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
