"""The sets of remedies that were tried: what each bought against what it cost ordinary users."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from string import ascii_uppercase

from msgspec import Struct

from aloi.assurance.report.changes import Tick, ticks
from aloi.assurance.report.labels import Label, place
from aloi.assurance.report.scale import Multiples, Scale
from aloi.assurance.report.speech import Speech
from aloi.assurance.story import Story, TriedSet
from aloi.solutions.selection import INDIFFERENCE_LOWER

# Why a set was not chosen, in the order of the report: the first of its reasons is what it is filed under.
GROUPS = ("risk", "not-tested", "benign-loss", "benign-loss-unknown", "latency", "tokens", "tokens-unknown")
LAST = ("not-smallest",)
MOST_SHOWN = 30


class Try(Struct, frozen=True):
    """One set with its letter in the picture.

    `risk` is the rate of its worst hazard as a multiple of the threshold, None where nothing was tried; `loss` is a
    proportion of ordinary requests.
    """

    letter: str
    set: TriedSet
    risk: float | None
    loss: float


class Point(Struct, frozen=True):
    """Where one or more sets stand: per cent from the left and from the top. Only the front and the choice have labels.

    `more` is what the label says beyond letters: it is left out where there is little room.
    """

    x: float
    y: float
    letters: str
    more: str
    chosen: bool
    on_front: bool
    label: Label | None


class Front(Struct, frozen=True):
    """The picture of all sets. `aim`, `limit` and `allowed` are the policy's lines, in per cent."""

    points: tuple[Point, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    aim: float
    limit: float
    allowed: float


class Group(Struct, frozen=True):
    """Sets that another betters, filed under the code of their first reason."""

    code: str
    sets: tuple[Try, ...]

    @property
    def shown(self) -> tuple[Try, ...]:
        """Those that the report lists: the first by risk, then by loss."""
        return self.sets[:MOST_SHOWN]

    @property
    def more(self) -> int:
        """How many it leaves out."""
        return len(self.sets) - len(self.shown)


class Tries(Struct, frozen=True):
    """All sets: the chosen one first, then the front, then the rest, each by rising risk and loss."""

    all: tuple[Try, ...]

    @property
    def best(self) -> list[Try]:
        """The chosen set and the front."""
        return [one for one in self.all if one.set.chosen or one.set.on_front]

    @property
    def rest(self) -> list[Try]:
        """The sets that another betters."""
        return [one for one in self.all if not (one.set.chosen or one.set.on_front)]

    @property
    def groups(self) -> list[Group]:
        """The rest by why they were not chosen."""
        filed = sorted(self.rest, key=lambda one: _order(_code(one)))
        return [Group(code, tuple(ones)) for code, ones in groupby(filed, key=_code)]

    @property
    def counts_tokens(self) -> bool:
        """Whether the tokens of some set are known."""
        return any(one.set.added_tokens is not None for one in self.all)


def _code(one: Try) -> str:
    return one.set.reasons[0].code if one.set.reasons else LAST[0]


def _order(code: str) -> tuple[int, str]:
    known = {name: place for place, name in enumerate((*GROUPS, *LAST))}
    return known.get(code, len(known)), code


def tries(story: Story) -> Tries:
    """Every set with its letter."""
    thresholds = {hazard.hazard: float(hazard.threshold) for hazard in story.plan.hazards}
    rated = [(_risk(one, thresholds), one.benign_lost / one.benign if one.benign else 0.0, one) for one in story.tried]
    rated.sort(key=lambda entry: (not entry[2].chosen, not entry[2].on_front, *_place(entry[0], entry[1], entry[2])))
    return Tries(tuple(Try(_letter(place), one, risk, loss) for place, (risk, loss, one) in enumerate(rated)))


def _place(risk: float | None, loss: float, one: TriedSet) -> tuple[float, float, tuple[str, ...]]:
    return float("inf") if risk is None else risk, loss, one.remedies


def front(rated: Tries, story: Story, speech: Speech) -> Front | None:
    """The worst hazard upwards against loss to the right; None where fewer than two sets were tried."""
    if len(rated.all) < 2:
        return None
    allowed = float(story.plan.benign.max_loss)
    across = Scale.over([*(one.loss for one in rated.all), 1.2 * allowed], least=0.05)
    up = Multiples.over([one.risk for one in rated.all if one.risk is not None])
    places: dict[tuple[float, float], list[Try]] = {}
    for one in rated.all:
        height = 100.0 if one.risk is None else up.at(one.risk)
        places.setdefault((across.at(one.loss), round(100 - height, 2)), []).append(one)
    # The chosen set is drawn last, so that nothing covers it.
    order = sorted(places.items(), key=lambda item: (_is_chosen(item[1]), _is_on_front(item[1])))
    return Front(
        points=tuple(_points(order, speech)),
        across=ticks(across, speech.figures),
        up=tuple(Tick(up.at(step), speech.figures.times(step), "end") for step in up.steps),
        aim=round(100 - up.at(INDIFFERENCE_LOWER), 2),
        limit=round(100 - up.at(1), 2),
        allowed=across.at(allowed),
    )


def _points(places: Sequence[tuple[tuple[float, float], list[Try]]], speech: Speech) -> list[Point]:
    """The points with their labels, of which the chosen one has its place first."""
    texts = [_texts(ones, speech) for _, ones in places]
    wanted = [(at, text) for (at, _), text in zip(places, texts, strict=True)]
    labels = place([at for at, _ in places], wanted[::-1])[::-1]
    return [
        Point(*at, letters=letters, more=more, chosen=_is_chosen(ones), on_front=_is_on_front(ones), label=label)
        for (at, ones), (letters, more), label in zip(places, texts, labels, strict=True)
    ]


def _texts(ones: Sequence[Try], speech: Speech) -> tuple[str, str]:
    """Letters of those that count, and what the best of them costs beyond lost requests."""
    named = [one for one in ones if one.set.on_front or one.set.chosen]
    if not named:
        return "", ""
    letters = ", ".join(one.letter for one in named[:4]) + ("…" if len(named) > 4 else "")
    costs = [speech.figures.milliseconds(named[0].set.added_latency_ms)]
    if named[0].set.added_tokens:
        costs.append(speech.tokens(named[0].set.added_tokens))
    return letters, " · ".join(costs) if len(named) == 1 else ""


def _is_chosen(ones: Sequence[Try]) -> bool:
    return any(one.set.chosen for one in ones)


def _is_on_front(ones: Sequence[Try]) -> bool:
    return any(one.set.on_front for one in ones)


def _risk(one: TriedSet, thresholds: Mapping[str, float]) -> float | None:
    """The worst hazard's rate as a multiple of its threshold; None where one was not tried or has no threshold."""
    known = [(failures / n, thresholds[h]) for h, (failures, n) in one.failures.items() if n and h in thresholds]
    return max(rate / threshold for rate, threshold in known) if len(known) == len(one.failures) and known else None


def _letter(place: int) -> str:
    """A to Z, then AA, AB and so on."""
    head, tail = divmod(place, 26)
    return (_letter(head - 1) if head else "") + ascii_uppercase[tail]
