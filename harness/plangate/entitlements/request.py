"""Who asks and what is asked: the two inputs of every decision beside the catalog (domain.md 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Consent", "Override", "Request", "Subject"]


@dataclass(frozen=True, slots=True)
class Consent:
    """A scope somebody consented to; level is user | admin | preauthorized."""

    name: str
    level: str


@dataclass(frozen=True, slots=True)
class Override:
    """An exception for one subject: `grant` or `revoke`; `expires` is RFC 3339 UTC, compared with the request time."""

    capability: str
    effect: str
    expires: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A tenant and all that bears on its decisions."""

    plan: str
    state: str
    quantity: int | None = 1
    """Seats; None = a flat rate without seats, which counts as one where a limit asks."""
    addons: tuple[str, ...] = ()
    tenant_linked: bool = True
    consents: tuple[Consent, ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One use of one capability. `settings` maps setting name -> value asked for; `cost` maps limit name -> units."""

    capability: str
    surface: str = "default"
    settings: Mapping[str, str | int] = field(default_factory=dict)
    cost: Mapping[str, int] = field(default_factory=dict)
    phrasing: str | None = None
    time: str = "2026-01-01T00:00:00Z"
