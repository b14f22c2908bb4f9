"""The eight practices as a table: what each fact of `aloi.assurance.practices` says in a sentence."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from markupsafe import Markup
from msgspec import Struct

from aloi.assurance.practices import Fact, Practice, Practised, practice_list, practised
from aloi.assurance.report.speech import Speech
from aloi.assurance.report.words import STOPPED, Words
from aloi.assurance.story import Story
from aloi.evidence.decoding import visible
from aloi.translation import N_

STATES: Words = MappingProxyType({"done": N_("done"), "in part": N_("in part"), "not done": N_("not done")})


class FactWords(Struct, frozen=True):
    """A sentence over `count`, `of` and `names`, and what the names are."""

    sentence: str
    names: Literal["text", "hazard", "language", "digest", "stop", "scorer"] = "text"


FACTS: Mapping[str, FactWords] = MappingProxyType(
    {
        "purpose-stated": FactWords(N_("The purpose of the system is stated.")),
        "purpose-missing": FactWords(N_("The system states no purpose.")),
        "plan-registered": FactWords(N_("The plan {names} was signed before the first query."), "digest"),
        "plan-unsigned": FactWords(N_("The plan is not signed: nothing shows that it came first.")),
        "held-to-plan": FactWords(N_("Findings on a planned hazard, at its planned threshold: {count} of {of}.")),
        "bundle-signed": FactWords(N_("The signed bundle {names} can be checked by anyone, offline."), "digest"),
        "bundle-missing": FactWords(N_("There is no signed bundle.")),
        "draws-repeatable": FactWords(
            N_("The plan holds the seed and the software ({names}): the same questions can be drawn again.")
        ),
        "draws-not-repeatable": FactWords(
            N_("The plan lacks a seed or names no software: its questions cannot be drawn again.")
        ),
        "model-pinned": FactWords(N_("The model is pinned by a digest.")),
        "model-by-name": FactWords(
            N_("The model is known by its name alone ({names}): what answers behind it may change unseen.")
        ),
        "trials-committed": FactWords(N_("Rates that commit to every trial behind them: {count} of {of}.")),
        "cap-can-decide": FactWords(
            N_("Hazards whose cap leaves room for a verdict if nothing fails: {count} of {of}."), "hazard"
        ),
        "attacks-varied": FactWords(N_("Hazards asked under more than one attack: {count} of {of}."), "hazard"),
        "plan-carried-out": FactWords(N_("The plan was carried out to its end.")),
        "plan-cut-short": FactWords(N_("The plan was cut short: {names}."), "stop"),
        "transcripts-read": FactWords(N_("Transcripts that a person read and labelled: {count}.")),
        "transcripts-unread": FactWords(N_("No transcript is recorded as read by a person.")),
        "transcripts-kept": FactWords(N_("Transcripts kept in this report for reading: {count}.")),
        "transcripts-absent": FactWords(N_("This report keeps no transcript.")),
        "scorer-checked": FactWords(
            N_("Scorers that are exact, or whose error was measured: {count} of {of}."), "scorer"
        ),
        "own-verdict": FactWords(N_("Hazards of the plan with a verdict of their own: {count} of {of}."), "hazard"),
        "ordinary-apart": FactWords(N_("Ordinary requests are told apart from the hazards.")),
        "ordinary-missing": FactWords(N_("Ordinary requests were not measured.")),
        "nothing-found": FactWords(N_("Nothing was measured.")),
        "report-languages": FactWords(
            N_("Languages of the system in which this report can be read: {count} of {of}."), "language"
        ),
        "rate-intervals": FactWords(N_("Rates with an interval: {count} of {of}.")),
        "difference-intervals": FactWords(N_("Differences before and after with an interval: {count} of {of}.")),
        "scorer-error-carried": FactWords(
            N_("Scorers that can err, whose error the intervals carry: {count} of {of}."), "scorer"
        ),
        "no-language": FactWords(N_("No language was asked.")),
        "one-language": FactWords(N_("Asked in one language only: {names}."), "language"),
        "languages-asked": FactWords(
            N_("Languages of the system in which every hazard was asked: {count} of {of}."), "language"
        ),
        "told-by-language": FactWords(N_("Findings told language by language: {count} of {of}.")),
    }
)


class PracticeRow(Struct, frozen=True):
    """One practice as it is shown: what it lacks, then what speaks for it."""

    practice: Practice
    state: str
    against: tuple[Markup, ...]
    speaking_for: tuple[Markup, ...]


def practice_rows(story: Story, speech: Speech) -> tuple[PracticeRow, ...]:
    """Every practice of the list, in its order."""
    known = {practice.id: practice for practice in practice_list().practices}
    return tuple(_row(known[one.practice], one, speech) for one in practised(story))


def _row(practice: Practice, told: Practised, speech: Speech) -> PracticeRow:
    against = tuple(fact_told(fact, speech) for fact in told.facts if fact.state != "done")
    speaking_for = tuple(fact_told(fact, speech) for fact in told.facts if fact.state == "done")
    return PracticeRow(practice, told.state, against, speaking_for)


def fact_told(fact: Fact, speech: Speech) -> Markup:
    """A fact as a sentence, with the names of those that lack it; an unknown code is shown with its figures."""
    known = FACTS.get(fact.code)
    if known is None:
        figures = [str(figure) for figure in (fact.count, fact.of, *fact.names) if figure is not None]
        return Markup("{}: {}").format(fact.code, ", ".join(figures)) if figures else Markup("{}").format(fact.code)
    names = speech.figures.listed([_name(name, known, speech) for name in fact.names])
    written = {"count": _whole(fact.count, speech), "of": _whole(fact.of, speech), "names": names}
    told = speech.say(known.sentence, **written)
    if fact.names and "{names}" not in known.sentence:
        told += Markup(" ") + speech.say(N_("Lacking: {names}."), names=names)
    return told


def _whole(count: int | None, speech: Speech) -> str:
    return "" if count is None else speech.figures.whole(count)


def _name(name: str, known: FactWords, speech: Speech) -> str:
    match known.names:
        case "hazard":
            return speech.hazard(name)
        case "language":
            return speech.figures.tongue(name)
        case "digest":
            return Markup("<code>{}</code>").format(f"{name[:19]}…")
        case "scorer":
            return Markup("<code>{}</code>").format(visible(name))
        case "stop":
            return speech.word(STOPPED, name)
        case "text":
            return visible(name)
