"""The ledger: an append-only log of envelopes. Every present state is a fold over it; nothing is ever removed.

    evidence/<sha256>.dsse.json             an envelope, named by the digest of its bytes
    evidence/<sha256>.tlog-proof            proof that it is in the ledger, against the checkpoint of its own append
    evidence/ledger/entries.jsonl           one line an entry: when, and which envelope; the line is the Merkle leaf
    evidence/ledger/checkpoint              size and root, signed by whoever appended last
    evidence/ledger/frontier.json           a cache: the tree's right edge, made again where it does not fit
    evidence/ledger/pending.json            an append that is under way: all that the files above will say of it

An append has happened when `pending.json` is there: whoever comes next finishes it, and needs no key for that. Before
that moment nothing of it is visible.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plangate.errors import EvidenceError, Problem, StoreError
from plangate.evidence.frontier import Frontier
from plangate.evidence.merkle import leaf_hash
from plangate.evidence.notes import Checkpoint, read_checkpoint, sign_checkpoint, write_proof
from plangate.evidence.pending import Pending
from plangate.evidence.strict_json import loads

if TYPE_CHECKING:
    from plangate.evidence.keys import PrivateKey

__all__ = ["ENVELOPE_BYTES_MAX", "Ledger", "LedgerEntry"]

ENVELOPE_BYTES_MAX: Final = 16 * 1024 * 1024
_LINE = re.compile(rb'\{"at":"([0-9TZ:.-]{20,40})","digest":"([0-9a-f]{64})"\}')
_USUAL_BYTES: Final = 64 * 1024
_ORIGIN: Final = "plangate.dev/ledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One line of the ledger. `at` is RFC 3339 UTC and never earlier than the entry before."""

    index: int
    at: str
    digest: str


