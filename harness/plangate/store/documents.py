"""What a run keeps of each suite: enough to judge, name and compare its cells without the workspace it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace

from plangate.documents.suite import JudgeMode
from plangate.matrix.cell import AxisValue
from plangate.verdicts.ran import Ran
from plangate.verdicts.result import RunHeader

__all__ = ["PassRecord", "SuiteRecord", "dump_header", "ran_of", "read_header", "with_ran"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRecord:
    """One walk over all cells of a suite: its order, how many at once, and in which process."""

    number: int
    order: str
    concurrency: int
    process: int
    seed: int
    """Seed of the shuffle."""
    hash_seed: int | None
    """PYTHONHASHSEED of the fresh process, or None where the pass runs in the harness's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRecord:
    """One suite of a run."""

    number: int
    name: str
    version: int
    digest: str
    first_cell: int
    """Cell numbers of this suite start here."""
    span: int
    """Cell numbers this suite may use: the size of its whole matrix."""
    cells: int
    """Cells expected in this run (of this shard, of this selection)."""
    seed: int
    """Seed of all random choices made for this suite (rule R4)."""
    judge: JudgeMode
    axes: Mapping[str, tuple[AxisValue, ...]]
    """Every axis -> the values it takes."""
    spanned: tuple[str, ...]
    """Axes shown in results: those the suite names, and plan, state, capability, surface."""
    covers: tuple[str, ...]
    coverage: str
    passes: tuple[PassRecord, ...]
    cache_key: str
    """Digest of all that could change an answer of this suite (rule R10)."""
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Axis -> names of the catalog that the suite asks nothing about."""
    type: str = "gating"
    excluded: tuple[str, ...] = ()
    """The suite's exclude rules, in words."""

    @property
    def asked_again(self) -> bool:
        """Whether two passes share a process."""
        processes = [one.process if one.hash_seed is not None else None for one in self.passes]
        return len(set(processes)) < len(processes)

    def to_json(self) -> str:
        """As stored."""
        document = {one.name: getattr(self, one.name) for one in fields(self)}
        document["axes"] = {axis: list(values) for axis, values in self.axes.items()}
        document["left_out"] = {axis: list(names) for axis, names in self.left_out.items()}
        document["passes"] = [asdict(one) for one in self.passes]
        return json.dumps(document, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> SuiteRecord:
        """From what `to_json` wrote."""
        raw = json.loads(text)
        raw["judge"] = JudgeMode(raw["judge"])
        raw["axes"] = {axis: tuple(values) for axis, values in raw["axes"].items()}
        raw["left_out"] = {axis: tuple(names) for axis, names in raw.get("left_out", {}).items()}
        raw["excluded"] = tuple(raw.get("excluded", ()))
        raw["spanned"] = tuple(raw["spanned"])
        raw["covers"] = tuple(raw["covers"])
        raw["passes"] = tuple(PassRecord(**one) for one in raw["passes"])
        return cls(**raw)


def dump_header(header: RunHeader) -> str:
    """As stored."""
    return json.dumps(asdict(header), ensure_ascii=False, sort_keys=True)


def read_header(text: str) -> RunHeader:
    """From what `dump_header` wrote, now or before a field was known."""
    raw = json.loads(text)
    return RunHeader(**raw | {"ran_differences": tuple(raw.get("ran_differences", ()))})


def ran_of(header: RunHeader) -> Ran:
    """What a header says of what ran."""
    return Ran(state=header.ran, differences=header.ran_differences, told=header.told)


def with_ran(header: RunHeader, ran: Ran) -> RunHeader:
    """The same header, with this said of what ran."""
    return replace(header, ran=ran.state, ran_differences=ran.differences, told=ran.told)
