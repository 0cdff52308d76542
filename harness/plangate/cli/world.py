"""Where the clock, the environment and chance come in: the only module that hands them to a run."""

from __future__ import annotations

import os
import secrets
import time
from datetime import UTC, datetime

from plangate import __version__
from plangate.cli.clock import now
from plangate.documents.environment import Bindings, Probe
from plangate.drivers.protocol import DriverContext
from plangate.drivers.references import resolve_secrets
from plangate.drivers.registry import make_driver
from plangate.engine.invocation import World
from plangate.releases.running import Told

__all__ = ["real_world"]


def real_world() -> World:
    """This process's clock, environment variables and drivers."""
    return World(
        environ=dict(os.environ),
        make_driver=make_driver,
        clock=time.perf_counter_ns,
        now=now,
        new_run_id=_new_run_id,
        version=__version__,
        resolve_secrets=resolve_secrets,
        ask_probe=_ask_probe,
    )


async def _ask_probe(probe: Probe, bindings: Bindings, context: DriverContext) -> Told:
    from plangate.drivers.probe import probe_app

    return await probe_app(probe, bindings, context)


def _new_run_id() -> str:
    """Begins with the time, so that ids sort by age; ends with chance, so that two runs at once differ."""
    return f"r-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
