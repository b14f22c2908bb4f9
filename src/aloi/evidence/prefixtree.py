"""A tree over subjects that proves what it holds of one, or that it holds nothing: a Merkle prefix tree.

A subject's *place* is a hash of its fingerprint, read bit by bit from the root: 0 goes left. A subject stands at the
least depth at which no other shares its prefix, so that one set of lists has one root, in whatever order it was made.
Its leaf commits to its place, and to the number and the RFC 6962 head of its list of log indices, in their order.
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence

from aloi.errors import EvidenceError
from aloi.evidence import merkle
from aloi.translation import N_

BITS = 256
_DOMAIN = b"aloi.dev/lookup/v1\n"
_PLACE, _EMPTY, _LEAF, _BRANCH = (_DOMAIN + bytes([kind]) for kind in range(4))

EMPTY = hashlib.sha256(_EMPTY).digest()


def place(fingerprint: str) -> bytes:
    """Where `sha256:<64 hex>` stands. Hashed again, because whoever names a subject may choose its digits."""
    return hashlib.sha256(_PLACE + bytes.fromhex(fingerprint.removeprefix("sha256:"))).digest()


def bits(place: bytes) -> str:
    """The place as 256 digits 0 and 1; a node's address is the beginning that all below it share."""
    return format(int.from_bytes(place), f"0{BITS}b")


def index_leaf(index: int) -> bytes:
    """The leaf hash of one log index in a subject's list."""
    return merkle.leaf_hash(struct.pack(">Q", index))


def list_head(indices: Iterable[int]) -> bytes:
    """The RFC 6962 head of a list of log indices."""
    tree = merkle.Tree()
    for index in indices:
        tree.append(index_leaf(index))
    return tree.root()


def leaf_hash(place: bytes, size: int, head: bytes) -> bytes:
    """The hash of a subject's leaf; `size` and `head` are those of its list."""
    return hashlib.sha256(_LEAF + place + struct.pack(">Q", size) + head).digest()


def branch_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node with two children; EMPTY where nothing stands."""
    return hashlib.sha256(_BRANCH + left + right).digest()


def verify_path(place: bytes, end: bytes, siblings: Sequence[bytes], root: bytes) -> None:
    """Raises EvidenceError ('not-indexed') unless `end` stands in the tree of `root`, above or at `place`.

    `siblings` go down from the root; their number is the depth at which `end` stands.
    """
    node = end
    for depth, sibling in zip(range(len(siblings) - 1, -1, -1), reversed(siblings), strict=True):
        right = place[depth // 8] >> (7 - depth % 8) & 1
        node = branch_hash(sibling, node) if right else branch_hash(node, sibling)
    if node != root:
        raise EvidenceError(
            N_("the list is not the one of the log's index: the path does not lead to the index's root"),
            reason="not-indexed",
            remedy=N_("something was left out, added or damaged: ask the log again, and keep both answers"),
        )
