"""Whom to believe: each reason to refuse has a test, and the acceptance beside it differs in that one thing only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plangate.errors import EvidenceError, InputError
from plangate.evidence.envelope import Envelope
from plangate.evidence.keys import generate
from plangate.evidence.statements import APPROVAL, VERIFICATION_SUMMARY
from plangate.evidence.trust import Accepted, Refused, TrustPolicy
from tests.evidence.policies import AT, policy, role, sealed, trusted

CI, OTHER = generate(), generate("p256")
GATE = {"predicates": (VERIFICATION_SUMMARY,), "verifiers": ("v",)}


def _code(found: Accepted | Refused) -> str:
    return "accepted" if isinstance(found, Accepted) else found.code


def _judged(
    one: TrustPolicy, envelope: Envelope, *, index: int | None = 5, environment: str | None = "stage", at: str = AT
) -> str:
    return _code(one.judge(envelope, index=index, environment=environment, at=at))


def test_a_trusted_key_in_its_role_is_accepted_with_person_and_role() -> None:
    found = policy(trusted("ci", CI), roles=(role("publisher-ci", "ci"),)).judge(
        sealed(CI), index=0, environment="stage", at=AT
    )
    assert isinstance(found, Accepted)
    assert (found.key, found.name, found.person, found.role) == (CI.public, "ci", "ci@example.com", "publisher-ci")


def test_a_stranger_is_refused_whatever_key_id_he_claims() -> None:
    mine = policy(trusted("ci", CI), roles=(role("publisher-ci", "ci"),))
    forged = replace(sealed(OTHER), keyid=CI.public.keyid)
    assert _judged(mine, forged) == "untrusted-signature"
    assert _judged(mine, replace(sealed(CI), keyid="SHA256:nonsense")) == "accepted"
    assert _judged(mine, replace(sealed(CI), keyid="")) == "accepted"


def test_a_changed_payload_is_refused() -> None:
    envelope = sealed(CI, result="FAILED")
    changed = replace(envelope, payload=envelope.payload.replace(b"FAILED", b"PASSED"))
    assert _judged(policy(trusted("ci", CI), roles=(role("a", "ci"),)), changed) == "untrusted-signature"


@pytest.mark.parametrize(
    ("more", "kind", "predicate", "code"),
    [
        ({}, APPROVAL, {}, "predicate-not-allowed"),
        ({"environments": ("stage",)}, None, {}, "accepted"),
        ({"environments": ("prod",)}, None, {}, "environment-not-allowed"),
        (GATE, VERIFICATION_SUMMARY, {"verifier": {"id": "v"}}, "accepted"),
        (GATE, VERIFICATION_SUMMARY, {"verifier": {"id": "w"}}, "verifier-not-allowed"),
        (GATE, VERIFICATION_SUMMARY, {}, "verifier-not-allowed"),
    ],
)  # fmt: skip
def test_a_role_covers_only_what_it_says(more: dict, kind: str | None, predicate: dict, code: str) -> None:
    mine = policy(trusted("ci", CI), roles=(role("a", "ci", **more),))
    envelope = sealed(CI, kind=kind, **predicate) if kind else sealed(CI, **predicate)
    assert _judged(mine, envelope) == code


def test_a_role_limited_to_environments_does_not_cover_a_statement_about_none() -> None:
    mine = policy(trusted("ci", CI), roles=(role("a", "ci", environments=("stage",)),))
    assert _judged(mine, sealed(CI), environment=None) == "environment-not-allowed"


def test_a_claimed_role_must_be_held() -> None:
    roles = (role("security", "ci", predicates=(APPROVAL,)), role("manager", "other", predicates=(APPROVAL,)))
    mine = policy(trusted("ci", CI), trusted("other", OTHER), roles=roles)
    assert _judged(mine, sealed(CI, kind=APPROVAL, role="security")) == "accepted"
    assert _judged(mine, sealed(CI, kind=APPROVAL, role="manager")) == "role-not-held"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2026-01-31T23:59:59Z", "key-not-yet-valid"),
        ("2026-02-01T00:00:00Z", "accepted"),
        ("2026-02-28T23:59:59.5Z", "accepted"),
        ("2026-03-01T00:00:00Z", "key-expired"),
        ("no time at all", "key-not-yet-valid"),
    ],
)
def test_a_key_counts_only_within_its_time(at: str, code: str) -> None:
    limited = trusted("ci", CI, valid_from="2026-02-01T00:00:00Z", valid_until="2026-03-01T00:00:00Z")
    assert _judged(policy(limited, roles=(role("a", "ci"),)), sealed(CI), at=at) == code


@pytest.mark.parametrize(("index", "code"), [(6, "accepted"), (7, "key-revoked"), (None, "key-revoked")])
def test_a_revoked_key_counts_for_entries_before_its_revocation(index: int | None, code: str) -> None:
    revoked = trusted("ci", CI, revoked_at_index=7)
    assert _judged(policy(revoked, roles=(role("a", "ci"),)), sealed(CI), index=index) == code


def test_a_second_name_neither_revives_a_revoked_key_nor_counts_twice() -> None:
    twice = policy(
        trusted("one", CI, revoked_at_index=0), trusted("two", CI, owner="bob"), roles=(role("a", "one", "two"),)
    )
    assert _judged(twice, sealed(CI)) == "key-revoked"
    fine = policy(trusted("one", CI), trusted("two", CI, owner="bob"), roles=(role("a", "one"), role("b", "two")))
    signers = [
        Accepted(key=CI.public, name=name, person=person, role="a")
        for name, person in (("one", "alice"), ("two", "bob"))
    ]
    assert fine.counts(signers) == 1
    assert fine.counts([signers[0], replace(signers[0], key=OTHER.public)]) == 1
    assert fine.counts([signers[0], replace(signers[1], key=OTHER.public)]) == 2


@pytest.mark.parametrize(
    ("limit", "code"),
    [({"revoked_at_index": 0}, "key-revoked"), ({"valid_until": "2026-05-01T00:00:00Z"}, "key-expired")],
    ids=["revoked", "expired"],
)
@pytest.mark.parametrize("limited", ["one", "two"])
def test_a_limit_on_any_name_of_a_key_limits_the_key(limited: str, limit: dict, code: str) -> None:
    names = [trusted(name, CI, **(limit if name == limited else {})) for name in ("one", "two")]
    mine = policy(*names, roles=(role("a", "one", "two"),))
    assert _judged(mine, sealed(CI)) == code
    assert mine.log_signers(index=5, at=AT) == ()


def test_a_checkpoint_counts_from_keys_that_were_good_at_its_last_entry() -> None:
    both = policy(trusted("ci", CI, revoked_at_index=7), trusted("other", OTHER), roles=(role("a", "ci", "other"),))
    assert both.log_signers(index=6, at=AT) == (CI.public, OTHER.public)
    assert both.log_signers(index=7, at=AT) == (OTHER.public,)


def test_an_expired_policy_believes_nobody() -> None:
    old = policy(trusted("ci", CI), roles=(role("a", "ci"),), expires=AT)
    assert _judged(old, sealed(CI), at="2026-05-31T23:59:59Z") == "accepted"
    assert _judged(old, sealed(CI), at=AT) == "trust-expired"
    with pytest.raises(EvidenceError, match="trust-expired"):
        old.require_current(AT)


def test_a_key_of_another_algorithm_than_said_and_an_unknown_key_are_refused() -> None:
    with pytest.raises(InputError, match="bad-key"):
        policy(replace(trusted("ci", CI), algorithm="p256"), roles=(role("a", "ci"),))
    with pytest.raises(InputError, match="bad-role"):
        policy(trusted("ci", CI), roles=(role("a", "nobody"),))
