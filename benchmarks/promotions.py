"""Workspaces with a long past: many promotions, each with a result, a summary of gates and two approvals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks.workspaces import ENVIRONMENT, Shop, in_process_target
from plangate.documents.workspace import Workspace
from plangate.evidence.envelope import seal
from plangate.evidence.frontier import Frontier
from plangate.evidence.keys import PrivateKey, generate
from plangate.evidence.merkle import leaf_hash
from plangate.evidence.notes import sign_checkpoint
from plangate.evidence.statements import (
    APPROVAL,
    PROMOTION,
    TEST_RESULT,
    VERIFICATION_SUMMARY,
    Statement,
    subjects_of,
)
from plangate.releases.release import identify

__all__ = ["ENTRIES_EACH", "promoted_workspace"]

ENTRIES_EACH = 5
"""Of the ledger, for one promotion."""
_PEOPLE = ("alice", "bob", "ci")
_START = datetime(2020, 1, 1, tzinfo=UTC)
_TOTALS = ("expected", "executed", "observations", "passed", "leak", "lockout", "mismatch", "flaky", "error")


def promoted_workspace(root: Path, *, promotions: int) -> Path:
    """A workspace in an empty folder whose one environment was promoted into so often; returns that folder.

    What the ledger says last is what the manifest says. Entries are written as an append writes them, without the
    waiting for the disk; the proofs beside envelopes, which no command reads, are left out.
    """
    Shop(capabilities=6).write(root, target=in_process_target())
    keys = {person: generate() for person in _PEOPLE}
    _write_trust(root, keys)
    manifest = root / "envs" / f"{ENVIRONMENT}.yaml"
    manifest.write_text(manifest.read_text().replace('"revision": 1', f'"revision": {promotions + 1}'))
    workspace = Workspace.open(root)
    identity = identify(workspace, workspace.environment(ENVIRONMENT))
    lines = []
    for at, envelope in _past(identity.release, identity.effective, keys, promotions=promotions):
        digest = sha256(envelope).hexdigest()
        path = root / "evidence" / f"{digest}.dsse.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(envelope)
        lines.append(json.dumps({"at": at, "digest": digest}, separators=(",", ":")).encode())
    ledger = root / "evidence" / "ledger"
    ledger.mkdir(parents=True)
    (ledger / "entries.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    tree = Frontier.of(leaf_hash(line) for line in lines)
    checkpoint = sign_checkpoint(origin="plangate.dev/ledger", size=tree.size, root=tree.root, key=keys["alice"])
    (ledger / "checkpoint").write_bytes(checkpoint)
    return root


def _past(release: str, effective: str, keys: dict[str, PrivateKey], *, promotions: int) -> Iterator[tuple[str, bytes]]:
    for number in range(promotions):
        at = (_START + timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
        last = number == promotions - 1
        here = release if last else _digest("release", number)
        about = subjects_of(
            here, environment=ENVIRONMENT, effective=effective if last else _digest("effective", number)
        )
        for person, kind, predicate in _acts(number, here, at):
            statement = Statement(
                subjects=about, predicate_type=kind, predicate={"environment": ENVIRONMENT, **predicate}
            )
            yield at, seal(statement, key=keys[person])


def _acts(number: int, release: str, at: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    plan, bare = _digest("plan", number), _digest("suite", 0).removeprefix("sha256:")
    parts = ("suite/gating", "plan-matrix", "plans/bench", "harness", f"effective/{ENVIRONMENT}.json")
    configuration = [{"name": name, "digest": {"sha256": bare}} for name in parts]
    totals = dict.fromkeys(_TOTALS, 0) | {"expected": 600, "executed": 600, "passed": 600}
    result = {"result": "PASSED", "configuration": configuration, "passedTests": [], "failedTests": []}
    result |= {"totals": totals, "run": f"r-{number}", "fingerprint": plan, "startedOn": at, "finishedOn": at}
    yield "ci", TEST_RESULT, result
    summary = {"verifier": {"id": "https://plangate.dev/gate"}, "timeVerified": at, "verificationResult": "PASSED"}
    yield "ci", VERIFICATION_SUMMARY, summary | {"inputAttestations": [], "verifiedLevels": [], "slsaVersion": "1.1"}
    word = {"decision": "approve", "plan": plan, "expires": "2999-01-01T00:00:00Z", "reason": "read it", "at": at}
    for person, role in (("alice", "manager"), ("bob", "security")):
        yield person, APPROVAL, word | {"approver": person, "role": role}
    moved = {"kind": "promotion", "source": "dev", "plan": plan, "approvals": [{"person": "alice"}, {"person": "bob"}]}
    moved |= {"from": {"revision": number + 1, "release": _digest("release", number - 1)}, "at": at}
    yield "alice", PROMOTION, moved | {"to": {"revision": number + 2, "release": release}, "bypass": None}


def _digest(kind: str, number: int) -> str:
    return "sha256:" + sha256(f"{kind} {number}".encode()).hexdigest()


def _write_trust(root: Path, keys: dict[str, PrivateKey]) -> None:
    names = {
        "ci": (["ci"], [TEST_RESULT, VERIFICATION_SUMMARY]),
        "manager": (["alice"], [APPROVAL, PROMOTION]),
        "security": (["bob"], [APPROVAL]),
    }
    roles = {name: {"keys": who, "threshold": 1, "predicates": what} for name, (who, what) in names.items()}
    listed = {
        name: {"algorithm": "ed25519", "owner": name, "public": key.public.pem.decode()} for name, key in keys.items()
    }
    document = {"apiVersion": "plangate/v1", "kind": "Trust", "metadata": {"version": 1}}
    (root / "envs" / "trust.yaml").write_text(json.dumps(document | {"roles": roles, "keys": listed}, indent=1))
