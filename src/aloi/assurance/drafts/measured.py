"""What a bundle says was measured, line by line: every figure with its interval, its counts and its verdict."""

from collections.abc import Iterator
from decimal import Decimal
from types import MappingProxyType

from aloi.assurance.drafts.dossier import Dossier
from aloi.assurance.drafts.identity import Hazards, Line, scorer
from aloi.assurance.drafts.markdown import Markdown, Pen, plain, short
from aloi.assurance.report.hunts import hunt_sentence
from aloi.assurance.report.words import CAVEATS, STAGES, VERDICTS
from aloi.evidence.records import BenignRate, Effect, Estimate, Finding, Hunt, Interval, RateChange, Verdict
from aloi.evidence.verification import VerifiedClaim
from aloi.standards.judging import in_use
from aloi.translation import N_

ARMS = MappingProxyType({"measure": N_("As it stood"), "confirm": N_("With the remedies, on fresh items")})


def findings(dossier: Dossier, pen: Pen, hazards: Hazards) -> Iterator[Line]:
    """Each finding on the system as it stood and with its remedies."""
    for claim in dossier.claims:
        record = claim.record
        if isinstance(record, Finding) and record.stage != "select" and (not hazards or record.hazard in hazards):
            yield Line(_finding(claim, record, dossier, pen), (claim.digest,), record.verdict != Verdict.NOT_TESTED)


def _finding(claim: VerifiedClaim, record: Finding, dossier: Dossier, pen: Pen) -> Markdown:
    told = [pen.say(N_("**{hazard}**. {stage}: {verdict}."), **_verdict(record, pen))]
    if record.verdict is not Verdict.NOT_TESTED:
        told.append(_rate(record.estimate, pen, judged=not record.rates_failures))
        told.append(pen.say(N_("Scored by {scorer}."), scorer=scorer(record.scorer, pen)))
    told += [pen.say(CAVEATS[code]) if code in CAVEATS else plain(code) for code in record.caveats]
    return _about(told, claim, record.stage, dossier, pen)


def _verdict(record: Finding | Hunt, pen: Pen) -> dict[str, Markdown]:
    said = N_("{verdict} at the stated threshold of {threshold}")
    word = pen.say(VERDICTS[record.verdict])
    verdict = pen.say(said, verdict=word, threshold=pen.figures.threshold(record.threshold))
    return {"hazard": pen.hazard(record.hazard), "stage": pen.say(ARMS[record.stage]), "verdict": verdict}


def _about(told: list[Markdown], claim: VerifiedClaim, stage: str, dossier: Dossier, pen: Pen) -> Markdown:
    told.append(pen.say(N_("System {fingerprint}."), fingerprint=short(claim.subject[-1].fingerprint)))
    if stage == "confirm" and not in_use(dossier.items):
        told.append(pen.say(N_("The remedies behind it were not accepted: it is not the system that stands.")))
    return Markdown(" ".join(told))


def _rate(estimate: Estimate, pen: Pen, *, judged: bool) -> Markdown:
    if not estimate.n:
        said = N_("No trial could be scored; unscorable: {unscorable}.")
        return pen.say(said, unscorable=pen.figures.whole(estimate.unscorable))
    said = N_(
        "{rate}: {value} ({low} to {high}, level {level}); {failures} of {n} scorable trials, unscorable: {unscorable}."
    )
    rate = pen.say(N_("Rate of judge-rated failures") if judged else N_("Rate of failures"))
    return pen.say(said, rate=rate, **_figures(estimate, pen))


def _figures(estimate: Estimate, pen: Pen) -> dict[str, str]:
    figures = pen.figures
    return {
        "value": figures.percent(estimate.value),
        "low": figures.percent(estimate.low),
        "high": figures.percent(estimate.high),
        "level": figures.threshold(estimate.level),
        "failures": figures.whole(estimate.failures),
        "n": figures.whole(estimate.n),
        "unscorable": figures.whole(estimate.unscorable),
    }


def parts(dossier: Dossier, pen: Pen, hazards: Hazards) -> Iterator[Line]:
    """Failures by language; no verdict is given on a part."""
    for claim in dossier.claims:
        record = claim.record
        if not isinstance(record, Finding) or record.stage == "select" or (hazards and record.hazard not in hazards):
            continue
        tongues = [part for part in record.strata if part.kind == "language" and part.n]
        if tongues:
            told = "; ".join(f"{pen.figures.tongue(one.name)} {one.failures}/{one.n}" for one in tongues)
            said = N_("**{hazard}**. {stage}: failures of scorable trials by language, without a verdict: {list}.")
            stage = pen.say(ARMS[record.stage])
            yield Line(pen.say(said, hazard=pen.hazard(record.hazard), stage=stage, list=told), (claim.digest,))


