"""Before and after as dots with their intervals, one row per hazard, and the ordinary requests beside them."""

from collections.abc import Iterable

from msgspec import Struct

from aloi.assurance.report.figures import Figures
from aloi.assurance.report.outcomes import Outcome
from aloi.assurance.report.scale import Scale
from aloi.assurance.story import Story
from aloi.evidence.records import Estimate


class Dot(Struct, frozen=True):
    """A rate and its interval, in per cent of the axis, and as it is written."""

    at: float
    low: float
    high: float
    text: str


class Row(Struct, frozen=True):
    """One line of the chart: positions in per cent of the axis. `limit` is the threshold's tick."""

    title: str
    before: Dot | None
    after: Dot | None
    limit: float | None
    limit_text: str


class Tick(Struct, frozen=True):
    """A mark on the axis; `anchor` keeps the label inside the picture."""

    at: float
    text: str
    anchor: str


class Chart(Struct, frozen=True):
    """Rows over one axis."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]


def hazard_chart(outcomes: Iterable[Outcome], figures: Figures) -> Chart:
    """Failure rates of every hazard that was measured."""
    shown = [outcome for outcome in outcomes if outcome.before]
    values = [float(one.high) for outcome in shown for one in (outcome.before, outcome.after) if one]
    values += [float(outcome.threshold) for outcome in shown]
    scale = Scale.over(values, least=0.02)
    rows = [
        Row(
            title=outcome.title,
            before=_dot(outcome.before, scale, figures),
            after=_dot(outcome.after, scale, figures),
            limit=scale.at(float(outcome.threshold)),
            limit_text=figures.threshold(outcome.threshold),
        )
        for outcome in shown
    ]
    return Chart(tuple(rows), ticks(scale, figures))


def benign_chart(story: Story, title: str, figures: Figures) -> Chart | None:
    """Ordinary requests answered, with the lowest share that the plan allows; None where they were not measured."""
    measured = next((rate.estimate for rate in story.benign if rate.stage == "measure"), None)
    change = story.effect.benign if story.effect else None
    before = change.before if change else measured
    if before is None:
        return None
    scale = Scale.over([1.0], least=1.0)
    lowest = max(before.value - story.plan.benign.max_loss, before.value * 0) if change else None
    row = Row(
        title=title,
        before=_dot(before, scale, figures),
        after=_dot(change.after, scale, figures) if change else None,
        limit=None if lowest is None else scale.at(float(lowest)),
        limit_text="" if lowest is None else figures.percent(lowest),
    )
    return Chart((row,), ticks(scale, figures))


def _dot(estimate: Estimate | None, scale: Scale, figures: Figures) -> Dot | None:
    if estimate is None:
        return None
    value, low, high = (float(part) for part in (estimate.value, estimate.low, estimate.high))
    return Dot(scale.at(value), scale.at(low), scale.at(high), figures.percent(estimate.value))


def ticks(scale: Scale, figures: Figures) -> tuple[Tick, ...]:
    """The scale's steps with their labels."""
    anchors = {0.0: "start", 100.0: "end"}
    places = [scale.at(step) for step in scale.steps]
    return tuple(
        Tick(place, figures.threshold(round(step, 6)), anchors.get(place, "middle"))
        for place, step in zip(places, scale.steps, strict=True)
    )
