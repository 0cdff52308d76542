"""The ledger of a workspace as its trust policy reads it: what is accepted is folded, what is not is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plangate.documents.files import TRUST_PATH, read_inside
from plangate.documents.workspace import Workspace
from plangate.errors import EvidenceError, InputError, Problem
from plangate.evidence.envelope import open_envelope, seal
from plangate.evidence.keys import PrivateKey
from plangate.evidence.ledger import Ledger, LedgerEntry
from plangate.evidence.statements import Statement
from plangate.evidence.trust import Accepted, Refused, TrustPolicy
from plangate.promotion.state import Recorded, State, environment_of, fold

__all__ = ["Record"]


@dataclass(slots=True)
class Record:
    """Ledger, trust and the state they give together."""

    ledger: Ledger
    trust: TrustPolicy
    state: State
    ignored: tuple[Problem, ...]
    """Entries that nobody who is trusted signed, or that cannot be read: they count for nothing."""
    last_at: str
    """The ledger's own time; no clock counts for less."""

    @classmethod
    def read(cls, workspace: Workspace) -> Record:
        """Read and check every entry.

        Raises InputError `no-trust` where there is no envs/trust.yaml: without it nothing can be believed; and
        EvidenceError where the ledger is damaged or an envelope is missing or changed: it is never passed over.
        """
        if not (workspace.root / TRUST_PATH).exists():
            raise InputError(
                "there is no trust policy, so no signature can be believed",
                code="no-trust",
                where=TRUST_PATH,
                hint="plangate keys new NAME --out DIR makes a key; list it and its roles there",
            )
        trust = TrustPolicy.of(workspace.trust(), read=lambda path: read_inside(workspace.root, path))
        ledger = Ledger(workspace.root / "evidence")
        record = cls(ledger, trust, State(), (), "")
        record.refresh()
        return record

    def refresh(self) -> None:
        """Read the ledger again. Raises as `read` does."""
        ignored: list[Problem] = []
        self.state = fold(self._accepted(ignored))
        self.ignored = tuple(ignored)

    def add(self, statements: Sequence[Statement], *, key: PrivateKey, person: str, at: str) -> None:
        """Seal and append each. Raises as `require` does, before anything is written, and StoreError."""
        envelopes = [seal(statement, key=key) for statement in statements]
        for envelope in envelopes:
            self.require(envelope, person=person, at=at)
        for envelope in envelopes:
            self.ledger.append(envelope, key=key, at=at)
        self.refresh()

    def require(self, envelope: bytes, *, person: str, at: str) -> Accepted:
        """Who signed an envelope that is not in the ledger yet: what nobody would believe is not written.

        Raises InputError `not-trusted` where the policy refuses it, `not-that-person` where the key is another's.
        """
        found = self._judge(open_envelope(envelope).statement(), envelope, index=self.size, at=max(at, self.last_at))
        if isinstance(found, Refused):
            raise InputError(
                f"the trust policy does not accept this key for that: {found.text}",
                code="not-trusted",
                where=TRUST_PATH,
                hint="a role there must list the key, and the predicate type and environment it may speak about",
            )
        if found.person != person:
            raise InputError(
                f"the key {found.name} is {found.person}'s, not {person}'s",
                code="not-that-person",
                where=TRUST_PATH,
                hint=f"--as {found.person}, or use a key of your own",
            )
        return found

    @property
    def size(self) -> int:
        """How many entries the ledger has."""
        return sum(1 for _ in self.ledger.entries())

    def _judge(self, statement: Statement, envelope: bytes, *, index: int, at: str) -> Accepted | Refused:
        environment = environment_of(statement)
        return self.trust.judge(open_envelope(envelope), index=index, environment=environment, at=at)

    def _accepted(self, ignored: list[Problem]) -> Iterator[Recorded]:
        for entry in self.ledger.entries():
            self.last_at = entry.at
            data = self.ledger.envelope(entry.digest)
            try:
                statement = open_envelope(data).statement()
            except EvidenceError as error:
                ignored.append(_ignored(entry, error.code, error.message))
                continue
            found = self._judge(statement, data, index=entry.index, at=entry.at)
            if isinstance(found, Refused):
                ignored.append(_ignored(entry, found.code, found.text))
            else:
                yield Recorded(index=entry.index, at=entry.at, digest=entry.digest, statement=statement, signer=found)


def _ignored(entry: LedgerEntry, code: str, text: str) -> Problem:
    return Problem(path=f"evidence/{entry.digest}.dsse.json", code=code, message=text, severity="warning")
