"""Small runs made from values, for tests of the store."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from plangate.documents.suite import AXES, JudgeMode
from plangate.entitlements.decision import Effect
from plangate.store.documents import PassRecord, SuiteRecord
from plangate.store.rows import AxisCodec, expected_key, outcome_key
from plangate.store.writer import RunWriter
from plangate.verdicts.observation import Fault, Observed
from plangate.verdicts.result import Expected, RunHeader

ALLOW = Expected(effect=Effect.ALLOW, reason="entitled", rule="D11", where="c.yaml:1:1")
DENY = Expected(effect=Effect.DENY, reason="not_in_plan", rule="D6", where="c.yaml:2:1")
SAW_ALLOW = Observed(effect=Effect.ALLOW, reason="entitled")
SAW_DENY = Observed(effect=Effect.DENY, reason="not_in_plan")
SAW_SUSPENDED = Observed(effect=Effect.DENY, reason="suspended")
SAW_NOTHING = Observed(fault=Fault.TIMEOUT, detail="no answer within 1 s")
CAPABILITIES = tuple(f"capability.{number}" for number in range(40))


def header(run: str = "r-1", **changes: str) -> RunHeader:
    values = {"release": "sha256:r", "effective": "sha256:e", "shard": "", "selection": "", **changes}
    return RunHeader(
        run=run, environment="stage", tier="nonproduction", seed=7, started="2026-01-01T00:00:00Z", finished="",
        duration_s=0.0, plangate="0", app="a 1", model="m 1", target="python", **values,
    )  # fmt: skip


def suite(*, passes: int = 2, cells: int = 4, number: int = 0, first: int = 0, name: str = "gating") -> SuiteRecord:
    return SuiteRecord(
        number=number, name=name, version=1, digest="sha256:s", first_cell=first, span=len(CAPABILITIES), cells=cells,
        seed=7, judge=JudgeMode.EXACT, axes=dict.fromkeys(AXES, (None,)) | {"capability": CAPABILITIES},
        spanned=("plan", "state", "capability", "surface"), covers=(), coverage="exhaustive",
        passes=tuple(
            PassRecord(number=one, order="forward", concurrency=1, process=0, seed=one, hash_seed=None)
            for one in range(passes)
        ),
        cache_key="sha256:k",
    )  # fmt: skip


def digest(number: int, name: str = "gating") -> bytes:
    return hashlib.sha256(f"{name} {number}".encode()).digest()[:10]


def write_run(
    path: Path,
    expected: Sequence[Expected],
    observed: Sequence[Sequence[Observed]],
    *,
    of: SuiteRecord | None = None,
    head: RunHeader | None = None,
    numbers: Sequence[int] | None = None,
    finished: str = "2026-01-01T00:01:00Z",
) -> Path:
    """A run whose cell i expects `expected[i]` and was seen as `observed[i]`, one entry a pass."""
    record = of or suite(cells=len(expected))
    numbers = list(numbers or range(len(expected)))
    writer = RunWriter.create(path, head or header())
    writer.add_suites([record])
    pack = AxisCodec(record.axes).pack
    rows = []
    for number, one in zip(numbers, expected, strict=True):
        axes = tuple(record.axes["capability"][number] if axis == "capability" else None for axis in AXES)
        rows.append((number, digest(number), writer.number_of_expectation(expected_key(one)), pack(axes)))
    with writer.transaction():
        writer.add_cells(rows)
    for number, seen in zip(numbers, observed, strict=True):
        writer.add_observations(
            [(number, at, writer.number_of_outcome(outcome_key(one)), 100, one.retries) for at, one in enumerate(seen)],
            details=[(number, at, one.detail) for at, one in enumerate(seen) if one.detail],
        )
    writer.finish(finished=finished, duration_s=1.0, stopped="" if finished else "interrupted")
    writer.close()
    return path
