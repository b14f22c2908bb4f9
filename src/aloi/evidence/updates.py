"""What a detector learnt from attacks that were found, to be shared; and that it was measured before it was accepted.

An update is a sparse change of a linear model's weights: hashed n-grams, and no text.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from aloi.evidence.fields import Code, Digest, Name, Time, moment
from aloi.evidence.records import Interval, Record, RemedyIdentity

DETECTOR: Literal["injection-detector"] = "injection-detector"
BUCKETS = 1 << 19  # as `aloi.system.ngrams.BUCKETS`
MOST = 8_192  # buckets that an update may change
STEPS = 127  # of the base model's scale, by which a weight may change at most
BIAS = Decimal(1)  # by which every margin may change at most

Count = Annotated[int, Meta(ge=0)]
Bucket = Annotated[int, Meta(ge=0, lt=BUCKETS)]
Change = Annotated[int, Meta(ge=-STEPS, le=STEPS)]


class Learnt(Record, frozen=True, kw_only=True):
    """How many distinct texts of a language, or of a source, stand behind an update."""

    attacks: Count
    ordinary: Count


class Source(Learnt, frozen=True, kw_only=True):
    """Where texts came from, by the digest of the file: a run's log of trials, a gateway's record, a corpus."""

    kind: Literal["run", "traffic", "corpus"]
    digest: Digest


class LanguageLearnt(Learnt, frozen=True, kw_only=True):
    """`language` is ISO 639-1, or 'und'."""

    language: Code


class DetectorUpdate(Record, frozen=True, kw_only=True):
    """The weight of each of `buckets`, in ascending order, changes by `changes` steps of the base model's scale, and
    every margin by `bias`. `base` is the digest of the model that it is for; it fits no other.

    Each bucket was held by `least` distinct attacks or more. `learnt` is the digest over the digests of all texts.
    """

    detector: Literal["injection-detector"] = DETECTOR
    base: Digest
    buckets: Annotated[tuple[Bucket, ...], Meta(min_length=1, max_length=MOST)]
    changes: Annotated[tuple[Change, ...], Meta(min_length=1, max_length=MOST)]
    bias: Decimal
    strength: Decimal
    least: Annotated[int, Meta(ge=2)]
    attacks: Count
    ordinary: Annotated[int, Meta(ge=1)]
    languages: Annotated[tuple[LanguageLearnt, ...], Meta(min_length=1, max_length=64)]
    sources: Annotated[tuple[Source, ...], Meta(min_length=1, max_length=64)]
    learnt: Digest
    software: Name

    def __post_init__(self) -> None:
        if len(self.buckets) != len(self.changes) or 0 in self.changes:
            raise ValueError("an update has one change for each bucket that it names, and none of 0")
        if any(after <= before for before, after in zip(self.buckets, self.buckets[1:], strict=False)):
            raise ValueError("the buckets of an update ascend, each once")
        if not (self.bias.is_finite() and abs(self.bias) <= BIAS and self.strength.is_finite() and self.strength > 0):
            raise ValueError(f"an update changes margins by {BIAS} at most")
        by_language = [sum(one.attacks for one in self.languages), sum(one.ordinary for one in self.languages)]
        if by_language != [self.attacks, self.ordinary] or self.attacks < self.least:
            raise ValueError("the texts of all languages are not those of the update")


class Paired(Record, frozen=True, kw_only=True):
    """Of `n` distinct texts, `before` were stopped without the update; `gained` more with it, and `lost` no longer."""

    n: Count
    before: Count
    gained: Count
    lost: Count
    difference: Interval

    def __post_init__(self) -> None:
        one = self.difference
        if self.lost > self.before or self.before + self.gained > self.n or one.n != self.n:
            raise ValueError(f"{self.before} + {self.gained} - {self.lost} of {self.n} cannot be")
        share = Decimal(self.gained - self.lost) / self.n if self.n else Decimal(0)
        close = abs(one.value - share) <= Decimal("0.00001")
        if not (close and -1 <= one.low <= one.value <= one.high <= 1 and one.unit == "proportion"):
            raise ValueError(f"{one.value} [{one.low}, {one.high}] is not the difference of these counts")

    @property
    def after(self) -> int:
        """How many are stopped with the update."""
        return self.before + self.gained - self.lost


class Measured(Record, frozen=True, kw_only=True):
    """What an update changes: how many attacks are stopped, and how many ordinary texts are."""

    attacks: Paired
    ordinary: Paired


class LanguageMeasured(Measured, frozen=True, kw_only=True):
    """The same for the texts of one language."""

    language: Code


class UpdateAcceptance(Record, frozen=True, kw_only=True):
    """The subject, the statement of an update, was measured on texts of the signer's own, and accepted.

    What that takes: `acceptable`. `left_out` counts texts that it had learnt from; None where these were not at hand.
    `remedy` is the detector with it, at `threshold`.
    """

    at: Time
    base: Digest
    remedy: RemedyIdentity
    threshold: Decimal
    margin: Decimal
    whole: Measured
    languages: tuple[LanguageMeasured, ...]
    left_out: Count | None = None
    corpora: Annotated[tuple[Digest, ...], Meta(min_length=1, max_length=64)]
    software: Name

    def __post_init__(self) -> None:
        moment(self.at)
        if not (0 < self.threshold <= 1 and 0 < self.margin < 1):
            raise ValueError(f"a threshold of {self.threshold}, or a margin of {self.margin}, cannot be")
        if not acceptable(self.whole, self.languages, self.margin):
            raise ValueError("an update is called accepted that its own figures refuse")


def acceptable(whole: Measured, languages: Iterable[Measured], margin: Decimal) -> bool:
    """Whether figures let an update be accepted.

    It must be shown, at the intervals' level, that it stops more attacks and that it adds at most `margin` false
    alarms; and in no language may more than `margin` be seen.
    """
    shown = whole.attacks.difference.low > 0 and whole.ordinary.difference.high <= margin
    return shown and all(one.ordinary.difference.value <= margin for one in languages)
