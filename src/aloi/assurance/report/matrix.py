"""Frameworks by controls, on one page that prints: what each control answers, and where it stands."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from markupsafe import Markup

from aloi.assurance.report.page import environment, style
from aloi.assurance.report.speech import Speech
from aloi.assurance.standing import Lapsed, doubts
from aloi.evidence.decoding import visible
from aloi.evidence.statement import Subject
from aloi.standards.frameworks import Framework
from aloi.standards.hub import MEASURED, Hub, Proof
from aloi.standards.judging import Judgement
from aloi.standards.mapping import UNSAID, RowWords, row_digest
from aloi.standards.marks import MARKS, legend
from aloi.standards.pack import Freshness, freshness
from aloi.translation import N_

SIGNS = {"equal": "=", "subset": "⊂", "superset": "⊃", "intersects": "∩"}
RELATIONS = {
    "equal": N_("the control equals the requirement"),
    "subset": N_("the control is a part of it"),
    "superset": N_("the control holds more than it"),
    "intersects": N_("they have a part in common"),
}
STATES = {
    "supported": N_("supported"),
    "not met": N_("not met"),
    "partial": N_("partial"),
    "untested": N_("untested"),
}
SAID = {"endorsed": "✓", "disputed": "✗"}
STANDINGS = {"endorsed": N_("endorsed"), "disputed": N_("disputed")}
GROUPS: Sequence[tuple[frozenset[Proof], str]] = (
    (MEASURED, N_("Controls that measuring speaks of")),
    (frozenset({"artefact"}), N_("Controls that an artefact shows")),
    (frozenset({"document"}), N_("Controls that a document shows")),
    (frozenset({"process"}), N_("Controls that the record of a process shows")),
)


class Cited(NamedTuple):
    """A requirement in a cell: by which relation, how its text is known, and what organisations say of the row."""

    relation: str
    requirement: str
    title: str
    mark: str
    standing: str


class Line(NamedTuple):
    """One control: its title, where it stands (None without evidence), and what it reaches in each framework."""

    control: str
    title: str
    proof: Proof
    state: str | None
    cells: tuple[tuple[Cited, ...], ...]


def lines(
    frameworks: Sequence[Framework],
    hub: Hub,
    judgements: dict[str, Judgement] | None,
    language: str,
    words: RowWords = UNSAID,
) -> tuple[Line, ...]:
    """A line for each control of the hub; a cell holds what it reaches in one framework, by each row."""
    reached = [list(_cited(framework, language, words)) for framework in frameworks]
    return tuple(
        Line(
            control.id,
            control.title.said(language),
            control.proof,
            judgements[control.id].state if judgements is not None else None,
            tuple(tuple(one for subject, one in found if subject == control.id) for found in reached),
        )
        for control in hub.controls
    )


def _cited(framework: Framework, language: str, words: RowWords) -> Iterator[tuple[str, Cited]]:
    titles = {one.id: framework.pack.told(one, language) for one in framework.pack.requirements}
    known = framework.pack.doubtful()
    for row in framework.rows:
        if row.relation in SIGNS:
            mark = MARKS[known.get(row.object, "primary")]
            standing = words.get(row_digest(framework.pack.key, row), "proposed")
            yield row.subject, Cited(row.relation, row.object, titles[row.object], mark, standing)


def render_matrix(
    frameworks: Sequence[Framework],
    hub: Hub,
    judgements: dict[str, Judgement] | None,
    language: str,
    *,
    day: date,
    about: Subject | None = None,
    bundle: str = "",
    words: RowWords = UNSAID,
    lapsed: Sequence[Lapsed] = (),
) -> str:
    """The page, in 'en' or 'fr': a whole HTML document without script.

    `about` is the system that the evidence of `bundle` (its digest) speaks of.
    """
    names = {framework.pack.key: framework.pack.title.said(language) for framework in frameworks}
    speech = Speech(
        language,
        titles=lambda _framework, requirement, _language: requirement,
        framework=lambda key, _language: names[key],
        hazard=lambda slug, _language: slug,
        remedy=lambda name, _language: name,
    )
    shown = lines(frameworks, hub, judgements, language, words)
    return (
        environment()
        .get_template("matrix.html")
        .render(
            _=speech.say,
            language=language,
            style=style("report.css", "matrix.css"),
            frameworks=[(framework.pack.key, names[framework.pack.key]) for framework in frameworks],
            groups=[(told, [line for line in shown if line.proof in proofs]) for proofs, told in GROUPS],
            signs=SIGNS,
            relations=RELATIONS,
            states=STATES,
            said=SAID,
            standings=STANDINGS,
            spoken=sorted({one.standing for line in shown for cell in line.cells for one in cell} & SAID.keys()),
            marks=list(legend(one for found in frameworks for one in found.pack.doubtful().values())),
            about=about,
            bundle=bundle,
            day=speech.figures.day(day.isoformat()),
            doubts=warnings(speech, [freshness(framework.pack, day) for framework in frameworks], lapsed),
            judged=judgements is not None,
        )
    )


def warnings(speech: Speech, checked: Sequence[Freshness], lapsed: Sequence[Lapsed]) -> list[Markup]:
    """What a reader has to be warned of, in words: texts to be checked again, and files that do not count today."""
    days = dict.fromkeys(("day", "due"), speech.figures.day)
    return [
        speech.say(
            message,
            **{name: days[name](str(fact)) if name in days else visible(str(fact)) for name, fact in facts.items()},
        )
        for message, facts in doubts(checked, lapsed)
    ]
