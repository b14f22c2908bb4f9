"""Frameworks by controls, on one page that prints: what each control answers, and where it stands."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from aloi.assurance.report.page import environment, style
from aloi.assurance.report.speech import Speech
from aloi.assurance.standing import Lapsed, doubts
from aloi.evidence.decoding import visible
from aloi.standards.frameworks import Framework
from aloi.standards.hub import Hub
from aloi.standards.judging import Judgement
from aloi.standards.pack import freshness
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


class Line(NamedTuple):
    """One control: its title, where it stands (None without evidence), and what it reaches in each framework."""

    control: str
    title: str
    state: str | None
    cells: tuple[tuple[tuple[str, str, str], ...], ...]


def lines(
    frameworks: Sequence[Framework], hub: Hub, judgements: dict[str, Judgement] | None, language: str
) -> tuple[Line, ...]:
    """A line for each control of the hub; a cell holds (sign, relation, requirement) for each row."""
    return tuple(
        Line(
            control.id,
            control.title.said(language),
            judgements[control.id].state if judgements is not None else None,
            tuple(
                tuple(
                    (SIGNS[row.relation], row.relation, row.object)
                    for row in framework.rows
                    if row.subject == control.id and row.relation in SIGNS
                )
                for framework in frameworks
            ),
        )
        for control in hub.controls
    )


def render_matrix(
    frameworks: Sequence[Framework],
    hub: Hub,
    judgements: dict[str, Judgement] | None,
    language: str,
    *,
    about: str,
    day: date,
    lapsed: Sequence[Lapsed] = (),
) -> str:
    """The page, in 'en' or 'fr': a whole HTML document without script. `about` names the system and its bundle."""
    checked = [freshness(framework.pack, day) for framework in frameworks]
    names = {framework.pack.key: framework.pack.title.said(language) for framework in frameworks}
    speech = Speech(
        language,
        titles=lambda _framework, requirement, _language: requirement,
        framework=lambda key, _language: names[key],
        hazard=lambda slug, _language: slug,
        remedy=lambda name, _language: name,
    )
    return (
        environment()
        .get_template("matrix.html")
        .render(
            _=speech.say,
            language=language,
            style=style("report.css", "matrix.css"),
            frameworks=[(framework.pack.key, names[framework.pack.key]) for framework in frameworks],
            lines=lines(frameworks, hub, judgements, language),
            relations=[(SIGNS[name], text) for name, text in RELATIONS.items()],
            relation_titles=RELATIONS,
            states=STATES,
            about=about,
            day=speech.figures.day(day.isoformat()),
            doubts=[
                speech.say(message, **{name: visible(str(fact)) for name, fact in facts.items()})
                for message, facts in doubts(checked, lapsed)
            ],
            judged=judgements is not None,
        )
    )
