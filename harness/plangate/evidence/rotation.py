"""How trust changes hands: the rules of TUF roots (TUF specification, 5.3) for versions of `envs/trust.yaml`.

The next version is signed by enough people of this version and by enough of its own. A stolen key alone changes
nothing, and a version that was passed over is noticed. Who may sign is the role `root`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from plangate.entitlements.instants import instant_of
from plangate.errors import EvidenceError
from plangate.evidence.envelope import Envelope
from plangate.evidence.keys import PublicKey
from plangate.evidence.statements import OWN_DOMAIN, Statement, Subject
from plangate.evidence.trust import TrustPolicy

__all__ = ["ROOT_ROLE", "TRUST_CHANGE", "Root", "follow", "require_current", "require_next", "root_of", "trust_change"]

TRUST_CHANGE: Final = OWN_DOMAIN + "trust/v0.1"
ROOT_ROLE: Final = "root"
_SUBJECT: Final = "trust.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """What decides over one version of the trust: who, and how many of them."""

    version: int
    signers: Mapping[PublicKey, str]
    """Key -> person: both are counted."""
    threshold: int
    expires: str | None = None
    """RFC 3339 UTC."""


def root_of(policy: TrustPolicy) -> Root:
    """The root of a trust policy. Raises EvidenceError `rotation-refused` where it has no role `root`."""
    role = policy.trust.roles.get(ROOT_ROLE)
    if role is None:
        _refuse(f"trust version {policy.trust.version} has no role {ROOT_ROLE!r}, so nobody may change it")
    return Root(
        version=policy.trust.version,
        signers={policy.keys[name]: policy.trust.keys[name].owner for name in role.keys},
        threshold=role.threshold,
        expires=policy.trust.expires,
    )


def require_next(current: Root, following: Root, *, signed_by: Callable[[PublicKey], bool]) -> None:
    """Raise EvidenceError `rotation-refused` unless `following` may come after `current`.

    `signed_by` answers whether a key signed the following version's bytes.
    """
    if following.version != current.version + 1:
        _refuse(f"version {current.version} is followed by {current.version + 1}, not by {following.version}")
    for root, whose in ((current, "the version before it"), (following, "its own")):
        keys = [key for key in root.signers if signed_by(key)]
        count = min(len(keys), len({root.signers[key] for key in keys}))
        if count < root.threshold or root.threshold < 1:
            _refuse(f"version {following.version} has {count} signers of {whose} and needs {root.threshold}")


def require_current(root: Root, *, now: str) -> None:
    """Raise EvidenceError `trust-expired` where a root has ended. Only the last of a chain has to be current."""
    if root.expires is None:
        return
    time, end = instant_of(now), instant_of(root.expires)
    if time is None or end is None or time >= end:
        raise EvidenceError(f"trust version {root.version} ended {root.expires}", code="trust-expired")


def trust_change(document: bytes, *, version: int) -> Statement:
    """What each signer of a new `envs/trust.yaml` seals."""
    subject = Subject(_SUBJECT, hashlib.sha256(document).hexdigest())
    return Statement(subjects=(subject,), predicate_type=TRUST_CHANGE, predicate={"version": version})


def follow(
    first: TrustPolicy, versions: Sequence[tuple[bytes, TrustPolicy, Iterable[Envelope]]], *, now: str
) -> TrustPolicy:
    """The newest policy after `first`: each version is (file's bytes, policy, envelopes of its signers).

    Raises EvidenceError `rotation-refused` at the first step that does not hold, `trust-expired` at the end.
    """
    policy = first
    for document, following, envelopes in versions:
        wanted = trust_change(document, version=following.trust.version)
        valid = [one for one in envelopes if _says(one, wanted)]
        require_next(
            root_of(policy),
            root_of(following),
            signed_by=lambda key, valid=valid: any(one.signed_by([key]) for one in valid),  # type: ignore[misc]
        )
        policy = following
    require_current(root_of(policy), now=now)
    return policy


def _says(envelope: Envelope, wanted: Statement) -> bool:
    try:
        return envelope.statement() == wanted
    except EvidenceError:
        return False


def _refuse(why: str) -> NoReturn:
    raise EvidenceError(
        f"this change of trust is refused: {why}",
        code="rotation-refused",
        where="envs/trust.yaml",
        hint="have enough holders of the role root, of both versions, sign it",
    )
