"""Puts the app together from its settings and its parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from copilot.about import About
from copilot.api import RefusedError
from copilot.arrange import Arrangements
from copilot.audit import Asked, AuditLog
from copilot.authzen import Evaluation
from copilot.bugs import parts_for
from copilot.customers import CustomerBook
from copilot.database import open_database
from copilot.decision_point import Witness
from copilot.drifts import drifted
from copilot.entitlements import Decision
from copilot.gate import Clock, clock_at, wall_clock
from copilot.pdp_api import PdpApi
from copilot.settings import Settings
from copilot.tools import Toolbox
from copilot.usage import UsageCounters

__all__ = ["assemble"]


def assemble(settings: Settings) -> Starlette:
    """The whole app. Raises ValueError or OSError where a setting names something that is not there."""
    settings, parts = drifted(settings, parts_for(settings.bug))
    clock = clock_at(settings.clock) if settings.clock else wall_clock
    database = open_database(settings.database)
    service = parts.entitlements(parts.read_plans(settings.plans), settings.policy)
    customers = CustomerBook(database)
    usage = UsageCounters(database, service.book.meters)
    audit = AuditLog(database)
    prompts = parts.prompts(settings.prompts_folder, settings.prompts)
    model = parts.model()

    gate = parts.gate(service=service, customers=customers, usage=usage, audit=audit, clock=clock)
    boundary = parts.boundary(gate, Toolbox(settings.kb, cite_sources="cite_sources" in settings.flags))
    agent = parts.agent(gate=gate, boundary=boundary, model=model, prompts=prompts)
    point = parts.decision_point(service, witness=_witness(audit, clock))

    api = parts.load_api()(gate=gate, boundary=boundary, agent=agent, customers=customers)
    about = About(settings, prompts=prompts, model=model)
    routes = [*about.routes(), *api.routes(), *PdpApi(point, key=settings.pdp_key).routes()]
    if settings.test_api:
        routes += [*Arrangements(customers=customers, usage=usage, clock=clock).routes(), *about.test_routes()]

    @asynccontextmanager
    async def close_at_the_end(app: Starlette) -> AsyncIterator[None]:
        yield
        database.close()

    return Starlette(routes=routes, exception_handlers={RefusedError: _refuse}, lifespan=close_at_the_end)


def _witness(audit: AuditLog, clock: Clock) -> Witness:
    def keep(evaluation: Evaluation, decision: Decision) -> None:
        asked = Asked(str(evaluation["subject"]["id"]), "decision point caller", "", "decision point")
        audit.record(asked, str(evaluation["action"]["name"]), decision, now=clock())

    return keep


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return JSONResponse({"error": {"code": error.code, "message": str(error)}}, status_code=error.status)
