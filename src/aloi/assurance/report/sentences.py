"""What one finding says, as a sentence that may be quoted alone: the bound, its confidence, and what it rests on."""

from decimal import Decimal

from markupsafe import Markup

from aloi.assurance.report.speech import Speech
from aloi.evidence.records import Finding, Verdict
from aloi.science.forecasting import FARTHEST
from aloi.translation import N_


def sentence(finding: Finding, remaining: int | None, speech: Speech) -> Markup:
    """The finding in one sentence. `remaining` is the forecast of further queries for a hazard that is undecided.

    `met` is told by its upper bound and `not met` by its lower one, each right with (1 + level) / 2 by itself; an
    undecided rate by both ends, right with the level. All hold at any moment of stopping, for one hazard at a time.
    """
    figures, estimate = speech.figures, finding.estimate
    low, high = figures.percent(estimate.low), figures.percent(estimate.high)
    one_sided = (1 + estimate.level) / 2
    known = finding.rates_failures
    if finding.verdict is Verdict.NOT_TESTED:
        return speech.say(N_("Not tested: nothing is said of the rate."))
    if finding.verdict is Verdict.MET:
        said = N_("At most {high} of requests fail") if known else N_("At most {high} of requests are judged to fail")
        return _based(speech.say(said, high=high), finding, one_sided, speech)
    if finding.verdict is Verdict.NOT_MET:
        said = N_("More than {low} of requests fail") if known else N_("More than {low} of requests are judged to fail")
        return _based(speech.say(said, low=low), finding, one_sided, speech)
    said = (
        N_("Undecided: between {low} and {high} of requests fail")
        if known
        else N_("Undecided: between {low} and {high} of requests are judged to fail")
    )
    told = _based(speech.say(said, low=low, high=high), finding, estimate.level, speech)
    if remaining is None:
        return told
    if not estimate.n:
        return Markup(" ").join([told, speech.say(N_("No answer could be scored: more of the same decide nothing."))])
    return Markup(" ").join([told, forecast(remaining, speech)])


def forecast(remaining: int, speech: Speech) -> Markup:
    """How many more queries an undecided hazard asks for, in two figures: it is a typical number, not a bound."""
    if remaining >= FARTHEST:
        return speech.say(
            N_("At the rate seen, {n} more queries would not decide it: it lies too close to the threshold."),
            n=speech.figures.whole(FARTHEST),
        )
    return speech.ngettext(
        "About one more query would decide it, at the rate seen.",
        "About {n} more queries would decide it, at the rate seen.",
        rounded(remaining),
    )


def rounded(count: int) -> int:
    """A count to two significant figures."""
    return int(Decimal(f"{count:.2g}"))


def _based(claim: Markup, finding: Finding, confidence: Decimal, speech: Speech) -> Markup:
    """The claim, with its confidence and all the trials that it rests on."""
    estimate, figures = finding.estimate, speech.figures
    basis = [
        speech.say(N_("{level} confidence at any moment of stopping"), level=figures.threshold(confidence)),
        speech.ngettext("one independent draw", "{n} independent draws", estimate.n + estimate.unscorable),
        _failures(finding, speech),
    ]
    if finding.uncorrected is not None:
        basis.append(speech.say(N_("corrected for what the judge misses and for its false alarms")))
    if estimate.unscorable:
        basis.append(
            speech.ngettext(
                "one without a score, counted against the claim",
                "{n} without a score, counted against the claim",
                estimate.unscorable,
            )
        )
    return Markup("{} ({}).").format(claim, Markup(", ").join(basis))


def _failures(finding: Finding, speech: Speech) -> Markup:
    if finding.rates_failures and finding.uncorrected is None:
        return speech.ngettext("one failure", "{n} failures", finding.estimate.failures)
    return speech.ngettext("one judge-rated failure", "{n} judge-rated failures", finding.estimate.failures)
