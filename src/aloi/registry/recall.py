"""By what a statement is known again: the digest of what was signed, and who signed it, each beside its entry.

Digests come in no order, and a search tree over all of them would cost every entry a page of its own: ever more is
written as the log grows. So the keys by which digests are found stand in layers. New ones come into the first, which is
small; as entries come, a sweep goes round each layer's keys and moves those that it passes into the next one, which it
reaches in their order, many to a page (a log-structured merge tree: O'Neil et al. 1996). Where the sweep stands
follows from the number of entries, so there is nothing to remember. One batch moves at most as much as it brings.
"""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, literal, select

from aloi.registry import schema

SWEEPS = (2**12, 2**17, 2**22)  # entries in which each layer is swept once; the last layer is not
STEP = 256  # entries after which the sweeps go on
_WIDTH = 6  # bytes of a digest that are its key; SQLite keeps as many in one number
_KEYS = 256**_WIDTH

_keys, _submissions = schema.submission_keys, schema.submissions
_known = (
    select(_submissions.c.digest, _submissions.c.signer, _submissions.c.idx)
    .join(_keys, _keys.c.idx == _submissions.c.idx)
    .where(
        _keys.c.layer.in_(range(len(SWEEPS) + 1)),
        _keys.c.key.in_(bindparam("keys", expanding=True)),
    )
)
_passed = (_keys.c.layer == bindparam("at"), _keys.c.key >= bindparam("low"), _keys.c.key < bindparam("high"))
_lower = insert(_keys).from_select(
    ["layer", "key", "idx"],
    select(_keys.c.layer + literal(1, _keys.c.layer.type), _keys.c.key, _keys.c.idx).where(*_passed),
)
_leave = delete(_keys).where(*_passed)
_add_submissions, _add_keys = insert(_submissions), insert(_keys)


def known(connection: Connection, digests: Collection[bytes]) -> dict[tuple[bytes, int], int]:
    """Where statements stand that were logged before, by the digest of the payload and the number of their signers."""
    found = connection.execute(_known, {"keys": sorted(map(key, digests))}) if digests else ()
    at = {(bytes(row.digest), row.signer): row.idx for row in found}
    return {each: index for each, index in at.items() if each[0] in digests}  # others may share a key


def put(connection: Connection, first: int, batch: Sequence[tuple[bytes, int]]) -> None:
    """Keep the digests of entries from index `first` on, each with the number of its signers."""
    for layer in reversed(range(len(SWEEPS))):
        for low, high in swept(SWEEPS[layer], first, first + len(batch)):
            passed = {"at": layer, "low": low, "high": high}
            connection.execute(_lower, passed)
            connection.execute(_leave, passed)
    numbered = list(enumerate(batch, start=first))
    connection.execute(
        _add_submissions, [{"idx": index, "digest": digest, "signer": signer} for index, (digest, signer) in numbered]
    )
    connection.execute(
        _add_keys,
        [{"layer": 0, "key": at, "idx": index} for at, index in sorted((key(each[0]), at) for at, each in numbered)],
    )


def key(digest: bytes) -> int:
    """The number by which a digest is found, which others may share."""
    return int.from_bytes(digest[:_WIDTH])


def swept(entries: int, before: int, after: int) -> Iterator[tuple[int, int]]:
    """The keys, from the first to the one after the last, that a sweep passes while a log grows.

    It passes all of them in so many `entries`. The log grows by fewer.
    """
    start, end = (size // STEP * STEP * _KEYS // entries for size in (before, after))
    turn = end // _KEYS * _KEYS
    if start < turn:
        yield start % _KEYS, _KEYS
        start = turn
    if start < end:
        yield start % _KEYS, end % _KEYS
