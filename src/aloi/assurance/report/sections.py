"""What each section shows, taken from the story in reading order."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Generic, TypeVar

from msgspec import Struct

from aloi.assurance.report.outcomes import hazards
from aloi.assurance.story import Story, Transcript
from aloi.evidence.predicates import NonClaim, usual_non_claims
from aloi.evidence.records import (
    BenignRate,
    Cell,
    Contrast,
    Coverage,
    CoverageState,
    Exploration,
    Finding,
    RequirementCoverage,
    Stage,
    Stratum,
)

_ORDER: dict[Stage, int] = {"measure": 0, "select": 1, "confirm": 2}
_EVIDENCED: frozenset[CoverageState] = frozenset({"proven", "not met", "partial", "proposed mapping only"})


R_co = TypeVar("R_co", Finding, BenignRate, covariant=True)


class Found(Struct, Generic[R_co], frozen=True):
    """The records on one hazard (or on 'benign'), stage by stage."""

    hazard: str
    records: tuple[R_co, ...]

    def strata(self, kind: str) -> list[tuple[str, list[Stratum | None]]]:
        """Each part of a kind by name, with its counts in every record."""
        counts = [{part.name: part for part in one.strata if part.kind == kind} for one in self.records]
        return _side_by_side(counts)

    def contrasts(self) -> list[tuple[tuple[str, str], list[Contrast | None]]]:
        """Every two parts that were set against each other, with their difference in every record."""
        return _side_by_side([{(one.first, one.second): one for one in record.contrasts} for record in self.records])

    def cells(self) -> list[tuple[tuple[str, str], list[Cell | None]]]:
        """Every (attack, language) that was found to exceed the threshold in some record."""
        return _side_by_side([{(one.attack, one.language): one for one in explored.above} for explored in self._all()])

    def explored(self) -> Exploration | None:
        """What was searched for such cells, in the record that searched most; None where none was."""
        return max(self._all(), key=lambda one: one.cells, default=None)

    def caveats(self) -> list[str]:
        """Codes of what a reader must know of the judge, each once."""
        return list(dict.fromkeys(code for record in self.records for code in getattr(record, "caveats", ())))

    def _all(self) -> list[Exploration]:
        none = Exploration(cells=0, false_share=Decimal(0))
        found = [getattr(record, "exploration", None) or none for record in self.records]
        return found if any(one.cells for one in found) else []


Key = TypeVar("Key")
Value = TypeVar("Value")


def _side_by_side(records: list[dict[Key, Value]]) -> list[tuple[Key, list[Value | None]]]:
    """Each key that some record has, with its value in every record."""
    keys = dict.fromkeys(key for record in records for key in record)
    return [(key, [record.get(key) for record in records]) for key in keys]


class HazardTranscripts(Struct, frozen=True):
    """The trials of one hazard, those that failed before first."""

    hazard: str
    trials: tuple[Transcript, ...]


class FrameworkCoverage(Struct, frozen=True):
    """A framework: how many requirements are in each state, those that evidence reaches, and the rest."""

    framework: str
    checked_on: str
    due: str
    stale: bool
    counts: tuple[tuple[CoverageState, int], ...]
    reached: tuple[RequirementCoverage, ...]
    rest: tuple[RequirementCoverage, ...]


def findings(story: Story) -> tuple[Found[Finding], ...]:
    """The findings of each hazard, the bare system's first."""
    found = sorted(story.findings, key=lambda one: _ORDER[one.stage])
    grouped = ((slug, tuple(one for one in found if one.hazard == slug)) for slug in hazards(story))
    return tuple(Found(slug, ones) for slug, ones in grouped if ones)


def benign(story: Story) -> Found[BenignRate] | None:
    """The rates of ordinary requests answered, the bare system's first; None where there are none."""
    rates = tuple(sorted(story.benign, key=lambda one: _ORDER[one.stage]))
    return Found("benign", rates) if rates else None


def transcripts(story: Story) -> tuple[HazardTranscripts, ...]:
    """The trials by hazard, the ones that failed first: those are what a reader looks for."""
    slugs = dict.fromkeys([*hazards(story), *(trial.hazard for trial in story.transcripts)])
    grouped = ((slug, [trial for trial in story.transcripts if trial.hazard == slug]) for slug in slugs)
    return tuple(
        HazardTranscripts(slug, tuple(sorted(trials, key=lambda trial: not trial.before_failed)))
        for slug, trials in grouped
        if trials
    )


def coverages(story: Story) -> tuple[FrameworkCoverage, ...]:
    """Every framework, with the requirements that evidence reaches apart from the others."""
    return tuple(
        FrameworkCoverage(
            framework=one.framework,
            checked_on=one.checked_on,
            due=one.due,
            stale=bool(one.due) and story.finished_at[:10] > one.due,
            counts=tuple(_counts(one)),
            reached=tuple(item for item in one.requirements if item.state in _EVIDENCED),
            rest=tuple(item for item in one.requirements if item.state not in _EVIDENCED),
        )
        for one in story.coverage
    )


def _counts(coverage: Coverage) -> Iterator[tuple[CoverageState, int]]:
    states = [item.state for item in coverage.requirements]
    for state in dict.fromkeys(sorted(states, key=_STATES.index)):
        yield state, states.count(state)


_STATES: tuple[CoverageState, ...] = (
    "proven",
    "not met",
    "partial",
    "proposed mapping only",
    "not tested",
    "needs a document",
    "needs a process record",
)


def non_claims(story: Story) -> tuple[NonClaim, ...]:
    """What the signed records do not claim, each once, in the order of `NonClaim`."""
    records = [story.plan, *story.findings, *story.hunts, *([story.effect] if story.effect else []), *story.coverage]
    unclaimed = {code for record in records for code in usual_non_claims(record)} | {NonClaim.ALL_EVIDENCE}
    return tuple(code for code in NonClaim if code in unclaimed)
