"""The marks of a matrix picture: one sign for what a square came to, the same in every report."""

from __future__ import annotations

from enum import StrEnum

from plangate.entitlements.decision import Effect
from plangate.verdicts.result import Verdict

__all__ = ["ASCII", "LEGEND", "OF_EFFECT", "OF_VERDICT", "SIGN", "WORST_FIRST", "Mark"]


class Mark(StrEnum):
    """What a square came to. The first six are findings, worst first; the rest is as expected."""

    LEAK = "leak"
    FLAKY = "flaky"
    LOCKOUT = "lockout"
    MISMATCH = "mismatch"
    ERROR = "error"
    UNSEEN = "unseen"
    """A cell of it was not observed in every pass, and nothing worse was seen."""
    ALLOW = "allow"
    APPROVAL = "approval"
    DENY = "deny"
    NONE = "none"
    """No cell of the run lies here."""

    @property
    def is_finding(self) -> bool:
        """Whether a cell of this square did not pass."""
        return self in WORST_FIRST


WORST_FIRST: tuple[Mark, ...] = (Mark.LEAK, Mark.FLAKY, Mark.LOCKOUT, Mark.MISMATCH, Mark.ERROR, Mark.UNSEEN)

SIGN = {
    Mark.LEAK: "!",
    Mark.FLAKY: "~",
    Mark.LOCKOUT: "x",
    Mark.MISMATCH: "≠",
    Mark.ERROR: "?",
    Mark.UNSEEN: "-",
    Mark.ALLOW: "✓",
    Mark.APPROVAL: "A",
    Mark.DENY: "·",
    Mark.NONE: " ",
}

ASCII = str.maketrans(
    {"≠": "#", "✓": "+", "·": ".", "…": "~", "─": "-", "│": "|", "█": "#", "░": ".", "×": "x", "→": ">"}
)
"""Stand-ins for a stream that cannot carry the signs."""

LEGEND = {
    Mark.LEAK: "leak",
    Mark.FLAKY: "flaky",
    Mark.LOCKOUT: "lockout",
    Mark.MISMATCH: "mismatch",
    Mark.ERROR: "error",
    Mark.UNSEEN: "not observed",
    Mark.ALLOW: "allowed",
    Mark.APPROVAL: "needs approval",
    Mark.DENY: "denied",
}

OF_EFFECT = {Effect.ALLOW: Mark.ALLOW, Effect.REQUIRE_APPROVAL: Mark.APPROVAL, Effect.DENY: Mark.DENY}

OF_VERDICT = {
    Verdict.LEAK: Mark.LEAK,
    Verdict.FLAKY: Mark.FLAKY,
    Verdict.LOCKOUT: Mark.LOCKOUT,
    Verdict.MISMATCH: Mark.MISMATCH,
    Verdict.ERROR: Mark.ERROR,
}
