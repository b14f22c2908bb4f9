"""A serious incident: what its dates allow, until when it must be reported, and whether Article 73 applies at all."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from types import MappingProxyType

from aloi.assurance.drafts.dossier import Dossier, Facts
from aloi.assurance.drafts.identity import Hazards, Line
from aloi.assurance.drafts.markdown import Markdown, Pen
from aloi.assurance.drafts.outline import INCIDENT, Kind, outline
from aloi.errors import AskerError, UnknownName
from aloi.standards.applicability import OpenPoint, applicability
from aloi.standards.applies import Applies, Situation, applies
from aloi.system.regulation import LegalClass
from aloi.translation import N_

ARTICLE = "Art. 73"
ROUTES: Mapping[LegalClass, str] = MappingProxyType(
    {"hr-annex3": N_("High-risk by use (Annex III)"), "hr-annex1-A": N_("High-risk by product (Annex I, Section A)")}
)
BASES = MappingProxyType({"reading": N_("this date is a reading"), "text": N_("as the text says")})
CERTAINTY = MappingProxyType({"primary": N_("primary"), "secondary": N_("secondary"), "unconfirmed": N_("unconfirmed")})
STATUS = MappingProxyType(
    {
        "binds": N_("it binds on {day}"),
        "contested": N_("readings differ on whether it binds on {day}"),
        "not yet": N_("it does not bind yet on {day}"),
        "spared": N_("as an older system it is spared on {day}"),
        "unknown": N_(
            "whether it binds on {day} depends on when the first unit was placed on the market, and on changes since"
        ),
    }
)


def facts(occurred: date | None, aware: date | None, kind: str | None, today: date) -> Facts:
    """What is known of an incident. Raises AskerError for days that cannot be."""
    for name, day in (("--occurred", occurred), ("--aware", aware)):
        if day and day > today:
            raise AskerError(
                N_("{name} {day} lies in the future: today is {today}"),
                remedy=N_("give the day on which it was"),
                name=name,
                day=day,
                today=today,
            )
    if occurred and aware and aware < occurred:
        raise AskerError(
            N_("nobody can be aware on {aware} of what occurred on {occurred}"),
            remedy=N_("correct --occurred or --aware; an incident that lasts occurred on its first day"),
            aware=aware,
            occurred=occurred,
        )
    return Facts(occurred=occurred, aware=aware, kind=kind_of(kind) if kind else None)


def kind_of(name: str) -> Kind:
    """A kind of incident. Raises UnknownName with the nearest ones."""
    known = {one.id: one for one in outline(INCIDENT).kinds}
    if name not in known:
        raise UnknownName(N_("kind of incident"), name, known)
    return known[name]


def latest(aware: date, kind: Kind) -> date:
    """The last day on which a report may be made, counted in calendar days from the day after awareness."""
    return aware + timedelta(days=kind.days)


def deadline(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """The latest day; every kind's where the kind is not known, the count of days where awareness is not."""
    given = dossier.facts
    for kind in [given.kind] if given.kind else outline(INCIDENT).kinds:
        yield Line(_until(kind, given, dossier.today, pen), (), given.kind is not None and given.aware is not None)
    counted = N_(
        "Counted in calendar days, the first being the day after awareness; no rule on weekends or holidays was "
        "applied. It is the outer limit: the report is due at once, and its delay must take account of the severity."
    )
    yield Line(pen.say(counted), (), answers=False)


def _until(kind: Kind, given: Facts, today: date, pen: Pen) -> Markdown:
    named = {"kind": kind.title.said(pen.language), "article": kind.article, "days": pen.figures.whole(kind.days)}
    if not given.aware:
        return pen.say(N_("{kind}: {days} days after awareness at the latest ({article})."), **named)
    day = latest(given.aware, kind)
    dated = {"day": pen.figures.day(day.isoformat()), "aware": pen.figures.day(given.aware.isoformat())}
    said = N_("{kind}: **{day}** at the latest, {days} days after {aware} ({article}).")
    told = pen.say(said, **named, **dated)
    if day >= today:
        return told
    return Markdown(" ".join([told, pen.say(N_("**That day has passed.**"))]))


def law(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """From when Article 73 binds a provider, by each route to high risk, with both sides where readings differ."""
    day = dossier.facts.aware or dossier.facts.occurred or dossier.today
    points: dict[str, OpenPoint] = {}
    for route in ROUTES:
        answer = applies(applicability(), Situation(roles=("provider",), classes=(route,), day=day))
        for found in (one for one in answer.provisions if one.provision.provision == ARTICLE):
            yield Line(_route(route, found, day, pen))
            points |= {one.id: one for one in answer.open_points if one.id in found.provision.open_points}
    for point in points.values():
        yield Line(_both(point, pen))


def _route(route: LegalClass, found: Applies, day: date, pen: Pen) -> Markdown:
    provision, figures = found.provision, pen.figures
    said = N_(
        "{route}: {status}. Literal date {literal}; it can bind somebody from {operative} ({basis}; sources: {how})."
    )
    return pen.say(
        said,
        route=pen.say(ROUTES[route]),
        status=pen.say(STATUS[found.status], day=figures.day(day.isoformat())),
        literal=figures.day(provision.applies_from.isoformat()),
        operative=figures.day(provision.operative.isoformat()),
        basis=pen.say(BASES[provision.basis]),
        how=pen.say(CERTAINTY[provision.certainty]),
    )


def _both(point: OpenPoint, pen: Pen) -> Markdown:
    sides = {"one": point.one_side.said(pen.language), "other": point.other_side.said(pen.language)}
    return pen.say(N_("Open point. One side: {one} The other: {other}"), **sides)


def occurred(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """When it first occurred, as far as that is known."""
    if day := dossier.facts.occurred:
        yield Line(pen.say(N_("First known occurrence: {day}."), day=pen.figures.day(day.isoformat())))


def aware(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """When it became known."""
    if day := dossier.facts.aware:
        yield Line(pen.say(N_("Provider or deployer aware since: {day}."), day=pen.figures.day(day.isoformat())))


def kind(dossier: Dossier, pen: Pen, _: Hazards) -> Iterator[Line]:
    """The kind of incident that was named."""
    given = dossier.facts.kind
    if given:
        yield Line(pen.say(N_("Kind, as declared: {kind}."), kind=given.title.said(pen.language)))
