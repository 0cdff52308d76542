"""Merkle proofs, against RFC 6962's own words and 518 published cases."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.evidence.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.evidence.vectors import vectors


def slow_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(slow_root(leaves[:k]), slow_root(leaves[k:]))


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(size)]


@given(st.integers(1, 70))
def test_the_root_is_the_recursive_one(size: int) -> None:
    assert root_of(leaves_of(size)) == slow_root(leaves_of(size))


@given(st.integers(1, 70), st.data())
def test_proofs_verify_and_altered_ones_do_not(size: int, data: st.DataObject) -> None:
    leaves, index = leaves_of(size), data.draw(st.integers(0, size - 1))
    root, proof = root_of(leaves), inclusion_proof(leaves, index)
    assert verify_inclusion(leaves[index], index=index, size=size, proof=proof, root=root)
    assert not verify_inclusion(leaf_hash(b"other"), index=index, size=size, proof=proof, root=root)
    assert not verify_inclusion(leaves[index], index=index, size=size, proof=(*proof, root), root=root)
    old = data.draw(st.integers(1, size))
    path = consistency_proof(leaves, old)
    old_root = root_of(leaves[:old])
    assert verify_consistency(old_size=old, old_root=old_root, size=size, root=root, proof=path)
    forked = root_of([leaf_hash(b"fork"), *leaves[1:old]])
    assert not verify_consistency(old_size=old, old_root=forked, size=size, root=root, proof=path)


def _mth(entries: list[bytes]) -> bytes:
    """MTH(D[n]) of RFC 6962 2.1, from hashes alone: none of plangate's code has a part in it."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = max(2**power for power in range(8) if 2**power < len(entries))
    return hashlib.sha256(b"\x01" + _mth(entries[:k]) + _mth(entries[k:])).digest()


