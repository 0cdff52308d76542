"""What every conformance kit has in common: checks that fail with words, and a report that hides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["CheckFailedError", "CheckReport", "require"]


class CheckFailedError(AssertionError):
    """A plugin does not do what its protocol promises; says what was expected and what came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Outcome of a kit: every check is in exactly one of the three."""

    passed: tuple[str, ...]
    failed: Mapping[str, str] = field(default_factory=dict)
    """Name of a check -> what was wrong."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Name of a check -> why it was left out."""

    @property
    def conforms(self) -> bool:
        """Whether nothing failed. What was left out is for the reader to judge."""
        return not self.failed

    def __str__(self) -> str:
        lines = [f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.left_out)} left out"]
        lines += [f"failed: {name}: {why}" for name, why in self.failed.items()]
        lines += [f"left out: {name}: {why}" for name, why in self.left_out.items()]
        return "\n".join(lines)


def require(condition: object, what: str) -> None:
    """Raise CheckFailedError with `what` unless `condition` holds (an `assert` that `python -O` keeps)."""
    if not condition:
        raise CheckFailedError(what)
