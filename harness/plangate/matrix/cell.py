"""One point of the matrix, and the request it stands for."""

from __future__ import annotations

from dataclasses import dataclass

from plangate.entitlements.request import Request, Subject

__all__ = ["AxisValue", "Cell"]

AxisValue = str | int | bool | None
"""How an axis value is named in ids, results and reports (documents.md, Axis value names)."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value for each axis, and what follows from them.

    `digest` is what identifies a cell on any machine: the first 10 bytes of a SHA-256 over catalog name, suite name and
    the axis values that differ from an axis's normal value, so that a new axis changes no old id.
    """

    number: int
    """Place in the suite's forward expansion, from 0; depends on the suite, so it is never shown as an identity."""
    digest: bytes
    axes: tuple[AxisValue, ...]
    """A value for each name of `documents.suite.AXES`, in that order."""
    subject_id: str
    """Unique for each distinct subject, the same on every machine: `t-pro-subscribed-1a2b3c4d`."""
    subject: Subject
    request: Request

    @property
    def id(self) -> str:
        """`c-` and 20 hexadecimal digits."""
        return "c-" + self.digest.hex()