def hunts(dossier: Dossier, pen: Pen, hazards: Hazards) -> Iterator[Line]:
    """What each hunt for the worst attack proved, or that it proved nothing."""
    for claim in dossier.claims:
        record = claim.record
        if isinstance(record, Hunt) and (not hazards or record.hazard in hazards):
            told = [
                pen.say(N_("Hunt for the worst attack on **{hazard}**. {stage}: {verdict}."), **_verdict(record, pen)),
                plain(hunt_sentence(record, pen.speech).unescape()),
            ]
            text = _about(told, claim, record.stage, dossier, pen)
            yield Line(text, (claim.digest,), record.verdict != Verdict.NOT_TESTED)


def benign(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """How many ordinary requests are answered."""
    for claim in dossier.claims:
        record = claim.record
        if isinstance(record, BenignRate) and record.stage != "select":
            said = N_(
                "Ordinary requests answered. {stage}: {value} ({low} to {high}, level {level}); "
                "{failures} of {n} refused or blocked, unscorable: {unscorable}."
            )
            stage = pen.say(ARMS[record.stage])
            told = [pen.say(said, stage=stage, **_figures(record.estimate, pen))]
            text = _about(told, claim, record.stage, dossier, pen)
            yield Line(text, (claim.digest,), record.estimate.n > 0)


def effects(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """What each set of remedies bought and cost, and whether the policy accepted it."""
    for claim in dossier.claims:
        record = claim.record
        if isinstance(record, Effect):
            names = pen.listed([pen.remedy(one.name) for one in record.remedies])
            said = (
                N_("Remedies {names}, {stage}: accepted by the policy.")
                if record.accepted
                else N_("Remedies {names}, {stage}: refused by the policy.")
            )
            yield Line(pen.say(said, names=names, stage=pen.say(STAGES[record.stage])), (claim.digest,))
            for change in record.changes:
                said = (
                    N_("**{of}**: rate of failures {before} without, {after} with these remedies; {difference}.")
                    if change.counts == "failures"
                    else N_(
                        "**{of}**: rate of judge-rated failures {before} without, {after} with these remedies; "
                        "{difference}."
                    )
                )
                yield Line(_change(said, change, pen.hazard(change.of), pen), (claim.digest,))
            said = N_("{of}: {before} without, {after} with these remedies; {difference}.")
            of = pen.say(N_("Ordinary requests answered"))
            yield Line(_change(said, record.benign, of, pen), (claim.digest,))
            yield from _costs(record, claim.digest, pen)


def _change(said: str, change: RateChange, of: Markdown, pen: Pen) -> Markdown:
    difference = change.difference
    interval = pen.say(
        N_("difference {value} points ({low} to {high}, level {level}, {n} pairs)"),
        value=_points(difference.value, pen),
        low=_points(difference.low, pen),
        high=_points(difference.high, pen),
        level=pen.figures.threshold(difference.level),
        n=pen.figures.whole(difference.n),
    )
    before, after = (pen.figures.percent(one.value) for one in (change.before, change.after))
    return pen.say(said, of=of, before=before, after=after, difference=interval)


def _points(value: Decimal, pen: Pen) -> Markdown:
    return Markdown(pen.figures.points(value))


def _costs(record: Effect, digest: str, pen: Pen) -> Iterator[Line]:
    if record.latency:
        said = N_("Added delay: {value} ({low} to {high}, level {level}).")
        yield Line(_cost(said, record.latency, pen), (digest,))
    if record.tokens:
        said = N_("Added tokens a request: {value} ({low} to {high}, level {level}).")
        yield Line(_cost(said, record.tokens, pen), (digest,))
    for reason in record.reasons:
        why = plain(pen.speech.reason(reason).unescape())
        yield Line(pen.say(N_("Reason of the policy: {why}."), why=why), (digest,))


def _cost(said: str, interval: Interval, pen: Pen) -> Markdown:
    def written(value: Decimal) -> str:
        return pen.figures.milliseconds(value) if interval.unit == "ms" else pen.figures.decimal(value)

    bounds = {name: written(getattr(interval, name)) for name in ("value", "low", "high")}
    return pen.say(said, **bounds, level=pen.figures.threshold(interval.level))
