"""What went wrong, or could: an incident, or a pattern of attack that was found, told now or sealed until a day."""

from typing import Annotated, Literal

from msgspec import Meta

from aloi.evidence.canonical import digest
from aloi.evidence.fields import Code, Day, Hash, Name, Time, moment
from aloi.evidence.records import Record
from aloi.evidence.vouching import Sealed
from aloi.translation import N_

HAZARD = "hazard"

Names = Annotated[tuple[Name, ...], Meta(max_length=32)]


class Incident(Record, frozen=True, kw_only=True):
    """The subjects are the systems that it affects; where none is named, the hazard: `hazard_digest`.

    `hazard` is the slug of its kind of harm. 'pattern': a way to make systems fail, that somebody found; 'incident':
    it happened. Until `embargo_until` a `commitment` stands for the text (`commitments.commit`); a later statement has
    the text, and `sealed` shows that it was fixed before. What remains is named as the OECD's AI Incidents Monitor
    names it (https://oecd.ai/en/incidents-methodology).
    """

    organisation: Name
    at: Time
    hazard: Code
    kind: Literal["pattern", "incident"]
    text: Annotated[str, Meta(min_length=1, max_length=20_000)] | None = None
    commitment: Hash | None = None
    embargo_until: Time | None = None
    sealed: Sealed | None = None
    first_known_occurrence: Day | None = None
    severity: Name | None = None
    harm_types: Names = ()
    affected_stakeholders: Names = ()

    def __post_init__(self) -> None:
        at = moment(self.at)
        if self.first_known_occurrence is not None:
            moment(self.first_known_occurrence + "T00:00:00Z")
        withheld = self.text is None
        if withheld != (self.commitment is not None) or withheld != (self.embargo_until is not None):
            raise ValueError(N_("a text is either told, or fixed by a commitment and withheld until a day"))
        if withheld and self.sealed is not None:
            raise ValueError(N_("what shows a text that was sealed holds it"))
        if self.embargo_until is not None and moment(self.embargo_until) <= at:
            raise ValueError(N_("the embargo ends before it begins"))


def hazard_digest(slug: str) -> str:
    """The digest by which what befell no named system is looked up: of the hazard's slug."""
    return digest(slug.encode("ascii"))
