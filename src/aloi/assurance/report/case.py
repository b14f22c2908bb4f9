"""An assurance case as one page that prints: claims, arguments, and the statements at the leaves."""

from collections import Counter
from collections.abc import Mapping, Sequence

from markupsafe import Markup
from msgspec import Struct

from aloi.assurance.report import words
from aloi.assurance.report.matrix import RELATIONS, SIGNS, warnings
from aloi.assurance.report.matrix import STATES as CONTROL_STATES
from aloi.assurance.report.page import environment, style
from aloi.assurance.report.speech import Speech, Title
from aloi.assurance.standing import Lapsed
from aloi.evidence.predicates import NonClaim
from aloi.evidence.records import BenignRate, Coverage, Effect, Finding, Hunt, Plan, Record
from aloi.evidence.verification import Verification
from aloi.evidence.vouching import Attachment
from aloi.standards.case import Case
from aloi.standards.coverage import STATES
from aloi.standards.frameworks import Framework
from aloi.standards.hub import Hub
from aloi.standards.judging import EvidenceItem, concerned
from aloi.standards.marks import MARKS, legend
from aloi.translation import N_

PROOFS = {
    "findings": N_("argued hazard by hazard: each one tested at its registered threshold, the worst verdict counting"),
    "plan": N_("argued from the plan: what was tested was registered before, at the same threshold"),
    "record": N_("argued from the tests themselves, whatever they found"),
    "effect": N_("argued from what a remedy bought and broke, re-measured on fresh items"),
    "artefact": N_("argued from an artefact that somebody approved"),
    "document": N_("argued from a document that somebody approved; nothing in it was read"),
    "process": N_("argued from the record of a process that somebody approved; nothing in it was read"),
}
STANDINGS = {"endorsed": N_("endorsed"), "disputed": N_("disputed")}
KINDS: Sequence[tuple[type[Record], str]] = (
    (Plan, N_("plan")),
    (Finding, N_("finding")),
    (Hunt, N_("hunt")),
    (BenignRate, N_("ordinary requests")),
    (Effect, N_("effect")),
    (Coverage, N_("coverage")),
    (Attachment, N_("attachment")),
)


class Leaf(Struct, frozen=True, kw_only=True):
    """A statement at the bottom of the case: its digest, its kind, what it says, of which system, and who signed it.

    What was attached beside the bundle has no system and no signer here: its envelope was verified by itself.
    """

    digest: str
    kind: str
    says: Markup
    about: str = ""
    signers: tuple[str, ...] = ()


def leaves(
    case: Case, verification: Verification, attached: Sequence[EvidenceItem], speech: Speech
) -> tuple[Leaf, ...]:
    """The statements that the case rests on, in the order of the bundle, and then what was attached."""
    cited = set(case.cited())
    signed = tuple(
        Leaf(
            digest=claim.digest,
            kind=_kind(claim.record, speech),
            says=_says(claim.record, speech),
            about=claim.subject[-1].name,
            signers=tuple(one.key_id for one in claim.signers),
        )
        for claim in verification.claims
        if claim.digest in cited and claim.record is not None
    )
    beside = tuple(
        Leaf(digest=item.digest, kind=_kind(item.record, speech), says=_says(item.record, speech))
        for item in attached
        if item.digest in cited
    )
    return signed + beside


def _kind(record: Record, speech: Speech) -> str:
    return next((speech.say(word) for kind, word in KINDS if isinstance(record, kind)), "")


def _says(record: Record, speech: Speech) -> Markup:
    match record:
        case Plan():
            return speech.ngettext("one hazard registered", "{n} hazards registered", len(record.hazards))
        case Finding():
            told = N_("{hazard}: {verdict} at the stated threshold of {threshold}; {rate}")
            return speech.say(
                told,
                hazard=speech.rated(record.hazard, record.counts),
                verdict=speech.word(words.VERDICTS, record.verdict),
                threshold=speech.figures.threshold(record.threshold),
                rate=speech.rate(record.estimate),
            )
        case Hunt():
            told = N_("{hazard}: {verdict} at the stated threshold of {threshold}; some attack at least {low}")
            return speech.say(
                told,
                hazard=speech.hazard(record.hazard),
                verdict=speech.word(words.VERDICTS, record.verdict),
                threshold=speech.figures.threshold(record.threshold),
                low=speech.figures.percent(record.low),
            )
        case Effect():
            accepted, refused = N_("{remedies}: accepted by the policy"), N_("{remedies}: refused by the policy")
            names = speech.remedies(tuple(remedy.name for remedy in record.remedies))
            return speech.say(accepted if record.accepted else refused, remedies=names)
        case Attachment():
            told = N_("approved by {who} on {day}")
            return speech.say(told, who=record.approved_by, day=speech.figures.day(record.approved_on))
        case _:
            return Markup()


def render_case(
    case: Case,
    framework: Framework,
    hub: Hub,
    verification: Verification,
    attached: Sequence[EvidenceItem],
    language: str,
    *,
    day: str,
    names: Mapping[str, Title],
    lapsed: Sequence[Lapsed] = (),
) -> str:
    """The page, in 'en' or 'fr': a whole HTML document without script.

    `names` gives the titles of a 'hazard' and of a 'remedy'; `attached` are the verified statements beside the bundle.
    """
    titles = {one.id: framework.pack.told(one, language) for one in framework.pack.requirements}
    known = framework.pack.doubtful()
    speech = Speech(
        language,
        titles=lambda _framework, requirement, _language: titles[requirement],
        framework=lambda _key, reader: framework.pack.title.said(reader),
        hazard=names["hazard"],
        remedy=names["remedy"],
    )
    found = leaves(case, verification, attached, speech)
    return (
        environment()
        .get_template("case.html")
        .render(
            _=speech.say,
            ngettext=speech.ngettext,
            speech=speech,
            words=words,
            language=language,
            style=style("report.css", "case.css"),
            case=case,
            title=framework.pack.title.said(language),
            requirement_titles=titles,
            control_titles={one.id: one.title.said(language) for one in hub.controls},
            signs=SIGNS,
            relations=RELATIONS,
            standings=STANDINGS,
            control_states=CONTROL_STATES,
            proofs=PROOFS,
            leaves=found,
            numbers={leaf.digest: n for n, leaf in enumerate(found, 1)},
            about=verification.subject,
            concerned=concerned(verification),
            bundle=verification.digest,
            day=speech.figures.day(day),
            warnings=warnings(speech, [case.checked], lapsed),
            tally=_tally(case),
            marks={name: MARKS[known.get(name, "primary")] for name in titles},
            legend=list(legend(known.values())),
            doubts=[one.said(language) for one in framework.pack.doubts()],
            non_claims=_unclaimed(verification),
        )
    )


def _tally(case: Case) -> list[tuple[str, int]]:
    """How many requirements are in each state that occurs."""
    counts = Counter(claim.state for claim in case.requirements)
    return [(state, counts[state]) for state in STATES if counts[state]]


def _unclaimed(verification: Verification) -> list[str]:
    """What the bundle does not claim, in words; conformity with a law is never claimed."""
    told = {*verification.non_claims, NonClaim.LEGAL_CONFORMITY}
    return [words.NOT_CLAIMED[code] for code in NonClaim if code in told]