class Ledger:
    """The ledger in an `evidence/` folder. Many processes of one machine may append: a file lock orders them."""

    def __init__(self, folder: Path, *, origin: str = _ORIGIN) -> None:
        self.folder = folder
        self.origin = origin
        self._entries = folder / "ledger" / "entries.jsonl"
        self._pending = folder / "ledger" / "pending.json"

    def entries(self) -> Iterator[LedgerEntry]:
        """Every entry, oldest first. Raises EvidenceError `ledger-damaged` at a line that is none."""
        for index, line in enumerate(self._lines()):
            found = _LINE.fullmatch(line)
            if found is None:
                raise _damaged(f"line {index + 1} is not an entry")
            yield LedgerEntry(index=index, at=found[1].decode(), digest=found[2].decode())

    def _lines(self) -> Iterator[bytes]:
        """Complete lines; what a crash left behind the last newline is not an entry."""
        if not self._entries.exists():
            return
        with self._entries.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    yield line[:-1]

    def envelope(self, digest: str) -> bytes:
        """The bytes of an envelope. Raises EvidenceError `evidence-missing` or `evidence-changed`."""
        name = f"{digest}.dsse.json"
        try:
            data = _read(f"{self.folder}/{name}")
        except OSError:
            raise EvidenceError(
                f"the ledger names {digest[:12]}, and its file is gone",
                code="evidence-missing",
                where=name,
                hint="restore it from git or a bundle; nothing that rests on it can be decided",
            ) from None
        if hashlib.sha256(data).hexdigest() != digest:
            rewritten = b"\r\n" in data
            again = "git wrote it anew (core.autocrlf): put evidence/** -text into .gitattributes, and check out again"
            raise EvidenceError(
                "this evidence is not what was signed into the ledger"
                + (": its lines end in CRLF" if rewritten else ""),
                code="evidence-changed",
                where=name,
                hint=again if rewritten else "",
            )
        return data

    def last_at(self) -> str:
        """When the last entry was made; empty where there is none."""
        last = ""
        for entry in self.entries():
            last = entry.at
        return last

    def append(self, envelope: bytes, *, key: PrivateKey, at: str) -> LedgerEntry:
        """Add an envelope, signed for by `key`; on disk, and safe from a power cut, before this returns.

        `at` is RFC 3339 UTC; a clock that was set back cannot make an entry older than the one before it. An envelope
        that is in the ledger already is added again: what counts is when somebody said so. Raises StoreError.
        """
        digest = hashlib.sha256(envelope).hexdigest()
        with _stored(self.folder), self._locked():
            self._finish()
            frontier, last = self._edge()
            entry = LedgerEntry(index=frontier.size, at=max(at, last), digest=digest)
            line = json.dumps({"at": entry.at, "digest": digest}, separators=(",", ":")).encode()
            grown = frontier.with_leaf(leaf_hash(line))
            checkpoint = sign_checkpoint(origin=self.origin, size=grown.size, root=grown.root, key=key)
            proof = write_proof(index=entry.index, path=frontier.path_of_next(), checkpoint=checkpoint)
            pending = Pending(envelope=envelope, line=line, checkpoint=checkpoint, proof=proof)
            _write(self._pending, pending.to_bytes())
            self._complete(pending, grown, entry, appended=False)
        return entry

    def recover(self) -> None:
        """Finish an append that was interrupted after its moment. Raises EvidenceError `ledger-damaged`, StoreError."""
        if self._pending.exists():
            with _stored(self.folder), self._locked():
                self._finish()

    def _finish(self) -> None:
        if not self._pending.exists():
            return
        pending = Pending.from_bytes(self._pending.read_bytes())
        promised, found = pending.promised(), _LINE.fullmatch(pending.line)
        self._drop_torn_line()
        before = Frontier.of(leaf_hash(line) for line in islice(self._lines(), promised.size - 1))
        after = list(islice(self._lines(), promised.size - 1, promised.size + 1))
        grown = before.with_leaf(leaf_hash(pending.line))
        fits = (grown.size, grown.root) == (promised.size, promised.root) and after in ([], [pending.line])
        if found is None or not fits:
            raise _damaged("pending.json would add what its checkpoint was not signed for")
        entry = LedgerEntry(index=before.size, at=found[1].decode(), digest=found[2].decode())
        self._complete(pending, grown, entry, appended=bool(after))

    def _complete(self, pending: Pending, grown: Frontier, entry: LedgerEntry, *, appended: bool) -> None:
        """What an append writes after its moment; done twice, it leaves the same. Readers who come in between find an
        envelope for each line."""
        _write(self.folder / f"{entry.digest}.dsse.json", pending.envelope)
        if not appended:
            _append_line(self._entries, pending.line)
        _write(self.folder / f"{entry.digest}.tlog-proof", pending.proof)
        _write(self._entries.with_name("checkpoint"), pending.checkpoint)
        self._keep(grown, entry.at)
        self._pending.unlink()

    def checkpoint(self) -> Checkpoint | None:
        """The newest checkpoint, or None where nothing was appended. Raises EvidenceError for a damaged one."""
        path = self._entries.with_name("checkpoint")
        return read_checkpoint(path.read_bytes()) if path.exists() else None

    def frontier(self) -> Frontier:
        """The tree's right edge, computed from every entry."""
        return Frontier.of(leaf_hash(line) for line in self._lines())

    def verify(self) -> list[Problem]:
        """Everything that is wrong: entries, times, envelopes, checkpoint, and files that no entry names."""
        try:
            self.recover()
        except EvidenceError as error:
            return [_problem(error.code, error.message)]
        problems: list[Problem] = []
        listed, before = self._files(), ""
        try:
            for entry in self.entries():
                listed.discard(entry.digest)
                if entry.at < before:
                    problems.append(_problem("ledger-damaged", f"entry {entry.index} is older than the one before it"))
                before = entry.at
                try:
                    self.envelope(entry.digest)
                except EvidenceError as error:
                    problems.append(Problem(path=error.where, code=error.code, message=error.message))
            problems += self._checkpoint_problems()
        except EvidenceError as error:
            problems.append(_problem(error.code, error.message))
        return problems + [_unlisted(digest) for digest in sorted(listed)]

    def require_whole(self) -> None:
        """Raise EvidenceError where entries were cut off, edited or left out: everything but what envelopes say.

        Entries after the last checkpoint are no harm: whoever reads them judges each by its own signature.
        """
        files = self._files()
        problems = [one for one in self._checkpoint_problems() if one.code != "ledger-unsigned"]
        for entry in self.entries():
            files.discard(entry.digest)
        problems += [_unlisted(digest) for digest in sorted(files)]
        for one in problems[:1]:
            hint = "`plangate ledger verify` lists everything; restore evidence/ from version control"
            raise EvidenceError(one.message, code=one.code, where=one.path, hint=hint)

    def _files(self) -> set[str]:
        """Digests of the envelopes that lie there. Read before the entries, it holds none that is just being added."""
        if not self.folder.is_dir():
            return set()
        with os.scandir(self.folder) as files:
            return {file.name.removesuffix(".dsse.json") for file in files if file.name.endswith(".dsse.json")}

    def _checkpoint_problems(self) -> Iterator[Problem]:
        checkpoint = self.checkpoint()
        lines = list(self._lines())
        size = len(lines)
        if checkpoint is None:
            if size:
                yield _problem("ledger-damaged", f"{size} entries and no checkpoint")
            return
        if checkpoint.size > size:
            yield _problem("ledger-cut", f"the checkpoint counts {checkpoint.size} entries, and {size} are left")
            return
        if Frontier.of(map(leaf_hash, lines[: checkpoint.size])).root != checkpoint.root:
            yield _problem("ledger-forked", "the entries are not those the checkpoint was signed for")
        elif size > checkpoint.size:
            yield _problem("ledger-unsigned", f"{size - checkpoint.size} entries came after the last checkpoint")

    def rebuild(self) -> None:
        """Make the cache again from the entries."""
        with _stored(self.folder), self._locked():
            self._keep(self.frontier(), self.last_at())

    def _edge(self) -> tuple[Frontier, str]:
        """Frontier and time of the last entry: from the cache where it fits the file, else from every entry."""
        self._drop_torn_line()
        size_bytes = self._entries.stat().st_size if self._entries.exists() else 0
        cached = self._cached(size_bytes)
        if cached is not None:
            return cached
        return self.frontier(), self.last_at()

    def _cached(self, size_bytes: int) -> tuple[Frontier, str] | None:
        path = self._entries.with_name("frontier.json")
        try:
            kept = loads(path.read_bytes())
            checkpoint = self.checkpoint()
            if not isinstance(kept, dict) or kept["bytes"] != size_bytes or checkpoint is None:
                return None
            nodes = tuple(bytes.fromhex(str(node)) for node in kept["nodes"])  # type: ignore[union-attr]
            frontier = Frontier(int(str(kept["size"])), nodes)
        except (OSError, EvidenceError, KeyError, TypeError, ValueError):
            return None
        fits = frontier.size == checkpoint.size and frontier.root == checkpoint.root
        return (frontier, str(kept["at"])) if fits else None

    def _keep(self, frontier: Frontier, at: str) -> None:
        kept = {
            "at": at,
            "bytes": self._entries.stat().st_size if self._entries.exists() else 0,
            "nodes": [node.hex() for node in frontier.nodes],
            "size": frontier.size,
        }
        _write(self._entries.with_name("frontier.json"), json.dumps(kept).encode(), durable=False)

    def _drop_torn_line(self) -> None:
        if not self._entries.exists():
            return
        with self._entries.open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            back = min(end, 4096)
            file.seek(end - back)
            tail = file.read(back)
            if tail and not tail.endswith(b"\n"):
                file.truncate(end - len(tail) + tail.rfind(b"\n") + 1)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._entries.parent.mkdir(parents=True, exist_ok=True)
        from filelock import FileLock  # readers need none, and it takes a while to import

        with FileLock(self._entries.parent / ".lock"):
            yield


