"""How often guards are right on labelled texts: by source and language, and side by side."""

from collections.abc import Iterable, Sequence
from statistics import fmean, median

from msgspec import Struct

from aloi.solutions.passage import DEADLINE, ERROR
from aloi.solutions.screening.running import Screened
from aloi.statistics.detection import Area, area, recall_at
from aloi.statistics.exact import clopper_pearson

LEVEL, FALSE_ALARMS = 0.95, 0.01


class Share(Struct, frozen=True, kw_only=True):
    """So many of n, with the exact 95 % interval of the rate (Clopper & Pearson 1934)."""

    k: int
    n: int
    low: float
    high: float


def share(k: int, n: int) -> Share:
    """The share k of n; its interval is [0, 1] where n is 0."""
    low, high = clopper_pearson(k, n, LEVEL)
    return Share(k=k, n=n, low=low, high=high)


class Part(Struct, frozen=True, kw_only=True):
    """One guard on the texts of one source in one language."""

    guard: str
    source: str
    language: str
    recall: Share
    false_alarms: Share


def parts(rulings: Iterable[Screened]) -> list[Part]:
    """The labelled texts by guard, source and language, guard after guard. Others do not count."""
    groups: dict[tuple[str, str, str], list[Screened]] = {}
    for one in rulings:
        if one.text.attack is not None:
            groups.setdefault((one.guard, one.text.source, one.text.language), []).append(one)
    return [
        Part(
            guard=guard,
            source=source,
            language=language,
            recall=_stopped(group, True),
            false_alarms=_stopped(group, False),
        )
        for (guard, source, language), group in sorted(groups.items())
    ]


def _stopped(group: Sequence[Screened], attack: bool) -> Share:
    counted = [one.stopped for one in group if one.text.attack is attack]
    return share(sum(counted), len(counted))


class Compared(Struct, frozen=True, kw_only=True):
    """One guard on a whole corpus.

    `mean_recall` and `mean_false_alarms` weigh every source and language alike. `area` and `recall_at_1` (recall where
    1 % of these ordinary texts are stopped) need scores; they are None where attacks or ordinary texts are missing, or
    where the guard knows no more than two scores. `milliseconds` is the median of processor time a text, `slowest` the
    longest. `faults` counts texts that the guard failed on.
    """

    guard: str
    texts: int
    recall: Share
    false_alarms: Share
    mean_recall: float | None
    mean_false_alarms: float | None
    area: Area | None
    recall_at_1: Share | None
    milliseconds: float
    slowest: float
    faults: int


def compare(rulings: Sequence[Screened]) -> list[Compared]:
    """Guards side by side on the same texts."""
    by_guard: dict[str, list[Screened]] = {}
    for one in rulings:
        by_guard.setdefault(one.guard, []).append(one)
    return [_compared(guard, group) for guard, group in by_guard.items()]


def _compared(guard: str, group: Sequence[Screened]) -> Compared:
    found = parts(group)
    attacks = [one.score for one in group if one.text.attack is True]
    ordinary = [one.score for one in group if one.text.attack is False]
    scored = bool(attacks and ordinary) and len({one.score for one in group}) > 2
    best = recall_at(attacks, ordinary, FALSE_ALARMS) if scored else None
    spent = [1000 * one.seconds for one in group]
    return Compared(
        guard=guard,
        texts=len(group),
        recall=_stopped(group, True),
        false_alarms=_stopped(group, False),
        mean_recall=_mean([part.recall for part in found]),
        mean_false_alarms=_mean([part.false_alarms for part in found]),
        area=area(attacks, ordinary) if scored else None,
        recall_at_1=share(best.caught, best.attacks) if best else None,
        milliseconds=median(spent),
        slowest=max(spent),
        faults=sum(one.reason in {ERROR, DEADLINE} for one in group),
    )


def _mean(shares: Iterable[Share]) -> float | None:
    rates = [one.k / one.n for one in shares if one.n]
    return fmean(rates) if rates else None
