"""Signed notes, checkpoints and proofs as C2SP writes them: text that a customer keeps and any verifier reads.

Formats: c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-proof.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from plangate.errors import EvidenceError
from plangate.evidence.merkle import verify_inclusion

if TYPE_CHECKING:
    from plangate.evidence.keys import PrivateKey, PublicKey

__all__ = ["Checkpoint", "TlogProof", "key_hash", "read_checkpoint", "read_proof", "sign_checkpoint", "write_proof"]

_ED25519: Final = 0x01
_HASH_BYTES: Final = 4
_PROOF_HEAD: Final = "c2sp.org/tlog-proof@v1"
_TEXT_MAX: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A tree's size and root under its log's name, with the signatures that came with it."""

    origin: str
    size: int
    root: bytes
    body: bytes
    """What is signed: the note's text with its last newline."""
    signatures: tuple[tuple[str, bytes], ...]
    """(name, key hash and signature) of each signature line."""

    def signed_by(self, key: PublicKey) -> bool:
        """Whether one of the signatures is this key's, under the log's own name."""
        wanted = key_hash(self.origin, key)
        return any(
            name == self.origin and blob[:_HASH_BYTES] == wanted and key.verify(blob[_HASH_BYTES:], self.body)
            for name, blob in self.signatures
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """Proof that an entry is in the tree of a checkpoint."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint

    def holds(self, leaf: bytes) -> bool:
        """Whether the leaf with this hash is in the checkpoint's tree."""
        tree = self.checkpoint
        return verify_inclusion(leaf, index=self.index, size=tree.size, proof=self.path, root=tree.root)


def key_hash(name: str, key: PublicKey) -> bytes:
    """Four bytes that tell keys of one name apart; for P-256 those of its SPKI, as transparency logs do."""
    if key.algorithm == "ed25519":
        return hashlib.sha256(name.encode() + b"\n" + bytes([_ED25519]) + key.raw).digest()[:_HASH_BYTES]
    return hashlib.sha256(key.spki).digest()[:_HASH_BYTES]


def sign_checkpoint(*, origin: str, size: int, root: bytes, key: PrivateKey) -> bytes:
    """A checkpoint signed under the log's name."""
    body = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
    blob = base64.b64encode(key_hash(origin, key.public) + key.sign(body)).decode()
    return body + f"\n\u2014 {origin} {blob}\n".encode()


def read_checkpoint(text: bytes) -> Checkpoint:
    """Read a checkpoint. Raises EvidenceError `malformed-checkpoint`."""
    try:
        note = text[: _TEXT_MAX + 1].decode("utf-8")
    except UnicodeDecodeError:
        _refuse("it is not UTF-8")
    body, gap, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if not gap or len(text) > _TEXT_MAX or len(lines) < 3 or not note.endswith("\n"):
        _refuse("it has a name, a size, a root and signatures")
    if not lines[1].isascii() or not lines[1].isdigit() or str(int(lines[1])) != lines[1]:
        _refuse("its second line is not a size")
    return Checkpoint(
        origin=lines[0],
        size=int(lines[1]),
        root=_decoded(lines[2]),
        body=(body + "\n").encode(),
        signatures=tuple(_signature(line) for line in signatures.rstrip("\n").split("\n")),
    )


def _signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, blob = rest.partition(" ")
    if dash != "\u2014" or not name or not blob:
        _refuse("a signature line is a dash, a name and base64")
    return name, _decoded(blob)


def write_proof(*, index: int, path: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The text of a `.tlog-proof` file."""
    hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in path)
    return f"{_PROOF_HEAD}\nindex {index}\n{hashes}\n".encode() + checkpoint


def read_proof(text: bytes) -> TlogProof:
    """Read a `.tlog-proof` file. Raises EvidenceError `malformed-checkpoint`."""
    head, _, checkpoint = text[: 2 * _TEXT_MAX].partition(b"\n\n")
    lines = head.decode("utf-8", "replace").split("\n")
    if len(lines) < 2 or lines[0] != _PROOF_HEAD:
        _refuse("it is no tlog-proof")
    rest = lines[2:] if lines[1].startswith("extra ") else lines[1:]
    word, _, number = rest[0].partition(" ") if rest else ("", "", "")
    if word != "index" or not number.isascii() or not number.isdigit():
        _refuse("it names no index")
    return TlogProof(
        index=int(number), path=tuple(_decoded(one) for one in rest[1:]), checkpoint=read_checkpoint(checkpoint)
    )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        _refuse("it has base64 that is none")


def _refuse(why: str) -> NoReturn:
    raise EvidenceError(f"this checkpoint cannot be read: {why}", code="malformed-checkpoint")
