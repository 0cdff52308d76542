"""An append that is under way, as one file: whoever finds it can finish it without any key."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from plangate.errors import EvidenceError
from plangate.evidence.notes import Checkpoint, read_checkpoint
from plangate.evidence.strict_json import loads

__all__ = ["Pending"]

_FIELDS = ("checkpoint", "envelope", "line", "proof")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What each file of the ledger will hold of one append; all of it was signed before it was written here."""

    envelope: bytes
    line: bytes
    checkpoint: bytes
    proof: bytes

    def to_bytes(self) -> bytes:
        """As a file."""
        return json.dumps({name: base64.b64encode(getattr(self, name)).decode() for name in _FIELDS}).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Pending:
        """Read it back. Raises EvidenceError `ledger-damaged` for what no append left."""
        try:
            kept = loads(data)
            if not isinstance(kept, dict):
                raise TypeError
            found = cls(**{name: base64.b64decode(str(kept[name]), validate=True) for name in _FIELDS})
            if found.promised().size < 1:
                raise TypeError
        except (EvidenceError, KeyError, TypeError, binascii.Error):
            raise EvidenceError(
                "an interrupted append left something that cannot be read",
                code="ledger-damaged",
                where="evidence/ledger/pending.json",
                hint="compare `plangate ledger show` with version control, then remove the file",
            ) from None
        return found

    def promised(self) -> Checkpoint:
        """The checkpoint that the ledger will have."""
        return read_checkpoint(self.checkpoint)
