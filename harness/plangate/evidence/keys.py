"""Keys that sign evidence: Ed25519, or ECDSA on P-256 for hardware that has nothing else (evidence.md 3.2)."""

from __future__ import annotations

import base64
import hashlib
from functools import cached_property
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from plangate.errors import InputError

__all__ = ["ALGORITHMS", "PrivateKey", "PublicKey", "generate"]

ALGORITHMS: Final = ("ed25519", "p256")
_BYTES_MAX: Final = 16_384
_P256_BYTES: Final = 32


class PublicKey:
    """A key that checks signatures. Two are equal where their SPKI bytes are, whatever they are called."""

    def __init__(self, key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey) -> None:
        self._key = key

    @classmethod
    def load(cls, pem: bytes) -> PublicKey:
        """From SPKI PEM. Raises InputError `bad-key` for anything else, and for other algorithms or curves."""
        try:
            key = serialization.load_pem_public_key(pem[:_BYTES_MAX])
        except (ValueError, UnsupportedAlgorithm) as error:
            raise _bad_key("public", "SPKI PEM") from error
        if not _supported(key):
            raise _bad_key("public", "an Ed25519 or P-256 key")
        return cls(key)  # type: ignore[arg-type]

    @property
    def algorithm(self) -> str:
        """`ed25519` or `p256`."""
        return "ed25519" if isinstance(self._key, ed25519.Ed25519PublicKey) else "p256"

    @cached_property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo, DER: what makes two keys the same."""
        return self._key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def pem(self) -> bytes:
        """SPKI PEM, as OpenSSL, Node and cosign read it."""
        return self._key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def raw(self) -> bytes:
        """The 32 bytes of an Ed25519 key, for signed notes. Raises InputError for another algorithm."""
        if not isinstance(self._key, ed25519.Ed25519PublicKey):
            raise InputError("only an Ed25519 key signs a log", code="bad-key", hint="`plangate keys new` makes one")
        return self._key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    @cached_property
    def keyid(self) -> str:
        """`SHA256:...`, the OpenSSH fingerprint: what `ssh-keygen -lf` shows and cosign compares."""
        line = self._key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        digest = hashlib.sha256(base64.b64decode(line.split()[1])).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` is this key's over `data`. ECDSA may be DER or raw r||s. Total: never raises."""
        if isinstance(self._key, ed25519.Ed25519PublicKey):
            return _holds(lambda: self._key.verify(signature, data))
        forms = [signature]
        if len(signature) == 2 * _P256_BYTES:
            r, s = signature[:_P256_BYTES], signature[_P256_BYTES:]
            forms.append(encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big")))
        key = self._key
        return any(_holds(lambda form=form: key.verify(form, data, ec.ECDSA(hashes.SHA256()))) for form in forms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.spki == other.spki

    def __hash__(self) -> int:
        return hash(self.spki)


class PrivateKey:
    """A key that signs. It never prints itself."""

    def __init__(self, key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @classmethod
    def load(cls, pem: bytes, *, passphrase: bytes | None = None) -> PrivateKey:
        """From PKCS#8 PEM. Raises InputError `bad-key`, or `bad-passphrase` where one is needed, wrong or unwanted."""
        try:
            key = serialization.load_pem_private_key(pem[:_BYTES_MAX], password=passphrase)
        except TypeError as error:
            raise _bad_passphrase("needs a passphrase" if passphrase is None else "has no passphrase") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            if b"ENCRYPTED" in pem and passphrase is not None:
                raise _bad_passphrase("does not open with this passphrase") from error
            raise _bad_key("private", "PKCS#8 PEM") from error
        if not _supported(key):
            raise _bad_key("private", "an Ed25519 or P-256 key")
        return cls(key)  # type: ignore[arg-type]

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        return PublicKey(self._key.public_key())

    def sign(self, data: bytes) -> bytes:
        """A signature over `data`; ECDSA in DER."""
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(data)
        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))

    def pem(self, *, passphrase: bytes | None = None) -> bytes:
        """PKCS#8 PEM, encrypted where a passphrase is given."""
        protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase:
            protection = serialization.BestAvailableEncryption(passphrase)
        return self._key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def generate(algorithm: str = "ed25519") -> PrivateKey:
    """A new key. Raises InputError `bad-key` for an algorithm that is not in ALGORITHMS."""
    if algorithm == "ed25519":
        return PrivateKey(ed25519.Ed25519PrivateKey.generate())
    if algorithm == "p256":
        return PrivateKey(ec.generate_private_key(ec.SECP256R1()))
    raise InputError(f"there is no algorithm {algorithm!r}", code="bad-key", hint=f"known: {', '.join(ALGORITHMS)}")


def _supported(key: object) -> bool:
    if isinstance(key, ed25519.Ed25519PublicKey | ed25519.Ed25519PrivateKey):
        return True
    curve = isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey)
    return curve and isinstance(key.curve, ec.SECP256R1)  # type: ignore[attr-defined]


def _holds(check: object) -> bool:
    try:
        check()  # type: ignore[operator]
    except (InvalidSignature, ValueError):
        return False
    return True


def _bad_key(which: str, wanted: str) -> InputError:
    return InputError(f"this is no {which} key that can be used: {wanted} is needed", code="bad-key")


def _bad_passphrase(why: str) -> InputError:
    return InputError(f"the key {why}", code="bad-passphrase", hint="name its variable with --passphrase-env")
