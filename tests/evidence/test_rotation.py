"""Successive versions of trust, by the rules of TUF roots; checked against a real chain of roots."""

from __future__ import annotations

import hashlib
import json

import pytest

from plangate.errors import EvidenceError
from plangate.evidence.envelope import open_envelope, seal
from plangate.evidence.keys import PrivateKey, PublicKey, generate
from plangate.evidence.rotation import Root, follow, require_current, require_next, trust_change
from plangate.evidence.trust import TrustPolicy
from tests.evidence.policies import policy, role, trusted
from tests.evidence.vectors import vectors

A, B, C, D = (generate() for _ in range(4))
NOW = "2026-06-01T00:00:00Z"


def _version(
    number: int, *keys: PrivateKey, threshold: int = 2, owner: str = "", expires: str | None = None
) -> TrustPolicy:
    names = [f"k{place}" for place in range(len(keys))]
    held = [trusted(name, key, owner=owner) for name, key in zip(names, keys, strict=True)]
    return policy(*held, roles=(role("root", *names, threshold=threshold),), version=number, expires=expires)


def _step(
    first: TrustPolicy, second: TrustPolicy, *signers: PrivateKey, text: bytes = b"v2", says: int = 2
) -> TrustPolicy:
    envelopes = [open_envelope(seal(trust_change(text, version=says), key=key)) for key in signers]
    return follow(first, [(b"v2", second, envelopes)], now=NOW)


def test_a_version_signed_by_enough_of_both_is_followed() -> None:
    second = _version(2, B, C)
    assert _step(_version(1, A, B), second, A, B, C) is second


@pytest.mark.parametrize("signers", [(B, C), (A, B), (A, C), (C, D), (), (B, B, B)])
def test_without_enough_of_either_version_it_is_refused(signers: tuple[PrivateKey, ...]) -> None:
    with pytest.raises(EvidenceError, match="rotation-refused"):
        _step(_version(1, A, B), _version(2, B, C), *signers)


@pytest.mark.parametrize("number", [1, 3, 0])
def test_versions_grow_by_one(number: int) -> None:
    with pytest.raises(EvidenceError, match="rotation-refused"):
        _step(_version(1, A, B), _version(number, A, B), A, B, says=number)


@pytest.mark.parametrize("which", [1, 2])
def test_a_version_that_nobody_need_sign_is_refused(which: int) -> None:
    """Two voices are there; the threshold of one of the versions would have been met by none."""
    current, following = _root(1, threshold=0 if which == 1 else 2), _root(2, threshold=0 if which == 2 else 2)
    with pytest.raises(EvidenceError, match="rotation-refused"):
        require_next(current, following, signed_by=lambda key: True)
    require_next(_root(1, threshold=2), _root(2, threshold=2), signed_by=lambda key: True)


def _root(version: int, *, threshold: int) -> Root:
    return Root(version=version, signers={A.public: "alice", B.public: "bob"}, threshold=threshold)


def test_signatures_over_another_file_or_version_do_not_count() -> None:
    with pytest.raises(EvidenceError, match="rotation-refused"):
        _step(_version(1, A, B), _version(2, A, B), A, B, text=b"another file")
    with pytest.raises(EvidenceError, match="rotation-refused"):
        _step(_version(1, A, B), _version(2, A, B), A, B, says=3)


def test_one_person_with_two_keys_is_one_signer() -> None:
    with pytest.raises(EvidenceError, match="rotation-refused"):
        _step(_version(1, A, B, owner="alice"), _version(2, A, B), A, B)


def test_only_the_last_version_has_to_be_current() -> None:
    old, new = _version(1, A, B, expires="2026-01-01T00:00:00Z"), _version(2, A, B, expires="2027-01-01T00:00:00Z")
    assert _step(old, new, A, B) is new
    with pytest.raises(EvidenceError, match="trust-expired"):
        _step(_version(1, A, B), _version(2, A, B, expires=NOW), A, B)


