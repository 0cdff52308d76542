"""What is decided: effect, reason from a closed list, the rule that decided, and where it came from (domain.md 2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plangate.documents.positions import Pointer

__all__ = ["Decision", "Effect", "LimitDetail", "Reason"]


class Effect(StrEnum):
    """The three things a gate can say."""

    ALLOW = "allow"
    DENY = "deny"
    REQUIRE_APPROVAL = "require_approval"


class Reason(StrEnum):
    """Why: the closed list, in the order of the rules D1 to D11."""

    UNKNOWN_CAPABILITY = "unknown_capability"
    PROHIBITED = "prohibited"
    TENANT_NOT_LINKED = "tenant_not_linked"
    NOT_ACTIVATED = "not_activated"
    SUSPENDED = "suspended"
    UNSUBSCRIBED = "unsubscribed"
    UNKNOWN_STATE = "unknown_state"
    UNKNOWN_PLAN = "unknown_plan"
    REVOKED = "revoked"
    NOT_IN_PLAN = "not_in_plan"
    CONSENT_REQUIRED = "consent_required"
    OUT_OF_SCOPE = "out_of_scope"
    LIMIT_EXCEEDED = "limit_exceeded"
    APPROVAL_REQUIRED = "approval_required"
    ENTITLED = "entitled"
    SOFT_LIMIT = "soft_limit"


@dataclass(frozen=True, slots=True)
class LimitDetail:
    """The limit a decision came from. `limit` and `remaining` in the limit's unit; `resets_at` RFC 3339 or None."""

    name: str
    limit: int
    remaining: int
    resets_at: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One expected decision."""

    effect: Effect
    reason: str
    """One of the closed list (`Reason`), or what the catalog says for a state of its own."""
    rule: str
    """`D1` to `D11`."""
    pointer: Pointer = ()
    """Place in the catalog (or, with `in_environment`, in the environment) that decided."""
    limit: LimitDetail | None = None
    setting: str | None = None
    """Name of the setting or scope it came from, for D7 and D8."""
    in_environment: bool = False
