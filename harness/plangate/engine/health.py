"""Whether the system under test is still there: a dead one ends the run in seconds, not after a timeout a cell."""

from __future__ import annotations

from collections import Counter

from plangate.engine.plan import Limits
from plangate.verdicts.observation import Fault, Observed

__all__ = ["TRANSPORT", "Health"]

TRANSPORT = frozenset({Fault.UNREACHABLE, Fault.CLOSED})
"""Faults that may be asked again: nothing was decided. A timeout is not: the cell's time is used up."""


class Health:
    """Counts faults in a row, for each surface: one target may be down while others answer.

    An answer of any kind sets its surface back.
    """

    def __init__(self, limits: Limits, *, concurrency: int) -> None:
        # What is in flight at once fails at once: only more than that says that nothing comes any more.
        self._faults_max = limits.faults_in_a_row_max + concurrency
        self._timeouts_max = limits.timeouts_in_a_row_max
        self._faults: Counter[str] = Counter()
        self._timeouts: Counter[str] = Counter()
        self.down = ""
        """Why a target counts as down; empty while none does."""

    @property
    def troubled(self) -> bool:
        """Whether some surface's last answer did not come."""
        return bool(self._faults or self._timeouts)

    def record(self, observed: Observed, *, surface: str) -> None:
        """Take note of one observation."""
        if observed.fault in TRANSPORT:
            self._faults[surface] += 1
            count = self._faults[surface]
            if count >= self._faults_max and not self.down:
                why = f" ({observed.detail})" if observed.detail else ""
                self.down = f"the target is down{_at(surface)}: {count} cells in a row got no answer{why}"
        elif observed.fault is Fault.TIMEOUT:
            self._timeouts[surface] += 1
            count = self._timeouts[surface]
            if count >= self._timeouts_max and not self.down:
                self.down = f"the target hangs{_at(surface)}: {count} cells in a row got no answer in time"
        else:
            self._faults.pop(surface, None)
            self._timeouts.pop(surface, None)

    def gone(self, *, surface: str) -> None:
        """Take note that this surface's target has ended for good: what plangate launched, or talks to line by line."""
        self.down = self.down or f"the target has ended{_at(surface)}: its last words stand in the run's log"


def _at(surface: str) -> str:
    return f" at {surface}" if surface and surface != "default" else ""
