"""What the ledger says, for verbs that show it: judged once, then kept (decision 11). None that decides asks here."""

from __future__ import annotations

from dataclasses import dataclass

from plangate.documents.files import TRUST_PATH
from plangate.documents.workspace import Workspace
from plangate.evidence.ledger import Ledger
from plangate.promotion.kept import Kept, digest_of_entries, keep, kept_fold, key_of
from plangate.promotion.state import State

__all__ = ["Glance", "glance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """The state, and how many entries counted for nothing."""

    state: State
    ignored: int


def glance(workspace: Workspace) -> Glance | None:
    """What the ledger says; None where there is no trust policy.

    Every envelope is read and its digest compared, every entry is held against the checkpoint. Raises as Record.read.
    """
    if not (workspace.root / TRUST_PATH).exists():
        return None
    ledger, key = Ledger(workspace.root / "evidence"), key_of(workspace)
    ledger.recover()
    digests = [entry.digest for entry in ledger.entries()]
    kept = kept_fold(workspace, key=key, digests=digests)
    if kept is None or kept.size < len(digests):
        kept = _judged(workspace, kept, key=key)
    else:
        ledger.require_whole()
        for digest in dict.fromkeys(digests):
            ledger.envelope(digest)
    return Glance(state=kept.state, ignored=len(kept.ignored))


def _judged(workspace: Workspace, kept: Kept | None, *, key: str) -> Kept:
    """The fold with what came since `kept`, remembered."""
    from plangate.promotion.record import Record  # brings cryptography: only where there is something to judge

    record = Record.read(workspace, kept=kept)
    found = Kept(
        size=record.size,
        last_at=record.last_at,
        entries=digest_of_entries([entry.digest for entry in record.ledger.entries()][: record.size]),
        ignored=tuple((one.path, one.code, one.message) for one in record.ignored),
        state=record.state,
    )
    keep(workspace, found, key=key)
    return found
