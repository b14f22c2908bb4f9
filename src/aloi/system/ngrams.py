"""A text as hashed n-grams: which buckets of a fixed table its characters and words fall into, window by window.

Features are the character n-grams of `ORDERS`, single words, and pairs and triples of words (also with one word
skipped), each hashed to one of 2^bits buckets; only presence counts, so repeating a word changes nothing. Everything
is integer arithmetic modulo 2^64: the same text has the same features on every machine. Linear in the text.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BITS = 19
BUCKETS = 1 << BITS
ORDERS = (2, 3, 4, 5)
# A text longer than a window is read in windows that overlap by half, so that no phrase is cut in all of them.
WINDOW, STRIDE = 1_536, 768
_STEP = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_FOLD = np.uint64(31)
_KINDS = tuple(np.uint64(0xD6E8FEB86659FD93 * kind % 2**64) for kind in range(1, 16))
_LONGEST_WORD = 32

Hashes = NDArray[np.uint64]
Buckets = NDArray[np.intp]


def _powers(count: int) -> Hashes:
    powers = np.full(count, _STEP, dtype=np.uint64)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint64)


_POWERS = _powers(_LONGEST_WORD)


def _bucket(hashes: Hashes, bits: int) -> Buckets:
    mixed = hashes * _MIX
    mixed ^= mixed >> _FOLD
    mixed *= _MIX
    mixed >>= np.uint64(64 - bits)
    return mixed.astype(np.intp)


def _codes(text: str) -> Hashes:
    """One number per character, in lower case, with blanks as one space each and all digits alike."""
    plain = f" {' '.join(text.lower().split())} "
    codes = np.frombuffer(plain.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    codes[(codes >= ord("0")) & (codes <= ord("9"))] = ord("0")
    return codes


def _words(codes: Hashes) -> tuple[NDArray[np.intp], Hashes]:
    """Where each word starts, and its hash. Characters beyond the longest word's length are not told apart."""
    letter = ((codes >= ord("a")) & (codes <= ord("z"))) | (codes == ord("0")) | (codes > 127)
    edge = np.flatnonzero(letter[1:] != letter[:-1]) + 1
    starts, ends = edge[::2], edge[1::2]
    if not len(starts):
        return starts, np.zeros(0, dtype=np.uint64)
    lengths = ends - starts
    first = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    inside = np.arange(int(lengths.sum())) - np.repeat(first, lengths)
    spelled = codes[letter] * _POWERS[np.minimum(inside, _LONGEST_WORD - 1)]
    return starts, np.add.reduceat(spelled, first)


def _features(codes: Hashes) -> list[tuple[NDArray[np.intp] | None, Hashes]]:
    """For each kind of feature, its hash at every place. Without a list of places, the place is the index."""
    found: list[tuple[NDArray[np.intp] | None, Hashes]] = []
    gram = codes
    for order in range(2, max(ORDERS) + 1):
        if len(codes) < order:
            break
        gram = gram[:-1] * _STEP + codes[order - 1 :]
        if order in ORDERS:
            found.append((None, gram + _KINDS[order]))
    starts, words = _words(codes)
    following = words[1:] * _MIX
    pairs = words[:-1] + following
    found += [(starts, words + _KINDS[0]), (starts[:-1], pairs + _KINDS[1])]
    if len(words) > 2:
        found.append((starts[:-2], words[:-2] + following[1:] + _KINDS[6]))
        found.append((starts[:-2], pairs[:-1] + following[1:] * _MIX + _KINDS[7]))
    return found


def _distinct(buckets: Buckets) -> Buckets:
    """As `numpy.unique`, in a tenth of its time for some hundreds."""
    ordered = np.sort(buckets)
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def _cuts(places: NDArray[np.intp] | None, lows: NDArray[np.intp]) -> tuple[list[int], list[int]]:
    """Where the features at these places begin and end in each window."""
    if places is None:
        return lows.tolist(), (lows + WINDOW).tolist()
    return np.searchsorted(places, lows).tolist(), np.searchsorted(places, lows + WINDOW).tolist()


def windows(text: str) -> Iterator[Buckets]:
    """The distinct buckets of each window of a text that was folded before. A text always has one window at least."""
    codes = _codes(text)
    features = _features(codes)
    if len(codes) <= WINDOW:
        yield _distinct(_bucket(np.concatenate([hashes for _, hashes in features]), BITS))
        return
    # Each bucket keeps the place that wrote it last: exactly one of its occurrences, and nothing to wipe. Places
    # are below 2^16: what is written to all over stays in the processor's cache.
    last = np.empty(BUCKETS, dtype=np.uint16)
    places = np.arange(WINDOW * len(features), dtype=np.uint16)
    lows = np.arange(0, len(codes) - STRIDE, STRIDE)
    cut = [(_bucket(hashes, BITS), *_cuts(at, lows)) for at, hashes in features]
    for index in range(len(lows)):
        buckets = np.concatenate([buckets[low[index] : high[index]] for buckets, low, high in cut])
        own = places[: len(buckets)]
        last[buckets] = own
        yield buckets[last[buckets] == own]


def whole(text: str, bits: int) -> Buckets:
    """The distinct buckets, of 2^bits, of a text that is short enough to be read in one."""
    return _distinct(_bucket(np.concatenate([hashes for _, hashes in _features(_codes(text))]), bits))


def runs(codes: Hashes, owners: NDArray[np.intp], longest: int, bits: int) -> Buckets:
    """The distinct buckets, of 2^bits, of all runs of 1 to `longest` codes that have one owner."""
    gram = codes
    found = [_bucket(codes + _KINDS[0], bits)]
    for length in range(2, min(longest, len(codes)) + 1):
        gram = gram[:-1] * _STEP + codes[length - 1 :]
        found.append(_bucket(gram + _KINDS[length], bits)[owners[length - 1 :] == owners[: 1 - length]])
    return _distinct(np.concatenate(found))
