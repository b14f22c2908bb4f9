"""Fill an outline from a dossier: for each point what evidence says, else the gap that a person must close."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from aloi.assurance.drafts import identity, incidents, measured
from aloi.assurance.drafts.documents import documents
from aloi.assurance.drafts.dossier import Dossier
from aloi.assurance.drafts.identity import Line
from aloi.assurance.drafts.markdown import Pen
from aloi.assurance.drafts.outline import Filler, Outline, Point, Section
from aloi.evidence.records import RequirementCoverage

State = Literal["filled", "partly filled", "empty"]
STATES: tuple[State, ...] = ("filled", "partly filled", "empty")

FILLERS: Mapping[Filler, Callable[[Dossier, Pen, tuple[str, ...]], Iterator[Line]]] = MappingProxyType(
    {
        "identity": identity.identity,
        "versions": identity.versions,
        "purpose": identity.purpose,
        "languages": identity.languages,
        "model": identity.model,
        "components": identity.components,
        "plan": identity.plan,
        "criteria": identity.criteria,
        "signers": identity.signers,
        "unclaimed": identity.unclaimed,
        "findings": measured.findings,
        "parts": measured.parts,
        "hunts": measured.hunts,
        "benign": measured.benign,
        "effects": measured.effects,
        "deadline": incidents.deadline,
        "law": incidents.law,
        "occurred": incidents.occurred,
        "aware": incidents.aware,
        "kind": incidents.kind,
    }
)


class FilledPoint(Struct, frozen=True, kw_only=True):
    """A point with what is said on it; `gap` is what a person must still write, empty where it is answered."""

    lines: tuple[Line, ...]
    gap: str


class FilledSection(Struct, frozen=True, kw_only=True):
    """A section in one language. `coverage` says where the related requirements stand; it fills nothing."""

    id: str
    number: str
    title: str
    asks: str
    state: State
    points: tuple[FilledPoint, ...]
    coverage: tuple[RequirementCoverage, ...] = ()

    @property
    def digests(self) -> tuple[str, ...]:
        """The statements that the section rests on, each once."""
        return tuple(dict.fromkeys(digest for point in self.points for line in point.lines for digest in line.digests))


def fill(outline: Outline, dossier: Dossier, pen: Pen) -> tuple[FilledSection, ...]:
    """Every section of an outline, in its order. Pure."""
    coverage = dossier.coverage(outline.framework)
    return tuple(_section(section, dossier, pen, coverage) for section in outline.sections)


def _section(
    section: Section, dossier: Dossier, pen: Pen, coverage: Mapping[str, RequirementCoverage]
) -> FilledSection:
    points = tuple(_point(point, dossier, pen) for point in section.points)
    answered = [not point.gap for point in points]
    state: State = "filled" if all(answered) else "partly filled" if any(answered) else "empty"
    return FilledSection(
        id=section.id,
        number=section.number.said(pen.language),
        title=section.title.said(pen.language),
        asks=section.asks.said(pen.language),
        state=state,
        points=points,
        coverage=tuple(coverage[name] for name in section.requirements if name in coverage),
    )


def _point(point: Point, dossier: Dossier, pen: Pen) -> FilledPoint:
    lines = [line for name in point.fill for line in FILLERS[name](dossier, pen, point.hazards)]
    lines += documents(dossier, pen, point.documents)
    answered = any(line.answers for line in lines)
    return FilledPoint(lines=tuple(lines), gap="" if answered else point.write.said(pen.language))
