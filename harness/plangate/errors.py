"""Everything that can keep plangate from answering, as one tree.

    PlangateError                  code, where, message, hint; `exit_code` is the command's exit status
    |-- InputError           (2)   documents, arguments, nothing selected; carries every problem at once
    |   `-- PinError         (2)   a floating pin, a locked file that changed
    |-- DriverError          (3)   the system under test cannot be reached, started or understood
    |-- StoreError           (3)   a run cannot be kept or read: full disk, not a run file
    `-- EvidenceError        (4)   a signature, digest or proof does not verify

A wrong decision of the system under test is none of these: it is a verdict (`plangate.verdicts`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "DriverError",
    "EvidenceError",
    "ExitCode",
    "InputError",
    "PinError",
    "PlangateError",
    "Problem",
    "StoreError",
]


class ExitCode(IntEnum):
    """Exit status of every command (domain.md section 4)."""

    PASSED = 0
    FAILED = 1
    INPUT = 2
    UNDECIDED = 3
    EVIDENCE = 4
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing that is wrong with an input: where (1-based line and column; 0 = unknown), what, and what to do."""

    path: str = ""
    line: int = 0
    column: int = 0
    code: str
    message: str
    hint: str = ""
    severity: str = "error"
    """`error` or `warning`; `check --strict` treats a warning as an error."""

    @property
    def where(self) -> str:
        """`path:line:column`, as far as it is known."""
        if not self.line:
            return self.path
        return f"{self.path}:{self.line}:{self.column}"

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{hint} [{self.code}]"


class PlangateError(Exception):
    """Base of the tree. `str()` is what a person reads; no traceback is ever shown for it."""

    exit_code: ExitCode = ExitCode.UNDECIDED

    def __init__(self, message: str, *, code: str, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{hint} [{self.code}]"

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong, one entry each; a single error is a list of one."""
        return (Problem(path=self.where, code=self.code, message=self.message, hint=self.hint),)


class InputError(PlangateError):
    """The input is wrong. Built from one message, or from many problems with `InputError.of`."""

    exit_code = ExitCode.INPUT

    def __init__(
        self, message: str, *, code: str, where: str = "", hint: str = "", problems: Iterable[Problem] = ()
    ) -> None:
        super().__init__(message, code=code, where=where, hint=hint)
        self._problems = tuple(sorted(problems))

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> InputError:
        """One error that carries all `problems`, sorted by place."""
        ordered = sorted(problems)
        first = ordered[0]
        return cls(first.message, code=first.code, where=first.where, hint=first.hint, problems=ordered)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, sorted by path, line and column."""
        return self._problems or super().problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class PinError(InputError):
    """A pin floats, or a locked document changed."""


class DriverError(PlangateError):
    """The system under test cannot be started or reached at all (one cell that fails is an observation instead)."""

    exit_code = ExitCode.UNDECIDED


class StoreError(PlangateError):
    """A run cannot be kept or read."""

    exit_code = ExitCode.UNDECIDED


class EvidenceError(PlangateError):
    """Evidence does not verify."""

    exit_code = ExitCode.EVIDENCE
