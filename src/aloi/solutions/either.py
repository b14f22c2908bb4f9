"""One of many words as a pattern."""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter


def either(words: Iterable[str]) -> str:
    """A pattern for the longest of these words that stands at a place; their first letters are told apart first.

    `re` tries the branches of a pattern one after the other: of seventy words that takes three to six times as long.
    """
    longest_first = sorted(words, key=lambda word: (word[0], -len(word)))
    branches = (
        f"{first}(?:{'|'.join(word[1:] for word in same)})" for first, same in groupby(longest_first, itemgetter(0))
    )
    return rf"(?=[{''.join(sorted({word[0] for word in longest_first}))}])(?:{'|'.join(branches)})"
