"""Whom to believe: which key may sign what, about which environment, at which time and place of the ledger.

Everything is denied unless a role allows it. A key is its SPKI bytes: the same key under two names is one key, and a
limit on either name is a limit on the key.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from plangate.documents.trust import Trust, TrustedKey, TrustedRole
from plangate.entitlements.instants import instant_of
from plangate.errors import EvidenceError, InputError
from plangate.evidence.envelope import Envelope
from plangate.evidence.keys import PublicKey
from plangate.evidence.statements import VERIFICATION_SUMMARY, Statement

__all__ = ["Accepted", "Refused", "TrustPolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An envelope that may be believed, and on whose word. Thresholds count distinct `key` and distinct `person`."""

    key: PublicKey
    name: str
    """What the trust policy calls the key."""
    person: str
    """Its owner."""
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An envelope that may not be believed: a stable code, and why."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """One version of `envs/trust.yaml`, with its keys loaded."""

    trust: Trust
    keys: Mapping[str, PublicKey]
    """Name -> key."""

    @classmethod
    def of(cls, trust: Trust, *, read: Callable[[str], bytes]) -> TrustPolicy:
        """Load every key; `read` gets the path of a `file:PATH` and answers with its bytes.

        Raises InputError for a key that cannot be read or is of another algorithm than said (`bad-key`), and for a
        role that names an unknown key (`bad-role`).
        """
        keys = {name: _loaded(one, read=read) for name, one in trust.keys.items()}
        policy = cls(trust=trust, keys=keys)
        for role in trust.roles.values():
            policy._require_known(role)
        return policy

    def expired(self, at: str) -> bool:
        """Whether this version of the policy has ended at `at` (RFC 3339). What is no instant counts as too late."""
        return self.trust.expires is not None and not _before(at, self.trust.expires)

    def require_current(self, at: str) -> None:
        """Raise EvidenceError `trust-expired` where this version has ended at `at`."""
        if self.expired(at):
            raise _expired(self.trust)

    def judge(
        self,
        envelope: Envelope,
        *,
        index: int | None,
        environment: str | None,
        at: str,
        statement: Statement | None = None,
    ) -> Accepted | Refused:
        """Whether the envelope may be believed.

        `index` is its place in the ledger (None: in none), `environment` the one it speaks about (None: about none, so
        that a role limited to some does not cover it), `at` the ledger's time of the entry, `statement` the envelope's
        own where it was read already. The key id that an envelope claims says which key is tried first, and no more.
        Total: never raises.
        """
        if self.expired(at):
            return Refused(code="trust-expired", text=f"trust version {self.trust.version} ended {self.trust.expires}")
        keys = dict.fromkeys(self.keys.values())
        key = envelope.signed_by(sorted(keys, key=lambda one: one.keyid != envelope.keyid))
        if key is None:
            return Refused(code="untrusted-signature", text="no key of the trust policy made this signature")
        names = sorted(name for name, one in self.keys.items() if one == key)
        for name in names:
            if refused := _out_of_time(self.trust.keys[name], index=index, at=at):
                return refused
        try:
            statement = statement or envelope.statement()
        except EvidenceError as error:
            return Refused(code=error.code, text=error.message)
        return self._in_a_role(key, names, statement, environment=environment)

    def log_signers(self, *, index: int, at: str) -> tuple[PublicKey, ...]:
        """The keys that may sign a checkpoint whose last entry is `index`, of time `at`."""
        spoilt = {self.keys[name] for name, one in self.trust.keys.items() if _out_of_time(one, index=index, at=at)}
        return tuple(key for key in dict.fromkeys(self.keys.values()) if key not in spoilt)

    def counts(self, accepted: Iterable[Accepted]) -> int:
        """How many distinct signers these are: the fewer of distinct keys and distinct persons."""
        found = list(accepted)
        return min(len({one.key for one in found}), len({one.person for one in found}))

    def _in_a_role(
        self, key: PublicKey, names: list[str], statement: Statement, *, environment: str | None
    ) -> Accepted | Refused:
        """The first role, by name, that covers the statement; the one it claims where it claims one."""
        refused = Refused(code="no-role", text=f"key {names[0]} has no role")
        claimed = statement.predicate.get("role")
        for role in sorted(self.trust.roles.values(), key=lambda one: (one.name != claimed, one.name)):
            name = next((one for one in names if one in role.keys), None)
            if name is None:
                continue
            if isinstance(claimed, str) and claimed != role.name:
                refused = Refused(code="role-not-held", text=f"key {name} does not hold the role {claimed!r}")
                continue
            beyond = _beyond(role, statement, environment=environment)
            if beyond is None:
                return Accepted(key=key, name=name, person=self.trust.keys[name].owner, role=role.name)
            refused = beyond
        return refused

    def _require_known(self, role: TrustedRole) -> None:
        unknown = [name for name in role.keys if name not in self.keys]
        if unknown:
            raise _bad_role(role, f"names the key {unknown[0]!r}, which is not under keys")


def _loaded(key: TrustedKey, *, read: Callable[[str], bytes]) -> PublicKey:
    text = key.public
    pem = read(text.removeprefix("file:")) if text.startswith("file:") else text.encode()
    try:
        found = PublicKey.load(pem)
    except InputError as error:
        raise InputError(f"key {key.name}: {error.message}", code=error.code, where="envs/trust.yaml") from error
    if found.algorithm != key.algorithm:
        raise InputError(
            f"key {key.name} is said to be {key.algorithm}, and is {found.algorithm}",
            code="bad-key",
            where="envs/trust.yaml",
            hint="`plangate keys show FILE` prints the lines for this file",
        )
    return found


def _out_of_time(key: TrustedKey, *, index: int | None, at: str) -> Refused | None:
    """Why the key signs nothing at this time and place, or None. An unknown place is after a revocation."""
    if key.revoked_at_index is not None and (index is None or index >= key.revoked_at_index):
        return Refused(code="key-revoked", text=f"key {key.name} is revoked from entry {key.revoked_at_index} on")
    if key.valid_from is not None and (instant_of(at) is None or _before(at, key.valid_from)):
        return Refused(code="key-not-yet-valid", text=f"key {key.name} is valid from {key.valid_from}, not at {at}")
    if key.valid_until is not None and not _before(at, key.valid_until):
        return Refused(code="key-expired", text=f"key {key.name} was valid until {key.valid_until}, not at {at}")
    return None


def _beyond(role: TrustedRole, statement: Statement, *, environment: str | None) -> Refused | None:
    """What of the statement the role does not cover, or None."""
    if statement.predicate_type not in role.predicates:
        return Refused(code="predicate-not-allowed", text=f"role {role.name} may not state {statement.predicate_type}")
    if role.environments and environment not in role.environments:
        about = environment or "no environment"
        return Refused(code="environment-not-allowed", text=f"role {role.name} may not speak about {about}")
    return _other_verifier(role.verifiers, statement, role=role.name)


def _other_verifier(allowed: Collection[str], statement: Statement, *, role: str) -> Refused | None:
    """Consumers accept pairs of signer and `verifier.id` (SLSA VSA): a gate's key says nothing under another name."""
    verifier = statement.predicate.get("verifier")
    if not allowed or (verifier is None and statement.predicate_type != VERIFICATION_SUMMARY):
        return None
    name = verifier.get("id") if isinstance(verifier, Mapping) else None
    if name in allowed:
        return None
    return Refused(code="verifier-not-allowed", text=f"role {role} may not speak as verifier {name!r}")


def _before(at: str, end: str) -> bool:
    """Whether instant `at` is before `end`; false where either is none, so that callers refuse."""
    one, other = instant_of(at), instant_of(end)
    return one is not None and other is not None and one < other


def _expired(trust: Trust) -> EvidenceError:
    return EvidenceError(
        f"trust version {trust.version} ended {trust.expires}",
        code="trust-expired",
        where="envs/trust.yaml",
        hint="the next version, signed by this one's keys and its own, goes on",
    )


def _bad_role(role: TrustedRole, why: str) -> InputError:
    return InputError(f"role {role.name} {why}", code="bad-role", where="envs/trust.yaml")
