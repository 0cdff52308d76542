"""The one seam between the engine and any system under test (architecture.md, Seams).

A driver turns one evaluation request (the AuthZEN 1.0 shape of documents.md) into one `Observed`. It never raises for
what the system under test does: every fault is an `Observed` with a `fault`. It raises `DriverError` only from `open`,
when nothing can be observed at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from plangate.drivers.app_output import AppOutput
from plangate.verdicts.observation import Observed

__all__ = [
    "BatchDriver",
    "BlockingDriver",
    "DeadlinePassed",
    "Driver",
    "DriverContext",
    "EvaluationRequest",
    "PreparingDriver",
]

EvaluationRequest = dict[str, Any]
"""`{"subject": {...}, "action": {"name"}, "resource": {...}, "context": {...}}`; the driver may keep or change it."""


class DeadlinePassed(BaseException):
    """A blocking call is past its deadline: raised into it by the engine (from a signal handler).

    Not an `Exception`, so that neither the app's nor a driver's `except Exception` takes it for an answer; every driver
    lets it pass.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverContext:
    """What a driver may know of the world; nothing is read from the process behind its back."""

    workspace: Path
    environ: Mapping[str, str]
    """Environment variables: for `env:` references and for launched processes."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Resolved secrets by name; their values must be redacted from every `detail`."""
    hash_seed: int | None = None
    """PYTHONHASHSEED for launched processes; None = leave as it is."""
    concurrency: int = 1
    """Requests that may be in flight at once: the size of a connection pool."""
    reset_usage: bool = True
    """Whether a subject must be arranged again before each request that could have spent its usage."""
    log: Path | None = None
    """File for what the app writes beside its answers."""
    output: AppOutput = field(default_factory=AppOutput, repr=False)
    """Counts what the app writes where only answers belong."""


@runtime_checkable
class Driver(Protocol):
    """One target. Built as `DriverClass(target, context)`; opened once, used many times, closed once."""

    async def open(self) -> None:
        """Connect, import or launch. Raises DriverError with what to do next."""

    async def observe(self, request: EvaluationRequest) -> Observed:
        """Ask once. Answers within the target's `timeout_s`; never raises for what the target does."""

    async def close(self) -> None:
        """Release everything; stop what was launched. Safe to call twice, and after a failed open."""

    # A driver may also have `def alive(self) -> bool`: False once its target is known to be gone for good (a launched
    # process that exited), so that the engine can end the run at once. A driver without it counts as alive.


@runtime_checkable
class BlockingDriver(Driver, Protocol):
    """A driver whose target answers in this thread (a plain function): no event loop between cell and answer."""

    blocking: bool
    """True once opened, when `observe_now` may be used; the engine then runs cells inline or in threads."""

    def observe_now(self, request: EvaluationRequest) -> Observed:
        """As `observe`, without suspension. The engine guards the deadline."""


@runtime_checkable
class PreparingDriver(Driver, Protocol):
    """A driver that can do beforehand what needs no target: write the bytes of a request.

    The engine prepares many requests in a row, which takes half the time of as many between answers.
    """

    small: bool
    """Whether what is prepared is a few hundred bytes, so that the engine may hold thousands for later passes."""

    def prepare(self, request: EvaluationRequest) -> object:
        """What `observe_prepared` asks with; may be asked with again. Never raises for what a request holds."""

    async def observe_prepared(self, prepared: object) -> Observed:
        """As `observe`, with what `prepare` gave."""


@runtime_checkable
class BatchDriver(Driver, Protocol):
    """A driver whose target answers many requests in one call."""

    batch_max: int
    """Requests in one call at the most; 1 = no batches."""

    async def observe_batch(self, requests: Sequence[EvaluationRequest]) -> list[Observed]:
        """One `Observed` for each request, in order."""
