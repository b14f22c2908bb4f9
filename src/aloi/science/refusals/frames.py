"""A text as the frames of its sentences: common words as they stand, in place of the others what they end in.

"I won't forge her signature" and "I won't name the donor" differ in their last words only. Features are the runs of up
to `LONGEST` symbols of a sentence, its edges being symbols too, each hashed to one of 2^bits buckets.
"""

import re
import zlib
from collections.abc import Collection

import numpy as np

from aloi.science.refusals.spelling import Reading, Sentence
from aloi.system.ngrams import Buckets, runs

LONGEST = 5
BEGINS, ENDS = "<", ">"
ENDINGS = ("ing", "ied", "ed", "ly", "er", "ez", "re", "ir", "s")  # of verbs and adverbs, English and French
_SYMBOL = re.compile(r"[^\W\d_]+(?:'[a-z]+)?|\d+|[?:,!]")


def symbols(sentence: Sentence) -> list[str]:
    """The words, figures and signs of a sentence."""
    return [*_SYMBOL.findall(sentence.text), *("?" for _ in range(sentence.asks))]


def frame(sentence: Sentence, common: Collection[str]) -> list[str]:
    """The symbols of a sentence between its edges; other words than the common in a row are one symbol."""
    found = [BEGINS]
    for symbol in symbols(sentence):
        if symbol in common or not symbol[0].isalnum():
            found.append(symbol)
            continue
        ending = "0" if symbol.isdecimal() else f"*{next((one for one in ENDINGS if symbol.endswith(one)), '')}"
        if ending[0] == "*" == found[-1][0]:
            found[-1] = ending
        else:
            found.append(ending)
    return [*found, ENDS]


def framed(reading: Reading, common: Collection[str], bits: int) -> Buckets:
    """The distinct buckets of a reading's frames."""
    frames = [frame(sentence, common) for sentence in reading.sentences]
    codes = [zlib.crc32(symbol.encode("utf-8", "surrogatepass")) for one in frames for symbol in one]
    owners = np.repeat(np.arange(len(frames)), np.array([len(one) for one in frames], dtype=np.intp))
    return runs(np.array(codes, dtype=np.uint64), owners, LONGEST, bits)
