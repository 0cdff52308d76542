"""What a run says, as values: totals, verdict of a cell, failures, and the shape every report reads.

Everything here is derived from stored rows (architecture.md); nothing is counted along the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from plangate.documents.suite import JudgeMode
from plangate.entitlements.decision import Effect, LimitDetail
from plangate.matrix.cell import AxisValue
from plangate.verdicts.observation import Fault

__all__ = [
    "CellResult",
    "Expected",
    "ObservedCount",
    "RunHeader",
    "RunReport",
    "RunSummary",
    "RunVerdict",
    "SeenInPass",
    "SuiteSummary",
    "Totals",
    "Verdict",
]


class Verdict(StrEnum):
    """Verdict of one cell, worst first after `pass` (domain.md 1)."""

    PASS = "pass"  # noqa: S105
    LEAK = "leak"
    FLAKY = "flaky"
    LOCKOUT = "lockout"
    MISMATCH = "mismatch"
    ERROR = "error"


class RunVerdict(StrEnum):
    """Verdict of a run: passed (exit 0), failed (1), undecided (3)."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The decision the oracle computed for a cell, with the rule and the line it came from."""

    effect: Effect
    reason: str
    rule: str
    where: str
    """`envs/plans/support-copilot/3.2.0.yaml:31:14`"""
    limit: LimitDetail | None = None
    setting: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedCount:
    """One distinct thing that was observed for a cell, and how often. Exactly one of effect and fault is set."""

    effect: Effect | None
    reason: str | None
    limit: LimitDetail | None
    fault: Fault | None
    count: int
    detail: str | None = None
    """What came back, redacted, for a fault or an unexpected answer; of the first such observation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenInPass:
    """What one pass saw of a cell, and how that pass walked."""

    number: int
    """From 1."""
    order: str
    concurrency: int
    """Cells in flight at once; a driver that asks in batches asks so many together."""
    process: int | None
    """Which fresh process, from 1; None for the harness's own."""
    seen: ObservedCount
    took_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """All that is known of one cell of a run."""

    cell: str
    suite: str
    axes: Mapping[str, AxisValue]
    """The axes the suite spans, and always plan, state, capability, surface."""
    verdict: Verdict
    leaked: bool
    """Whether any single observation allowed what was not bought (a flaky cell may leak too)."""
    expected: Expected
    observed: tuple[ObservedCount, ...]
    retries: int = 0
    took_us: int = 0
    """How long its observations took together, in microseconds."""
    whole: bool = True
    """Whether it was observed in every pass: until then, a pass is none yet (rule R2)."""
    reproduce: str = ""
    """`plangate run stage --cell c-... --seed 7`; for answers that change, the suite in the same orders."""
    alone: str = ""
    """What is to be known before the cell is asked alone: that it may pass then. Empty where nothing speaks for it."""
    passes: tuple[SeenInPass, ...] = ()
    """Which pass saw what; only where one cell was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts of a run or suite. `expected` is computed from the matrix, all else from stored rows."""

    expected: int = 0
    executed: int = 0
    """Cells observed in every pass."""
    observations: int = 0
    passed: int = 0
    leak: int = 0
    lockout: int = 0
    mismatch: int = 0
    flaky: int = 0
    error: int = 0
    retried: int = 0
    """Observations that needed a transport retry."""
    allowing: int = 0
    """Executed cells that were expected to be allowed, or to wait for an approval: without one, nothing is proven."""

    @property
    def missing(self) -> int:
        """Cells that were expected and not observed in every pass: never a pass (rule R2)."""
        return self.expected - self.executed


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteSummary:
    """One suite of a run."""

    name: str
    version: int
    digest: str
    totals: Totals
    coverage: str
    """`exhaustive`, or for t-way what was covered and what was not, in words."""
    covers: tuple[str, ...] = ()
    """Requirement ids the suite says it covers."""
    axes: Mapping[str, tuple[AxisValue, ...]] = field(default_factory=dict)
    """Values each spanned axis took, in order; plan, state, capability and surface always."""
    seed: int = 0
    """Seed of all random choices made for this suite (rule R4)."""
    judge: JudgeMode = JudgeMode.EXACT
    passes: int = 2
    """How often each cell is asked."""
    asked_again: bool = True
    """Whether some process is asked for a cell more than once: an app may decide otherwise the second time."""
    rules: tuple[str, ...] = ()
    """Rules that decided a cell which was observed."""
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Axis -> names of the catalog that the suite asks nothing about."""
    excluded: tuple[str, ...] = ()
    """Combinations that its exclude rules leave out, in words."""
    type: str = "gating"
    """How it was judged: a word of the suite's document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeader:
    """What was run against what. Digests are `sha256:...`; times RFC 3339 UTC or empty."""

    run: str
    environment: str
    tier: str
    release: str
    effective: str
    seed: int
    started: str
    finished: str
    """Empty while unfinished."""
    duration_s: float
    plangate: str
    """Version that ran it."""
    app: str
    """`support-copilot 4.2.0`"""
    model: str
    target: str
    """The target in words: `http http://127.0.0.1:8123 (launched)`."""
    shard: str = ""
    """`2/4`, or empty."""
    selection: str = ""
    """Which part of the matrix was chosen by hand, in words, or empty: a part is no verdict on the whole."""
    reused_from: str = ""
    """Run whose observations were taken from the cache (rule R10), or empty."""
    stopped: str = ""
    """Why the run ended early (target down, interrupted, deadline), or empty."""
    ran: str = "not checked"
    """What is known of what ran (rule R14): `not checked`, `as declared` or `differs`."""
    ran_differences: tuple[str, ...] = ()
    """How what ran is not what the manifest declares, one sentence each."""
    code: str = ""
    """Digest of the code that the workspace's targets are made of; empty where none of it lies there."""
    surroundings: str = ""
    """Digest of the environment variables that an app started here could read; empty where none is."""
    told: str = ""
    """Digest of what the app told of itself, where it was asked."""
    app_output: int = 0
    """Bytes that the app wrote to standard output or error of the processes that observed it; kept in the run's log."""

    @property
    def app_wrote(self) -> str:
        """That the app wrote, how much, and where that is kept; empty where it did not."""
        if not self.app_output:
            return ""
        return f"the app wrote {self.app_output:,} bytes to standard output or error: .plangate/logs/{self.run}.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """The outcome of a run: what `--json` prints at its top."""

    header: RunHeader
    verdict: RunVerdict
    fingerprint: str
    """Digest over cell, effect and reason."""
    details: str = ""
    """Digest over what the app told of limits."""
    totals: Totals
    leaked: int
    """Cells with at least one leaking observation: `leak`, and `flaky` ones that leaked."""
    suites: tuple[SuiteSummary, ...]


class RunReport(Protocol):
    """What every reporter reads; `store.StoredRun` is one. All iterators stream, in the order given."""

    place: str
    """What a printed command needs beside: ` -w DIR` where the workspace is not the folder it is read in, or empty."""

    def summary(self) -> RunSummary:
        """Totals, verdict and fingerprint, derived from rows."""
        ...

    def failures(self, *, limit: int | None = None) -> Iterator[CellResult]:
        """Cells that did not pass: leaks first, then flaky, lockout, mismatch, error; within one, by cell id."""
        ...

    def cells(self) -> Iterator[CellResult]:
        """Every cell that was observed, suite by suite in the suite's forward order."""
        ...

    def unobserved(self) -> Iterator[CellResult]:
        """Every expected cell that no pass has observed, in the same order; nothing in a whole run."""
        ...
