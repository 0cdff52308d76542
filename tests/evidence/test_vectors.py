"""What others signed and published, read as ours; and that no published vector is passed over in silence."""

from __future__ import annotations

import base64
import fnmatch
import json

import pytest
import yaml

from plangate.errors import EvidenceError, InputError
from plangate.evidence.envelope import open_envelope
from plangate.evidence.keys import PublicKey, generate
from plangate.evidence.merkle import leaf_hash, verify_inclusion
from plangate.evidence.notes import key_hash, read_checkpoint
from plangate.evidence.statements import TEST_RESULT, VERIFICATION_SUMMARY, read_statement
from tests.evidence.vectors import FOLDER, vectors

USED = {
    "dsse/*": "test_envelope.py",
    "in-toto/attestation-verifier.*": "here",
    "in-toto/spec-example.test-result-v0.1.statement.json": "here",
    "in-toto/spec-examples.svr-v0.2.statements.json": "here",
    "interop-peers/*.dsse.json": "test_envelope.py",
    "interop-peers/*.pub.pem": "test_envelope.py",
    "interop-peers/*.sigstore.json": "here",
    "interop-peers/subject.release.json": "here",
    "merkle/consistency.jsonl": "test_merkle.py",
    "merkle/inclusion.jsonl": "test_merkle.py",
    "rfc8785/*": "tests/releases/test_canonical.py",
    "sigstore-conformance/a.txt": "here",
    "sigstore-conformance/managed-key-happy-path/*": "here",
    "sigstore-conformance/managed-key-wrong-key_fail/*": "here",
    "sigstore-conformance/rekor2-*/bundle.sigstore.json": "here",
    "slsa-vsa/*": "here",
    "tlog/*": "test_ledger.py, and the signed note here",
    "tuf-root-rotation/*": "test_rotation.py",
}
LEFT_OUT = {
    "merkle/subtree*.jsonl": "plangate makes and reads proofs of single entries and of whole trees, not of subtrees",
    "sigstore-conformance/README.upstream.md": "prose",
    "sigstore-conformance/*/README": "prose",
    "sigstore-conformance/bundle-*": "the outer shape of a Sigstore bundle, which plangate neither writes nor reads",
    "sigstore-conformance/dsse-*": "needs Sigstore's trusted root and certificates; plangate trusts keys",
    "sigstore-conformance/happy-path-intoto-in-dsse-v3/*": "needs Sigstore's trusted root and certificates",
    "sigstore-conformance/managed-key-and-trusted-root/*": "about options of a command line that plangate has not",
    "sigstore-conformance/managed-key-no-key_fail/*": "about options of a command line that plangate has not",
    "sigstore-conformance/message-digest-mismatch_fail/*": "message digests of Sigstore bundles: plangate has none",
    "sigstore-conformance/rekor2-*/README": "prose",
}


def test_every_published_vector_is_used_or_left_out_for_a_reason() -> None:
    vectors()
    files = [str(one.relative_to(FOLDER)) for one in FOLDER.rglob("*") if one.is_file() and one.name != "SOURCES.md"]
    assert files
    neither = [name for name in files if not any(fnmatch.fnmatch(name, one) for one in (*USED, *LEFT_OUT))]
    assert neither == []
    stale = [one for one in (*USED, *LEFT_OUT) if not any(fnmatch.fnmatch(name, one) for name in files)]
    assert stale == []


def _ed25519(raw: bytes) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return PublicKey(ed25519.Ed25519PublicKey.from_public_bytes(raw))


OURS, THEIRS = generate(), generate()


def _signed_by_another_project(statement: dict, *, keyid: str = "9f1c") -> bytes:
    """DSSE made here by its text: `DSSEv1`, lengths, and what they count; nothing of plangate's own sealing."""
    kind, payload = "application/vnd.in-toto+json", json.dumps(statement, indent=1).encode()
    to_sign = b" ".join([b"DSSEv1", str(len(kind)).encode(), kind.encode(), str(len(payload)).encode(), payload])
    signature = {"keyid": keyid, "sig": base64.b64encode(OURS.sign(to_sign)).decode()}
    return json.dumps({
        "payloadType": kind, "payload": base64.b64encode(payload).decode(), "signatures": [signature]
    }).encode()  # fmt: skip


