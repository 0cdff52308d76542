"""The test API: puts a tenant into the state that a test needs. It exists only where COPILOT_TEST_API=1."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from copilot.api import RefusedError, json_body
from copilot.customers import CustomerBook, MalformedTenantError
from copilot.gate import Clock
from copilot.usage import UsageCounters

__all__ = ["Arrangements"]


class Arrangements:
    """Writes tenants and their usage, through the same tables that the app reads."""

    def __init__(self, *, customers: CustomerBook, usage: UsageCounters, clock: Clock) -> None:
        self.customers = customers
        self.usage = usage
        self.clock = clock

    def routes(self) -> list[Route]:
        """Where what is answered."""
        return [Route("/test/tenants/{tenant}", self.arrange, methods=["PUT"])]

    async def arrange(self, request: Request) -> Response:
        """Keep the tenant as described, with `usage` counted in the windows of this moment."""
        record = await json_body(request)
        tenant = request.path_params["tenant"]
        usage = record.get("usage") or {} if isinstance(record, dict) else None
        if not isinstance(usage, dict) or not all(type(units) is int and units >= 0 for units in usage.values()):
            raise RefusedError(400, "malformed", "The body is an object, and usage maps meters to whole numbers.")
        try:
            self.customers.keep(tenant, record)
        except MalformedTenantError as error:
            raise RefusedError(400, "malformed", str(error)) from error
        self.usage.arrange(tenant, usage, self.clock())
        return Response(status_code=204)
