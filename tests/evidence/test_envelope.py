"""Envelopes: what others signed verifies here, and what we sign verifies with OpenSSL and securesystemslib."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import EvidenceError, InputError
from plangate.evidence.envelope import PAYLOAD_TYPE, open_envelope, pre_authentication, seal
from plangate.evidence.keys import PrivateKey, PublicKey, generate
from plangate.evidence.statements import APPROVAL, TEST_RESULT, VERIFICATION_SUMMARY, Statement, Subject
from plangate.evidence.strict_json import loads
from tests.evidence.vectors import vectors

STATEMENT = Statement(
    subjects=(Subject("release.lock", "ab" * 32),), predicate_type=APPROVAL, predicate={"decision": "approve"}
)
KEYS = {algorithm: generate(algorithm) for algorithm in ("ed25519", "p256")}


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_what_is_sealed_opens_with_its_key_alone(algorithm: str) -> None:
    key = KEYS[algorithm]
    envelope = open_envelope(seal(STATEMENT, key=key))
    assert envelope.signed_by([generate(algorithm).public]) is None
    assert envelope.signed_by([generate().public, key.public]) == key.public
    assert envelope.statement() == STATEMENT
    assert envelope.keyid == key.public.keyid


SEALED = seal(STATEMENT, key=KEYS["ed25519"])


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_any_flipped_byte_is_noticed(at: int, bits: int) -> None:
    changed = bytearray(SEALED)
    changed[at] ^= bits
    try:
        envelope = open_envelope(bytes(changed))
        holds = envelope.signed_by([KEYS["ed25519"].public]) is not None
        same = holds and envelope.statement() == STATEMENT
    except EvidenceError:
        return
    # What is not signed (a claimed key id, white space) may change; then the envelope's own digest does.
    assert not holds or same
    assert envelope.digest != open_envelope(SEALED).digest


@pytest.mark.parametrize(
    "text",
    [
        b"", b"[]", b"null", b"{}", b"\xff", b'{"payload":"","payloadType":"","signatures":[]}',
        b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":9007199254740993}', b'"\\ud800"', b"[" * 100_000,
        SEALED.replace(b'"signatures":[', b'"signatures":[{},'),
        SEALED.replace(b'"payloadType"', b'"payload","payloadType"'),
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_refused_without_a_crash(text: bytes) -> None:
    with pytest.raises(EvidenceError):
        open_envelope(text)


def _document(**changed: object) -> bytes:
    return json.dumps({**json.loads(SEALED), **changed}).encode()


def _sealed(payload: bytes, *, kind: str = PAYLOAD_TYPE) -> bytes:
    """An envelope that is right in all but what its payload or its type says."""
    key = KEYS["ed25519"]
    signature = base64.b64encode(key.sign(pre_authentication(kind, payload))).decode()
    signed = {"keyid": key.public.keyid, "sig": signature}
    return _document(payload=base64.b64encode(payload).decode(), payloadType=kind, signatures=[signed])


def test_an_envelope_with_one_defect_is_refused_for_that() -> None:
    document = json.loads(SEALED)
    (signed,) = document["signatures"]
    spoilt = {
        "nothing else": _document(note="read me"),
        "exactly one signature": _document(signatures=[signed, signed]),
        "not base64": _document(payload=document["payload"][:8] + "!" + document["payload"][8:]),
        "a key twice": SEALED.replace(b'{"payload":', b'{"payload":"","payload":', 1),
    }
    for words, data in spoilt.items():
        with pytest.raises(EvidenceError, match=words):
            open_envelope(data)
    assert open_envelope(_document()).statement() == STATEMENT


def test_a_signed_payload_of_another_type_is_no_statement() -> None:
    payload = STATEMENT.to_bytes()
    assert open_envelope(_sealed(payload)).statement() == STATEMENT
    other = open_envelope(_sealed(payload, kind="application/json"))
    assert other.signed_by([KEYS["ed25519"].public]) is not None
    with pytest.raises(EvidenceError, match="not an in-toto statement"):
        other.statement()


AMBIGUOUS = [
    ('"approve","decision":"reject"', "a key twice"), ("9007199254740992", "integer beyond"),
    ("-9007199254740992", "integer beyond"), ('"\\ud800"', "lone surrogate"), ("NaN", "it has NaN"),
    ("1e999", "no double can hold"), ("[" * 64 + "]" * 64, "deeper than 64"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "words"), AMBIGUOUS, ids=[words for _, words in AMBIGUOUS])
def test_json_that_two_readers_could_read_differently_is_refused_in_a_file_and_in_a_signed_statement(
    value: str, words: str
) -> None:
    with pytest.raises(EvidenceError, match=words):
        loads(('{"decision":' + value + "}").encode())
    payload = STATEMENT.to_bytes().replace(b'"approve"', value.encode())
    with pytest.raises(EvidenceError, match=words):
        open_envelope(_sealed(payload)).statement()


def test_the_largest_that_is_exact_is_read() -> None:
    assert loads(b"[9007199254740991,-9007199254740991]") == [9007199254740991, -9007199254740991]
    assert loads(b'"\\ud83d\\ude00"') == "\U0001f600"


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
def test_sixty_four_containers_in_each_other_are_read_and_no_more(opened: str, closed: str) -> None:
    def nested(levels: int, inner: str) -> bytes:
        return (opened * levels + inner + closed * levels).encode()

    assert loads(nested(64, "1")) is not None
    for deeper in (nested(65, "1"), nested(64, "[]"), nested(64, "{}")):
        with pytest.raises(EvidenceError, match="deeper than 64"):
            loads(deeper)


def test_strict_json_keeps_what_is_meant() -> None:
    assert loads('{"a":[1,-2.5,"ä",null,true]}'.encode()) == {"a": [1, -2.5, "ä", None, True]}


def _openssl() -> str:
    return shutil.which("openssl") or pytest.skip("left out: openssl is not installed")


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_openssl_alone_verifies(tmp_path: Path, algorithm: str) -> None:
    key = KEYS[algorithm]
    document = json.loads(seal(STATEMENT, key=key))
    payload = base64.b64decode(document["payload"])
    (tmp_path / "pae").write_bytes(pre_authentication(document["payloadType"], payload))
    (tmp_path / "sig").write_bytes(base64.b64decode(document["signatures"][0]["sig"]))
    (tmp_path / "pub").write_bytes(key.public.pem)
    if algorithm == "ed25519":
        command = [
            _openssl(),
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            "pub",
            "-rawin",
            "-in",
            "pae",
            "-sigfile",
            "sig",
        ]
    else:
        command = [_openssl(), "dgst", "-sha256", "-verify", "pub", "-signature", "sig", "pae"]
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0
    (tmp_path / "pae").write_bytes(b"x" + (tmp_path / "pae").read_bytes())
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode != 0


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_securesystemslib_verifies(algorithm: str) -> None:
    dsse = pytest.importorskip("securesystemslib.dsse", reason="left out: securesystemslib is not installed")
    from securesystemslib.signer import SSlibKey

    key = KEYS[algorithm]
    kind, scheme = {"ed25519": ("ed25519", "ed25519"), "p256": ("ecdsa", "ecdsa-sha2-nistp256")}[algorithm]
    public = key.public.raw.hex() if algorithm == "ed25519" else key.public.pem.decode()
    envelope = dsse.Envelope.from_dict(json.loads(seal(STATEMENT, key=key)))
    verified = envelope.verify([SSlibKey(key.public.keyid, kind, scheme, {"public": public})], 1)
    assert list(verified) == [key.public.keyid]


@pytest.mark.parametrize(
    ("envelope", "key", "predicate"),
    [
        ("ref.test-result.ed", "ref.test-result.ed", TEST_RESULT),
        ("ref.test-result.ec", "ref.test-result.ec", TEST_RESULT),
        ("ref.vsa.ed", "ref.vsa.ed", VERIFICATION_SUMMARY),
        ("ref.vsa.ec", "ref.vsa.ec", VERIFICATION_SUMMARY),
        ("cosign-2.5.0", "cosign", None),
    ],
)
def test_what_others_signed_verifies(envelope: str, key: str, predicate: str | None) -> None:
    read = open_envelope(vectors("interop-peers", f"{envelope}.dsse.json").read_bytes())
    public = PublicKey.load(vectors("interop-peers", f"{key}.pub.pem").read_bytes())
    assert read.signed_by([public]) == public
    if predicate is not None:
        assert read.statement().predicate_type == predicate


@pytest.mark.parametrize(
    ("kind", "payload", "signed"),
    [
        ("a/b", b"plan", b"DSSEv1 3 a/b 4 plan"),
        ("", b"", b"DSSEv1 0  0 "),
        ("a b", b"4 x", b"DSSEv1 3 a b 3 4 x"),
        ("t/\u00e4", "\u00fc\n".encode(), b"DSSEv1 4 t/\xc3\xa4 3 \xc3\xbc\n"),
        ("x", b"\x00\xff", b"DSSEv1 1 x 2 \x00\xff"),
    ],
)
def test_what_is_signed_counts_bytes_and_leaves_no_two_readings(kind: str, payload: bytes, signed: bytes) -> None:
    assert pre_authentication(kind, payload) == signed


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_what_openssl_alone_signs_verifies_here(tmp_path: Path, algorithm: str) -> None:
    key = KEYS[algorithm]
    payload = STATEMENT.to_bytes()
    (tmp_path / "key").write_bytes(key.pem())
    (tmp_path / "pae").write_bytes(
        b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    )
    raw = ["pkeyutl", "-sign", "-inkey", "key", "-rawin", "-in", "pae", "-out", "sig"]
    hashed = ["dgst", "-sha256", "-sign", "key", "-out", "sig", "pae"]
    subprocess.run([_openssl(), *(raw if algorithm == "ed25519" else hashed)], cwd=tmp_path, check=True)
    signature = base64.b64encode((tmp_path / "sig").read_bytes()).decode()
    envelope = open_envelope(
        _document(payload=base64.b64encode(payload).decode(), signatures=[{"keyid": "", "sig": signature}])
    )
    assert envelope.signed_by([generate(algorithm).public, key.public]) == key.public
    assert envelope.statement() == STATEMENT


def test_the_protocol_vector_of_dsse() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    vector = json.loads(vectors("dsse", "protocol-vector.json").read_text())
    payload = vector["payload_utf8"].encode()
    assert pre_authentication(vector["payloadType"], payload) == vector["pae"].encode()
    point = ec.EllipticCurvePublicNumbers(int(vector["key"]["x"]), int(vector["key"]["y"]), ec.SECP256R1())
    envelope = open_envelope(json.dumps(vector["envelope"]).encode())
    assert envelope.signed_by([PublicKey(point.public_key())]) is not None
    assert envelope.payload == payload


def test_keys_travel_as_pem_and_keep_their_passphrase(tmp_path: Path) -> None:
    for key in KEYS.values():
        assert PrivateKey.load(key.pem(), passphrase=None).public == key.public
        secret = key.pem(passphrase=b"open sesame")
        assert PrivateKey.load(secret, passphrase=b"open sesame").public == key.public
        for wrong in (None, b"shut"):
            with pytest.raises(InputError, match="passphrase"):
                PrivateKey.load(secret, passphrase=wrong)
    for bad in (b"", b"hello", KEYS["p256"].public.pem):
        with pytest.raises(InputError):
            PrivateKey.load(bad)
    with pytest.raises(InputError):
        PublicKey.load(KEYS["p256"].pem())


def test_the_key_id_is_what_ssh_keygen_shows(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    key = KEYS["ed25519"].public
    line = serialization.load_pem_public_key(key.pem).public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    (tmp_path / "key.pub").write_bytes(line)
    try:
        shown = subprocess.run(
            ["ssh-keygen", "-lf", "key.pub"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        pytest.skip("left out: ssh-keygen is not installed")
    assert key.keyid in shown.stdout
