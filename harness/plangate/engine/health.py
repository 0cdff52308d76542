"""Whether the system under test is still there: a dead one ends the run in seconds, not after a timeout a cell."""

from __future__ import annotations

from plangate.engine.plan import Limits
from plangate.verdicts.observation import Fault, Observed

__all__ = ["TRANSPORT", "Health"]

TRANSPORT = frozenset({Fault.UNREACHABLE, Fault.CLOSED})
"""Faults that may be asked again: nothing was decided. A timeout is not: the cell's time is used up."""


class Health:
    """Counts faults in a row. One answer of any kind sets it back."""

    def __init__(self, limits: Limits, *, concurrency: int) -> None:
        # What is in flight at once fails at once: only more than that says that nothing comes any more.
        self._faults_max = limits.faults_in_a_row_max + concurrency
        self._timeouts_max = limits.timeouts_in_a_row_max
        self._faults = 0
        self._timeouts = 0
        self.down = ""
        """Why the target counts as down; empty while it does not."""

    def record(self, observed: Observed) -> None:
        """Take note of one observation."""
        if observed.fault in TRANSPORT:
            self._faults += 1
            if self._faults >= self._faults_max:
                self.down = f"the target is down: {self._faults} cells in a row got no answer ({observed.detail})"
        elif observed.fault is Fault.TIMEOUT:
            self._timeouts += 1
            if self._timeouts >= self._timeouts_max:
                self.down = f"the target hangs: {self._timeouts} cells in a row got no answer in time"
        else:
            self._faults = self._timeouts = 0
