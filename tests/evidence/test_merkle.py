"""Merkle proofs, against RFC 6962's own words and 518 published cases."""

from __future__ import annotations

import base64
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
