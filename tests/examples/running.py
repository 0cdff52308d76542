"""The reference app over real HTTP: in a thread on a free port, with a tenant to ask as."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

ROOT = Path(__file__).resolve().parents[2]
NOON = "2026-05-20T12:00:00Z"


def copied_workspace(root: Path) -> Path:
    """The shipped workspace with its app, in an empty folder; returns that folder."""
    for folder in ("envs", "evals", "prompts", "examples"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@dataclass(frozen=True, slots=True)
class Shop:
    """The running app and what a customer does with it."""

    client: httpx2.Client

    def arrange(self, tenant: str = "t", /, **record: Any) -> None:
        """Put a tenant in place: pro and Subscribed unless said otherwise."""
        body = {"plan": "pro", "state": "Subscribed", "linked": True, "api_key": f"key-{tenant}", **record}
        answer = self.client.put(f"/test/tenants/{tenant}", json=body)
        assert answer.status_code == 204, answer.text

    def ask(
        self, surface: str, tool: str, /, *, tenant: str = "t", message: str | None = None, **named: Any
    ) -> httpx2.Response:
        """Use a tool at one surface."""
        path = {"interaction": f"/v1/capabilities/{tool}", "orchestration": "/v1/agent", "tool": f"/v1/tools/{tool}"}
        body: dict[str, Any] = {"settings": named}
        if surface == "orchestration":
            body |= {"capability": tool, "message": message}
        return self.client.post(path[surface], json=body, headers=self.signed(tenant))

    def signed(self, tenant: str = "t") -> dict[str, str]:
        """Headers of a tenant that signed in."""
        return {"X-Tenant": tenant, "X-Api-Key": f"key-{tenant}"}

    def reason(self, surface: str, tool: str, /, **how: Any) -> str:
        """The reason of the decision."""
        return str(self.ask(surface, tool, **how).json()["decision"]["reason"])

    def audit(self, tenant: str = "t") -> list[dict[str, Any]]:
        """The tenant's audit records."""
        records: list[dict[str, Any]] = self.client.get("/v1/audit", headers=self.signed(tenant)).json()["records"]
        return records


@contextmanager
def serving(**changes: Any) -> Iterator[Shop]:
    """The app with the shipped prompts and the test API, its clock at noon; `changes` are fields of its Settings."""
    from copilot.assembly import assemble
    from copilot.settings import Settings

    usual: dict[str, Any] = {
        "plans": "3.2.0",
        "prompts_folder": ROOT / "prompts",
        "prompts": (("triage", "1.4.0"), ("answer", "2.1.0"), ("handover", "1.0.0")),
        "test_api": True,
        "clock": NOON,
    }
    config = uvicorn.Config(
        assemble(Settings(**usual | changes)),
        host="127.0.0.1",
        port=0,
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive(), "the app did not start"
            assert time.monotonic() < deadline, "the app did not start in time"
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as client:
            yield Shop(client)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
