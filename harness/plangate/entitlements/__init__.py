"""The oracle: what every plan must and must not allow, why, which laws a catalog keeps, and what another would change."""

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
