"""The ledger as a bundle carries it: entries, checkpoint and proofs, checked without the publisher's files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from plangate.entitlements.instants import instant_of
from plangate.errors import EvidenceError
from plangate.evidence.frontier import Frontier
from plangate.evidence.merkle import leaf_hash
from plangate.evidence.notes import Checkpoint, TlogProof, read_checkpoint, read_proof

if TYPE_CHECKING:
    from plangate.evidence.bundle.layout import BundleFile
    from plangate.evidence.trust import TrustPolicy

__all__ = ["LedgerCopy", "read_ledger"]

_LINE = re.compile(rb'\{"at":"([0-9TZ:.-]{20,40})","digest":"([0-9a-f]{64})"\}')
_LEDGER_BYTES_MAX = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCopy:
    """Entries as (time, envelope digest), their leaves, and what was signed for them."""

    entries: tuple[tuple[str, str], ...]
    leaves: tuple[bytes, ...]
    checkpoint: Checkpoint
    proofs: Sequence[tuple[str, TlogProof]]
    places: Mapping[str, int]
    """Envelope digest -> index of its first entry."""
    roots: Mapping[int, bytes]
    """Size -> root of the tree then, at each size that somebody signed for."""

    def place_of(self, digest: str) -> tuple[int | None, str]:
        """(index, time) of an envelope; (None, "") for none.

        Of its first entry where it was recorded again: an old pass that is repeated is not a newer word.
        """
        index = self.places.get(digest)
        return (None, "") if index is None else (index, self.entries[index][0])

    def vouched(self, policy: TrustPolicy) -> int:
        """How many entries, from the first, somebody whom `policy` trusts signed for; 0 where nobody did.

        The newest checkpoint is signed by whoever appended last, who may be a stranger to the reader; an earlier one,
        beside some envelope, still fixes all that came before it.
        """
        signed = (self.checkpoint, *(proof.checkpoint for _, proof in self.proofs))
        for one in sorted(signed, key=lambda one: -one.size):
            if not 0 < one.size <= len(self.entries) or one.root != self.roots[one.size]:
                continue
            signers = policy.log_signers(index=one.size - 1, at=self.entries[one.size - 1][0])
            if any(one.signed_by(key) for key in signers):
                return one.size
        return 0

    def problems(self, policy: TrustPolicy) -> Iterator[tuple[str, str]]:
        """(code, text) of all that is wrong."""
        size, checkpoint, roots = len(self.entries), self.checkpoint, self.roots
        if checkpoint.size > size:
            yield "ledger-cut", f"the checkpoint counts {checkpoint.size} entries, and {size} are left"
        elif roots[checkpoint.size] != checkpoint.root:
            yield "ledger-forked", "the entries are not those the checkpoint was signed for"
        elif size > checkpoint.size:
            yield "ledger-unsigned", f"{size - checkpoint.size} entries came after the last checkpoint"
        if not self.vouched(policy):
            yield "checkpoint-untrusted", "nobody you trust signed a checkpoint of the ledger"
        times = [instant_of(at) for at, _ in self.entries]
        if any(one is None or other is None or other < one for one, other in pairwise(times)):
            yield "ledger-damaged", "the times of the entries run backwards"
        for digest, proof in self.proofs:
            named = proof.index < size and self.entries[proof.index][1] == digest
            same = roots.get(proof.checkpoint.size) == proof.checkpoint.root
            if not named or not same or not proof.holds(self.leaves[proof.index]):
                yield "proof-differs", f"the proof of {digest[:12]} does not hold"


def _roots(leaves: Sequence[bytes], sizes: set[int]) -> dict[int, bytes]:
    """Root of the tree at each of `sizes` that it ever had, in one walk."""
    frontier, roots = Frontier(), {}
    for leaf in (None, *leaves):
        frontier = frontier if leaf is None else frontier.with_leaf(leaf)
        if frontier.size in sizes:
            roots[frontier.size] = frontier.root
    return roots


def read_ledger(bundle: BundleFile) -> LedgerCopy:
    """The ledger in a bundle. Raises EvidenceError `bundle-incomplete`, `ledger-damaged`, `malformed-checkpoint`."""
    text = bundle.read("evidence/ledger/entries.jsonl", bytes_max=_LEDGER_BYTES_MAX)
    checkpoint = read_checkpoint(bundle.read("evidence/ledger/checkpoint"))
    *lines, torn = text.split(b"\n")
    entries = []
    for number, line in enumerate(lines):
        found = _LINE.fullmatch(line)
        if found is None:
            raise EvidenceError(f"line {number + 1} of the ledger is not an entry", code="ledger-damaged")
        entries.append((found[1].decode(), found[2].decode()))
    if torn:
        raise EvidenceError("the ledger ends in the middle of an entry", code="ledger-damaged")
    proofs = [
        (title.removeprefix("evidence/").removesuffix(".tlog-proof"), read_proof(bundle.read(title)))
        for title in bundle.titles()
        if title.endswith(".tlog-proof")
    ]
    leaves = tuple(leaf_hash(line) for line in lines)
    places: dict[str, int] = {}
    for index, (_, digest) in enumerate(entries):
        places.setdefault(digest, index)
    sizes = {checkpoint.size, *(proof.checkpoint.size for _, proof in proofs)}
    return LedgerCopy(
        entries=tuple(entries),
        leaves=leaves,
        checkpoint=checkpoint,
        proofs=proofs,
        places=places,
        roots=_roots(leaves, sizes),
    )
