"""Figures: what was measured, beside what, and whether it reaches what it must; kept as one JSON file a benchmark."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Figure", "Result", "read_results"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table. `value` is what is held against the target; the texts are what a reader sees."""

    what: str
    plangate: str
    against: str = ""
    """What it is compared with, measured in the same run; empty where it stands alone."""
    value: float
    shown: str
    """`value` with its unit."""
    target: float | None = None
    """None: told for information."""
    must: str = ""
    """The target in words: `at least 0.40`."""
    at_least: bool = True

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one benchmark found."""

    benchmark: str
    figures: Sequence[Figure]
    left_out: Sequence[str] = ()
    """What could not be measured here, and what to do about it."""
    rounds: Sequence[dict[str, Any]] = ()
    """Every single measurement, seconds of wall and CPU time among them."""
    machine: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Store as `<benchmark>.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.benchmark}.json"
        figures = [asdict(figure) | {"reached": figure.reached} for figure in self.figures]
        path.write_text(json.dumps(asdict(self) | {"figures": figures}, indent=1, ensure_ascii=False) + "\n")
        return path


def read_results(folder: Path, *, names: Sequence[str]) -> list[Result]:
    """The stored results of these benchmarks, in this order; those that were never measured are missing."""
    found = []
    for name in names:
        path = folder / f"{name}.json"
        if path.is_file():
            stored = json.loads(path.read_text())
            figures = [Figure(**{key: one[key] for key in one if key != "reached"}) for one in stored["figures"]]
            found.append(Result(**stored | {"figures": figures}))
    return found
