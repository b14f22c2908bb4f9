"""Render a story as one HTML file: nothing is loaded, nothing is run."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from aloi.assurance.practices import practice_list
from aloi.assurance.report import words
from aloi.assurance.report.changes import benign_chart, hazard_chart
from aloi.assurance.report.hunts import hunt_sentence, hunts
from aloi.assurance.report.outcomes import counted, hazards, outcomes
from aloi.assurance.report.practices import STATES, practice_rows
from aloi.assurance.report.sections import benign, coverages, findings, non_claims, transcripts
from aloi.assurance.report.sentences import sentence
from aloi.assurance.report.speech import Speech, Title, Titles
from aloi.assurance.report.summary import summary
from aloi.assurance.report.tried import front, tries
from aloi.assurance.story import Story
from aloi.assurance.unasked import unasked
from aloi.evidence.decoding import visible
from aloi.standards.marks import MARKS, legend
from aloi.standards.pack import Certainty
from aloi.translation import N_

Notes = Callable[[str, str], Sequence[str]]
Doubtful = Callable[[str], Mapping[str, Certainty]]
TEMPLATES = Path(__file__).parent / "templates"


def render(
    story: Story,
    language: str,
    *,
    titles: Titles = lambda _framework, requirement, _language: requirement,
    framework_title: Title = lambda key, _language: key,
    hazard_title: Title = lambda slug, _language: slug,
    remedy_title: Title = lambda name, _language: name,
    unconfirmed: Notes = lambda _key, _language: (),
    doubtful: Doubtful = lambda _key: {},
) -> str:
    """The report on a run, in 'en' or 'fr': a whole HTML document, with its style inside and no script.

    The functions give the names of requirements (framework, requirement, language), frameworks, hazards and remedies
    (key, language); each returns the key for what it does not know. `unconfirmed` gives what could not be confirmed
    about a framework, sentence by sentence, `doubtful` how those of its requirements are known whose text was not read.
    """
    speech = Speech(language, titles=titles, framework=framework_title, hazard=hazard_title, remedy=remedy_title)
    standing = outcomes(story, {slug: speech.rated(slug, counted(story, slug)) for slug in hazards(story)})
    rated = tries(story)
    return (
        environment()
        .get_template("report.html")
        .render(
            story=story,
            speech=speech,
            figures=speech.figures,
            words=words,
            counted=counted,
            _=speech.say,
            ngettext=speech.ngettext,
            language=language,
            style=style("report.css"),
            summary=summary(story, standing, speech),
            outcomes=standing,
            hazard_chart=hazard_chart(standing, speech.figures),
            benign_chart=benign_chart(story, speech.say(N_("Ordinary requests answered")), speech.figures),
            tries=rated,
            front=front(rated, story, speech),
            findings=findings(story),
            sentence=lambda one: sentence(one, story.remaining.get(one.stage, {}).get(one.hazard), speech),
            hunts=hunts(story),
            hunt_sentence=lambda one: hunt_sentence(one, speech),
            benign=benign(story),
            transcripts=transcripts(story),
            coverages=coverages(story),
            unconfirmed=lambda key: unconfirmed(key, language),
            mark=lambda key, requirement: MARKS[doubtful(key).get(requirement, "primary")],
            legend=lambda key: legend(doubtful(key).values()),
            practice_list=practice_list(),
            practices=practice_rows(story, speech),
            practice_states=STATES,
            unasked=unasked(story.plan, story.languages),
            non_claims=non_claims(story),
        )
    )


@cache
def environment() -> Environment:
    """How every page is made: all that is not marked as markup is escaped, and nothing may be missing."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    return environment


@cache
def style(*sheets: str) -> dict[str, str]:
    """Style sheets as one, and the digest by which a page allows them and nothing else."""
    css = "\n" + "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in sheets)
    digest = b64encode(sha256(css.encode()).digest()).decode()
    return {"css": Markup(css), "digest": digest}  # noqa: S704 - our own files
