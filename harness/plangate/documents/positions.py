"""Where each value of a document stands, so that every message and every decision can point at its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Pointer", "Position", "Positions"]

Pointer = tuple[str | int, ...]
"""Path to a value inside a document: `("plans", "pro", "grants", 0)`; `()` is the document itself."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file; line and column are 1-based."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Positions:
    """Line and column of every value and of every key of one document."""

    path: str
    """Path as people should read it: relative to the workspace, with forward slashes."""
    values: Mapping[Pointer, tuple[int, int]] = field(default_factory=dict)
    keys: Mapping[Pointer, tuple[int, int]] = field(default_factory=dict)

    def of(self, *pointer: str | int) -> Position:
        """Position of the value at `pointer`, or of its nearest known parent. Total: never raises."""
        return self._nearest(self.values, pointer)

    def of_key(self, *pointer: str | int) -> Position:
        """Position of the last key of `pointer` (what an unknown-field message points at). Total: never raises."""
        found = self.keys.get(pointer)
        return Position(self.path, *found) if found else self.of(*pointer)

    def _nearest(self, table: Mapping[Pointer, tuple[int, int]], pointer: Pointer) -> Position:
        while pointer:
            if found := table.get(pointer):
                return Position(self.path, *found)
            pointer = pointer[:-1]
        return Position(self.path, *table.get((), (1, 1)))
