"""The oracle and an independent reading of the rules give the same decision for any catalog, subject and request."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from plangate.entitlements.decision import Decision
from plangate.entitlements.oracle import Oracle
from tests.entitlements.catalogs import catalog_of, policy_of, request_of, subject_of
from tests.entitlements.reference_oracle import reference_decision
from tests.entitlements.strategies import cases


def plain(decision: Decision) -> dict[str, Any]:
    """The decision in the reference's words."""
    limit = decision.limit
    return {
        "rule": decision.rule,
        "effect": str(decision.effect),
        "reason": str(decision.reason),
        "limit": limit
        and {"name": limit.name, "limit": limit.limit, "remaining": limit.remaining, "resets_at": limit.resets_at},
    }


@settings(max_examples=20 * settings().max_examples)
@given(cases())
def test_oracle_agrees_with_the_independent_reading_of_the_rules(case: Any) -> None:
    raw, policy, asked = case
    oracle = Oracle.of(catalog_of(raw), policy_of(policy))
    for subject, request in asked:
        got = plain(oracle.decide(subject_of(subject), request_of(request)))
        assert got == reference_decision(raw, policy, subject, request)