def _read(path: str) -> bytes:
    """A file of evidence, or the first bytes of one that is too long. A buffer for the longest would cost more than
    reading the usual, and there may be thousands."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        data = os.read(file, _USUAL_BYTES)
        while _USUAL_BYTES <= len(data) <= ENVELOPE_BYTES_MAX and (more := os.read(file, 1024 * 1024)):
            data += more
    finally:
        os.close(file)
    return data


def _append_line(path: Path, line: bytes) -> None:
    with path.open("ab") as file:
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _write(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Whole or not at all: a file beside it, then a rename."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    beside.replace(path)
    if durable and sys.platform != "win32":  # which opens no folder
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _stored(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        code = "disk-full" if error.errno == 28 else "store-failed"
        text = "the disk is full" if code == "disk-full" else f"{error.strerror}"
        raise StoreError(
            f"the ledger in {folder.name}/ was not changed: {text}", code=code, hint="free space, then do it again"
        ) from error


def _damaged(why: str) -> EvidenceError:
    return EvidenceError(f"the ledger is damaged: {why}", code="ledger-damaged", where="evidence/ledger/entries.jsonl")


def _unlisted(digest: str) -> Problem:
    text = "no entry of the ledger names this envelope: was the ledger cut short?"
    return Problem(path=f"{digest}.dsse.json", code="evidence-unlisted", message=text)


def _problem(code: str, message: str) -> Problem:
    return Problem(path="evidence/ledger", code=code, message=message)
