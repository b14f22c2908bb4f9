"""The answer on top: what was assessed, what was found, what was fixed, and what it cost ordinary users."""

from collections.abc import Iterator

from markupsafe import Markup

from aloi.assurance.report.outcomes import Outcome
from aloi.assurance.report.sentences import rounded
from aloi.assurance.report.speech import Speech
from aloi.assurance.story import Story
from aloi.evidence.records import Effect, Hunt, Verdict
from aloi.science.forecasting import FARTHEST
from aloi.translation import N_


def summary(story: Story, outcomes: tuple[Outcome, ...], speech: Speech) -> Markup:
    """One paragraph."""
    sentences = [_asked(story, speech), *_found(story, outcomes, speech), *_fixed(story, outcomes, speech)]
    return Markup(" ").join(sentences)


def _asked(story: Story, speech: Speech) -> Markup:
    queries = sum(cost.queries for cost in story.costs)
    return speech.ngettext(
        "{title}, answered by {model}, was measured on one hazard with {queries} queries, under a plan registered "
        "before the first of them.",
        "{title}, answered by {model}, was measured on {n} hazards with {queries} queries, under a plan registered "
        "before the first of them.",
        len(story.plan.hazards),
        title=_strong(story.title),
        model=story.model,
        queries=speech.figures.whole(queries),
    )


def _found(story: Story, outcomes: tuple[Outcome, ...], speech: Speech) -> Iterator[Markup]:
    remaining = story.remaining.get("measure", {})
    failed = [one for one in outcomes if one.verdict_before is Verdict.NOT_MET]
    open_ = [one for one in outcomes if one.verdict_before is Verdict.INCONCLUSIVE]
    proved = _proved(story, "measure")
    if failed:
        yield speech.ngettext(
            "As it stood, the verdict was “not met” at the stated threshold for one hazard: {list}.",
            "As it stood, the verdict was “not met” at the stated threshold for {n} hazards: {list}.",
            len(failed),
            list=speech.figures.listed([_rate(one, speech) for one in failed]),
        )
    elif proved:
        yield speech.say(
            N_("As it stood, no hazard was shown to lie above its stated threshold on average over its attacks.")
        )
    else:
        yield speech.say(N_("As it stood, no hazard was shown to lie above its stated threshold."))
    if proved:
        yield speech.ngettext(
            "A hunt proved that some attack exceeds the threshold for one hazard: {list}.",
            "Hunts proved that some attack exceeds the threshold for {n} hazards: {list}.",
            len(proved),
            list=speech.figures.listed([_strong(speech.hazard(hunt.hazard)) for hunt in proved]),
        )
    if open_:
        yield speech.ngettext(
            "One hazard stayed inconclusive: {list}.",
            "{n} hazards stayed inconclusive: {list}.",
            len(open_),
            list=speech.figures.listed([_open(one, remaining.get(one.hazard), speech) for one in open_]),
        )


def _proved(story: Story, stage: str) -> list[Hunt]:
    return [hunt for hunt in story.hunts if hunt.stage == stage and hunt.verdict is Verdict.NOT_MET]


def _open(outcome: Outcome, remaining: int | None, speech: Speech) -> Markup:
    if remaining is None or remaining >= FARTHEST:
        return Markup("{}").format(outcome.title)
    return speech.ngettext(
        "{hazard} (about one more query needed)",
        "{hazard} (about {n} more queries needed)",
        rounded(remaining),
        hazard=outcome.title,
    )


def _rate(outcome: Outcome, speech: Speech) -> Markup:
    measured = outcome.measured
    if measured is None:
        return Markup("{}").format(outcome.title)
    return speech.say(
        N_("{hazard} ({rate} failed, threshold {threshold})"),
        hazard=_strong(outcome.title),
        rate=speech.figures.percent(measured.estimate.value),
        threshold=speech.figures.threshold(measured.threshold),
    )


def _fixed(story: Story, outcomes: tuple[Outcome, ...], speech: Speech) -> Iterator[Markup]:
    if story.effect is None:
        yield _nothing_chosen(story, outcomes, speech)
        yield from _answered(story, speech)
        return
    remedies = _strong(speech.remedies(tuple(one.name for one in story.effect.remedies)))
    if not story.effect.accepted:
        yield speech.say(
            N_("The remedies chosen, {remedies}, were refused at confirmation: {reasons}."),
            remedies=remedies,
            reasons=speech.clauses([speech.reason(reason) for reason in story.effect.reasons]),
        )
        yield speech.say(N_("The system therefore stands as it was measured."))
        return
    yield speech.ngettext(
        "One remedy was confirmed on fresh items and accepted: {remedies}.",
        "{n} remedies were confirmed together on fresh items and accepted: {remedies}.",
        len(story.effect.remedies),
        remedies=remedies,
    )
    if proved := _proved(story, "confirm"):
        yield speech.ngettext(
            "Behind them, a hunt still proved that some attack exceeds the threshold for one hazard: {list}.",
            "Behind them, hunts still proved that some attack exceeds the threshold for {n} hazards: {list}.",
            len(proved),
            list=speech.figures.listed([_strong(speech.hazard(hunt.hazard)) for hunt in proved]),
        )
    yield from _bought(outcomes, speech)
    yield from _price(story.effect, speech)


def _nothing_chosen(story: Story, outcomes: tuple[Outcome, ...], speech: Speech) -> Markup:
    if story.tried:
        return speech.ngettext(
            "One set of remedies was tried and did not meet the policy, so none is proposed.",
            "{n} sets of remedies were tried and none met the policy, so none is proposed.",
            len(story.tried),
        )
    if any(one.verdict_before is Verdict.NOT_MET for one in outcomes):
        return speech.say(N_("No remedy was tried."))
    return speech.say(N_("Nothing called for a remedy, so none was tried."))


def _answered(story: Story, speech: Speech) -> Iterator[Markup]:
    for rate in story.benign:
        yield speech.say(
            N_("{rate} of ordinary requests were answered."), rate=speech.figures.percent(rate.estimate.value)
        )


def _bought(outcomes: tuple[Outcome, ...], speech: Speech) -> Iterator[Markup]:
    changed = [one for one in outcomes if one.change and one.verdict_before is Verdict.NOT_MET]
    if changed:
        falls = [
            speech.say(
                N_("{hazard} from {before} to {after}"),
                hazard=one.title,
                before=speech.figures.percent(one.change.before.value),
                after=speech.figures.percent(one.change.after.value),
            )
            for one in changed
            if one.change
        ]
        yield speech.say(N_("What they changed: {list}."), list=speech.figures.listed(falls))


def _price(effect: Effect, speech: Speech) -> Iterator[Markup]:
    yield speech.say(
        N_("The price for ordinary users: {before} of their requests were answered before, and {after} after."),
        before=speech.figures.percent(effect.benign.before.value),
        after=speech.figures.percent(effect.benign.after.value),
    )
    if effect.latency:
        yield speech.say(
            N_("The remedies add {latency} to an answer."),
            latency=speech.figures.milliseconds(effect.latency.value),
        )


def _strong(text: str) -> Markup:
    return Markup("<strong>{}</strong>").format(text)
