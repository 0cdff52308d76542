"""What a system under test did once for one cell: a decision it gave, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plangate.entitlements.decision import Effect, LimitDetail

__all__ = ["Fault", "Observed"]


class Fault(StrEnum):
    """Why a cell could not be observed. The first three are transport faults, the only ones that may be retried."""

    UNREACHABLE = "unreachable"
    """Connection refused or reset, process gone."""
    CLOSED = "closed"
    """The answer broke off."""
    TIMEOUT = "timeout"
    """No answer within the cell's deadline (not retried)."""
    RAISED = "raised"
    """The callable raised, or the server failed (5xx that no rule reads)."""
    MALFORMED = "malformed"
    """Not the agreed shape: not JSON, wrong type, unknown effect, too large."""
    UNMATCHED = "unmatched"
    """A well-formed answer that no `decide` rule reads."""
    ARRANGE = "arrange"
    """The subject could not be arranged."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One answer. Exactly one of `effect` and `fault` is set."""

    effect: Effect | None = None
    reason: str | None = None
    """As the app says it; None where it gives none."""
    limit: LimitDetail | None = None
    fault: Fault | None = None
    detail: str | None = None
    """For a fault or an unexpected answer: what came back, redacted and at most 2,000 characters."""
    retries: int = 0
    """Transport faults survived before this answer (rule R11)."""
