"""The ledger as it grows: one more entry, safe from a power cut, and reading all of it as every verb does."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, Result
from plangate.evidence.frontier import Frontier
from plangate.evidence.keys import PrivateKey, generate
from plangate.evidence.ledger import Ledger
from plangate.evidence.merkle import leaf_hash
from plangate.evidence.notes import sign_checkpoint

__all__ = ["FULL", "TINY", "Size", "measure"]

_AT = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    entries: tuple[int, ...]
    with_files_up_to: int
    """Larger ledgers are made without the file of each envelope: an append does not read them."""
    appends: int
    target_at: int
    """Entries at which an append must be fast enough."""


FULL = Size(entries=(1_000, 10_000, 100_000, 1_000_000), with_files_up_to=100_000, appends=100, target_at=100_000)
TINY = Size(entries=(3, 30), with_files_up_to=3, appends=2, target_at=30)


def measure(size: Size) -> Result:
    """At each size: the median append, the slowest, the first one without the cache, and the check of all entries."""
    figures, rounds = [], []
    for entries in size.entries:
        with tempfile.TemporaryDirectory() as folder:
            one = _measured(Path(folder), entries, size=size)
        rounds.append({"entries": entries, **one})
        files = "" if entries <= size.with_files_up_to else ", made without the files of its envelopes"
        target = 20.0 if entries == size.target_at else None
        figures.append(
            Figure(
                what=f"one more entry in a ledger of {entries:,}{files}; median, with fsync",
                plangate=f"{one['append_ms']:.1f} ms (slowest {one['slowest_ms']:.0f} ms)",
                value=one["append_ms"],
                shown=f"{one['append_ms']:.1f} ms",
                target=target,
                must="less than 20 ms" if target else "",
                at_least=False,
            )
        )
        figures.append(
            Figure(
                what=f"all {entries:,} entries held against the checkpoint, as each verb begins",
                plangate=f"{one['whole_ms']:.0f} ms",
                value=one["whole_ms"],
                shown=f"{one['whole_ms']:.0f} ms",
            )
        )
    return Result(benchmark="ledger", figures=figures, rounds=rounds)


def _measured(folder: Path, entries: int, *, size: Size) -> dict[str, float]:
    key = generate()
    ledger = _ledger(folder, entries, key, files=entries <= size.with_files_up_to)
    first = _timed(ledger, key, "first")
    spent = [_timed(ledger, key, str(number)) for number in range(size.appends)]
    started = time.perf_counter()
    if entries <= size.with_files_up_to:
        ledger.require_whole()
    else:
        assert list(ledger._checkpoint_problems()) == []
    whole = time.perf_counter() - started
    return {
        "first_ms": 1000 * first,
        "append_ms": 1000 * median(spent),
        "slowest_ms": 1000 * max(spent),
        "whole_ms": 1000 * whole,
    }


def _timed(ledger: Ledger, key: PrivateKey, text: str) -> float:
    started = time.perf_counter()
    ledger.append(f'{{"payload":"{text}"}}'.encode(), key=key, at=_AT)
    return time.perf_counter() - started


def _ledger(folder: Path, entries: int, key: PrivateKey, *, files: bool) -> Ledger:
    """As appends leave it, without the waiting for the disk."""
    place = folder / "ledger"
    place.mkdir()
    tree = Frontier()
    with (place / "entries.jsonl").open("wb") as lines:
        for number in range(entries):
            envelope = b'{"payload":"past %d"}' % number
            digest = sha256(envelope).hexdigest()
            if files:
                (folder / f"{digest}.dsse.json").write_bytes(envelope)
            line = json.dumps({"at": _AT, "digest": digest}, separators=(",", ":")).encode()
            lines.write(line + b"\n")
            tree = tree.with_leaf(leaf_hash(line))
    signed = sign_checkpoint(origin="plangate.dev/ledger", size=tree.size, root=tree.root, key=key)
    (place / "checkpoint").write_bytes(signed)
    return Ledger(folder)
