"""Who says the same, and whether they are enough of a role. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Voice", "lacking"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Who says that something passed, and how many of that role must."""

    role: str
    threshold: int
    key: bytes
    """SPKI."""
    person: str


def lacking(voices: tuple[Voice, ...]) -> str:
    """Thresholds count the fewer of distinct keys and distinct people; one role that has enough will do."""
    told = ""
    for role, threshold in sorted({(one.role, one.threshold) for one in voices}):
        said = [one for one in voices if one.role == role]
        count = min(len({one.key for one in said}), len({one.person for one in said}))
        if count >= threshold:
            return ""
        told = told or f"{count} of {threshold} in the role {role}"
    return told
