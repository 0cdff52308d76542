"""The app over HTTP: signs tenants in, reads requests, passes each through its gate, and says what came of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from copilot.audit import Asked
from copilot.customers import CustomerBook
from copilot.gate import Gate
from copilot.orchestration import Agent, Task
from copilot.tools import Outcome, ToolBoundary

__all__ = ["Api", "RefusedError", "json_body"]

BODY_BYTES_MAX = 64 * 1024
STATUS_OF = {
    "unknown_capability": 404,
    "not_activated": 402,
    "suspended": 402,
    "unsubscribed": 402,
    "unknown_state": 402,
    "limit_exceeded": 429,
}
FORBIDDEN = 403


class RefusedError(Exception):
    """The request is not even judged: nobody signed in, or it cannot be read."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries."""

    settings: Mapping[str, Any]
    message: str | None
    capability: str | None


class Api:
    """Three ways in, each with a gate of its own: a capability, the agent, a tool."""

    def __init__(self, *, gate: Gate, boundary: ToolBoundary, agent: Agent, customers: CustomerBook) -> None:
        self.gate = gate
        self.boundary = boundary
        self.agent = agent
        self.customers = customers
        self._numbers = itertools.count(1)

    def routes(self) -> list[Route]:
        """Where what is answered."""
        return [
            Route("/v1/capabilities/{name}", self.capability, methods=["POST"]),
            Route("/v1/agent", self.converse, methods=["POST"]),
            Route("/v1/tools/{name}", self.tool, methods=["POST"]),
            Route("/v1/capabilities", self.offers, methods=["GET"]),
            Route("/v1/audit", self.audit, methods=["GET"]),
        ]

    async def capability(self, request: Request) -> Response:
        """The interaction gate: a customer uses a capability through the product."""
        asked, body = await self.open(request, "interaction")
        return self.respond(self.interact(asked, request.path_params["name"], body.settings))

    def interact(self, asked: Asked, tool: str, named: Mapping[str, Any]) -> Outcome:
        """Ask here, and let the boundary ask again."""
        decision = self.gate.check(asked, tool, named)
        if decision.effect != "allow":
            return Outcome(decision)
        return self.boundary.call(asked, tool, named)

    async def converse(self, request: Request) -> Response:
        """The orchestration gate: a customer writes to the agent, which picks tools."""
        asked, body = await self.open(request, "orchestration")
        message = body.message or f"Please use {body.capability or 'whatever helps'}."
        run = self.agent.run(asked, Task(message, body.capability, body.settings))
        if run.outcome is None:
            return JSONResponse({"steps": run.steps, "reply": run.reply})
        return self.respond(run.outcome, {"steps": run.steps, "reply": run.reply})

    async def tool(self, request: Request) -> Response:
        """The tool gate: something calls a tool directly."""
        asked, body = await self.open(request, "tool")
        return self.respond(self.boundary.call(asked, request.path_params["name"], body.settings))

    async def offers(self, request: Request) -> Response:
        """What this tenant could use now. A help for screens; no gate."""
        tenant = self.sign_in(request)
        return JSONResponse({"capabilities": self.gate.offers(tenant)})

    async def audit(self, request: Request) -> Response:
        """The tenant's own audit records."""
        return JSONResponse({"records": self.gate.audit.of_tenant(self.sign_in(request))})

    async def open(self, request: Request, surface: str) -> tuple[Asked, Body]:
        """Sign in, read the body. Raises RefusedError."""
        tenant = self.sign_in(request)
        body = _body(await json_body(request))
        number = request.headers.get("x-request-id") or f"r-{next(self._numbers):08d}"
        return Asked(tenant, "user", number[:100], surface), body

    def sign_in(self, request: Request) -> str:
        """The tenant whose key came along. Raises RefusedError (401)."""
        tenant, key = request.headers.get("x-tenant", ""), request.headers.get("x-api-key", "")
        if not (tenant and key and self.customers.signs_in(tenant, key)):
            raise RefusedError(401, "unauthenticated", "Send X-Tenant and its X-Api-Key.")
        return tenant

    def respond(self, outcome: Outcome, more: Mapping[str, Any] | None = None) -> Response:
        """A decision as HTTP says it. 401 and 400 are never decisions."""
        decision = outcome.decision
        said = {"decision": {"effect": decision.effect, "reason": decision.reason}, **(more or {})}
        if decision.effect == "allow":
            return JSONResponse({**said, "result": outcome.result})
        if decision.effect == "require_approval":
            return JSONResponse({**said, "approval": "pending"}, status_code=202)
        error: dict[str, Any] = {"code": decision.reason, "message": "Not available with this subscription."}
        if decision.limit is not None:
            error["limit"] = decision.limit
        return JSONResponse({**said, "error": error}, status_code=STATUS_OF.get(decision.reason, FORBIDDEN))


async def json_body(request: Request, *, bytes_max: int = BODY_BYTES_MAX) -> Any:
    """The JSON a request carries; an empty body is an empty object. Raises RefusedError (400, 413)."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            raise RefusedError(413, "too_large", f"At most {bytes_max} bytes.")
        chunks.append(chunk)
    try:
        return json.loads(b"".join(chunks) or b"{}")
    except (ValueError, RecursionError):
        raise RefusedError(400, "malformed", "The body is not JSON.") from None


def _body(data: Any) -> Body:
    if isinstance(data, dict):
        settings, message, capability = data.get("settings"), data.get("message"), data.get("capability")
        settings = {} if settings is None else settings
        texts = all(text is None or isinstance(text, str) for text in (message, capability))
        if isinstance(settings, dict) and texts:
            return Body(settings, message, capability)
    raise RefusedError(400, "malformed", "The body is an object: settings (object), message and capability (text).")
