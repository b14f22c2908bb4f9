"""What the hunts for the worst attack proved, in sentences and by hazard."""

from markupsafe import Markup
from msgspec import Struct

from aloi.assurance.report.speech import Speech
from aloi.assurance.story import Story
from aloi.evidence.records import Estimate, Hunt, HuntedAttack, Verdict
from aloi.translation import N_


class Hunted(Struct, frozen=True):
    """The hunts on one hazard, the bare system's first; `means` are the rates over the mix at the same stages."""

    hazard: str
    records: tuple[Hunt, ...]
    means: dict[str, Estimate]

    def attacks(self) -> list[tuple[str, list[HuntedAttack]]]:
        """Each attack that was tried in some hunt, the one that failed most often first, with its counts in each."""
        counts = [{one.name: one for one in hunt.attacks} for hunt in self.records]
        tried = [name for name in counts[0] if any(one[name].n + one[name].unscorable for one in counts)]
        tried.sort(key=lambda name: -sum(one[name].failures for one in counts))
        return [(name, [one[name] for one in counts]) for name in tried]


def hunts(story: Story) -> tuple[Hunted, ...]:
    """The hunts by hazard, in the plan's order."""
    order = {"measure": 0, "confirm": 1}
    told = sorted(story.hunts, key=lambda hunt: order[hunt.stage])
    hazards = dict.fromkeys([*(hunt.hazard for hunt in story.plan.hunts), *(hunt.hazard for hunt in told)])
    grouped = [
        Hunted(
            hazard,
            tuple(hunt for hunt in told if hunt.hazard == hazard),
            {finding.stage: finding.estimate for finding in story.findings if finding.hazard == hazard},
        )
        for hazard in hazards
    ]
    return tuple(one for one in grouped if one.records)


def hunt_sentence(hunt: Hunt, speech: Speech) -> Markup:
    """One hunt in a sentence or two that may be quoted alone."""
    figures, oracle = speech.figures, hunt.scorer.kind == "oracle"
    if hunt.verdict is Verdict.NOT_TESTED:
        return speech.say(N_("Not begun: nothing is said of any attack."))
    if hunt.verdict is not Verdict.NOT_MET:
        said = N_("Proved nothing: no attack was shown to make more than {threshold} of requests fail")
        told = _based(speech.say(said, threshold=figures.threshold(hunt.threshold)), hunt, speech)
        return Markup(" ").join([told, speech.say(N_("That is no evidence that none does."))])
    said = (
        N_("Some attack makes more than {low} of requests fail")
        if oracle
        else N_("Some attack makes more than {low} of requests be judged to fail")
    )
    told = _based(speech.say(said, low=figures.percent(hunt.low)), hunt, speech)
    return Markup(" ").join([told, _worst(hunt, speech)])


def _based(claim: Markup, hunt: Hunt, speech: Speech) -> Markup:
    tried = [one for one in hunt.attacks if one.n + one.unscorable]
    basis = [
        speech.say(N_("{level} confidence at any moment of stopping"), level=speech.figures.threshold(hunt.level)),
        speech.ngettext("one trial", "{n} trials", sum(one.n + one.unscorable for one in tried)),
        speech.ngettext("one attack", "{n} attacks", len(tried)),
        speech.ngettext("one failure", "{n} failures", sum(one.failures for one in tried)),
    ]
    return Markup("{} ({}).").format(claim, Markup(", ").join(basis))


def _worst(hunt: Hunt, speech: Speech) -> Markup:
    worst = next(one for one in hunt.attacks if one.name == hunt.worst)
    return speech.say(
        N_("Most failures came with {attack}: {failures} of {n}."),
        attack=speech.attack(worst.name),
        failures=speech.figures.whole(worst.failures),
        n=speech.figures.whole(worst.n),
    )
