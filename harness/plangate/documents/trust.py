"""Trust: who may sign what, as it stands in `envs/trust.yaml`. Instants are RFC 3339 in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plangate.documents.positions import Positions

__all__ = ["Trust", "TrustedKey", "TrustedRole"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A public key and whose it is."""

    name: str
    algorithm: str
    """ed25519 | p256"""
    public: str
    """SPKI PEM, or `file:PATH` relative to the workspace."""
    owner: str
    """The person or service that holds the private key: thresholds count owners as well as keys."""
    valid_from: str | None = None
    valid_until: str | None = None
    revoked_at_index: int | None = None
    """Ledger index from which the key signs nothing; entries before it still verify."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedRole:
    """What a signer may say, and how many must say it."""

    name: str
    keys: tuple[str, ...]
    threshold: int
    """Distinct keys and distinct owners."""
    predicates: tuple[str, ...]
    """Predicate types the role may sign."""
    environments: tuple[str, ...] = ()
    """Environments it may speak about; empty = all."""
    verifiers: tuple[str, ...] = ()
    """`verifier.id` values it may use; empty = any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """One version of a workspace's trust policy."""

    version: int
    keys: Mapping[str, TrustedKey]
    roles: Mapping[str, TrustedRole]
    expires: str | None = None
    positions: Positions = field(default=Positions(""), compare=False, repr=False)
