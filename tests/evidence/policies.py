"""Small trust policies and envelopes for tests."""

from __future__ import annotations

from typing import Any

from plangate.documents.trust import Trust, TrustedKey, TrustedRole
from plangate.evidence.envelope import Envelope, open_envelope, seal
from plangate.evidence.keys import PrivateKey, PublicKey
from plangate.evidence.statements import TEST_RESULT, Statement, subjects_of
from plangate.evidence.trust import TrustPolicy

RELEASE = "sha256:" + "ab" * 32
EFFECTIVE = "sha256:" + "cd" * 32
AT = "2026-06-01T00:00:00Z"


def policy(
    *keys: TrustedKey, roles: tuple[TrustedRole, ...], version: int = 1, expires: str | None = None
) -> TrustPolicy:
    """A policy with these keys and roles."""
    trust = Trust(
        version=version,
        keys={one.name: one for one in keys},
        roles={one.name: one for one in roles},
        expires=expires,
    )
    return TrustPolicy.of(trust, read=lambda path: b"")


def trusted(name: str, key: PrivateKey | PublicKey, *, owner: str = "", **more: Any) -> TrustedKey:
    """`key` under a name."""
    public = key.public if isinstance(key, PrivateKey) else key
    return TrustedKey(
        name=name, algorithm=public.algorithm, public=public.pem.decode(), owner=owner or f"{name}@example.com", **more
    )


def role(name: str, *keys: str, **more: Any) -> TrustedRole:
    """A role that these keys hold; it may state test results unless said otherwise."""
    return TrustedRole(**{"name": name, "keys": keys, "threshold": 1, "predicates": (TEST_RESULT,), **more})


def sealed(key: PrivateKey, *, kind: str = TEST_RESULT, environment: str = "stage", **predicate: Any) -> Envelope:
    """An envelope about the release in an environment."""
    subjects = subjects_of(RELEASE, environment=environment, effective=EFFECTIVE)
    statement = Statement(subjects=subjects, predicate_type=kind, predicate=predicate)
    return open_envelope(seal(statement, key=key))
