"""Read a judge's calibration: the small file that says how often it agreed with labels held to be true."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from aloi.errors import Fault, InvalidFile
from aloi.evidence.canonical import canonical, digest
from aloi.evidence.records import Calibration
from aloi.system.description import Language, Part, Slug, Text
from aloi.system.loading import Lines, read
from aloi.translation import N_

Count = Annotated[int, Meta(ge=0, le=100_000)]
Digest = Annotated[str, Meta(pattern="^(sha256:[0-9a-f]{64})?$", max_length=71)]


class Judgement(Part, frozen=True, kw_only=True):
    """What a person and the judge said of one labelled answer."""

    label: Literal["failed", "passed"]
    said: Literal["failed", "passed", "unclear"]
    text: Digest = ""
    language: str = ""
    attack: str = ""


class Counts(Part, frozen=True, kw_only=True):
    """Labelled failures that the judge called failures (`tp`) or not (`fn`); labelled passes, the same (`fp`, `tn`)."""

    tp: Count
    fn: Count
    fp: Count
    tn: Count
    unclear: Count = 0


class CalibrationFile(Part, frozen=True, kw_only=True):
    """The file: `counts`, or `items` to count, or both where they agree. `digest`, if it stands there, must hold."""

    hazard: Slug
    labelled_by: Text
    labelled_on: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    attacks: tuple[str, ...] = ()
    languages: tuple[Language, ...] = ()
    judge: Digest = ""
    counts: Counts | None = None
    items: tuple[Judgement, ...] = ()
    digest: Digest = ""

    def counted(self) -> Counts:
        """The counts, from the items where there are any. An unclear word is none that calls a failure."""
        if not self.items and self.counts:
            return self.counts
        found = [(one.label, one.said) for one in self.items]
        failed, passed = (sum(label == word for label, _ in found) for word in ("failed", "passed"))
        tp, fp = found.count(("failed", "failed")), found.count(("passed", "failed"))
        unclear = sum(said == "unclear" for _, said in found)
        return Counts(tp=tp, fn=failed - tp, fp=fp, tn=passed - fp, unclear=unclear)

    def sealed(self) -> str:
        """The digest over everything else in the file."""
        return digest(canonical(replace(self, digest="")))

    def record(self) -> Calibration:
        """As a plan registers it."""
        counts = self.counted()
        return Calibration(
            tp=counts.tp,
            fn=counts.fn,
            fp=counts.fp,
            tn=counts.tn,
            unclear=counts.unclear,
            hazard=self.hazard,
            attacks=self.attacks,
            languages=self.languages,
            labelled_by=self.labelled_by,
            labelled_on=self.labelled_on,
            judge=self.judge,
            digest=self.sealed(),
        )


def read_calibration(data: bytes, file: Path) -> CalibrationFile:
    """The file's content. Raises InvalidFile with every fault of form, then with what contradicts itself."""
    found, lines = read(data, str(file), CalibrationFile)
    faults = _contradictions(found, lines)
    if faults:
        raise InvalidFile(str(file), faults)
    return found


def _contradictions(found: CalibrationFile, lines: Lines) -> list[Fault]:
    at, counts = lines.get(("counts",)), found.counted()
    if not found.counts and not found.items:
        return [Fault(N_("{path}: give counts or items"), path="counts")]
    faults = []
    if found.counts and found.items and counts != found.counts:
        sentence, remedy = N_("{path}: other counts than the items give"), N_("leave the counts out")
        faults.append(Fault(sentence, path="counts", line=at, remedy=remedy))
    if not counts.tp + counts.fn:
        sentence = N_("{path}: no labelled failure, so what the judge misses is not known")
        faults.append(Fault(sentence, path="tp", line=at, remedy=N_("label answers of the kind that is missing")))
    if not counts.fp + counts.tn:
        sentence = N_("{path}: no labelled pass, so its false alarms are not known")
        faults.append(Fault(sentence, path="tn", line=at, remedy=N_("label answers of the kind that is missing")))
    if counts.unclear > counts.fn + counts.tn:
        sentence = N_("{path}: more than were not called failures")
        faults.append(Fault(sentence, path="counts.unclear", line=lines.get(("counts", "unclear"))))
    if found.digest and found.digest != found.sealed():
        sentence = N_("{path}: the file was changed after it was made: got {got}, its content has {expected}")
        got, expected = found.digest[:19], found.sealed()[:19]
        line, remedy = lines.get(("digest",)), N_("make it again: aloi judge calibrate")
        faults.append(Fault(sentence, path="digest", line=line, remedy=remedy, got=got, expected=expected))
    return faults