SUBJECT = {"name": "image", "digest": {"sha256": "ab" * 32}}
SUMMARY = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [SUBJECT],
    "predicateType": VERIFICATION_SUMMARY,
    "predicate": {
        "verifier": {"id": "https://example.com/verifier"}, "timeVerified": "2026-01-01T00:00:00Z",
        "resourceUri": "pkg:oci/image", "policy": {"uri": "policy"}, "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3"], "slsaVersion": "1.0", "unknownToUs": {"kept": [1]},
    },
}  # fmt: skip


@pytest.mark.parametrize("version", ["v1", "v0.1"])
@pytest.mark.parametrize("predicate_type", [TEST_RESULT, VERIFICATION_SUMMARY])
def test_a_statement_that_others_would_sign_is_read_whole(version: str, predicate_type: str) -> None:
    """With another layout, the older type of statement too, fields that plangate does not know, and any key id."""
    told = {**SUMMARY, "_type": f"https://in-toto.io/Statement/{version}", "predicateType": predicate_type}
    envelope = open_envelope(_signed_by_another_project(told))
    assert envelope.signed_by([THEIRS.public, OURS.public]) == OURS.public
    assert envelope.signed_by([THEIRS.public]) is None
    assert envelope.keyid == "9f1c"
    read = envelope.statement()
    assert (read.predicate_type, read.predicate) == (predicate_type, SUMMARY["predicate"])
    assert [(one.name, one.sha256) for one in read.subjects] == [("image", "ab" * 32)]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"_type": None, "type": "https://in-toto.io/Statement/v1"}, "_type"),
        ({"_type": "https://in-toto.io/Statement/v2"}, "_type"),
        ({"subject": [{"name": "image", "digest": {"gce_image_id": "123"}}]}, "sha256"),
        ({"subject": [{"name": "commit", "digest": {"gitCommit": "ab" * 20}}]}, "sha256"),
        ({"subject": [{"name": "image", "digest": {"sha256": "d" * 63}}]}, "64 hexadecimal digits"),
    ],
)
def test_one_that_is_no_statement_or_names_no_bytes_verifies_and_is_refused(changed: dict, words: str) -> None:
    told = {name: value for name, value in {**SUMMARY, **changed}.items() if value is not None}
    envelope = open_envelope(_signed_by_another_project(told))
    assert envelope.signed_by([OURS.public]) == OURS.public
    with pytest.raises(EvidenceError, match=words):
        envelope.statement()


@pytest.mark.parametrize("name", ["build", "clone", "test"])
def test_attestations_of_another_project_verify_and_one_that_is_no_statement_is_refused(name: str) -> None:
    envelope = open_envelope(vectors("in-toto", f"attestation-verifier.{name}.dsse.json").read_bytes())
    layout = yaml.safe_load(vectors("in-toto", "attestation-verifier.layout.yml").read_text())
    keys = [_ed25519(bytes.fromhex(one["keyVal"]["public"])) for one in layout["functionaries"].values()]
    assert envelope.signed_by(keys) is not None
    assert envelope.signed_by([_ed25519(bytes(range(32)))]) is None
    if name == "clone":  # it says `type` where `_type` belongs
        with pytest.raises(EvidenceError, match="_type"):
            envelope.statement()
    else:
        assert envelope.statement().subjects
    if name == "test":
        assert envelope.statement().predicate_type == TEST_RESULT


def test_examples_of_specifications_are_read_as_far_as_they_name_bytes() -> None:
    """A subject without SHA-256 proves nothing about bytes: the example names a git commit, the others made-up text."""
    example = json.loads(vectors("in-toto", "spec-example.test-result-v0.1.statement.json").read_text())
    others = json.loads(vectors("in-toto", "spec-examples.svr-v0.2.statements.json").read_text())
    assert len(others) == 3
    for one in (example, *others):
        with pytest.raises(EvidenceError, match="64 hexadecimal digits"):
            read_statement(json.dumps(one).encode())
        subjects = [{**subject, "digest": {"sha256": "ab" * 32}} for subject in one["subject"]]
        read = read_statement(json.dumps({**one, "subject": subjects}).encode())
        assert (read.predicate_type, read.predicate) == (one["predicateType"], one["predicate"])
    assert example["predicateType"] == TEST_RESULT


