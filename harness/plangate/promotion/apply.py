"""Applying a plan: the one place that changes a manifest, whole or not at all (rule P3).

    1  intent     .plangate/promoting/<name>.json: the new manifest and the digest of the envelope that will say so
    2  ledger     the envelope is appended: from here on it has happened
    3  history    envs/history/<name>/<revision>.yaml: the manifest that was
    4  manifest   envs/<name>.yaml
    5  done       the intent is removed

Whatever stops it, the next command calls `settle`: an intent whose envelope is in the ledger is carried out, another
one is dropped. A lock makes sure that nobody settles what another process is doing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from plangate.documents.files import document_path
from plangate.documents.kinds import Kind
from plangate.documents.workspace import Workspace
from plangate.errors import EvidenceError, InputError, StoreError
from plangate.evidence.keys import PrivateKey
from plangate.evidence.ledger import Ledger, LedgerEntry
from plangate.promotion.candidate import Candidate, history_path

__all__ = ["Checkpoint", "apply", "promoting", "settle"]

Checkpoint = Callable[[str], None]
"""Called before and after each step with its name; a test that stops there sees what a power cut leaves."""


def apply(
    workspace: Workspace,
    candidate: Candidate,
    envelope: bytes,
    *,
    key: PrivateKey,
    at: str,
    checkpoint: Checkpoint = lambda step: None,
) -> LedgerEntry:
    """Record `envelope` and make `candidate` the environment's manifest. Call it inside `promoting`.

    Raises InputError `revision-moved` where the manifest is not the one the candidate was made from, StoreError where
    the disk refuses.
    """
    name = candidate.environment.name
    manifest = workspace.root / document_path(Kind.ENVIRONMENT, name)
    if manifest.read_bytes() != candidate.current_text:
        raise InputError(
            f"{name} changed since this plan was made: somebody else was faster",
            code="revision-moved",
            where=str(manifest.relative_to(workspace.root)),
            hint=f"`plangate promote {name}` shows the plan as it is now",
        )
    intent = _folder(workspace) / f"{name}.json"
    document = {
        "environment": name,
        "envelope": hashlib.sha256(envelope).hexdigest(),
        "revision": candidate.current.revision,
        "before": base64.b64encode(candidate.current_text).decode(),
        "after": base64.b64encode(candidate.text).decode(),
    }
    checkpoint("begin")
    with _stored():
        _write(intent, json.dumps(document).encode())
    checkpoint("intent")
    entry = Ledger(workspace.root / "evidence").append(envelope, key=key, at=at)
    checkpoint("ledger")
    _carry_out(workspace, intent, checkpoint=checkpoint)
    return entry


def settle(workspace: Workspace) -> tuple[str, ...]:
    """Finish or drop what was interrupted; returns what was done, in words. Call it inside `promoting`.

    Raises EvidenceError where the ledger is damaged, or an intent cannot be read.
    """
    told = []
    Ledger(workspace.root / "evidence").recover()
    for intent in sorted(_folder(workspace).glob("*.json")):
        document = _intent(intent)
        entries = Ledger(workspace.root / "evidence").entries()
        if any(entry.digest == document["envelope"] for entry in entries):
            _carry_out(workspace, intent, checkpoint=lambda step: None)
            told.append(f"{document['environment']}: an interrupted promotion was carried out")
        else:
            intent.unlink()
            told.append(f"{document['environment']}: an interrupted promotion had not happened yet, and was dropped")
    return tuple(told)


@contextmanager
def promoting(workspace: Workspace) -> Iterator[tuple[str, ...]]:
    """Nobody else of this machine changes an environment meanwhile; yields what `settle` did first."""
    folder = _folder(workspace)
    with _stored():
        folder.mkdir(parents=True, exist_ok=True)
    from filelock import FileLock

    with FileLock(folder / ".lock"):
        yield settle(workspace)


def _carry_out(workspace: Workspace, intent: Path, *, checkpoint: Checkpoint) -> None:
    document = _intent(intent)
    name, revision = str(document["environment"]), int(str(document["revision"]))
    before, after = (base64.b64decode(str(document[part])) for part in ("before", "after"))
    manifest = workspace.root / document_path(Kind.ENVIRONMENT, name)
    if manifest.read_bytes() not in (before, after):
        raise EvidenceError(
            f"{name} was promoted, and its manifest was changed by hand before that was written",
            code="manifest-changed",
            where=str(manifest.relative_to(workspace.root)),
            hint="restore it from version control, then run `plangate status`, which goes on",
        )
    history = workspace.root / history_path(name, revision)
    with _stored():
        history.parent.mkdir(parents=True, exist_ok=True)
        _write(history, before)
        checkpoint("history")
        _write(manifest, after)
        checkpoint("manifest")
        intent.unlink()
    checkpoint("done")


def _intent(path: Path) -> dict[str, object]:
    try:
        document = json.loads(path.read_bytes())
        if isinstance(document, dict) and document.keys() >= {"environment", "envelope", "revision", "before", "after"}:
            return document
    except (OSError, ValueError):
        pass
    raise EvidenceError(
        "an interrupted promotion left something that cannot be read",
        code="intent-unreadable",
        where=str(Path(".plangate") / "promoting" / path.name),
        hint="compare envs/ with `plangate history ENV`, then remove the file",
    )


def _folder(workspace: Workspace) -> Path:
    return workspace.root / ".plangate" / "promoting"


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, and on disk before this returns."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    if sys.platform == "win32":  # which opens no folder
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _stored() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno == 28
        raise StoreError(
            f"the promotion could not be written: {'the disk is full' if full else error.strerror}",
            code="disk-full" if full else "store-failed",
            hint="make room, then run `plangate status`: it finishes what was begun",
        ) from error