def _path(m: int, entries: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962 2.1.1."""
    if len(entries) == 1:
        return []
    k = max(2**power for power in range(8) if 2**power < len(entries))
    if m < k:
        return [*_path(m, entries[:k]), _mth(entries[k:])]
    return [*_path(m - k, entries[k:]), _mth(entries[:k])]


def _subproof(m: int, entries: list[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) of RFC 6962 2.1.2."""
    if m == len(entries):
        return [] if whole else [_mth(entries)]
    k = max(2**power for power in range(8) if 2**power < len(entries))
    if m <= k:
        return [*_subproof(m, entries[:k], whole=whole), _mth(entries[k:])]
    return [*_subproof(m - k, entries[k:], whole=False), _mth(entries[:k])]


ENTRIES = [b"", b"\x00", b"one", b"two", b"three", b"four", b"five", b"six", b"seven"]
SIZES = range(1, len(ENTRIES) + 1)


def test_the_tree_of_no_entry_has_the_hash_of_nothing() -> None:
    assert root_of([]) == _mth([])


@pytest.mark.parametrize("size", SIZES)
def test_small_trees_and_their_proofs_are_those_of_the_standard(size: int) -> None:
    entries = ENTRIES[:size]
    leaves = [leaf_hash(one) for one in entries]
    assert root_of(leaves) == _mth(entries)
    for index in range(size):
        assert list(inclusion_proof(leaves, index)) == _path(index, entries)
    for old in range(1, size + 1):
        assert list(consistency_proof(leaves, old)) == _subproof(old, entries, whole=True)


@pytest.mark.parametrize("size", SIZES)
def test_a_proof_of_the_standard_proves_one_leaf_at_one_place_of_one_tree(size: int) -> None:
    entries = ENTRIES[:size]
    for index in range(size):
        leaf, proof, root = leaf_hash(entries[index]), _path(index, entries), _mth(entries)
        right = {"index": index, "size": size, "proof": proof, "root": root}
        assert verify_inclusion(leaf, **right)
        wrong = [{"index": other} for other in range(-1, size + 1) if other != index]
        wrong += [{"proof": proof[:-1]}] if proof else []
        wrong += [{"proof": [*proof, root]}, {"root": leaf_hash(b"other")}, {"size": 0}, {"proof": [*proof[:-1], b""]}]
        wrong += [{"proof": [*proof[:at], leaf_hash(b"x"), *proof[at + 1 :]]} for at in range(len(proof))]
        for changed in wrong:
            assert not verify_inclusion(leaf, **{**right, **changed}), (index, changed)


def test_hashes_of_other_lengths_and_a_tree_of_another_height_prove_nothing_of_the_standard() -> None:
    """Each makes the right root by the same bytes, cut elsewhere or named otherwise."""
    first, second = leaf_hash(ENTRIES[0]), leaf_hash(ENTRIES[1])
    root = _mth(ENTRIES[:2])
    assert verify_inclusion(first, index=0, size=2, proof=[second], root=root)
    assert not verify_inclusion(first + second[:1], index=0, size=2, proof=[second[1:]], root=root)
    assert not verify_inclusion(second, index=0, size=1, proof=[first], root=root)


def test_a_prefix_is_not_proven_by_hashes_that_are_cut_elsewhere() -> None:
    """The root is made of the very bytes of the true hashes; only where one ends and the next begins is moved."""
    first, second = leaf_hash(ENTRIES[0]), leaf_hash(ENTRIES[1])
    tree = {"old_size": 1, "size": 2, "root": _mth(ENTRIES[:2])}
    assert verify_consistency(**tree, old_root=first, proof=[second])
    assert not verify_consistency(**tree, old_root=first + second[:1], proof=[second[1:]])


@pytest.mark.parametrize("size", SIZES)
def test_a_proof_of_the_standard_proves_one_prefix_of_one_tree(size: int) -> None:
    entries = ENTRIES[:size]
    for old in range(1, size + 1):
        proof = _subproof(old, entries, whole=True)
        right = {"old_size": old, "old_root": _mth(entries[:old]), "size": size, "root": _mth(entries), "proof": proof}
        assert verify_consistency(**right)
        wrong = [{"old_root": leaf_hash(b"x")}, {"root": leaf_hash(b"x")}, {"proof": [*proof, _mth(entries)]}]
        wrong += [{"old_size": other} for other in range(-1, size + 2) if other != old]
        wrong += [{"proof": proof[:-1]}, {"proof": [*proof[:-1], b""]}, {"proof": []}] if proof else []
        wrong += [{"proof": [*proof[:at], leaf_hash(b"x"), *proof[at + 1 :]]} for at in range(len(proof))]
        for changed in wrong:
            assert not verify_consistency(**{**right, **changed}), (old, changed)


def published(name: str) -> list[dict]:
    return [json.loads(line) for line in vectors("merkle", name).read_text().splitlines()]


def decoded(case: dict) -> list[bytes]:
    return [base64.b64decode(one or "") for one in case["proof"] or []]


def test_published_inclusion_cases() -> None:
    cases = published("inclusion.jsonl")
    for case in cases:
        holds = verify_inclusion(
            base64.b64decode(case["leafHash"]),
            index=case["leafIdx"],
            size=case["treeSize"],
            proof=decoded(case),
            root=base64.b64decode(case["root"] or ""),
        )
        assert holds is not case["wantErr"], case["_path"]
    assert len(cases) > 50


def test_published_consistency_cases() -> None:
    cases = published("consistency.jsonl")
    for case in cases:
        holds = verify_consistency(
            old_size=case["size1"],
            old_root=base64.b64decode(case["root1"] or ""),
            size=case["size2"],
            root=base64.b64decode(case["root2"] or ""),
            proof=decoded(case),
        )
        assert holds is not case["wantErr"], case["_path"]
    assert len(cases) > 50


def test_the_empty_tree_has_no_proofs() -> None:
    with pytest.raises(IndexError):
        inclusion_proof([], 0)
    with pytest.raises(IndexError):
        consistency_proof(leaves_of(3), 0)
