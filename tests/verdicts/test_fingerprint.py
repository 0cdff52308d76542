"""The fingerprint holds decisions and nothing else."""

from __future__ import annotations

from plangate.entitlements.decision import Effect, LimitDetail
from plangate.verdicts.fingerprint import decision_text, fingerprint
from plangate.verdicts.observation import Fault
from plangate.verdicts.result import ObservedCount


def saw(effect, reason, *, limit=None, fault=None, count=1, detail=None) -> ObservedCount:
    return ObservedCount(effect=effect, reason=reason, limit=limit, fault=fault, count=count, detail=detail)


def test_counts_details_and_remaining_do_not_change_a_decision() -> None:
    one = decision_text([saw(Effect.DENY, "limit_exceeded", limit=LimitDetail("m", 20, 0, "t"), count=3, detail="x")])
    other = decision_text([saw(Effect.DENY, "limit_exceeded", limit=LimitDetail("m", 20, 4))])
    assert one == other


def test_effect_reason_and_limit_change_a_decision() -> None:
    texts = {
        decision_text([saw(Effect.DENY, "suspended")]),
        decision_text([saw(Effect.ALLOW, "suspended")]),
        decision_text([saw(Effect.DENY, "not_in_plan")]),
        decision_text([saw(Effect.DENY, "suspended", limit=LimitDetail("m", 20, 0))]),
        decision_text([saw(Effect.DENY, "suspended", limit=LimitDetail("m", 21, 0))]),
        decision_text([saw(None, None, fault=Fault.TIMEOUT)]),
    }
    assert len(texts) == 6


def test_order_of_observations_does_not_matter() -> None:
    allow, deny = saw(Effect.ALLOW, "entitled"), saw(Effect.DENY, "suspended")
    assert decision_text([allow, deny]) == decision_text([deny, allow])


def test_every_fault_reads_alike() -> None:
    assert decision_text([saw(None, None, fault=Fault.TIMEOUT)]) == decision_text([saw(None, None, fault=Fault.CLOSED)])


def test_fingerprint_tells_cells_and_decisions_apart() -> None:
    a, b = b"a" * 10, b"b" * 10
    prints = {
        fingerprint([(a, "x")]),
        fingerprint([(b, "x")]),
        fingerprint([(a, "y")]),
        fingerprint([(a, "x"), (b, "x")]),
    }
    assert len(prints) == 4
    assert fingerprint([]).startswith("sha256:")
