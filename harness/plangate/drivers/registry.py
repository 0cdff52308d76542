"""Finds a driver by its name: plangate's own by a table, others by the entry-point group `plangate.driver`."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Final, cast

from plangate.documents.environment import Target
from plangate.documents.wording import did_you_mean, listed, shown
from plangate.drivers.protocol import Driver, DriverContext
from plangate.errors import DriverError, InputError

__all__ = ["BUILT_IN", "ENTRY_POINT_GROUP", "READS", "Reads", "driver_class", "driver_names", "make_driver"]

ENTRY_POINT_GROUP: Final = "plangate.driver"

# A table, so that a start reads no package metadata and a source tree works without any. They cannot be replaced by a
# plugin of the same name: whoever reads `driver: http` must be able to rely on what it means.
BUILT_IN: Final = {
    "asgi": "plangate.drivers.asgi:AsgiDriver",
    "authzen": "plangate.drivers.authzen:AuthzenDriver",
    "command": "plangate.drivers.command:CommandDriver",
    "http": "plangate.drivers.http:HttpDriver",
    "python": "plangate.drivers.python:PythonDriver",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What a driver reads of a target. A driver of others may have it as the class attribute `reads`."""

    keys: frozenset[str]
    """Keys of the target, beside `driver`, `description` and `options`."""
    options: frozenset[str] | None = frozenset()
    """Names under `options`; None = any."""


_CALLS: Final = frozenset({"headers", "arrange", "request", "decide", "timeout_s"})
_ADDRESS: Final = frozenset({"url", "launch", "headers", "timeout_s", "ca", "proxy", "http"})
READS: Final = {
    "asgi": Reads(keys=_CALLS | {"object"}, options=frozenset({"path"})),
    "authzen": Reads(keys=_ADDRESS | {"batch"}, options=frozenset({"client", "metadata"})),
    "command": Reads(keys=frozenset({"command", "timeout_s"})),
    "http": Reads(keys=_CALLS | _ADDRESS, options=frozenset({"client"})),
    "python": Reads(keys=frozenset({"object", "timeout_s"}), options=frozenset({"path"})),
}
"""What plangate's own drivers read: a table, so that `check` imports none of them."""


def driver_names() -> tuple[str, ...]:
    """Every driver that can be named in a target, sorted."""
    return tuple(sorted({*BUILT_IN, *_plugins()}))


def driver_class(name: str) -> type[Driver]:
    """The class behind `driver: NAME`, loaded now and checked against the Driver protocol.

    Raises InputError `unknown-driver`; DriverError `broken-driver` where it cannot be imported or lacks a method.
    """
    place = BUILT_IN.get(name) or _plugins().get(name)
    if place is None:
        raise InputError(
            f"no driver is called {shown(name)}",
            code="unknown-driver",
            hint=did_you_mean(name, driver_names()) or f"known: {listed(driver_names())}",
        )
    module, _, attribute = place.partition(":")
    try:
        found: object = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise _broken(name, place, f"cannot be loaded: {type(error).__name__}: {error}") from error
    return _checked(name, place, found)


def make_driver(target: Target, context: DriverContext) -> Driver:
    """A driver for `target`, not opened yet. Raises as `driver_class`, and InputError where the target lacks a key."""
    return driver_class(target.driver)(target, context)  # type: ignore[call-arg]


def _plugins() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {entry.name: entry.value for entry in entry_points(group=ENTRY_POINT_GROUP)}


def _checked(name: str, place: str, found: object) -> type[Driver]:
    import inspect

    if not inspect.isclass(found):
        raise _broken(name, place, "is not a class")
    missing = [method for method in ("open", "observe", "close") if not callable(getattr(found, method, None))]
    if missing:
        raise _broken(name, place, f"has no method {', '.join(missing)}")
    try:
        inspect.signature(found).bind("target", "context")
    except (TypeError, ValueError) as error:
        raise _broken(name, place, f"cannot be built as Driver(target, context): {error}") from error
    return cast(type[Driver], found)


def _broken(name: str, place: str, what: str) -> DriverError:
    return DriverError(
        f"the driver {name!r} ({place}) {what}",
        code="broken-driver",
        hint="repair or remove the package that offers it; plangate.testing has a conformance kit",
    )
