"""Rows of training that are close to a reserved row: cosine of counts of character 4-grams above `CLOSE`."""

import numpy as np
from scipy import sparse

from aloi.solutions.normalise import fold
from training.rows import Row

CLOSE = 0.8
_ORDER, _BUCKETS, _CHUNK = 4, 1 << 20, 2_000


def _counts(texts: list[str]) -> sparse.csr_matrix:
    """One row per text, of length 1."""
    indices, pointers = [], [0]
    for text in texts:
        codes = np.frombuffer(" ".join(fold(text).text.lower().split()).encode("utf-32-le", "surrogatepass"), np.uint32)
        codes = codes.astype(np.uint64)
        gram = np.zeros(max(len(codes) - _ORDER + 1, 1), dtype=np.uint64)
        for place in range(_ORDER):
            part = codes[place : place + len(gram)]
            gram[: len(part)] = gram[: len(part)] * np.uint64(0x100000001B3) + part
        gram = (gram * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(44)
        indices.append(gram.astype(np.int64))
        pointers.append(pointers[-1] + len(gram))
    flat = np.concatenate(indices)
    counts = sparse.csr_matrix((np.ones(len(flat)), flat, pointers), shape=(len(texts), _BUCKETS))
    counts.sum_duplicates()
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    return sparse.diags(1 / lengths) @ counts


def without(rows: list[Row], reserved: list[Row]) -> list[Row]:
    """The rows that are not close to any reserved one."""
    against = _counts([row.text for row in reserved]).T.tocsc()
    kept = []
    for low in range(0, len(rows), _CHUNK):
        part = rows[low : low + _CHUNK]
        closest = (_counts([row.text for row in part]) @ against).max(axis=1).toarray().ravel()
        kept += [row for row, most in zip(part, closest, strict=True) if most <= CLOSE]
    return kept
