"""A draft as one Markdown document, and as a record for machines."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct

from aloi.assurance.drafts.documents import attached
from aloi.assurance.drafts.dossier import Dossier
from aloi.assurance.drafts.filling import STATES, FilledSection, State, fill
from aloi.assurance.drafts.identity import Line
from aloi.assurance.drafts.incidents import latest
from aloi.assurance.drafts.markdown import Markdown, Pen, plain, short, whole
from aloi.assurance.drafts.outline import INCIDENT, Drafted, Outline, outline
from aloi.assurance.report.words import COVERAGE, MAPPINGS
from aloi.assurance.standing import doubts
from aloi.evidence.records import RequirementCoverage
from aloi.evidence.vouching import Attachment
from aloi.standards.applicability import applicability
from aloi.standards.frameworks import framework
from aloi.standards.pack import Dated, Freshness, freshness
from aloi.translation import N_

CITED = 4
STATE_WORDS: Mapping[State, str] = MappingProxyType(
    {"filled": N_("filled"), "partly filled": N_("partly filled"), "empty": N_("empty")}
)
PREDICATES: Mapping[str, str] = MappingProxyType(
    {
        "plan": N_("the plan"),
        "finding": N_("a finding"),
        "hunt": N_("a hunt"),
        "benign-rate": N_("the rate of ordinary requests answered"),
        "effect": N_("the effect of remedies"),
        "attachment": N_("an attached document"),
        "coverage": N_("the coverage of a framework"),
    }
)


class ToldLine(Struct, frozen=True, kw_only=True):
    """What evidence says, in Markdown; a line that does not `answer` leaves the gap open."""

    text: str
    digests: tuple[str, ...]
    answers: bool


class ToldSection(Struct, frozen=True, kw_only=True):
    """A section for machines: its state, the statements it rests on, what is said and what is still to be written."""

    id: str
    number: str
    title: str
    state: State
    digests: tuple[str, ...]
    lines: tuple[ToldLine, ...]
    gaps: tuple[str, ...]
    coverage: tuple[RequirementCoverage, ...]


class Draft(Struct, frozen=True, kw_only=True):
    """A draft in one language. `latest_report` is the last day on which an incident may be reported, where known.

    `checked` says of the tables of norms that it goes by whether they are to be checked again.
    """

    kind: str
    language: str
    drawn_at: str
    bundle: str
    counts: dict[State, int]
    sections: tuple[ToldSection, ...]
    checked: tuple[Freshness, ...] = ()
    latest_report: str = ""
    markdown: str


def draft(kind: Drafted, dossier: Dossier, language: str, at: str) -> Draft:
    """A document to finish, from a verified bundle. `at` is when it was verified (RFC 3339 in UTC)."""
    pen = Pen(language)
    return _draft(kind, dossier, pen, at, _draft_head(dossier, pen, at))


def incident(dossier: Dossier, language: str, at: str) -> Draft:
    """A report of a serious incident to finish, with or without a bundle."""
    pen = Pen(language)
    return _draft(INCIDENT, dossier, pen, at, _incident_head(dossier, pen, at))


def _draft(kind: str, dossier: Dossier, pen: Pen, at: str, head: list[Markdown]) -> Draft:
    plan = outline(kind)
    sections = fill(plan, dossier, pen)
    checked = tuple(freshness(table, dossier.today) for table in _tables(kind, plan))
    head = [*(_overdue(checked, pen)), *head]
    counts = {state: sum(one.state == state for one in sections) for state in STATES}
    given = dossier.facts
    day = latest(given.aware, given.kind).isoformat() if given.aware and given.kind else ""
    return Draft(
        kind=kind,
        language=pen.language,
        drawn_at=at,
        bundle=dossier.source.verification.digest if dossier.source else "",
        counts=counts,
        sections=tuple(_told(one) for one in sections),
        checked=checked,
        latest_report=day,
        markdown="\n".join(_page(plan, sections, counts, head, dossier, pen)),
    )


def _tables(kind: str, plan: Outline) -> Iterator[Dated]:
    if plan.framework:
        yield framework(plan.framework).pack
    if kind == INCIDENT:
        yield applicability()


def _overdue(checked: Iterable[Freshness], pen: Pen) -> Iterator[Markdown]:
    for message, facts in doubts(checked, ()):
        days = {name: pen.figures.day(str(facts[name])) for name in ("day", "due")}
        yield Markdown(f"**{pen.say(message, **{**facts, **days})}**")


def _told(section: FilledSection) -> ToldSection:
    return ToldSection(
        id=section.id,
        number=section.number,
        title=section.title,
        state=section.state,
        digests=section.digests,
        lines=tuple(
            ToldLine(text=str(line.text), digests=line.digests, answers=line.answers)
            for point in section.points
            for line in point.lines
        ),
        gaps=tuple(point.gap for point in section.points if point.gap),
        coverage=section.coverage,
    )


def _draft_head(dossier: Dossier, pen: Pen, at: str) -> list[Markdown]:
    head = [
        pen.say(N_("**A draft for people to finish.** It is no declaration of conformity, and nobody has approved it."))
    ]
    return head + _drawn_from(dossier, pen, at)


def _incident_head(dossier: Dossier, pen: Pen, at: str) -> list[Markdown]:
    said = N_("**A draft for people to finish.** Nothing was sent to anybody, and nobody has approved it.")
    moment = pen.figures.moment(at)
    if dossier.source:
        return [pen.say(said), *_drawn_from(dossier, pen, at)]
    return [pen.say(said), pen.say(N_("Begun on {moment}, without a bundle of evidence."), moment=moment)]


def _drawn_from(dossier: Dossier, pen: Pen, at: str) -> list[Markdown]:
    if not dossier.source:
        return []
    said = N_("Drawn from the bundle {digest}, verified on {moment}.")
    moment = pen.figures.moment(at)
    head = [pen.say(said, digest=whole(dossier.source.verification.digest), moment=moment)]
    if not dossier.system:
        head.append(
            pen.say(
                N_(
                    "The bundle stood alone: purpose, model and parts of the system are in the folder of its run, and "
                    "were not read."
                )
            )
        )
    said = N_(
        "Behind each figure stand the first signs of the SHA-256 of the signed statement it comes from; the whole "
        "digests are listed at the end. Attached documents were not read."
    )
    return [*head, pen.say(said)]


def _page(
    plan: Outline,
    sections: tuple[FilledSection, ...],
    counts: dict[State, int],
    head: list[Markdown],
    dossier: Dossier,
    pen: Pen,
) -> Iterator[str]:
    title = pen.say(N_("{title}: draft"), title=plan.title.said(pen.language))
    yield f"# {title}"
    yield ""
    yield from (f"- {line}" for line in head)
    said = N_("Sections: {total}. Filled: {filled}; partly filled: {partly}; empty: {empty}.")
    facts = {"filled": counts["filled"], "partly": counts["partly filled"], "empty": counts["empty"]}
    yield f"- {pen.say(said, total=len(sections), **facts)}"
    yield ""
    yield plain(plan.about.said(pen.language))
    told: dict[Line, str] = {}
    for section in sections:
        yield from _section(section, told, pen)
        yield from _coverage(section, plan, pen)
    yield from _attached(dossier, pen)
    yield from _statements(sections, dossier, pen)


def _section(section: FilledSection, told: dict[Line, str], pen: Pen) -> Iterator[str]:
    """A section; `told` holds the lines that were written out before, and where."""
    yield ""
    yield f"## {plain(section.number)} · {plain(section.title)}"
    yield ""
    state = pen.say(STATE_WORDS[section.state])
    asked = pen.say(N_("Asked: {what}"), what=section.asks)
    yield f"*{asked}* ({state})"
    for point in section.points:
        if point.lines:
            yield ""
            yield from _lines(point.lines, section, told, pen)
        if point.gap:
            yield ""
            gap = pen.say(N_("**To complete**: {what}"), what=point.gap)
            yield f"> {gap}"


def _lines(lines: tuple[Line, ...], section: FilledSection, told: dict[Line, str], pen: Pen) -> Iterator[str]:
    """What is said on a point; lines that stand above already are named by their place, with their statements."""
    again: dict[str, list[str]] = {}
    for line in lines:
        if line not in told:
            told[line] = section.number
            yield f"- {line.text}{cited(line.digests)}"
        else:
            again.setdefault(told[line], []).extend(line.digests)
    for place, digests in again.items():
        above = pen.say(N_("As told under {place}."), place=place)
        yield f"- {above}{cited(tuple(dict.fromkeys(digests)))}"


def _coverage(section: FilledSection, plan: Outline, pen: Pen) -> Iterator[str]:
    if not section.coverage:
        return
    titles = {one.id: one.title.said(pen.language) for one in framework(plan.framework).pack.requirements}
    yield ""
    yield pen.say(N_("Where the related requirements of {framework} stand:"), framework=plan.framework)
    yield ""
    for one in section.coverage:
        facts = {"state": pen.say(COVERAGE[one.state]), "mapping": pen.say(MAPPINGS[one.mapping])}
        said = N_("{requirement}: {state} ({mapping}). {title}.")
        told = pen.say(said, requirement=one.requirement, title=titles.get(one.requirement, ""), **facts)
        yield f"- {told}{cited(one.evidence)}"


def cited(digests: tuple[str, ...]) -> str:
    """The statements behind a line: the first few, and how many more there are."""
    if not digests:
        return ""
    more = f" +{len(digests) - CITED}" if len(digests) > CITED else ""
    return f" [{' '.join(short(digest) for digest in digests[:CITED])}{more}]"


def _attached(dossier: Dossier, pen: Pen) -> Iterator[str]:
    lines = [
        attached(item, item.record, dossier, pen) for item in dossier.attached if isinstance(item.record, Attachment)
    ]
    if lines:
        yield ""
        yield "## " + pen.say(N_("All attached documents"))
        yield ""
        yield from (f"- {line.text}{cited(line.digests)}" for line in lines)


def _statements(sections: tuple[FilledSection, ...], dossier: Dossier, pen: Pen) -> Iterator[str]:
    """Every statement that is cited, in full."""
    named = {one.digest: one.name for one in dossier.claims} | {one.digest: "attachment" for one in dossier.attached}
    behind = (digest for section in sections for one in section.coverage for digest in one.evidence)
    used = dict.fromkeys((*(digest for section in sections for digest in section.digests), *behind))
    if used:
        yield ""
        yield "## " + pen.say(N_("Signed statements cited"))
        yield ""
        for digest in used:
            kind = named.get(digest, "")
            yield f"- {whole(digest)}{_colon(pen)} {pen.say(PREDICATES.get(kind, kind or '-'))}"
    yield ""


def _colon(pen: Pen) -> str:
    return "\u202f:" if pen.language == "fr" else ":"
