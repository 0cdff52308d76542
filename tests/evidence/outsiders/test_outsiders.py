"""Every statement of a real promotion verifies without us: OpenSSL alone, securesystemslib, @sigstore/verify.

And each of the three refuses the same statement with one bit of its payload, its type or its signature turned.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

from plangate.evidence.envelope import pre_authentication
from plangate.evidence.keys import PublicKey
from plangate.evidence.statements import APPROVAL, PROMOTION, TEST_RESULT, VERIFICATION_SUMMARY
from tests.cli.promotions import by, plan_of, plangate
from tests.promotion.stages import make_stages

HERE = Path(__file__).parent
Verdicts = Callable[[list[dict], dict[str, PublicKey], Path], list[bool]]


@pytest.fixture(scope="module", params=["ed25519", "p256"])
def promoted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """The envelopes of one promotion, and the public keys that signed them by key id."""
    root = make_stages(tmp_path_factory.mktemp(request.param), algorithm=request.param)
    assert plangate(root, "promote", "stage", "--validate", *by(root, "ci"))[0] == 0
    plan = plan_of(root, "promote", "stage")["plan"]
    assert plangate(root, "approve", plan, "--role", "security", *by(root, "bob"))[0] == 0
    assert plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))[0] == 0
    envelopes = [json.loads(path.read_bytes()) for path in sorted((root / "evidence").glob("*.dsse.json"))]
    stated = {json.loads(base64.b64decode(one["payload"]))["predicateType"] for one in envelopes}
    assert stated == {TEST_RESULT, VERIFICATION_SUMMARY, APPROVAL, PROMOTION}
    found = [PublicKey.load(path.read_bytes()) for path in (root / "keys").glob("*.pub")]
    return envelopes, {key.keyid: key for key in found}


def _openssl(envelopes: list[dict], keys: dict[str, PublicKey], folder: Path) -> list[bool]:
    verdicts = []
    for one in envelopes:
        key = keys[one["signatures"][0]["keyid"]]
        (folder / "pae").write_bytes(pre_authentication(one["payloadType"], base64.b64decode(one["payload"])))
        (folder / "sig").write_bytes(base64.b64decode(one["signatures"][0]["sig"]))
        (folder / "pub").write_bytes(key.pem)
        raw = ["pkeyutl", "-verify", "-pubin", "-inkey", "pub", "-rawin", "-in", "pae", "-sigfile", "sig"]
        hashed = ["dgst", "-sha256", "-verify", "pub", "-signature", "sig", "pae"]
        command = [
            shutil.which("openssl") or pytest.skip("left out: openssl is not installed"),
            *(raw if key.algorithm == "ed25519" else hashed),
        ]
        verdicts.append(subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode == 0)
    return verdicts


def _securesystemslib(envelopes: list[dict], keys: dict[str, PublicKey], folder: Path) -> list[bool]:
    dsse = pytest.importorskip("securesystemslib.dsse", reason="left out: securesystemslib is not installed")
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import SSlibKey

    verdicts = []
    for one in envelopes:
        key = keys[one["signatures"][0]["keyid"]]
        kind, scheme = {"ed25519": ("ed25519", "ed25519"), "p256": ("ecdsa", "ecdsa-sha2-nistp256")}[key.algorithm]
        public = key.raw.hex() if key.algorithm == "ed25519" else key.pem.decode()
        try:
            told = dsse.Envelope.from_dict(deepcopy(one)).verify(
                [SSlibKey(key.keyid, kind, scheme, {"public": public})], 1
            )
            verdicts.append(list(told) == [key.keyid])
        except VerificationError:
            verdicts.append(False)
    return verdicts


def _sigstore(envelopes: list[dict], keys: dict[str, PublicKey], folder: Path) -> list[bool]:
    if shutil.which("node") is None or not (HERE / "node_modules" / "@sigstore" / "verify").is_dir():
        pytest.skip("left out: @sigstore/verify is absent (npm install --ignore-scripts in tests/evidence/outsiders)")
    (folder / "keys.json").write_text(json.dumps({keyid: key.pem.decode() for keyid, key in keys.items()}))
    lines = "".join(json.dumps(one) + "\n" for one in envelopes)
    command = ["node", str(HERE / "verify.mjs"), str(folder / "keys.json")]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, timeout=60)
    return [json.loads(line)["ok"] for line in done.stdout.splitlines()]


OUTSIDERS: dict[str, Verdicts] = {
    "openssl": _openssl,
    "securesystemslib": _securesystemslib,
    "sigstore": _sigstore,
}


@pytest.mark.parametrize("outsider", sorted(OUTSIDERS))
def test_every_statement_of_a_promotion_verifies(promoted, tmp_path: Path, outsider: str) -> None:
    envelopes, keys = promoted
    assert OUTSIDERS[outsider](envelopes, keys, tmp_path) == [True] * len(envelopes)
    assert len(envelopes) == 4


@pytest.mark.parametrize("outsider", sorted(OUTSIDERS))
@pytest.mark.parametrize("part", ["payload", "payloadType", "sig"])
def test_one_bit_turned_is_refused(promoted, tmp_path: Path, outsider: str, part: str) -> None:
    envelopes, keys = promoted
    spoilt = [_spoilt(one, part) for one in envelopes]
    assert OUTSIDERS[outsider](spoilt, keys, tmp_path) == [False] * len(envelopes)


@pytest.mark.parametrize("outsider", sorted(OUTSIDERS))
def test_another_key_does_not_verify(promoted, tmp_path: Path, outsider: str) -> None:
    envelopes, keys = promoted
    names = sorted(keys)
    swapped = {name: keys[names[place - 1]] for place, name in enumerate(names)}
    renamed = [
        {**one, "signatures": [{**one["signatures"][0], "keyid": swapped[one["signatures"][0]["keyid"]].keyid}]}
        for one in envelopes
    ]
    assert OUTSIDERS[outsider](renamed, keys, tmp_path) == [False] * len(envelopes)


def _spoilt(envelope: dict, part: str) -> dict:
    if part == "payloadType":
        return {**envelope, "payloadType": "application/vnd.in-toto+jsoN"}
    signature = envelope["signatures"][0]
    data = bytearray(base64.b64decode(signature["sig"] if part == "sig" else envelope["payload"]))
    data[len(data) // 2] ^= 1
    text = base64.b64encode(bytes(data)).decode()
    return {**envelope, "signatures": [{**signature, "sig": text}]} if part == "sig" else {**envelope, "payload": text}