def test_a_real_chain_of_roots_is_followed_and_none_may_be_left_out() -> None:
    folder = vectors("tuf-root-rotation")
    _follow_all([json.loads((folder / f"sigstore.{number}.root.json").read_bytes()) for number in range(5, 13)])


def test_a_chain_of_our_own_roots_is_followed_and_none_may_be_left_out() -> None:
    """As TUF writes them: the second gives one seat to another key, the third raises the threshold."""
    _follow_all([
        _tuf_document(1, (A, B, C), threshold=2, signers=(A, B)),
        _tuf_document(2, (A, B, D), threshold=2, signers=(B, A, D)),
        _tuf_document(3, (B, D), threshold=2, signers=(D, B)),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("second", "holds"),
    [
        ({}, True),
        ({"signers": (A, B)}, True),
        ({"signers": (A, D)}, False),
        ({"signers": (D,)}, False),
        ({"signers": (A,)}, False),
        ({"number": 3}, False),
        ({"threshold": 3}, False),
    ],
    ids=["both", "two of both", "one of the first", "new one", "old one", "a version left out", "three asked"],
)
def test_a_root_of_our_own_needs_enough_of_both(second: dict, holds: bool) -> None:
    first = _tuf_document(1, (A, B, C), threshold=2, signers=(A, B))
    document = _tuf_document(**{"number": 2, "keys": (A, B, D), "threshold": 2, "signers": (A, B), **second})
    roots = [_tuf_root(one["signed"]) for one in (first, document)]
    if holds:
        require_next(*roots, signed_by=_signed(document))
    else:
        with pytest.raises(EvidenceError, match="rotation-refused"):
            require_next(*roots, signed_by=_signed(document))


def _tuf_document(
    number: int, keys: tuple[PrivateKey, ...], *, threshold: int, signers: tuple[PrivateKey, ...]
) -> dict:
    pems = {key: key.public.pem.decode() for key in keys}
    names = {key: hashlib.sha256(pem.encode()).hexdigest() for key, pem in pems.items()}
    signed = {
        "_type": "root", "spec_version": "1.0", "version": number, "expires": "2024-01-01T00:00:00Z",
        "keys": {
            names[key]: {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": pem}}
            for key, pem in pems.items()
        },
        "roles": {"root": {"keyids": list(names.values()), "threshold": threshold}},
    }  # fmt: skip
    signatures = [{"keyid": "", "sig": key.sign(_canonical(signed)).hex()} for key in signers]
    return {"signed": signed, "signatures": signatures}


def _follow_all(chain: list[dict]) -> None:
    roots = [_tuf_root(one["signed"]) for one in chain]
    for before, after, document in zip(roots, roots[1:], chain[1:], strict=False):
        require_next(before, after, signed_by=_signed(document))
    with pytest.raises(EvidenceError, match="rotation-refused"):
        require_next(roots[0], roots[2], signed_by=_signed(chain[2]))
    spoilt = json.loads(json.dumps(chain[1]))
    spoilt["signed"]["expires"] = "2099-01-01T00:00:00Z"
    with pytest.raises(EvidenceError, match="rotation-refused"):
        require_next(roots[0], _tuf_root(spoilt["signed"]), signed_by=_signed(spoilt))
    with pytest.raises(EvidenceError, match="trust-expired"):
        require_current(roots[0], now=NOW)


def _tuf_root(signed: dict) -> Root:
    known = {name: PublicKey.load(key["keyval"]["public"].encode()) for name, key in signed["keys"].items()}
    root = signed["roles"]["root"]
    signers = {known[name]: name for name in root["keyids"]}
    return Root(version=signed["version"], signers=signers, threshold=root["threshold"], expires=signed["expires"])


def _canonical(signed: dict) -> bytes:
    # OLPC canonical JSON, as TUF signs it: sorted, no spaces, only the quote and the backslash escaped.
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("\\n", "\n").encode()


def _signed(document: dict):
    data = _canonical(document["signed"])
    signatures = [bytes.fromhex(one["sig"]) for one in document["signatures"]]
    return lambda key: any(key.verify(one, data) for one in signatures)
