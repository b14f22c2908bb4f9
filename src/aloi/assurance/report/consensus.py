"""A consensus as one page that prints: an answer for each hazard, its forest plot with a table twin, and why."""

from datetime import UTC, datetime

from markupsafe import Markup

from aloi.assurance.consensus.pooled import LEVEL
from aloi.assurance.consensus.records import Consensus, HazardView, Pool
from aloi.assurance.report import consensus_words, words
from aloi.assurance.report.consensus_words import STANDINGS, fact_sentence
from aloi.assurance.report.forest import forest
from aloi.assurance.report.page import environment, style
from aloi.assurance.report.speech import Speech, Title
from aloi.evidence import reasons
from aloi.evidence.decoding import visible
from aloi.evidence.predicates import NonClaim
from aloi.translation import N_

UNCLAIMED = (
    NonClaim.ABSENCE_OF_RISK,
    NonClaim.OTHER_HAZARDS,
    NonClaim.OTHER_VERSIONS,
    NonClaim.OTHER_LANGUAGES,
    NonClaim.OTHER_ATTACKS,
    NonClaim.POPULATION,
    NonClaim.WORST_CASE,
    NonClaim.FUTURE_BEHAVIOUR,
)


def render_consensus(found: Consensus, language: str, *, day: str, hazard_title: Title) -> str:
    """The page, in 'en' or 'fr': a whole HTML document without script. `day` is the day on which it is made."""
    speech = Speech(
        language,
        titles=lambda _framework, requirement, _language: requirement,
        framework=lambda key, _language: key,
        hazard=lambda slug, reader: visible(hazard_title(slug, reader)),
        remedy=lambda name, _language: name,
    )
    return (
        environment()
        .get_template("consensus.html")
        .render(
            _=speech.say,
            ngettext=speech.ngettext,
            speech=speech,
            figures=speech.figures,
            words=words,
            told=consensus_words,
            reasons=reasons,
            language=language,
            style=style("report.css", "consensus.css"),
            found=found,
            level=LEVEL,
            ends=lambda seen: speech.figures.span(speech.figures.percent(seen.low), speech.figures.percent(seen.high)),
            day=speech.figures.day(day),
            moment=lambda second: speech.figures.moment(datetime.fromtimestamp(second, UTC).isoformat()),
            evaluators=sorted({one.evaluator.name for view in found.hazards for one in view.evidence}),
            forest=lambda view, pool, about: forest(view, pool, about, speech),
            lead=lambda view: lead(view, speech),
            fact=lambda fact: fact_sentence(fact, speech.figures, speech.say),
            span=lambda ends: speech.figures.span(*(speech.figures.percent(end) for end in ends)),
            lead_of=lambda pool: lead_of(pool, speech),
            unclaimed=[words.NOT_CLAIMED[code] for code in UNCLAIMED],
        )
    )


def lead(view: HazardView, speech: Speech) -> Markup:
    """The answer on a hazard in a sentence or two."""
    if not view.pools:
        return speech.say(N_("No finding can be shown: each is set aside, with why."))
    return lead_of(view.pools[0], speech)


def lead_of(pool: Pool, speech: Speech) -> Markup:
    """What a pool says in a sentence or two."""
    low, high = speech.figures.percent(pool.low), speech.figures.percent(pool.high)
    if pool.shown == "one result":
        told = N_("{one}: between {low} and {high}. One independent result is no consensus, and nothing is pooled.")
        return speech.say(told, one=_strong(speech.say(N_("One result"))), low=low, high=high)
    if pool.pooled is None:
        told = N_("{range}: between {low} and {high}. Two independent clusters are too few for a pooled number.")
        return speech.say(told, range=_strong(speech.say(N_("Range only"))), low=low, high=high)
    return speech.say(
        N_(
            "{k} independent clusters together put the rate at {rate} ({low} to {high}). A next evaluator is "
            "predicted to find between {least} and {most}: {standing} at the stated threshold of {threshold}."
        ),
        k=speech.figures.whole(len(pool.clusters)),
        rate=_strong(speech.figures.percent(pool.pooled.value)),
        low=low,
        high=high,
        least=speech.figures.percent(pool.pooled.prediction[0]),
        most=speech.figures.percent(pool.pooled.prediction[1]),
        standing=_strong(speech.word(STANDINGS, pool.question.standing)),
        threshold=speech.figures.threshold(pool.question.threshold),
    )


def _strong(text: str) -> Markup:
    return Markup("<strong>{}</strong>").format(text)
