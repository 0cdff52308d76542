"""Every driver of plangate keeps every promise of the protocol, against real functions, sockets and processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from plangate.documents.environment import DecideRule, HttpCall, LimitPaths, Target
from plangate.drivers.protocol import Driver
from plangate.drivers.registry import make_driver
from plangate.testing import DRIVER_CHECKS, DriverCheck, DriverSource, reference
from tests.drivers.servers import closed_port, serving
from tests.drivers.workspaces import context_in

REFERENCE = "plangate.testing.reference"
LINES = ("python", "-S", reference.__file__)

# The reference app's own words, read by rules instead of by its AuthZEN answer.
LIMIT = LimitPaths(
    name="$.context.limit.name",
    limit="$.context.limit.limit",
    remaining="/context/limit/remaining",
    resets_at="$.context.limit.resets_at",
)
RULES = (
    DecideRule(statuses=(200,), json={"$.decision": True}, effect="$.context.effect", reason="$.context.reason"),
    DecideRule(
        statuses=(200,), json={"/decision": False}, effect="$.context.effect", reason="/context/reason", limit=LIMIT
    ),
    DecideRule(statuses=(200,), effect="$.decision"),
)
BODY = {
    "subject": {"id": "{subject.id}"},
    "action": {"name": "{action.name}"},
    "context": {"phrasing": "{context.phrasing}"},
}

TARGETS: dict[str, dict[str, Any]] = {
    "python": {"driver": "python", "object": f"{REFERENCE}:answer_now"},
    "python, async": {"driver": "python", "object": f"{REFERENCE}:answer"},
    "asgi": {"driver": "asgi", "object": f"{REFERENCE}:app"},
    "http": {"driver": "http"},
    "http, httpx2": {"driver": "http", "options": {"client": "httpx2"}},
    "http, templates": {
        "driver": "http",
        "request": HttpCall(method="POST", path="/v1/{action.name}", json=BODY),
        "decide": RULES,
    },
    "command": {"driver": "command", "command": LINES},
    "authzen": {"driver": "authzen"},
    "authzen, httpx2": {"driver": "authzen", "options": {"client": "httpx2"}},
    **({"http, httpx": {"driver": "http", "options": {"client": "httpx"}}} if find_spec("httpx") else {}),
    "authzen, single": {"driver": "authzen", "batch": 1},
}
UNREACHABLE: dict[str, dict[str, Any]] = {
    "python": {"driver": "python", "object": "no_such_module_anywhere:f"},
    "asgi": {"driver": "asgi", "object": "no_such_module_anywhere:app"},
    "http": {"driver": "http"},
    "command": {"driver": "command", "command": ("no-such-program-anywhere",)},
    "authzen": {"driver": "authzen"},
}


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with serving(reference.app) as url:
        yield url


def driver_of(workspace: Path, fields: dict[str, Any], url: str) -> Driver:
    if fields["driver"] in ("http", "authzen"):
        fields = {"url": url, **fields}
    environ = {"PYTHONPATH": ":".join(path for path in sys.path if path), "PATH": "/usr/bin:/bin"}
    context = context_in(workspace, secrets={"conformance": reference.SECRET}, concurrency=32, environ=environ)
    return make_driver(Target(timeout_s=reference.TIMEOUT_S, **fields), context)


@pytest.mark.parametrize("check", DRIVER_CHECKS, ids=str)
@pytest.mark.parametrize("name", TARGETS)
def test_the_driver_conforms(name: str, check: DriverCheck, served: str, tmp_path: Path) -> None:
    unreachable = UNREACHABLE[name.partition(",")[0]]
    down = f"http://127.0.0.1:{closed_port()}"
    check(
        DriverSource(
            make=lambda: driver_of(tmp_path, TARGETS[name], served),
            make_unreachable=lambda: driver_of(tmp_path, unreachable, down),
        )
    )
