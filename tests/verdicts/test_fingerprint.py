"""The fingerprint holds decisions and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys

from plangate.entitlements.decision import Effect, LimitDetail
from plangate.verdicts.fingerprint import Decided, decision_text, digests, fingerprint, limits_text
from plangate.verdicts.observation import Fault
from plangate.verdicts.result import ObservedCount


def saw(effect, reason, *, limit=None, fault=None, count=1, detail=None) -> ObservedCount:
    return ObservedCount(effect=effect, reason=reason, limit=limit, fault=fault, count=count, detail=detail)


def test_counts_details_and_limits_do_not_change_a_decision() -> None:
    told = saw(Effect.DENY, "limit_exceeded", limit=LimitDetail("m", 20, 0, "t"), count=3, detail="x")
    texts = {decision_text([one]) for one in (told, saw(Effect.DENY, "limit_exceeded"))}

    assert texts == {'["deny", "limit_exceeded"]'}


def test_effect_and_reason_change_a_decision() -> None:
    texts = {
        decision_text([saw(Effect.DENY, "suspended")]),
        decision_text([saw(Effect.ALLOW, "suspended")]),
        decision_text([saw(Effect.DENY, "not_in_plan")]),
        decision_text([saw(Effect.DENY, None)]),
        decision_text([saw(None, None, fault=Fault.TIMEOUT)]),
    }
    assert len(texts) == 5


def test_all_that_is_told_of_a_limit_changes_its_text_and_nothing_told_has_none() -> None:
    told = [
        LimitDetail("m", 20, 0),
        LimitDetail("n", 20, 0),
        LimitDetail("m", 21, 0),
        LimitDetail("m", 20, 1),
        LimitDetail("m", 20, 0, "2026-01-02T00:00:00Z"),
    ]
    texts = {limits_text([saw(Effect.DENY, "limit_exceeded", limit=one)]) for one in told}

    assert len(texts) == 5
    assert limits_text([saw(Effect.DENY, "limit_exceeded"), saw(None, None, fault=Fault.CLOSED)]) == ""


def test_limits_have_a_digest_of_their_own() -> None:
    a, b = b"a" * 10, b"b" * 10
    silent = digests([Decided(a, "x"), Decided(b, "y")])
    told = digests([Decided(a, "x"), Decided(b, "y", "m")])
    other = digests([Decided(a, "x"), Decided(b, "y", "n")])
    elsewhere = digests([Decided(a, "x", "m"), Decided(b, "y")])

    assert {one.fingerprint for one in (silent, told, other, elsewhere)} == {fingerprint([(a, "x"), (b, "y")])}
    assert len({one.details for one in (silent, told, other, elsewhere)}) == 4
    assert silent.details == digests([]).details


SCRIPT = """
from plangate.entitlements.decision import Effect, LimitDetail
from plangate.verdicts.fingerprint import decision_text, limits_text
from plangate.verdicts.result import ObservedCount
seen = [
    ObservedCount(effect=effect, reason=reason, limit=LimitDetail(reason, 5, 0), fault=None, count=1)
    for effect in Effect for reason in ("suspended", "revoked", "entitled", "not_in_plan")
]
print(decision_text(seen), limits_text(seen))
"""


def test_what_a_wavering_cell_decided_reads_alike_under_any_hash_seed() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(said) == 1
    assert said.pop().count("|") == 11 + 3


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
