"""Merkle trees as RFC 6962 section 2 defines them: root, inclusion and consistency, pure over hashes of 32 bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

__all__ = ["EMPTY_ROOT", "consistency_proof", "inclusion_proof", "leaf_hash", "node_hash", "root_of",
           "verify_consistency", "verify_inclusion"]  # fmt: skip

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash of a leaf: SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes; the hash of nothing for an empty tree. O(n), no recursion."""
    if not leaves:
        return EMPTY_ROOT
    stack: list[tuple[int, bytes]] = []
    for leaf in leaves:
        height, node = 0, leaf
        while stack and stack[-1][0] == height:
            node = node_hash(stack.pop()[1], node)
            height += 1
        stack.append((height, node))
    node = stack.pop()[1]
    while stack:
        node = node_hash(stack.pop()[1], node)
    return node


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Audit path of leaf `index`, from the leaf up. Raises IndexError where there is no such leaf."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    path: list[bytes] = []
    first, last = 0, len(leaves)
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            path.append(root_of(leaves[middle:last]))
            last = middle
        else:
            path.append(root_of(leaves[first:middle]))
            first = middle
    return tuple(reversed(path))


def consistency_proof(leaves: Sequence[bytes], size: int) -> tuple[bytes, ...]:
    """Proof that the first `size` leaves are a prefix of `leaves`. Raises IndexError for 0 or more than there are."""
    if not 0 < size <= len(leaves):
        raise IndexError(size)
    path: list[bytes] = []
    first, last, whole = 0, len(leaves), True
    while size != last:
        middle = first + _split(last - first)
        if size <= middle:
            path.append(root_of(leaves[middle:last]))
            last = middle
        else:
            path.append(root_of(leaves[first:middle]))
            first, whole = middle, False
    if not whole:
        path.append(root_of(leaves[first:last]))
    return tuple(reversed(path))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _hashes(*texts: bytes) -> bool:
    return all(len(text) == HASH_BYTES for text in texts)


def verify_inclusion(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `leaf` is at `index` in the tree of `size` with `root` (RFC 9162, 2.1.3.2). Total: never raises."""
    if not 0 <= index < size or not _hashes(leaf, root, *proof):
        return False
    at, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(*, old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `size` begins with that of `old_size` (RFC 9162, 2.1.4.2). From size 0: no."""
    if not 0 < old_size <= size or not _hashes(*proof):
        return False
    if old_size == size:
        return not proof and old_root == root
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, node)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_root and new == root
