"""What was monitored as one page that prints: rates with their doubt, and the share of blocks over time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import ceil

from markupsafe import Markup
from msgspec import Struct

from aloi.assurance.monitoring.findings import FIRST_BLOCKS, FIRST_SCREENED, LEVEL, Monitored, Watched
from aloi.assurance.report import monitoring_words, words
from aloi.assurance.report.figures import Figures
from aloi.assurance.report.monitoring_words import reference_sentence, watch_sentence
from aloi.assurance.report.page import environment, style
from aloi.assurance.report.speech import Speech, Title
from aloi.evidence.decoding import visible
from aloi.evidence.monitoring import RateShift
from aloi.evidence.predicates import NonClaim

SLOTS = 24  # parts of a watch that are shown apart
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 880, 240, 64, 16, 28
UNCLAIMED = (
    NonClaim.ABSENCE_OF_RISK,
    NonClaim.OTHER_VERSIONS,
    NonClaim.OTHER_USES,
    NonClaim.FUTURE_BEHAVIOUR,
    NonClaim.INDEPENDENCE,
    NonClaim.FAULT,
    NonClaim.LEGAL_CONFORMITY,
)


class Slot(Struct, frozen=True, kw_only=True):
    """Batches that are shown as one: when they ended, what they counted, and where the mark stands."""

    ended: str
    screened: int
    blocked: int
    log_e: float
    x: float
    y: float


class Chart(Struct, frozen=True, kw_only=True):
    """The share of blocks over time, as geometry: what the reference allows as a band, and where the watch rang."""

    slots: tuple[Slot, ...]
    ticks: tuple[tuple[float, float], ...]
    band: tuple[float, float]
    rang_x: float | None


class Signed(Struct, frozen=True, kw_only=True):
    """By whom, as which file, and how that is checked."""

    bundle: str
    digest: str
    signer: str
    command: str


def chart(path: Sequence[Watched], shift: RateShift) -> Chart | None:
    """None where there is nothing to draw yet."""
    if not path:
        return None
    each = ceil(len(path) / SLOTS)
    parts = [path[start : start + each] for start in range(0, len(path), each)]
    counts = [(sum(one.screened for one in part), sum(one.blocked for one in part)) for part in parts]
    top = 1.15 * max(float(shift.high), *(blocked / screened for screened, blocked in counts))
    first, last = parts[0][-1].at, parts[-1][-1].at

    def x(at: float) -> float:
        return round(LEFT + (WIDTH - LEFT - 16) * ((at - first) / (last - first) if last > first else 0.5), 1)

    def y(share: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - share / top), 1)

    slots = tuple(
        Slot(
            ended=_written(part[-1].at),
            screened=screened,
            blocked=blocked,
            log_e=part[-1].log_e,
            x=x(part[-1].at),
            y=y(blocked / screened),
        )
        for part, (screened, blocked) in zip(parts, counts, strict=True)
    )
    rang = shift.rang_at and datetime.fromisoformat(shift.rang_at).timestamp()
    return Chart(
        slots=slots,
        ticks=tuple((share, y(share)) for share in (0.0, top / 2.3, top / 1.15)),
        band=(y(float(shift.high)), y(float(shift.low))),
        rang_x=min(max(x(rang), LEFT), WIDTH) if rang else None,
    )


def facts_of(shift: RateShift, figures: Figures) -> dict[str, str]:
    """What the sentences on a watch are over."""
    reference = shift.reference
    return {
        "low": figures.percent(shift.low),
        "high": figures.percent(shift.high),
        "alpha": figures.threshold(shift.alpha),
        "blocked": figures.whole(reference.blocked),
        "screened": figures.whole(reference.screened),
        "began": figures.moment(reference.began),
        "ended": figures.moment(reference.ended),
        "rang": figures.moment(shift.rang_at or ""),
    }


def unsaid_facts(figures: Figures) -> Mapping[str, str]:
    """What the sentences on what is not said are over."""
    return {"blocks": figures.whole(FIRST_BLOCKS), "exchanges": figures.whole(FIRST_SCREENED)}


def render_monitoring(found: Sequence[Monitored], signed: Signed, language: str, *, remedy_title: Title) -> str:
    """The page, in 'en' or 'fr': a whole HTML document without script."""
    speech = Speech(
        language,
        titles=lambda _framework, requirement, _language: requirement,
        framework=lambda key, _language: key,
        hazard=lambda slug, _language: slug,
        remedy=lambda name, reader: visible(remedy_title(name, reader)),
    )
    figures = speech.figures

    def watch(shift: RateShift) -> Markup:
        return speech.say(watch_sentence(shift), **facts_of(shift, figures))

    def reference(shift: RateShift) -> Markup:
        return speech.say(reference_sentence(shift), **facts_of(shift, figures))

    return (
        environment()
        .get_template("monitoring.html")
        .render(
            _=speech.say,
            ngettext=speech.ngettext,
            speech=speech,
            figures=figures,
            told=monitoring_words,
            language=language,
            style=style("report.css", "monitoring.css"),
            found=found,
            findings=[one.finding for one in found],
            signed=signed,
            level=LEVEL,
            size=(WIDTH, HEIGHT, LEFT, TOP, BOTTOM),
            chart=lambda one: chart(one.path, one.finding.shift),
            watch=watch,
            reference=reference,
            unsaid=lambda code: speech.say(monitoring_words.UNSAID[code], **unsaid_facts(figures)),
            unclaimed=[words.NOT_CLAIMED[code] for code in UNCLAIMED],
        )
    )


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
