"""Validated values -> Trust."""

from __future__ import annotations

from typing import Any

from plangate.documents.positions import Positions
from plangate.documents.trust import Trust, TrustedKey, TrustedRole

__all__ = ["parse_trust"]


def parse_trust(raw: dict[str, Any], positions: Positions) -> Trust:
    """The trust policy in `raw`, which must satisfy the Trust schema."""
    return Trust(
        version=raw["metadata"]["version"],
        expires=raw["metadata"].get("expires"),
        keys={name: TrustedKey(name=name, **part) for name, part in raw["keys"].items()},
        roles={
            name: TrustedRole(
                name=name,
                keys=tuple(part["keys"]),
                threshold=part["threshold"],
                predicates=tuple(part["predicates"]),
                environments=tuple(part.get("environments", ())),
                verifiers=tuple(part.get("verifiers", ())),
            )
            for name, part in raw["roles"].items()
        },
        positions=positions,
    )
