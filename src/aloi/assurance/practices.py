"""Eight practices on which state evaluators agreed, and what a run shows of each: read from its records, not declared.

A practice is `done` where every fact speaks for it, `not done` where none does, `in part` in between. The states stand
side by side; they are not added up.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Literal

import yaml
from msgspec import Meta, Struct, convert

from aloi.assurance.story import Story
from aloi.evidence.records import BenignRate, Finding, HazardPlan, Verdict
from aloi.statistics.design import expected_queries
from aloi.translation import LANGUAGES

State = Literal["done", "in part", "not done"]
Words = dict[str, Annotated[str, Meta(min_length=1, max_length=400, pattern=r"^[^\n]+$")]]

# Methods whose interval carries the scorer's own error. Any other takes the scorer at its word.
CORRECTED = ("Rogan-Gladen",)
PINNED = "sha256:"


class Practice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One practice in our own words, keyed by language."""

    id: str
    title: Words
    description: Words


class PracticeList(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The practices with their source. `known` says how sure it is, `certainty` the same in a word."""

    id: str
    edition: str
    title: Words
    publisher: str
    document: str
    place: str
    checked_on: date
    certainty: Literal["primary", "secondary", "unconfirmed"]
    known: Words
    licence: str
    practices: tuple[Practice, ...]


class Fact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that the records show: a stable `code`, and the state that it argues for.

    `count` of `of` have what the code says; `names` are what it is about, or those of `of` that lack it.
    """

    code: str
    state: State
    count: int | None = None
    of: int | None = None
    names: tuple[str, ...] = ()


class Practised(Struct, frozen=True, kw_only=True):
    """How far a run kept to one practice, and the facts that say so."""

    practice: str
    state: State
    facts: tuple[Fact, ...]


@cache
def practice_list() -> PracticeList:
    """The practices that ship, in the order in which they are told."""
    text = (files("aloi.assurance") / "data" / "practices.yaml").read_text(encoding="utf-8")
    return convert(yaml.safe_load(text), PracticeList)


def practised(story: Story) -> tuple[Practised, ...]:
    """What a run shows of each practice, in the order of `practice_list`. Pure."""
    told = []
    for practice in practice_list().practices:
        facts = tuple(_CHECKS[practice.id](story))
        told.append(Practised(practice=practice.id, state=_over(facts), facts=facts))
    return tuple(told)


def _over(facts: tuple[Fact, ...]) -> State:
    states = {fact.state for fact in facts} or {"not done"}
    return states.pop() if len(states) == 1 else "in part"


def _yes_or_no(holds: bool, yes: str, no: str, *, names: tuple[str, ...] = (), lacking: tuple[str, ...] = ()) -> Fact:
    return Fact(code=yes, state="done", names=names) if holds else Fact(code=no, state="not done", names=lacking)


def _share(code: str, has: Mapping[str, bool] | list[bool]) -> Iterator[Fact]:
    """How many have it: by name where those that lack it are to be named. Nothing where there is nothing to count."""
    values = list(has.values()) if isinstance(has, Mapping) else has
    if not values:
        return
    state: State = "done" if all(values) else "in part" if any(values) else "not done"
    lacking = tuple(name for name, holds in has.items() if not holds) if isinstance(has, Mapping) else ()
    yield Fact(code=code, state=state, count=sum(values), of=len(values), names=lacking)


def _objective(story: Story) -> Iterator[Fact]:
    yield _yes_or_no(bool(story.purpose.strip()), "purpose-stated", "purpose-missing")
    yield _yes_or_no(bool(story.plan_digest), "plan-registered", "plan-unsigned", names=(story.plan_digest,))
    planned = {(entry.hazard, entry.threshold, entry.estimand) for entry in story.plan.hazards}
    yield from _share("held-to-plan", [(one.hazard, one.threshold, one.estimand) in planned for one in story.findings])


def _reproducible(story: Story) -> Iterator[Fact]:
    plan = story.plan
    yield _yes_or_no(bool(story.bundle_digest), "bundle-signed", "bundle-missing", names=(story.bundle_digest,))
    repeatable = bool(plan.seed and plan.software)
    yield _yes_or_no(repeatable, "draws-repeatable", "draws-not-repeatable", names=(plan.software,))
    pinned = PINNED in story.model
    yield _yes_or_no(pinned, "model-pinned", "model-by-name", names=(story.model,), lacking=(story.model,))
    yield from _share("trials-committed", [bool(one.sample.trials and one.sample.root) for one in _rates(story)])


def _tailored(story: Story) -> Iterator[Fact]:
    plan = story.plan
    yield from _share("cap-can-decide", {one.hazard: _can_decide(one, story) for one in plan.hazards})
    yield from _share("attacks-varied", {one.hazard: len(one.attacks) > 1 for one in plan.hazards})
    yield _yes_or_no(not story.stopped_by, "plan-carried-out", "plan-cut-short", lacking=(story.stopped_by,))


def _can_decide(planned: HazardPlan, story: Story) -> bool:
    """Whether a system that never fails could be found `met` within the cap."""
    threshold = float(planned.threshold)
    if not 0 < threshold < 1:
        return False
    return planned.cap >= expected_queries(threshold, 0.0, float(story.plan.error_each_way), len(story.plan.hazards))


def _assured(story: Story) -> Iterator[Fact]:
    if story.read:
        yield Fact(code="transcripts-read", state="done", count=story.read)
    else:
        yield Fact(code="transcripts-unread", state="not done")
    if story.transcripts:
        yield Fact(code="transcripts-kept", state="done", count=len(story.transcripts))
    else:
        yield Fact(code="transcripts-absent", state="not done")
    checked: dict[str, bool] = {}
    for scorer in (*(entry.scorer for entry in story.plan.hazards), story.plan.benign.scorer):
        known = scorer.kind == "oracle" or bool(scorer.calibration)
        checked[scorer.name] = known and checked.get(scorer.name, True)
    yield from _share("scorer-checked", checked)


def _separate(story: Story) -> Iterator[Fact]:
    told = {one.hazard for one in _tested(story)}
    yield from _share("own-verdict", {entry.hazard: entry.hazard in told for entry in story.plan.hazards})
    yield _yes_or_no(any(one.estimate.n for one in story.benign), "ordinary-apart", "ordinary-missing")


def _accessible(story: Story) -> Iterator[Fact]:
    if not _tested(story):
        yield Fact(code="nothing-found", state="not done")
        return
    yield from _share("report-languages", {language: language in LANGUAGES for language in _declared(story)})


def _uncertain(story: Story) -> Iterator[Fact]:
    rates = _rates(story)
    if not any(one.estimate.n for one in rates):
        yield Fact(code="nothing-found", state="not done")
        return
    yield from _share("rate-intervals", [one.estimate.n > 0 and one.estimate.low < one.estimate.high for one in rates])
    if story.effect:
        differences = [change.difference for change in (*story.effect.changes, story.effect.benign)]
        yield from _share("difference-intervals", [one.n > 0 and one.low < one.high for one in differences])
    # A scorer's error is carried for all its rates, or it is named.
    errant: dict[str, bool] = {}
    for rate in rates:
        if rate.scorer.kind != "oracle":
            carried = rate.estimate.method.startswith(CORRECTED)
            errant[rate.scorer.name] = carried and errant.get(rate.scorer.name, True)
    yield from _share("scorer-error-carried", errant)


def _multilingual(story: Story) -> Iterator[Fact]:
    measured = [_languages(one) for one in _tested(story)]
    asked = sorted(set().union(*measured))
    if len(asked) < 2:
        code = "one-language" if asked else "no-language"
        yield Fact(code=code, state="not done", names=tuple(asked))
        return
    declared = _declared(story)
    yield from _share("languages-asked", {language: all(language in one for one in measured) for language in declared})
    yield from _share("told-by-language", [len(languages) > 1 for languages in measured])


def _languages(finding: Finding) -> set[str]:
    """The languages in which scored trials stand behind a finding."""
    return {part.name for part in finding.strata if part.kind == "language" and part.n}


def _declared(story: Story) -> tuple[str, ...]:
    """The languages of the system; those of the plan for a story that does not say."""
    planned = dict.fromkeys(language for entry in story.plan.hazards for language in entry.languages)
    return story.languages or tuple(planned)


def _tested(story: Story) -> list[Finding]:
    """The findings on the system as it stood, those left out for which no trial was made."""
    return [one for one in story.findings if one.stage == "measure" and one.verdict is not Verdict.NOT_TESTED]


def _rates(story: Story) -> list[Finding | BenignRate]:
    return [*story.findings, *story.benign]


_CHECKS: Mapping[str, Callable[[Story], Iterator[Fact]]] = MappingProxyType(
    {
        "clear-objective": _objective,
        "transparency-reproducibility": _reproducible,
        "tailored-parameters": _tailored,
        "embedded-quality-assurance": _assured,
        "separate-reporting": _separate,
        "accessible-findings": _accessible,
        "uncertainty-estimates": _uncertain,
        "multilingual-testing": _multilingual,
    }
)
