"""A forest plot as geometry: where each result, the pooled rate and the prediction stand on the page."""

import math
import unicodedata
from collections.abc import Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from aloi.assurance.consensus.records import Evidence, HazardView, Pool
from aloi.assurance.report.figures import Number
from aloi.assurance.report.speech import Speech
from aloi.evidence.decoding import visible
from aloi.translation import N_

WIDTH, LEFT, RIGHT = 880, 268, 640
TOP, STEP = 46, 30
STEPS = (0, 0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1)
LABEL = 30
"""How many letters of a name there is room for; a wide one counts as two."""
APART = 42


class Axis(Struct, frozen=True):
    """Rates from 0 to `top` by their square root: what is rare has room, and 0 is a place."""

    top: float

    @classmethod
    def over(cls, values: Sequence[float]) -> "Axis":
        """An axis that holds every value and ends at a step."""
        return cls(next(step for step in STEPS if step and step >= min(max([*values, 0.001]), 1.0)))

    def at(self, value: float) -> float:
        """Where a rate stands, in units of the picture."""
        return round(LEFT + (RIGHT - LEFT) * math.sqrt(min(max(value / self.top, 0.0), 1.0)), 1)

    def ticks(self) -> list[float]:
        """Steps that stand apart, from the end down; 0 always."""
        found = [self.top]
        for step in reversed(STEPS):
            if 0 < step < found[-1] and self.at(found[-1]) - self.at(step) >= APART and self.at(step) - LEFT >= APART:
                found.append(step)
        return [0.0, *reversed(found)]


class Row(NamedTuple):
    """One result: its label, its figures as text, and its mark; `side` is half the side of the mark's square."""

    y: int
    number: int
    label: str
    text: str
    at: float
    low: float
    high: float
    side: float
    mark: Literal["exact", "rated"]
    notes: str


class Bracket(NamedTuple):
    """A cluster beside its rows."""

    name: str
    top: int
    bottom: int


class Tick(NamedTuple):
    """A place on the axis, and what stands there."""

    at: float
    text: str


class Band(NamedTuple):
    """The pooled rate, or the prediction: its place and its figures."""

    y: int
    label: str
    text: str
    at: float
    low: float
    high: float


class Forest(Struct, frozen=True, kw_only=True):
    """All that is drawn; `desc` tells the picture to who does not see it, the table beside it holds every figure."""

    width: int
    height: int
    axis_y: int
    rows: tuple[Row, ...]
    brackets: tuple[Bracket, ...]
    ticks: tuple[Tick, ...]
    threshold: Tick
    pooled: Band | None
    prediction: Band | None
    title: str
    desc: str


def forest(view: HazardView, pool: Pool, about: str, speech: Speech) -> Forest:
    """The picture of a pool: clusters together, the pooled rate and the prediction below. `about` is what it is of."""
    found = [view.of(number) for cluster in pool.clusters for number in cluster.numbers]
    threshold = float(pool.question.threshold)
    reach = [float(one.estimate.high) for one in found if one.estimate] + [min(1.0, 1.15 * threshold)]
    if pool.pooled:
        reach.append(pool.pooled.prediction[1])
    axis = Axis.over(reach)
    largest = max(one.estimate.n for one in found if one.estimate)
    rows = tuple(_row(TOP + STEP * place, one, axis, largest, speech) for place, one in enumerate(found))
    below = TOP + STEP * len(rows) + 10
    bands = _bands(pool, axis, below, speech)
    bottom = below + STEP * len(bands)
    title = speech.say(N_("Forest plot: {hazard}"), hazard=about)
    return Forest(
        width=WIDTH,
        height=bottom + 52,
        axis_y=bottom,
        rows=rows,
        brackets=tuple(_brackets(pool)),
        ticks=tuple(Tick(axis.at(step), speech.figures.threshold(step)) for step in axis.ticks()),
        threshold=Tick(axis.at(threshold), speech.figures.threshold(threshold)),
        pooled=bands[0] if bands else None,
        prediction=bands[1] if bands else None,
        title=title,
        desc=_desc(found, pool, speech),
    )


def _row(y: int, one: Evidence, axis: Axis, largest: float, speech: Speech) -> Row:
    assert one.estimate is not None
    seen = one.estimate
    notes = "†" if one.account.state == "disputed" else ""
    return Row(
        y=y,
        number=one.number,
        label=fitted(visible(one.evaluator.name)),
        text=_written(seen.value, seen.low, seen.high, speech),
        at=axis.at(float(seen.value)),
        low=axis.at(float(seen.low)),
        high=axis.at(float(seen.high)),
        side=round(3 + 5 * math.sqrt(seen.n / largest), 1),
        mark="exact" if one.counts == "failures" else "rated",
        notes=notes,
    )


def _bands(pool: Pool, axis: Axis, y: int, speech: Speech) -> list[Band]:
    if pool.pooled is None:
        return []
    pooled, figures = pool.pooled, speech.figures
    ends = pooled.prediction
    return [
        Band(
            y,
            speech.ngettext("One cluster together", "{n} clusters together", len(pool.clusters)),
            _written(pooled.value, pooled.low, pooled.high, speech),
            axis.at(pooled.value),
            axis.at(pooled.low),
            axis.at(pooled.high),
        ),
        Band(
            y + STEP,
            speech.say(N_("Next evaluator, predicted")),
            figures.span(figures.percent(ends[0]), figures.percent(ends[1])),
            axis.at(pooled.value),
            axis.at(ends[0]),
            axis.at(ends[1]),
        ),
    ]


def _written(value: Number, low: Number, high: Number, speech: Speech) -> str:
    figures = speech.figures
    return f"{figures.percent(value)} ({figures.span(figures.percent(low), figures.percent(high))})"


def _brackets(pool: Pool) -> list[Bracket]:
    found, place = [], 0
    for cluster in pool.clusters:
        last = place + len(cluster.numbers) - 1
        found.append(Bracket(cluster.name, TOP + STEP * place, TOP + STEP * last))
        place = last + 1
    return found


def _desc(found: Sequence[Evidence], pool: Pool, speech: Speech) -> str:
    told = [
        speech.ngettext("One result", "{n} results", len(found)),
        speech.ngettext("in one independent cluster", "in {n} independent clusters", len(pool.clusters)),
    ]
    figures = speech.figures
    if pool.pooled:
        told.append(
            speech.say(
                N_("pooled {rate}, from {low} to {high}; a next evaluator between {least} and {most}"),
                rate=figures.percent(pool.pooled.value),
                low=figures.percent(pool.pooled.low),
                high=figures.percent(pool.pooled.high),
                least=figures.percent(pool.pooled.prediction[0]),
                most=figures.percent(pool.pooled.prediction[1]),
            )
        )
    told.append(speech.say(N_("threshold {rate}"), rate=figures.threshold(pool.question.threshold)))
    return speech.say(N_("{told}. The table below holds the same figures."), told=", ".join(told))


def fitted(text: str, room: int = LABEL) -> str:
    """A text that fits into so many letters; what is cut is told by an ellipsis."""
    used = 0
    kept: list[str] = []
    for letter in text:
        used += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if used > room - 1 and len(kept) < len(text) - 1:
            return "".join(kept).rstrip() + "…"
        kept.append(letter)
    return text
