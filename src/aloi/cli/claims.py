"""What is claimed, each claim in a line; and the words of what is not claimed."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aloi.cli.speech import language, say
from aloi.translation import N_

if TYPE_CHECKING:
    from aloi.evidence.incidents import Incident
    from aloi.evidence.monitoring import Monitoring
    from aloi.evidence.organisations import Organisation
    from aloi.evidence.records import BenignRate, Coverage, Effect, Finding, Hunt, Plan, Record
    from aloi.evidence.statement import Subject
    from aloi.evidence.updates import DetectorUpdate, UpdateAcceptance
    from aloi.evidence.vouching import Appraisal, Attachment, Commitment, Dispute, Endorsement, Replication, Withdrawal

NON_CLAIMS = {
    "other-hazards": N_("hazards that were not measured"),
    "other-versions": N_("other versions of the system"),
    "other-languages": N_("other languages"),
    "other-attacks": N_("attacks outside the declared ones"),
    "other-uses": N_("other uses of the system"),
    "population": N_("rates among real users"),
    "worst-case": N_("the worst case"),
    "absence-of-risk": N_("that there is no risk"),
    "which-attack": N_("which attack exceeds the threshold where a hunt proved that one does"),
    "future-behaviour": N_("how the system will behave later"),
    "registration-time": N_("that the plan was public before the run: no log was shown that held it"),
    "earlier-runs": N_("that nothing was run before the plan was logged: a log shows when results were made public"),
    "independence": N_("that who measured is independent of who built"),
    "all-evidence": N_("that this is all the evidence about the system"),
    "contrary": N_("that the contrary of what was withdrawn is true"),
    "agreement": N_("that a replication found the same"),
    "sealed-content": N_("anything of what is sealed, before it is opened"),
    "identity": N_("that the signer is the organisation of that name and domain"),
    "fault": N_("that somebody is at fault"),
    "document-content": N_("that an attached document is right: nothing in it was read"),
    "legal-conformity": N_("conformity with any law or norm"),
    "secrecy": N_("that nothing of the texts that were learnt from can be guessed"),
}
# What a result's signer declares of it.
ASSURANCE = {
    "self_attested": N_("Word    the signer's own, of what they measured"),
    "third_party": N_("Word    of a third party to the system, as the signer declares"),
}
KINDS = {"public": N_("public"), "private": N_("private"), "academic": N_("academic")}
SHOWN = 300


def claim_line(record: "Record | None", subjects: "Sequence[Subject]", predicate_type: str) -> str:
    """A claim in a line; what others wrote is shortened, and holds no character that moves the cursor."""
    from aloi.evidence.predicates import name_of  # noqa: PLC0415 - heavy modules load when a command runs
    from aloi.evidence.vouching import STATEMENT  # noqa: PLC0415 - as above

    if record is None:
        told = N_("other     {kind}: signed, of a kind this release does not know")
        return say(told, kind=_shown(predicate_type))
    name = name_of(record)
    if name in MEASURED:
        return MEASURED[name](record, _shown(subjects[-1].name))
    first = subjects[0]
    about = first.fingerprint if first.name == STATEMENT else _shown(first.name)
    return BESIDE[name](record, about)


def _shown(text: str, length: int = 120) -> str:
    from aloi.evidence.decoding import shown  # noqa: PLC0415 - heavy modules load when a command runs

    return shown(text, length)


def _plan(plan: "Plan", about: str) -> str:
    from aloi.assurance.report import words  # noqa: PLC0415 - heavy modules load when a command runs

    return say(
        N_("plan      {about}: hazards: {count}; {error} ({rule})"),
        about=about,
        count=len(plan.hazards),
        error=say(words.error_sentence(plan), alpha=_rate(plan.alpha)),
        rule=say(words.MULTIPLICITIES[plan.multiplicity]),
    )


def _finding(finding: "Finding", about: str) -> str:
    line = N_("finding   {about}: {hazard} {verdict} at {threshold}; {low} to {high}, {level} confidence, n = {n}")
    if finding.counts != "failures":
        line = N_(
            "finding   {about}: {hazard} {verdict} at {threshold}, judge-rated; {low} to {high}, "
            "{level} confidence, n = {n}"
        )
    return say(
        line,
        about=about,
        hazard=finding.hazard,
        verdict=say(str(finding.verdict)).upper(),
        threshold=_rate(finding.threshold),
        low=_rate(finding.estimate.low),
        high=_rate(finding.estimate.high),
        level=_rate(finding.estimate.level),
        n=finding.estimate.n,
    )


def _hunt(hunt: "Hunt", about: str) -> str:
    told = N_("hunt      {about}: {hazard} {verdict} at {threshold}; nothing is proved of any attack, n = {n}")
    if hunt.verdict == "not met":
        told = N_(
            "hunt      {about}: {hazard} {verdict} at {threshold}; "
            "some attack at least {low}, {level} confidence, n = {n}"
        )
    return say(
        told,
        about=about,
        hazard=hunt.hazard,
        verdict=say(str(hunt.verdict)).upper(),
        threshold=_rate(hunt.threshold),
        low=_rate(hunt.low),
        level=_rate(hunt.level),
        n=sum(one.n + one.unscorable for one in hunt.attacks),
    )


def _benign(benign: "BenignRate", about: str) -> str:
    told = N_("ordinary  {about}: {low} to {high} of ordinary requests answered, n = {n}")
    estimate = benign.estimate
    return say(told, about=about, low=_rate(estimate.low), high=_rate(estimate.high), n=estimate.n)


def _effect(effect: "Effect", _: str) -> str:
    told = (
        N_("effect    {names}: accepted by the policy")
        if effect.accepted
        else N_("effect    {names}: refused by the policy")
    )
    return say(told, names=" + ".join(remedy.name for remedy in effect.remedies))


def _coverage(coverage: "Coverage", _: str) -> str:
    from collections import Counter  # noqa: PLC0415 - beside its one use

    states = Counter(requirement.state for requirement in coverage.requirements)
    told = ", ".join(f"{say(state)} {count}" for state, count in states.items())
    return say(N_("coverage  {framework}: {told}"), framework=coverage.framework, told=told)


def _monitoring(monitoring: "Monitoring", about: str) -> str:
    told = N_("watched   {about}: {k} of {n} exchanges blocked, {low} to {high}, {began} to {ended}; no alarm")
    shift = monitoring.shift
    if shift is None:
        told = N_("watched   {about}: {k} of {n} exchanges blocked, {low} to {high}, {began} to {ended}; no watch yet")
    elif shift.rang_at is not None:
        told = N_(
            "watched   {about}: {k} of {n} exchanges blocked, {low} to {high}, {began} to {ended}; alarm of {rang}"
        )
    blocked = monitoring.blocked
    return say(
        told,
        about=about,
        k=blocked.failures,
        n=blocked.n,
        low=_rate(blocked.low),
        high=_rate(blocked.high),
        began=monitoring.began,
        ended=monitoring.ended,
        rang=shift.rang_at if shift else None,
    )


def _update(update: "DetectorUpdate", about: str) -> str:
    told = N_("update    {about}: weights changed: {count}; from {attacks} attacks and {ordinary} ordinary texts")
    return say(told, about=about, count=len(update.buckets), attacks=update.attacks, ordinary=update.ordinary)


def _acceptance(accepted: "UpdateAcceptance", about: str) -> str:
    told = N_(
        "accepted  {about}: {before} → {after} of {n} attacks stopped, {alarms} → {then} of {ordinary} ordinary texts, "
        "at most {margin} more"
    )
    caught, alarms = accepted.whole.attacks, accepted.whole.ordinary
    return say(
        told,
        about=about,
        before=caught.before,
        after=caught.after,
        n=caught.n,
        alarms=alarms.before,
        then=alarms.after,
        ordinary=alarms.n,
        margin=_rate(accepted.margin),
    )


def _attachment(document: "Attachment", about: str) -> str:
    return say(
        N_("document  {about}: answers {control}, approved by {by} on {day}"),
        about=about,
        control=_shown(document.control),
        by=_shown(document.approved_by),
        day=_shown(document.approved_on),
    )


def _endorsement(endorsement: "Endorsement", about: str) -> str:
    return say(N_("endorsed  {about}: right, says {by}"), about=about, by=_shown(endorsement.organisation))


def _dispute(dispute: "Dispute", about: str) -> str:
    told = N_("disputed  {about}: wrong, says {by}: {text}")
    return say(told, about=about, by=_shown(dispute.organisation), text=_shown(dispute.reason, SHOWN))


def _withdrawal(withdrawal: "Withdrawal", about: str) -> str:
    from aloi.evidence.reasons import WITHDRAWALS  # noqa: PLC0415 - heavy modules load when a command runs

    told = N_("withdrawn {about}: taken back by {by} {why}: {text}")
    if withdrawal.superseded_by:
        told = N_("withdrawn {about}: taken back by {by} {why}: {text}; in its place: {new}")
    return say(
        told,
        about=about,
        by=_shown(withdrawal.organisation),
        why=say(WITHDRAWALS[withdrawal.reason]),
        text=_shown(withdrawal.text, SHOWN),
        new=withdrawal.superseded_by,
    )


def _commitment(commitment: "Commitment", about: str) -> str:
    told = N_("sealed    {about}: {by} fixed what it is going to state")
    return say(told, about=about, by=_shown(commitment.organisation))


def _replication(replication: "Replication", about: str) -> str:
    told = N_("repeats   {about}: the same plan as {other}, says {by}")
    if replication.kind == "conceptual":
        told = N_("repeats   {about}: the same question as {other}, says {by}")
    line = say(told, about=about, other=replication.of, by=_shown(replication.organisation))
    return say(N_("{line}, fixed beforehand"), line=line) if replication.blind else line


def _appraisal(appraisal: "Appraisal", about: str) -> str:
    from aloi.evidence.reasons import STEPS, change_words  # noqa: PLC0415 - as above

    told = N_("appraised {about}: {hazard}, {step}: {change}, says {by}: {text}")
    return say(
        told,
        about=about,
        hazard=_shown(appraisal.hazard),
        step=say(STEPS[appraisal.step]),
        change=change_words(appraisal.change, say),
        by=_shown(appraisal.organisation),
        text=_shown(appraisal.reason, SHOWN),
    )


def _organisation(organisation: "Organisation", _: str) -> str:
    return say(
        N_("speaks    {name}, {kind}, {domain}: keys {keys}, revoked {revoked}; statement {number} on itself"),
        name=_shown(organisation.name),
        kind=say(KINDS[organisation.kind]),
        domain=organisation.domain,
        keys=len(organisation.keys),
        revoked=sum(each.revoked_at is not None for each in organisation.keys),
        number=organisation.sequence + 1,
    )


def _incident(incident: "Incident", about: str) -> str:
    by = _shown(incident.organisation)
    if incident.text is None:
        told = N_("sealed    {about}: {hazard}, fixed by {by} and told from {day} on")
        return say(told, about=about, hazard=incident.hazard, by=by, day=incident.embargo_until)
    told = (
        N_("incident  {about}: {hazard}, says {by}: {text}")
        if incident.kind == "incident"
        else N_("pattern   {about}: {hazard}, says {by}: {text}")
    )
    return say(told, about=about, hazard=incident.hazard, by=by, text=_shown(incident.text, SHOWN))


def _manifest(_: object, about: str) -> str:
    return say(N_("manifest  {about}: which statements a bundle holds"), about=about)


def _rate(value: object) -> str:
    text = f"{100 * float(str(value)):.3g}"
    return text.replace(".", ",") + "\N{NARROW NO-BREAK SPACE}%" if language() == "fr" else f"{text} %"


Line = Callable[[Any, str], str]
MEASURED: Mapping[str, Line] = MappingProxyType(
    {
        "plan": _plan,
        "finding": _finding,
        "hunt": _hunt,
        "benign-rate": _benign,
        "effect": _effect,
        "coverage": _coverage,
        "monitoring": _monitoring,
    }
)
BESIDE: Mapping[str, Line] = MappingProxyType(
    {
        "attachment": _attachment,
        "endorsement": _endorsement,
        "dispute": _dispute,
        "withdrawal": _withdrawal,
        "commitment": _commitment,
        "replication": _replication,
        "appraisal": _appraisal,
        "organisation": _organisation,
        "incident": _incident,
        "detector-update": _update,
        "update-acceptance": _acceptance,
        "manifest": _manifest,
    }
)
