"""The AuthZEN 1.0 addresses: discovery, one evaluation, many."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from copilot.api import RefusedError, json_body
from copilot.authzen import MalformedQuestionError
from copilot.decision_point import DecisionPoint

__all__ = ["PdpApi"]

BATCH_BYTES_MAX = 4 * 1024 * 1024


class PdpApi:
    """Carries evaluations over HTTP. With a key set, only callers that send it are answered."""

    def __init__(self, point: DecisionPoint, *, key: str = "") -> None:
        self.point = point
        self.key = key

    def routes(self) -> list[Route]:
        """Where what is answered."""
        return [
            Route("/.well-known/authzen-configuration", self.discover, methods=["GET"]),
            Route("/access/v1/evaluation", self.evaluation, methods=["POST"]),
            Route("/access/v1/evaluations", self.evaluations, methods=["POST"]),
        ]

    async def discover(self, request: Request) -> Response:
        """Where this decision point answers, named as the caller reached it."""
        origin = str(request.base_url).rstrip("/")
        return JSONResponse(
            {
                "policy_decision_point": origin,
                "access_evaluation_endpoint": f"{origin}/access/v1/evaluation",
                "access_evaluations_endpoint": f"{origin}/access/v1/evaluations",
            }
        )

    async def evaluation(self, request: Request) -> Response:
        """One evaluation."""
        return await self._answer(request, self.point.evaluate)

    async def evaluations(self, request: Request) -> Response:
        """Many evaluations."""
        return await self._answer(request, self.point.evaluate_all)

    async def _answer(self, request: Request, ask: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
        self._sign_in(request)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise RefusedError(400, "malformed", "The content type must be application/json.")
        body = await json_body(request, bytes_max=BATCH_BYTES_MAX)
        try:
            if not isinstance(body, dict):
                raise MalformedQuestionError("the body must be an object")
            answer = ask(body)
        except MalformedQuestionError as error:
            raise RefusedError(400, "malformed", str(error)) from error
        request_id = request.headers.get("x-request-id")
        return JSONResponse(answer, headers={"X-Request-ID": request_id} if request_id else None)

    def _sign_in(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if self.key and not (scheme.lower() == "bearer" and hmac.compare_digest(token, self.key)):
            raise RefusedError(401, "unauthenticated", "Send the decision point's key.")
