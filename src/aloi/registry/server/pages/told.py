"""What each kind of statement says, in a line for a page."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

from aloi.evidence.decoding import visible
from aloi.evidence.monitoring import Monitoring
from aloi.evidence.predicates import claim_type
from aloi.evidence.reasons import STEPS, WITHDRAWALS, change_words
from aloi.evidence.records import BenignRate, Coverage, Effect, Finding, Hunt, Plan, Record
from aloi.registry.server.pages.speech import Speech
from aloi.translation import N_

LONGEST = 2_000

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "plan": N_("Plan"),
        "finding": N_("Finding"),
        "hunt": N_("Hunt for the worst attack"),
        "benign-rate": N_("Ordinary requests answered"),
        "effect": N_("Effect of remedies"),
        "coverage": N_("Coverage of a framework"),
        "attachment": N_("Attachment"),
        "endorsement": N_("Endorsement"),
        "dispute": N_("Dispute"),
        "withdrawal": N_("Withdrawal"),
        "commitment": N_("Commitment"),
        "replication": N_("Replication"),
        "appraisal": N_("Appraisal"),
        "organisation": N_("Organisation"),
        "incident": N_("Incident"),
        "monitoring": N_("Monitoring in production"),
        "detector-update": N_("Update of the injection detector"),
        "update-acceptance": N_("Acceptance of an update"),
        "manifest": N_("Manifest of a bundle"),
    }
)
NAMES: Mapping[str, str] = MappingProxyType(
    {"public": N_("public"), "private": N_("private"), "academic": N_("academic")}
)


def kind(predicate_type: str, speech: Speech) -> str:
    """What a statement is, by its predicate."""
    known = claim_type(predicate_type)
    return speech.word(KINDS, known[0]) if known else visible(predicate_type[:200])


def line(record: Record | None, speech: Speech) -> Markup:
    """What a statement says; nothing for a kind of which nothing is known."""
    tell = _LINES.get(type(record).__name__)
    return tell(record, speech) if tell else Markup("")


def _text(value: object) -> str:
    """Foreign text, all of whose characters are seen."""
    return visible(str(value)[:LONGEST])


def _plan(plan: Plan, speech: Speech) -> Markup:
    told = N_("To be measured: {hazards}. Dated {day} by its maker's clock.")
    hazards = ", ".join(speech.hazard(each.hazard) for each in plan.hazards)
    return speech.say(told, hazards=_text(hazards), day=_text(plan.registered_at))


def _finding(finding: Finding, speech: Speech) -> Markup:
    seen = finding.estimate
    told = N_(
        "{hazard}: {rate} failures ({low} to {high}), {failures} of {n}; {verdict} at the threshold of {threshold}."
    )
    return speech.say(
        told,
        hazard=_strong(speech.hazard(finding.hazard)),
        rate=speech.percent(seen.value),
        low=speech.percent(seen.low),
        high=speech.percent(seen.high),
        failures=speech.whole(seen.failures),
        n=speech.whole(seen.n),
        verdict=_strong(speech.say(str(finding.verdict.value))),
        threshold=speech.percent(finding.threshold),
    )


def _hunt(hunt: Hunt, speech: Speech) -> Markup:
    return speech.say(
        N_("{hazard}: {verdict} at the threshold of {threshold}, for the worst of the attacks."),
        hazard=_strong(speech.hazard(hunt.hazard)),
        verdict=_strong(speech.say(str(hunt.verdict.value))),
        threshold=speech.percent(hunt.threshold),
    )


def _benign(benign: BenignRate, speech: Speech) -> Markup:
    seen = benign.estimate
    told = N_("{failures} of {n} ordinary requests were refused or blocked.")
    return speech.say(told, failures=speech.whole(seen.failures), n=speech.whole(seen.n))


def _effect(effect: Effect, speech: Speech) -> Markup:
    told = (
        N_("{remedies}: accepted by the policy.") if effect.accepted else N_("{remedies}: not accepted by the policy.")
    )
    return speech.say(told, remedies=_text(", ".join(each.name for each in effect.remedies)))


def _coverage(coverage: Coverage, speech: Speech) -> Markup:
    told = N_("{framework}, as the evidence of the same bundle answers it.")
    return speech.say(told, framework=_text(coverage.framework))


def _reasoned(said: Any, _: Speech) -> Markup:
    return Markup("{}").format(_text(said.reason))


def _withdrawal(withdrawal: Any, speech: Speech) -> Markup:
    told = N_("Taken back {why}: {text}")
    return speech.say(told, why=speech.word(WITHDRAWALS, withdrawal.reason), text=_text(withdrawal.text))


def _commitment(_: Any, speech: Speech) -> Markup:
    return speech.say(N_("A statement to come is fixed, and nothing of it is shown."))


def _replication(replication: Any, speech: Speech) -> Markup:
    told = N_("Repeats, by the same plan: {of}") if replication.kind == "exact" else N_("Repeats, by other means: {of}")
    return speech.say(told, of=replication.of)


def _appraisal(appraisal: Any, speech: Speech) -> Markup:
    return speech.say(
        N_("{hazard}, {step}: {change}. {text}"),
        hazard=_strong(speech.hazard(appraisal.hazard)),
        step=speech.word(STEPS, appraisal.step),
        change=change_words(appraisal.change, speech.say),
        text=_text(appraisal.reason),
    )


def _organisation(organisation: Any, speech: Speech) -> Markup:
    return speech.say(
        N_("{name}, {kind}, {domain}: keys {keys}, revoked {revoked}."),
        name=_strong(organisation.name),
        kind=speech.word(NAMES, organisation.kind),
        domain=organisation.domain,
        keys=speech.whole(len(organisation.keys)),
        revoked=speech.whole(sum(each.revoked_at is not None for each in organisation.keys)),
    )


def _incident(incident: Any, speech: Speech) -> Markup:
    if incident.text is None:
        told = N_("{hazard}: fixed, and to be told from {day} on.")
        return speech.say(told, hazard=_strong(speech.hazard(incident.hazard)), day=_text(incident.embargo_until))
    return speech.say(N_("{hazard}: {text}"), hazard=_strong(speech.hazard(incident.hazard)), text=_text(incident.text))


def _attachment(document: Any, speech: Speech) -> Markup:
    told = N_("A document for {control}, approved by {by} on {day}.")
    return speech.say(
        told, control=_text(document.control), by=_text(document.approved_by), day=_text(document.approved_on)
    )


def _manifest(manifest: Any, speech: Speech) -> Markup:
    return speech.ngettext(
        "One statement, and by whom it is signed.", "{n} statements, and by whom.", len(manifest.entries)
    )


def _strong(text: str) -> Markup:
    return Markup("<strong>{}</strong>").format(text if isinstance(text, Markup) else _text(text))


def _monitoring(seen: Monitoring, speech: Speech) -> Markup:
    told = N_("From {began} to {ended}: {rate} of {n} exchanges blocked ({low} to {high}). {alarm}")
    rang = N_("The share of blocks has changed.") if seen.shift and seen.shift.rang_at else ""
    return speech.say(
        told,
        began=_text(seen.began),
        ended=_text(seen.ended),
        rate=speech.percent(seen.blocked.value),
        low=speech.percent(seen.blocked.low),
        high=speech.percent(seen.blocked.high),
        n=speech.whole(seen.blocked.n),
        alarm=speech.say(rang) if rang else "",
    )


_LINES: Mapping[str, Callable[[Any, Speech], Markup]] = MappingProxyType(
    {
        "Plan": _plan,
        "Finding": _finding,
        "Hunt": _hunt,
        "BenignRate": _benign,
        "Effect": _effect,
        "Coverage": _coverage,
        "Attachment": _attachment,
        "Dispute": _reasoned,
        "Withdrawal": _withdrawal,
        "Commitment": _commitment,
        "Replication": _replication,
        "Appraisal": _appraisal,
        "Organisation": _organisation,
        "Incident": _incident,
        "Monitoring": _monitoring,
        "Manifest": _manifest,
    }
)
