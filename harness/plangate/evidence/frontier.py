"""The right edge of a growing Merkle tree: enough to add a leaf, know the root and prove the newest, in O(log n)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from plangate.evidence.merkle import EMPTY_ROOT, node_hash

__all__ = ["Frontier"]


@dataclass(frozen=True, slots=True)
class Frontier:
    """Size of a tree and the roots of its complete subtrees, largest first."""

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> Frontier:
        """The frontier after all leaves. O(n)."""
        size, stack = 0, list[bytes]()
        for leaf in leaves:
            node, carry = leaf, size
            while carry & 1:
                node = node_hash(stack.pop(), node)
                carry >>= 1
            stack.append(node)
            size += 1
        return cls(size, tuple(stack))

    def with_leaf(self, leaf: bytes) -> Frontier:
        """The frontier after one more leaf."""
        stack, node, carry = list(self.nodes), leaf, self.size
        while carry & 1:
            node = node_hash(stack.pop(), node)
            carry >>= 1
        return Frontier(self.size + 1, (*stack, node))

    @property
    def root(self) -> bytes:
        """Root of the tree."""
        if not self.nodes:
            return EMPTY_ROOT
        node = self.nodes[-1]
        for left in reversed(self.nodes[:-1]):
            node = node_hash(left, node)
        return node

    def path_of_next(self) -> tuple[bytes, ...]:
        """Audit path that the next leaf will have in the tree it makes: what stands left of it, lowest first."""
        return tuple(reversed(self.nodes))
