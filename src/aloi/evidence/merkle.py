"""Merkle trees over SHA-256 as in RFC 6962 section 2.1: roots, inclusion and consistency proofs.

Leaves are given as bytes to `root`, and as leaf hashes elsewhere; a hash is 32 bytes. Verifiers follow the iterative
algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2.
"""

import hashlib
from collections.abc import Iterable, Sequence

from aloi.errors import EvidenceError
from aloi.translation import N_

EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A growing tree that keeps its right edge only: one hash per set bit of `size`."""

    def __init__(self, size: int = 0, edge: Iterable[bytes] = ()) -> None:
        self.size = size
        self._edge = list(edge)

    @property
    def edge(self) -> tuple[bytes, ...]:
        """What the tree goes on from: `Tree(size, edge)` is this tree."""
        return tuple(self._edge)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self._edge.pop(), node)
            size >>= 1
        self._edge.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The tree's hash at this size; of the empty tree, SHA-256 of nothing."""
        if not self._edge:
            return EMPTY
        node = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            node = node_hash(left, node)
        return node


def root(leaves: Iterable[bytes]) -> bytes:
    """The tree's hash over whole leaves, read once."""
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
    return tree.root()


def inclusion(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that leaf `index` is in the tree over `hashes` (RFC 6962 section 2.1.1). O(n)."""
    if not 0 <= index < len(hashes):
        raise IndexError(f"leaf {index} is not in a tree of {len(hashes)}")
    proof: list[bytes] = []
    low, high = 0, len(hashes)
    while high - low > 1:
        middle = low + split(high - low)
        if index < middle:
            proof.append(_subtree(hashes, middle, high))
            high = middle
        else:
            proof.append(_subtree(hashes, low, middle))
            low = middle
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raises EvidenceError ('not-included') unless the leaf hash stands at `index` of the tree of `size` and `root`."""
    if inclusion_root(leaf, index, size, proof) != root:
        raise _not_included()


def inclusion_root(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root of a tree of `size` to which a proof leads from the leaf hash at `index`; None where to none."""
    if not 0 <= index < size or not _hashes(proof):
        return None
    node, position, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            return None
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            position, last = _climb(position, last)
        else:
            node = node_hash(node, sibling)
        position >>= 1
        last >>= 1
    return node if last == 0 else None


def consistency(hashes: Sequence[bytes], first: int) -> list[bytes]:
    """The proof that the tree over `hashes[:first]` is a prefix of the whole (RFC 6962 section 2.1.2). O(n)."""
    if not 0 < first <= len(hashes):
        raise IndexError(f"no proof from size {first} to size {len(hashes)}")
    proof: list[bytes] = []
    low, high, complete = 0, len(hashes), True
    while high != first:
        middle = low + split(high - low)
        if first <= middle:
            proof.append(_subtree(hashes, middle, high))
            high = middle
        else:
            proof.append(_subtree(hashes, low, middle))
            low, complete = middle, False
    if not complete:
        proof.append(_subtree(hashes, low, high))
    return proof[::-1]


def verify_consistency(first: int, second: int, old: bytes, new: bytes, proof: Sequence[bytes]) -> None:
    """Raises EvidenceError ('not-consistent') unless the tree (`first`, `old`) is a prefix of (`second`, `new`)."""
    if not 0 < first <= second or not _hashes(proof):
        raise _not_consistent()
    if first == second:
        if proof or old != new:
            raise _not_consistent()
        return
    roots = prefix_roots(first, second, proof if first & (first - 1) else [old, *proof])
    if roots != (old, new):
        raise _not_consistent()


def prefix_roots(first: int, second: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The hashes of the first `first` and of all `second` leaves to which a path leads; None where it leads nowhere.

    0 < `first` < `second`. The path is a consistency proof that always names its first node: the proof of RFC 6962
    leaves it out where `first` is a power of two, because it is then the older root.
    """
    if not path or not _hashes(path):
        return None
    full = (first ^ (first - 1)).bit_length() - 1  # trailing ones of first - 1: levels where the old tree is whole
    position, last = (first - 1) >> full, (second - 1) >> full
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if position & 1 or position == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            position, last = _climb(position, last)
        else:
            after = node_hash(after, sibling)
        position >>= 1
        last >>= 1
    return (before, after) if last == 0 else None


def _climb(position: int, last: int) -> tuple[int, int]:
    """Up to the first level where the node is a right child, or to the top."""
    while not position & 1 and position:
        position >>= 1
        last >>= 1
    return position, last


def split(size: int) -> int:
    """The largest power of two smaller than `size` (size >= 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtree(hashes: Sequence[bytes], low: int, high: int) -> bytes:
    tree = Tree()
    for position in range(low, high):
        tree.append(hashes[position])
    return tree.root()


def _hashes(proof: Sequence[bytes]) -> bool:
    return all(len(item) == hashlib.sha256().digest_size for item in proof)


def _not_included() -> EvidenceError:
    return EvidenceError(
        N_("the proof of inclusion does not lead to the tree's root"),
        reason="not-included",
        remedy=N_("the item does not belong to what was signed, or the proof is damaged"),
    )


def _not_consistent() -> EvidenceError:
    return EvidenceError(
        N_("the newer tree does not continue the older one: something was removed or re-written"),
        reason="not-consistent",
        remedy=N_("keep both roots: they prove that the log was re-written"),
    )