@pytest.mark.parametrize(
    ("bundle", "key"),
    [
        ("ref.test-result.ed", "ref.test-result.ed"),
        ("ref.test-result.ec", "ref.test-result.ec"),
        ("cosign-3.1.1.predicate", "cosign"),
        ("cosign-3.1.1.statement-v1", "cosign"),
    ],
)
def test_envelopes_inside_sigstore_bundles_verify(bundle: str, key: str) -> None:
    document = json.loads(vectors("interop-peers", f"{bundle}.sigstore.json").read_text())
    envelope = open_envelope(json.dumps(document["dsseEnvelope"]).encode())
    public = PublicKey.load(vectors("interop-peers", f"{key}.pub.pem").read_bytes())
    assert envelope.signed_by([public]) == public
    assert envelope.statement().subjects
    if key != "cosign":
        import hashlib

        subject = vectors("interop-peers", "subject.release.json").read_bytes()
        assert hashlib.sha256(subject).hexdigest() in {one.sha256 for one in envelope.statement().subjects}


def test_a_summary_from_production_verifies_and_names_no_digest_that_plangate_would_trust() -> None:
    envelope = open_envelope(vectors("slsa-vsa", "gke-gce-pre.bcid-vsa.jsonl").read_bytes())
    expected = json.loads(vectors("slsa-vsa", "expect.json").read_text())
    key = PublicKey.load(vectors("slsa-vsa", "vsa_signing_public_key.pem").read_bytes())
    assert envelope.signed_by([key]) == key
    assert envelope.keyid == expected["keyid"]
    stated = json.loads(envelope.payload)
    assert stated["predicateType"] == VERIFICATION_SUMMARY
    assert stated["predicate"]["verifier"]["id"] == expected["verifier_id"]
    assert stated["predicate"]["verificationResult"] == expected["result"]
    with pytest.raises(EvidenceError, match="sha256"):  # its subject is named by an image id, which proves no bytes
        envelope.statement()


def test_a_managed_key_verifies_what_it_signed_and_what_is_no_key_is_refused() -> None:
    folder = vectors("sigstore-conformance")
    signed = json.loads((folder / "managed-key-happy-path" / "bundle.sigstore.json").read_text())
    signature = base64.b64decode(signed["messageSignature"]["signature"])
    key = PublicKey.load((folder / "managed-key-happy-path" / "key.pub").read_bytes())
    assert key.verify(signature, (folder / "a.txt").read_bytes())
    assert not key.verify(signature, (folder / "a.txt").read_bytes() + b"x")
    with pytest.raises(InputError, match="no public key"):
        PublicKey.load((folder / "managed-key-wrong-key_fail" / "key.pub").read_bytes())


@pytest.mark.parametrize(
    "case", ["rekor2-checkpoint-cosigned", "rekor2-dsse-happy-path", "rekor2-dsse-invalid-sig_fail"]
)
def test_checkpoints_and_proofs_of_a_public_log_are_read(case: str) -> None:
    document = json.loads(vectors("sigstore-conformance", case, "bundle.sigstore.json").read_text())
    entry = document["verificationMaterial"]["tlogEntries"][0]
    proof = entry["inclusionProof"]
    checkpoint = read_checkpoint(proof["checkpoint"]["envelope"].encode())
    assert (checkpoint.size, checkpoint.root) == (int(proof["treeSize"]), base64.b64decode(proof["rootHash"]))
    leaf = leaf_hash(base64.b64decode(entry["canonicalizedBody"]))
    path = tuple(base64.b64decode(one) for one in proof["hashes"])
    index = int(proof["logIndex"])
    assert verify_inclusion(leaf, index=index, size=checkpoint.size, proof=path, root=checkpoint.root)
    assert not verify_inclusion(leaf_hash(b"x"), index=index, size=checkpoint.size, proof=path, root=checkpoint.root)


def test_the_published_note_is_signed_by_its_published_key() -> None:
    name, hashed, encoded = vectors("tlog", "c2sp-signed-note.example.vkey.txt").read_text().strip().split("+", 2)
    key = _ed25519(base64.b64decode(encoded)[1:])
    assert key_hash(name, key).hex() == hashed
    text, _, signatures = vectors("tlog", "c2sp-signed-note.example.txt").read_text().rpartition("\n\n")
    blob = base64.b64decode(signatures.strip().rsplit(" ", 1)[1])
    assert blob[:4] == bytes.fromhex(hashed)
    assert key.verify(blob[4:], f"{text}\n".encode())
    assert not key.verify(blob[4:], f"{text}x\n".encode())
