"""What a bundle says of the system, its plan and its signers, line by line."""

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct

from aloi.assurance.drafts.dossier import Dossier
from aloi.assurance.drafts.markdown import Markdown, Pen, plain, short, whole
from aloi.assurance.report.words import MULTIPLICITIES, NOT_CLAIMED, SCOPES, SCORERS, error_sentence
from aloi.evidence.canonical import digest
from aloi.evidence.predicates import NonClaim
from aloi.evidence.records import HazardPlan, ScorerIdentity
from aloi.translation import N_


class Line(Struct, frozen=True):
    """One thing that evidence says, in Markdown, with the digests of the statements it comes from.

    A line that does not `answer` is shown, but leaves the gap open: a hazard that was not tested, say.
    """

    text: Markdown
    digests: tuple[str, ...] = ()
    answers: bool = True


Hazards = tuple[str, ...]


def identity(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """The system that the evidence speaks of, by name and fingerprint."""
    if dossier.source:
        standing = dossier.source.standing
        said = N_("System: {name}, fingerprint {fingerprint}.")
        yield Line(
            pen.say(said, name=standing.name, fingerprint=whole(standing.fingerprint)),
            _naming(dossier, standing.fingerprint),
        )


def versions(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """Every version that was measured, when there are several."""
    subjects = dossier.source.verification.subject if dossier.source else ()
    if len(subjects) > 1:
        for subject in subjects:
            said = N_("Version measured: {name}, fingerprint {fingerprint}.")
            text = pen.say(said, name=subject.name, fingerprint=whole(subject.fingerprint))
            yield Line(text, _naming(dossier, subject.fingerprint))


def _naming(dossier: Dossier, fingerprint: str) -> tuple[str, ...]:
    """The first statement that names a fingerprint."""
    naming = [one.digest for one in dossier.claims if fingerprint in {each.fingerprint for each in one.subject}]
    return tuple(naming[:1])


def purpose(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """The purpose, from the description that the fingerprint covers."""
    if dossier.system and dossier.system.description.purpose.strip():
        yield _covered(dossier, pen.say(N_("Purpose, as described: {text}"), text=dossier.system.description.purpose))


def languages(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """The languages of the system's users."""
    if dossier.system:
        told = pen.listed([plain(pen.figures.tongue(one)) for one in dossier.system.description.languages])
        yield _covered(dossier, pen.say(N_("Languages: {list}."), list=told))


def model(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """The model, as the target names it."""
    if dossier.system and dossier.system.model:
        yield _covered(dossier, pen.say(N_("Model, as the endpoint names it: {model}."), model=dossier.system.model))


def components(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """The parts that the fingerprint covers: prompt and documents by digest, guards by name."""
    if not dossier.system:
        return
    described = dossier.system.description
    if described.prompt:
        said = N_("System prompt: SHA-256 {digest}.")
        yield _covered(dossier, pen.say(said, digest=short(digest(described.prompt.encode()))))
    for document in dossier.system.documents:
        said = N_("Document {name}: SHA-256 {digest}.")
        told = pen.say(said, name=document.id, digest=short(digest(document.text.encode())))
        yield _covered(dossier, told)
    for name in described.guards:
        yield _covered(dossier, pen.say(N_("Guard in place: {name}."), name=pen.remedy(name)))
    said = N_("Sampling: temperature {temperature}, at most {tokens} tokens.")
    sampling = described.target
    told = pen.say(
        said, temperature=pen.figures.decimal(sampling.temperature), tokens=pen.figures.whole(sampling.max_tokens)
    )
    yield _covered(dossier, told)


def _covered(dossier: Dossier, text: Markdown) -> Line:
    """A line from the description: the plan is the statement that signs its fingerprint."""
    return Line(text, (dossier.plan[1],) if dossier.plan else ())


def plan(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """The plan that was registered, and the error it controls."""
    if not dossier.plan:
        return
    record, source = dossier.plan
    figures = pen.figures
    said = N_("Plan registered on {moment}, by {software}; statement {digest}.")
    facts = {"moment": figures.moment(record.registered_at), "software": record.software}
    yield Line(pen.say(said, **facts, digest=whole(source)), (source,))
    error = pen.say(error_sentence(record), alpha=figures.threshold(record.alpha))
    rule = pen.say(MULTIPLICITIES.get(record.multiplicity, record.multiplicity))
    yield Line(pen.say(N_("In each stage, {error} ({rule})."), error=error, rule=rule), (source,))
    limits = record.limits
    said = N_("Limits: {queries} queries, {tokens} tokens, {seconds}. Seed of the draws: {seed}.")
    spent = {"queries": figures.whole(limits.queries), "tokens": figures.whole(limits.tokens)}
    told = pen.say(said, **spent, seconds=figures.duration(limits.seconds), seed=record.seed)
    yield Line(told, (source,))


def criteria(dossier: Dossier, pen: Pen, hazards: Hazards) -> Iterator[Line]:
    """For each hazard of the plan what is estimated, the threshold, the items and who scores."""
    if not dossier.plan:
        return
    record, source = dossier.plan
    for planned in record.hazards:
        if not hazards or planned.hazard in hazards:
            yield Line(_criterion(planned, pen), (source,))


def _criterion(planned: HazardPlan, pen: Pen) -> Markdown:
    said = N_(
        "**{hazard}**: threshold {threshold}. Estimated: {estimand}; {scope}. Probe {probe}, at most {cap} items; "
        "attacks: {attacks}; languages: {languages}; scored by {scorer}."
    )
    return pen.say(
        said,
        hazard=pen.hazard(planned.hazard),
        threshold=pen.figures.threshold(planned.threshold),
        estimand=pen.speech.estimand(planned.estimand),
        scope=pen.say(SCOPES.get(planned.scope, planned.scope)),
        probe=planned.probe,
        cap=pen.figures.whole(planned.cap),
        attacks=_mix(planned.attacks, pen),
        languages=_mix(planned.languages, pen, tongues=True),
        scorer=scorer(planned.scorer, pen),
    )


def _mix(weights: dict[str, Decimal], pen: Pen, *, tongues: bool = False) -> Markdown:
    return plain(pen.speech.mix(weights, languages=tongues)) or Markdown("\u2013")


def scorer(identity: ScorerIdentity, pen: Pen) -> Markdown:
    """Who scores, and whether it can err."""
    kind = pen.say(SCORERS.get(identity.kind, identity.kind))
    return Markdown(f"{plain(identity.name)} {plain(identity.version)} ({kind})")


def signers(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """The keys that signed, and who packed the bundle."""
    if not dossier.source:
        return
    for key in dossier.source.signers:
        signing = [(one.digest, each.trusted) for one in dossier.claims for each in one.signers if each.key_id == key]
        said = (
            N_("Statements signed by the key {key}, trusted when this draft was made: {count}.")
            if any(trusted for _, trusted in signing)
            else N_("Statements also signed by the key {key}, not trusted when this draft was made: {count}.")
        )
        told = pen.say(said, key=key, count=pen.figures.whole(len(signing)))
        yield Line(told, tuple(digest for digest, _ in signing))


def unclaimed(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """What the bundle says that it does not show."""
    for code in dossier.source.verification.non_claims if dossier.source else ():
        known = NOT_CLAIMED[NonClaim(code)] if code in set(NonClaim) else code
        told = pen.say(known) if known != code else plain(code)
        carrying = tuple(one.digest for one in dossier.claims if code in one.non_claims)
        yield Line(pen.say(N_("Not claimed: {what}"), what=Markdown(told.rstrip("; .\u202f") + ".")), carrying)
