"""DSSE envelopes: one statement, one signature, checked over the bytes as they came (evidence.md 3.2).

n of m signers make n envelopes: peers refuse an envelope with two signatures.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NoReturn

from plangate.errors import EvidenceError
from plangate.evidence.keys import PrivateKey, PublicKey
from plangate.evidence.statements import Statement, read_statement
from plangate.evidence.strict_json import loads

__all__ = ["PAYLOAD_TYPE", "Envelope", "open_envelope", "pre_authentication", "seal"]

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_FIELDS: Final = {"payload", "payloadType", "signatures"}


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """What is signed: DSSE's PAE of type and payload (DSSE v1.0.2, protocol.md)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(statement: Statement, *, key: PrivateKey) -> bytes:
    """The bytes of an envelope with `statement`, canonical and signed by `key`."""
    payload = statement.to_bytes()
    signature = key.sign(pre_authentication(PAYLOAD_TYPE, payload))
    document = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key.public.keyid, "sig": base64.b64encode(signature).decode()}],
    }
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An envelope as read. Nothing in it may be believed before `signed_by` names a key."""

    payload: bytes
    payload_type: str
    keyid: str
    """As claimed; empty where none was given. A hint, never a proof."""
    signature: bytes
    digest: str
    """SHA-256 of the envelope's bytes, hexadecimal: its name on disk and in the ledger."""

    def signed_by(self, keys: Iterable[PublicKey]) -> PublicKey | None:
        """The first of `keys` whose signature this is. A claimed key id neither helps nor hurts."""
        data = pre_authentication(self.payload_type, self.payload)
        return next((key for key in keys if key.verify(self.signature, data)), None)

    def statement(self) -> Statement:
        """What is stated. Raises EvidenceError `malformed-evidence` for another payload type or shape."""
        if self.payload_type != PAYLOAD_TYPE:
            _refuse(f"its payload is {self.payload_type!r}, not an in-toto statement")
        return read_statement(self.payload)


def open_envelope(data: bytes) -> Envelope:
    """Read an envelope strictly. Raises EvidenceError `malformed-evidence`."""
    document = loads(data)
    if not isinstance(document, dict) or not _FIELDS >= document.keys() >= _FIELDS:
        _refuse("an envelope has payload, payloadType and signatures, and nothing else")
    signatures, payload_type = document["signatures"], document["payloadType"]
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        _refuse("an envelope has exactly one signature")
    keyid, signature = signatures[0].get("keyid") or "", signatures[0].get("sig")
    if not isinstance(payload_type, str) or not isinstance(keyid, str):
        _refuse("payloadType and keyid are text")
    return Envelope(
        payload=_decoded(document["payload"]),
        payload_type=payload_type,
        keyid=keyid,
        signature=_decoded(signature),
        digest=hashlib.sha256(data).hexdigest(),
    )


def _decoded(text: object) -> bytes:
    """Base64 in its standard or URL-safe alphabet, as DSSE demands of readers."""
    if not isinstance(text, str):
        _refuse("payload and sig are base64 text")
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        _refuse("payload or sig is not base64")


def _refuse(why: str) -> NoReturn:
    raise EvidenceError(f"this is no envelope: {why}", code="malformed-evidence")
