"""A text as hashed n-grams: which buckets of a fixed table its characters and words fall into, window by window.

Features are the character n-grams of `ORDERS`, single words, and pairs and triples of words (also with one word
skipped), each hashed to one of 2^bits buckets; only presence counts, so repeating a word changes nothing. Everything
is integer arithmetic modulo 2^64: the same text has the same features on every machine. Linear in the text.
"""

from collections.abc import Iterator
from string import digits

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

_ALIKE = bytes(ord("0") if chr(byte) in digits else byte for byte in range(256))
# So many windows are hashed together: arrays that stay in the processor's cache take a fifth of the time.
_TOGETHER = 16

_Codes = NDArray[np.uint8] | NDArray[np.uint32]
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


def _codes(text: str) -> _Codes:
    """One number per character, in lower case, with blanks as one space each and all digits alike."""
    plain = f" {' '.join(text.lower().split())} "
    if plain.isascii():
        return np.frombuffer(plain.encode().translate(_ALIKE), dtype=np.uint8)
    codes = np.frombuffer(bytearray(plain.encode("utf-32-le", "surrogatepass")), dtype=np.uint32)
    codes[(codes >= ord("0")) & (codes <= ord("9"))] = ord("0")
    return codes


def _words(codes: _Codes) -> tuple[NDArray[np.intp], Hashes]:
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


def _grams(codes: _Codes) -> Iterator[Hashes]:
    """The hashes of the character n-grams of each order that there is, at every place."""
    gram = wide = codes.astype(np.uint64)
    for order in range(2, max(ORDERS) + 1):
        if len(codes) < order:
            break
        gram = gram[:-1] * _STEP + wide[order - 1 :]
        if order in ORDERS:
            yield gram + _KINDS[order]


def _phrases(codes: _Codes) -> Iterator[tuple[NDArray[np.intp], Hashes]]:
    """The hashes of single words, of pairs, and of triples with a word left out and without; and where each begins."""
    starts, words = _words(codes)
    following = words[1:] * _MIX
    pairs = words[:-1] + following
    yield starts, words + _KINDS[0]
    yield starts[:-1], pairs + _KINDS[1]
    if len(words) > 2:
        yield starts[:-2], words[:-2] + following[1:] + _KINDS[6]
        yield starts[:-2], pairs[:-1] + following[1:] * _MIX + _KINDS[7]


def _distinct(buckets: Buckets) -> Buckets:
    """As `numpy.unique`, in a tenth of its time for some hundreds."""
    ordered = np.sort(buckets)
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def windows(text: str) -> Iterator[Buckets]:
    """The distinct buckets of each window of a text that was folded before. A text always has one window at least."""
    codes = _codes(text)
    if len(codes) <= WINDOW:
        yield _whole(codes, BITS)
        return
    # Each bucket keeps the place that wrote it last: exactly one of its occurrences, and nothing to wipe. Places
    # are below 2^16: what is written to all over stays in the processor's cache.
    last = np.empty(BUCKETS, dtype=np.uint16)
    places = np.arange(2 * len(ORDERS) * WINDOW, dtype=np.uint16)
    lows = np.arange(0, len(codes) - STRIDE, STRIDE)
    phrases = [
        (_bucket(hashes, BITS), np.searchsorted(at, lows), np.searchsorted(at, lows + WINDOW))
        for at, hashes in _phrases(codes)
    ]
    for index, low in enumerate(lows):
        if index % _TOGETHER == 0:
            begin = low
            part = codes[begin : begin + (_TOGETHER - 1) * STRIDE + WINDOW + max(ORDERS) - 1]
            grams = [_bucket(hashes, BITS) for hashes in _grams(part)]
        found = [buckets[low - begin : low - begin + WINDOW] for buckets in grams]
        found += [buckets[first[index] : end[index]] for buckets, first, end in phrases]
        buckets = np.concatenate(found)
        own = places[: len(buckets)]
        last[buckets] = own
        yield buckets[last[buckets] == own]


def _whole(codes: _Codes, bits: int) -> Buckets:
    return _distinct(_bucket(np.concatenate([*_grams(codes), *(hashes for _, hashes in _phrases(codes))]), bits))


def whole(text: str, bits: int) -> Buckets:
    """The distinct buckets, of 2^bits, of a text that is short enough to be read in one."""
    return _whole(_codes(text), bits)


def runs(codes: Hashes, owners: NDArray[np.intp], longest: int, bits: int) -> Buckets:
    """The distinct buckets, of 2^bits, of all runs of 1 to `longest` codes that have one owner."""
    gram = codes
    found = [_bucket(codes + _KINDS[0], bits)]
    for length in range(2, min(longest, len(codes)) + 1):
        gram = gram[:-1] * _STEP + codes[length - 1 :]
        found.append(_bucket(gram + _KINDS[length], bits)[owners[length - 1 :] == owners[: 1 - length]])
    return _distinct(np.concatenate(found))
