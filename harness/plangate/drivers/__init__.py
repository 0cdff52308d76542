"""How plangate talks to a system under test: one module a protocol, found by name (docs/reference/drivers.md)."""

from __future__ import annotations

from plangate.drivers.protocol import (
    BatchDriver,
    BlockingDriver,
    DeadlinePassed,
    Driver,
    DriverContext,
    EvaluationRequest,
)
from plangate.drivers.registry import driver_class, driver_names, make_driver

__all__ = [
    "BatchDriver",
    "BlockingDriver",
    "DeadlinePassed",
    "Driver",
    "DriverContext",
    "EvaluationRequest",
    "driver_class",
    "driver_names",
    "make_driver",
]
