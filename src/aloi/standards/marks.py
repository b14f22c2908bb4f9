"""How a list shows, row by row, that the text of a requirement was not read: two signs and what they mean."""

from collections.abc import Iterable, Iterator, Mapping

from aloi.standards.pack import Certainty
from aloi.translation import N_

MARKS: Mapping[Certainty, str] = {"primary": "", "secondary": "†", "unconfirmed": "‡"}
MEANINGS: Mapping[Certainty, str] = {
    "secondary": N_("what it asks is known from others' accounts alone: its text was not read"),
    "unconfirmed": N_("something about it could not be confirmed"),
}


def legend(shown: Iterable[Certainty]) -> Iterator[tuple[str, str]]:
    """The signs that occur in a list, each with the sentence that says what it means."""
    found = set(shown)
    return ((MARKS[certainty], told) for certainty, told in MEANINGS.items() if certainty in found)
