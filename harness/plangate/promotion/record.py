"""The ledger of a workspace as its trust policy reads it: what is accepted is folded, what is not is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plangate.documents.files import TRUST_PATH, read_inside
from plangate.documents.workspace import Workspace
from plangate.errors import EvidenceError, InputError, Problem
from plangate.evidence.envelope import Envelope, open_envelope, seal
from plangate.evidence.keys import PrivateKey
from plangate.evidence.ledger import Ledger, LedgerEntry
from plangate.evidence.statements import BYPASS, HOLD, PROMOTION, Statement
from plangate.evidence.trust import Accepted, Refused, TrustPolicy
from plangate.promotion.kept import Kept
from plangate.promotion.state import Recorded, State, environment_of, fold

__all__ = ["Record"]

_OF_ONE = (BYPASS, HOLD, PROMOTION)
"""What one person does, with one signature; a role with a higher threshold cannot do it."""


class Record:
    """Ledger, trust and the state they give together."""

    def __init__(self, ledger: Ledger, trust: TrustPolicy) -> None:
        self.ledger = ledger
        self.trust = trust
        self.state = State()
        self.ignored: tuple[Problem, ...] = ()
        """Entries that nobody who is trusted signed, or that cannot be read: they count for nothing."""
        self.last_at = ""
        """The ledger's own time; no clock counts for less."""
        self.size = 0
        """How many entries the ledger has."""

    @classmethod
    def read(cls, workspace: Workspace, *, kept: Kept | None = None) -> Record:
        """Read and check every entry; signatures of those that `kept` stands for are not judged again.

        Raises InputError `no-trust` where there is no envs/trust.yaml: without it nothing can be believed; and
        EvidenceError where the ledger is damaged or an envelope is missing or changed: it is never passed over.
        """
        if not (workspace.root / TRUST_PATH).exists():
            raise InputError(
                "there is no trust policy, so no signature can be believed",
                code="no-trust",
                where=TRUST_PATH,
                hint="`plangate keys new NAME --out DIR` makes a key; list it and its roles there",
            )
        trust = TrustPolicy.of(workspace.trust(), read=lambda path: read_inside(workspace.root, path))
        record = cls(Ledger(workspace.root / "evidence"), trust)
        record.ledger.recover()
        record.refresh(kept=kept)
        return record

    @classmethod
    def read_or_none(cls, workspace: Workspace) -> Record | None:
        """The same; None where there is no trust policy: then the ledger, whatever it says, is not believed."""
        return cls.read(workspace) if (workspace.root / TRUST_PATH).exists() else None

    def refresh(self, *, kept: Kept | None = None) -> None:
        """Read the ledger again. Raises as `read` does."""
        self.ledger.require_whole()
        ignored: list[Problem] = []
        if kept is not None:
            ignored = [
                Problem(path=path, code=code, message=text, severity="warning") for path, code, text in kept.ignored
            ]
        self.state = fold(self._accepted(ignored, after=kept.size if kept else 0), onto=kept.state if kept else None)
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
        opened = open_envelope(envelope)
        found = self._judge(opened.statement(), opened, index=self.size, at=max(at, self.last_at))
        if isinstance(found, Refused) and found.code == "threshold-not-met":
            raise InputError(
                found.text,
                code=found.code,
                where=TRUST_PATH,
                hint="promotion.approvals says how many people must agree; a role that acts has the threshold 1",
            )
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

    def _judge(self, statement: Statement, envelope: Envelope, *, index: int, at: str) -> Accepted | Refused:
        about = environment_of(statement)
        found = self.trust.judge(envelope, index=index, environment=about, at=at, statement=statement)
        if isinstance(found, Refused) or statement.predicate_type not in _OF_ONE:
            return found
        threshold = self._threshold(found)
        if threshold == 1:
            return found
        text = f"the role {found.role} speaks with {threshold} voices, and this is an act of one person"
        return Refused(code="threshold-not-met", text=text)

    def _threshold(self, signer: Accepted) -> int:
        return self.trust.trust.roles[signer.role].threshold

    def _accepted(self, ignored: list[Problem], *, after: int) -> Iterator[Recorded]:
        seen: set[str] = set()
        for entry in self.ledger.entries():
            self.last_at, self.size = entry.at, entry.index + 1
            if entry.digest in seen:  # an old word that is recorded again is not a newer one (decision 9)
                continue
            seen.add(entry.digest)
            data = self.ledger.envelope(entry.digest)
            if entry.index < after:
                continue
            try:
                envelope = open_envelope(data)
                statement = envelope.statement()
            except EvidenceError as error:
                ignored.append(_ignored(entry, error.code, error.message))
                continue
            found = self._judge(statement, envelope, index=entry.index, at=entry.at)
            if isinstance(found, Refused):
                ignored.append(_ignored(entry, found.code, found.text))
            else:
                yield Recorded(
                    index=entry.index,
                    at=entry.at,
                    digest=entry.digest,
                    statement=statement,
                    signer=found,
                    threshold=self._threshold(found),
                )


def _ignored(entry: LedgerEntry, code: str, text: str) -> Problem:
    return Problem(path=f"evidence/{entry.digest}.dsse.json", code=code, message=text, severity="warning")
