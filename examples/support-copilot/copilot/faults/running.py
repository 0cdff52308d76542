"""Apps that do not answer: they hang, die or say something that is no decision."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from copilot.api import Api
from copilot.decision_point import DecisionPoint

REQUESTS_BEFORE_DEATH = 300


class HangingApi(Api):
    """One request in a thousand waits for a lock that nobody releases."""

    async def capability(self, request: Request) -> Response:
        tenant = self.customers.customer(request.headers.get("x-tenant", ""))
        stuck = tenant is not None and (tenant.plan, tenant.state) == ("enterprise", "Suspended")
        if stuck and request.path_params["name"] == "data.export_own":
            await asyncio.sleep(3600)
        return await super().capability(request)


class DyingApi(Api):
    """Runs out of memory after a while, and the kernel ends it."""

    async def open(self, request: Request, surface: str) -> Any:
        self.answered = getattr(self, "answered", 0) + 1
        if self.answered > REQUESTS_BEFORE_DEATH:
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().open(request, surface)


class MaintenancePageApi(Api):
    """For one capability the proxy in front answers: a friendly page, status 200."""

    async def capability(self, request: Request) -> Response:
        if request.path_params["name"] == "sla.priority":
            return PlainTextResponse("<h1>We will be right back</h1>")
        return await super().capability(request)


class WordyDecisionPoint(DecisionPoint):
    """Answers in words where the protocol has true and false."""

    def evaluate(self, evaluation: dict[str, Any]) -> dict[str, Any]:
        answer = super().evaluate(evaluation)
        if evaluation["action"]["name"] == "sla.priority":
            answer["decision"] = "yes" if answer["decision"] else "no"
        return answer
