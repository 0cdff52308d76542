"""The results in a bundle: one canonical line a cell, sorted by cell, compressed; the fingerprint comes from them."""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from plangate.errors import EvidenceError
from plangate.verdicts.fingerprint import Decided, decision_text, limits_text
from plangate.verdicts.result import CellResult, Verdict

__all__ = ["RESULTS_BYTES_MAX", "CellLine", "pack_results", "read_results"]

RESULTS_BYTES_MAX: Final = 1024 * 1024 * 1024
_LINE_MAX: Final = 65_536
_CHUNK: Final = 1024 * 1024
_CELL = re.compile(r"c-[0-9a-f]{20}")
_KEYS: Final = {"axes", "cell", "decision", "expected", "limits", "suite", "verdict"}
# One encoder for all lines: making one takes as long as a line does.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
_DECODER: Final = json.JSONDecoder()
_VERDICTS: Final = frozenset(str(one) for one in Verdict)


@dataclass(frozen=True, slots=True)
class CellLine:
    """What one cell decided."""

    cell: str
    suite: str
    axes: Mapping[str, Any]
    decision: str
    """As the fingerprint covers it."""
    limits: str
    """What was told of limits, as `details` covers it; empty where nothing was."""
    expected: tuple[str, str]
    """Effect and reason."""
    verdict: str

    @property
    def digest(self) -> bytes:
        """What cells sort by."""
        return bytes.fromhex(self.cell[2:])

    @property
    def decided(self) -> Decided:
        """What the digests cover."""
        return Decided(self.digest, self.decision, self.limits)


def pack_results(cells: Iterable[CellResult]) -> bytes:
    """The lines of a run, compressed: the same bytes for the same results."""
    lines = sorted((one.cell, _line(one)) for one in cells)
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", filename="", mtime=0, compresslevel=6) as out:
        for _, line in lines:
            out.write(line + b"\n")
    return packed.getvalue()


def _line(one: CellResult) -> bytes:
    return _written(
        {
            "axes": dict(one.axes),
            "cell": one.cell,
            "decision": decision_text(one.observed),
            "expected": [one.expected.effect, one.expected.reason],
            "limits": limits_text(one.observed),
            "suite": one.suite,
            "verdict": one.verdict,
        }
    )


def _written(document: Mapping[str, Any]) -> bytes:
    return _ENCODER.encode(document).encode("utf-8", "surrogatepass")


def read_results(packed: bytes, *, bytes_max: int = RESULTS_BYTES_MAX) -> Iterator[CellLine]:
    """Each cell, in the order of cells. Memory stays flat, whatever the data would unpack to.

    Raises EvidenceError `malformed-results`, or `bundle-too-large` where it unpacks to more than `bytes_max`.
    """
    before = ""
    for data in _lines(packed, bytes_max=bytes_max):
        line = _parsed(data)
        if line.cell <= before:
            _refuse(f"cell {line.cell} comes twice or out of order")
        before = line.cell
        yield line


def _parsed(data: bytes) -> CellLine:
    try:
        text = data.decode("utf-8", "surrogatepass")
        raw = _DECODER.decode(text)
        again = _ENCODER.encode(raw)
    except (ValueError, RecursionError, TypeError):
        _refuse("a line is not JSON")
    if again != text:  # a key twice, NaN, another spelling: another reader could read another value
        _refuse("a line is not written canonically")
    if not isinstance(raw, dict) or raw.keys() != _KEYS or raw["verdict"] not in _VERDICTS:
        _refuse("a line has other fields")
    cell, decision, limits, expected = raw["cell"], raw["decision"], raw["limits"], raw["expected"]
    texts = all(isinstance(one, str) for one in (cell, decision, limits, raw["suite"]))
    if not texts or not _CELL.fullmatch(cell) or not isinstance(raw["axes"], dict):
        _refuse("a line has fields of other types")
    if not isinstance(expected, list) or len(expected) != 2 or not all(isinstance(one, str) for one in expected):
        _refuse("a line has no expected decision")
    return CellLine(cell, raw["suite"], raw["axes"], decision, limits, (expected[0], expected[1]), raw["verdict"])


def _lines(packed: bytes, *, bytes_max: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits=31)
    rest, pending, total = packed, b"", 0
    while rest and not unpacker.eof:
        try:
            chunk = unpacker.decompress(rest, _CHUNK)
        except zlib.error:
            _refuse("they cannot be decompressed")
        rest = unpacker.unconsumed_tail
        total += len(chunk)
        if total > bytes_max:
            raise EvidenceError(f"the results unpack to more than {bytes_max:,} bytes", code="bundle-too-large")
        *lines, pending = (pending + chunk).split(b"\n")
        if len(pending) > _LINE_MAX:
            _refuse("a line is too long")
        yield from lines
    if not unpacker.eof or unpacker.unused_data or pending:
        _refuse("they end too early, or go on behind their end")


def _refuse(why: str) -> NoReturn:
    raise EvidenceError(f"the results cannot be read: {why}", code="malformed-results")
