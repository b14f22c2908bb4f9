import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.errors import EvidenceError
from aloi.evidence.merkle import (
    EMPTY,
    Tree,
    consistency,
    inclusion,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

# The leaves and roots that the Certificate Transparency reference implementations test against
# (google/certificate-transparency, merkletree tests; transparency-dev/merkle, testonly/constants.go).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


def recursive_root(hashes):
    """The definition of RFC 6962 section 2.1, word by word: an oracle for the streaming tree."""
    if not hashes:
        return EMPTY
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(recursive_root(hashes[:split]), recursive_root(hashes[split:]))


def test_known_roots():
    assert root([]) == EMPTY == hashlib.sha256(b"").digest()
    assert [root(LEAVES[: size + 1]).hex() for size in range(8)] == ROOTS


def test_known_inclusion_proofs():
    # the RFC 6962 test paths of the same suites, written by the leaves they are made of
    assert inclusion(HASHES, 0) == [
        HASHES[1],
        node_hash(HASHES[2], HASHES[3]),
        recursive_root(HASHES[4:8]),
    ]
    assert inclusion(HASHES[:3], 2) == [node_hash(HASHES[0], HASHES[1])]


def test_consistency_examples_of_the_rfc():
    # RFC 6962 section 2.1.3: seven leaves; PROOF(3) = [c, d, g, l], PROOF(4) = [l], PROOF(6) = [i, j, k]
    d = HASHES[:7]
    g, h = node_hash(d[0], d[1]), node_hash(d[2], d[3])
    i, j = node_hash(d[4], d[5]), d[6]
    k, left = node_hash(g, h), node_hash(i, j)
    assert consistency(d, 3) == [d[2], d[3], g, left]
    assert consistency(d, 4) == [left]
    assert consistency(d, 6) == [i, j, k]


def test_every_proof_up_to_70_leaves():
    hashes = [leaf_hash(bytes([number])) for number in range(70)]
    roots = [recursive_root(hashes[:size]) for size in range(71)]
    tree = Tree()
    for size, leaf in enumerate(hashes, start=1):
        tree.append(leaf)
        assert tree.root() == roots[size]
        assert tree.size == size
        for index in range(size):
            verify_inclusion(hashes[index], index, size, inclusion(hashes[:size], index), roots[size])
        for first in range(1, size + 1):
            verify_consistency(first, size, roots[first], roots[size], consistency(hashes[:size], first))


def refused(reason, function, *arguments):
    with pytest.raises(EvidenceError) as caught:
        function(*arguments)
    assert caught.value.reason == reason


def test_wrong_inclusion_is_refused():
    for size in range(1, 9):
        top = recursive_root(HASHES[:size])
        for index in range(size):
            proof = inclusion(HASHES[:size], index)
            leaf = HASHES[index]
            refused("not-included", verify_inclusion, leaf, size, size, proof, top)
            refused("not-included", verify_inclusion, leaf, -1, size, proof, top)
            refused("not-included", verify_inclusion, leaf, index, size, [*proof, leaf], top)
            refused("not-included", verify_inclusion, leaf, index, size, proof, leaf_hash(top))
            refused("not-included", verify_inclusion, leaf_hash(leaf), index, size, proof, top)
            if proof:
                refused("not-included", verify_inclusion, leaf, index, size, proof[:-1], top)
                refused("not-included", verify_inclusion, leaf, index ^ 1, size, proof, top)
                refused("not-included", verify_inclusion, leaf, index, size, [proof[0][:31], *proof[1:]], top)


def test_wrong_consistency_is_refused():
    roots = [recursive_root(HASHES[:size]) for size in range(9)]
    for second in range(1, 9):
        for first in range(1, second + 1):
            proof = consistency(HASHES[:second], first)
            old, new = roots[first], roots[second]
            refused("not-consistent", verify_consistency, first, second, leaf_hash(old), new, proof)
            refused("not-consistent", verify_consistency, first, second, old, leaf_hash(new), proof)
            refused("not-consistent", verify_consistency, first, second, old, new, [*proof, old])
            refused("not-consistent", verify_consistency, 0, second, old, new, proof)
            refused("not-consistent", verify_consistency, second + 1, second, old, new, proof)
            if proof:
                refused("not-consistent", verify_consistency, first, second, old, new, proof[:-1])


@pytest.mark.parametrize(
    "call", [lambda: inclusion(HASHES, 8), lambda: inclusion([], 0), lambda: consistency(HASHES, 0)]
)
def test_proofs_of_what_is_not_there(call):
    with pytest.raises(IndexError):
        call()


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=40), st.data())
def test_a_rewritten_leaf_breaks_consistency(leaves, data):
    first = data.draw(st.integers(1, len(leaves) - 1))
    place = data.draw(st.integers(0, first - 1))
    changed = [leaf + b"!" if at == place else leaf for at, leaf in enumerate(leaves)]
    hashes = [leaf_hash(leaf) for leaf in changed]
    refused(
        "not-consistent",
        verify_consistency,
        first,
        len(leaves),
        root(leaves[:first]),
        root(changed),
        consistency(hashes, first),
    )


def test_the_edge_stays_small():
    tree = Tree()
    sizes = []
    for number in range(1, 2000):
        tree.append(leaf_hash(b"%d" % number))
        sizes.append(len(tree._edge))
    assert max(sizes) <= 11
    assert all(after <= before + 1 for before, after in pairwise(sizes))
