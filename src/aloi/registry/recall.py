"""By what a statement is known again: the digest of what was signed, and who signed it, each beside its entry.

Digests come in no order, and a search tree over all of them would cost every entry a page of its own: ever more is
written as the log grows. So the keys by which digests are found stand in layers. New ones come into the first, which is
small; as entries come, a sweep goes round each layer's keys and moves those that it passes into the next one, which it
reaches in their order, many to a page (a log-structured merge tree: O'Neil et al. 1996). Where the sweep stands
follows from the number of entries, so there is nothing to remember. One batch moves at most as much as it brings.

Most of what comes is new, and would be looked for in every layer. A writer has in its memory what is surely new.
"""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import BigInteger, Connection, bindparam, delete, insert, literal, select

from aloi.registry import schema

SWEEPS = (2**12, 2**17, 2**22)  # entries in which each layer is swept once; the last layer is not
STEP = 256  # entries after which the sweeps go on
SLOTS = 2**28  # bits that a writer has in its memory: 32 MiB, of which ten million entries take one in twenty-seven
PACE = 8  # entries that are read anew at most, for each digest that is asked for
_BITS = 45  # of a digest, and two of its layer above them: SQLite keeps 47 in six bytes
_KEYS = 1 << _BITS

_keys, _submissions = schema.submission_keys, schema.submissions
_known = (
    select(_submissions.c.digest, _submissions.c.signer, _submissions.c.idx)
    .join(_keys, _keys.c.idx == _submissions.c.idx)
    .where(_keys.c.key.in_(bindparam("keys", expanding=True)))
)
_later = (
    select(_submissions.c.digest)
    .where(_submissions.c.idx >= bindparam("start"), _submissions.c.idx < bindparam("end"))
    .order_by(_submissions.c.idx)
)
_passed = (_keys.c.key >= bindparam("low"), _keys.c.key < bindparam("high"))
_lower = insert(_keys).from_select(
    ["key", "idx"], select(_keys.c.key + literal(_KEYS, BigInteger), _keys.c.idx).where(*_passed)
)
_leave = delete(_keys).where(*_passed)
_add_submissions, _add_keys = insert(_submissions), insert(_keys)


class Sieve:
    """Lets digests through that a log may know, and most of those that it does not know not (Bloom 1970, one hash).

    What others wrote is read from the database, so that nothing is missed; until all of it is, everything is let
    through.
    """

    def __init__(self) -> None:
        self._slots = bytearray(SLOTS // 8)
        self._size = 0

    def sift(self, connection: Connection, size: int, digests: Collection[bytes]) -> Collection[bytes]:
        """Those of the digests that may be among the first `size` entries, which are all that there are."""
        end = min(size, self._size + PACE * len(digests))
        for digest in connection.execute(_later, {"start": self._size, "end": end}).scalars():
            slot = _slot(digest)
            self._slots[slot >> 3] |= 1 << (slot & 7)
        self._size = end
        if end < size:
            return digests
        slots = {digest: _slot(digest) for digest in digests}
        return {digest for digest, slot in slots.items() if self._slots[slot >> 3] >> (slot & 7) & 1}


def known(connection: Connection, digests: Collection[bytes]) -> dict[tuple[bytes, int], int]:
    """Where statements stand that were logged before, by the digest of the payload and the number of their signers."""
    keys = sorted(layer * _KEYS + key(digest) for digest in digests for layer in range(len(SWEEPS) + 1))
    found = connection.execute(_known, {"keys": keys}) if keys else ()
    at = {(bytes(row.digest), row.signer): row.idx for row in found}
    return {each: index for each, index in at.items() if each[0] in digests}  # others may share a key


def put(connection: Connection, first: int, batch: Sequence[tuple[bytes, int]]) -> None:
    """Keep the digests of entries from index `first` on, each with the number of its signers."""
    for layer in reversed(range(len(SWEEPS))):
        for low, high in swept(SWEEPS[layer], first, first + len(batch)):
            passed = {"low": layer * _KEYS + low, "high": layer * _KEYS + high}
            connection.execute(_lower, passed)
            connection.execute(_leave, passed)
    numbered = list(enumerate(batch, start=first))
    connection.execute(
        _add_submissions, [{"idx": index, "digest": digest, "signer": signer} for index, (digest, signer) in numbered]
    )
    keys = sorted((key(digest), index) for index, (digest, _) in numbered)
    connection.execute(_add_keys, [{"key": at, "idx": index} for at, index in keys])


def key(digest: bytes) -> int:
    """The number by which a digest is found, which others may share."""
    return int.from_bytes(digest) >> 8 * len(digest) - _BITS


def _slot(digest: bytes) -> int:
    return int.from_bytes(digest[-4:]) % SLOTS


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
