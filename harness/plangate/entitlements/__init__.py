"""The oracle: what every plan must and must not allow, why, which laws a catalog keeps, what another would change.

Names are loaded when first asked for: much of plangate needs only the words of `decision`, not the oracle.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plangate.entitlements.decision import Decision, Effect, LimitDetail, Reason
    from plangate.entitlements.oracle import Oracle
    from plangate.entitlements.request import Consent, Override, Request, Subject

__all__ = [
    "Consent",
    "Decision",
    "Effect",
    "LimitDetail",
    "Oracle",
    "Override",
    "Reason",
    "Request",
    "Subject",
]

_MODULES = {
    "decision": ("Decision", "Effect", "LimitDetail", "Reason"),
    "oracle": ("Oracle",),
    "request": ("Consent", "Override", "Request", "Subject"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
