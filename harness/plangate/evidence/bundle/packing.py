"""What goes into a bundle: one environment's release, what judged it, what came out, and who signed for that."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from plangate.documents.environment import Environment, Json
from plangate.documents.files import TRUST_PATH, document_path, read_inside
from plangate.documents.kinds import Kind
from plangate.documents.text import as_committed
from plangate.errors import EvidenceError, InputError
from plangate.evidence.bundle.results import pack_results
from plangate.evidence.envelope import open_envelope
from plangate.evidence.ledger import Ledger
from plangate.evidence.statements import RELEASE_SUBJECT, TEST_RESULT, Statement
from plangate.releases.canonical import canonical_bytes
from plangate.releases.pins import pins_of
from plangate.releases.release import (
    ReleaseIdentity,
    effective_document,
    identify,
    release_document,
    suite_digest,
)
from plangate.store.folder import RunFolder
from plangate.store.reader import StoredRun
from plangate.verdicts.result import Totals

if TYPE_CHECKING:
    from plangate.documents.workspace import Workspace

__all__ = ["annotations_of", "bundle_files"]


def bundle_files(workspace: Workspace, environment: str) -> tuple[dict[str, bytes], ReleaseIdentity]:
    """Title -> bytes of everything a customer needs, and what it is about.

    The run is the newest finished one of this release in this environment that the ledger names, else the newest.
    Raises InputError `no-run-to-bundle` where there is none, and whatever is wrong with documents or evidence.
    """
    manifest = workspace.environment(environment)
    identity = identify(workspace, manifest)
    ledger = Ledger(workspace.root / "evidence")
    ledger.recover()
    evidence, signed_runs = _evidence(ledger, identity)
    files = {f"workspace/{path}": as_committed(data) for path, data in _documents(workspace, manifest)}
    files |= _identities(workspace, manifest)
    files |= _run(workspace, manifest, identity, signed_runs)
    return files | evidence, identity


def annotations_of(manifest: Environment, identity: ReleaseIdentity) -> dict[str, str]:
    """What the layout's index says, for people who list a registry."""
    release = manifest.release
    return {
        "dev.plangate.environment": manifest.name,
        "dev.plangate.release": identity.release,
        "org.opencontainers.image.ref.name": f"{release.app_name}-{release.app_version}",
    }


def _documents(workspace: Workspace, manifest: Environment) -> Iterator[tuple[str, bytes]]:
    root = workspace.root
    path = document_path(Kind.ENVIRONMENT, manifest.name)
    yield path, read_inside(root, path)
    for pin in pins_of(manifest):
        if pin.kind is Kind.SUITE:
            yield from workspace.suite_files(pin.name, int(pin.version))
        else:
            yield pin.path, read_inside(root, pin.path)
    lock = workspace.lock_bytes()
    if lock is not None:
        yield "plangate.lock", lock
    if (root / TRUST_PATH).exists():
        yield TRUST_PATH, read_inside(root, TRUST_PATH)
        for key in workspace.trust().keys.values():
            if key.public.startswith("file:"):
                public = posixpath.normpath(key.public.removeprefix("file:"))
                yield public, read_inside(root, public)


def _identities(workspace: Workspace, manifest: Environment) -> dict[str, bytes]:
    digests = {}
    for pin in pins_of(manifest):
        if pin.kind is Kind.SUITE:
            digests[pin.lock_key] = suite_digest(workspace.suite(pin.name, int(pin.version)))
        else:
            digests[pin.lock_key] = workspace.document(pin.kind, pin.name, pin.version).digest
    release = release_document(manifest, digests=digests)
    effective = effective_document(manifest, release=release)
    return {
        "release.lock": canonical_bytes(release),
        f"effective/{manifest.name}.json": canonical_bytes(effective),
    }


def _run(
    workspace: Workspace, manifest: Environment, identity: ReleaseIdentity, signed: set[str]
) -> Mapping[str, bytes]:
    folder = RunFolder(workspace.root)
    found = [run.header.run for run in folder.stored() if _is_about(run, manifest, identity)]
    if not found:
        raise InputError(
            f"no whole, finished run of this release in {manifest.name} is stored here",
            code="no-run-to-bundle",
            hint=f"`plangate run {manifest.name}` makes one",
        )
    chosen = next((run for run in found if run in signed), found[0])
    with StoredRun(folder.path_of(chosen)) as run:
        return {"run.json": canonical_bytes(_run_document(run)), "results.jsonl.gz": pack_results(run.cells())}


def _is_about(run: StoredRun, manifest: Environment, identity: ReleaseIdentity) -> bool:
    header = run.header
    same = (header.environment, header.release, header.effective) == (
        manifest.name, identity.release, identity.effective
    )  # fmt: skip
    return same and bool(header.finished) and not header.shard and not header.selection


def _run_document(run: StoredRun) -> dict[str, Any]:
    summary = run.summary()
    header = summary.header
    records = {one.name: one for one in run.suites}
    suites: dict[str, Json] = {
        one.name: {
            "version": one.version, "digest": one.digest, "coverage": one.coverage,
            "totals": _totals_document(one.totals), "seed": records[one.name].seed,
            "repeats": len(records[one.name].passes),
        }
        for one in summary.suites
    }  # fmt: skip
    return {
        "run": header.run, "environment": header.environment, "release": header.release, "effective": header.effective,
        "fingerprint": summary.fingerprint, "details": summary.details, "verdict": summary.verdict.value,
        "started": header.started, "finished": header.finished, "app": header.app, "model": header.model,
        "harness": header.plangate,
        "suites": suites,
    }  # fmt: skip


def _totals_document(totals: Totals) -> dict[str, Json]:
    return {one.name: getattr(totals, one.name) for one in fields(totals)}


def _evidence(ledger: Ledger, identity: ReleaseIdentity) -> tuple[dict[str, bytes], set[str]]:
    """Ledger, and each envelope about this release with its proof; and the runs that test results name."""
    files: dict[str, bytes] = {}
    runs: set[str] = set()
    for name in ("entries.jsonl", "checkpoint"):
        path = ledger.folder / "ledger" / name
        if path.exists():
            files[f"evidence/ledger/{name}"] = path.read_bytes()
    for entry in ledger.entries():
        data = ledger.envelope(entry.digest)
        statement = _statement(data)
        if statement is None or statement.digest_of(RELEASE_SUBJECT) != identity.release:
            continue
        files[f"evidence/{entry.digest}.dsse.json"] = data
        proof = ledger.folder / f"{entry.digest}.tlog-proof"
        if proof.exists():
            files[f"evidence/{entry.digest}.tlog-proof"] = proof.read_bytes()
        if statement.predicate_type == TEST_RESULT:
            runs.add(str(statement.predicate.get("run")))
    return files, runs


def _statement(data: bytes) -> Statement | None:
    try:
        return open_envelope(data).statement()
    except EvidenceError:  # a foreign attestation: none of this release's evidence
        return None
