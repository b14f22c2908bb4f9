"""The sets of remedies that were tried: what each bought against what it cost ordinary users."""

from string import ascii_uppercase

from msgspec import Struct

from aloi.assurance.report.changes import Tick, ticks
from aloi.assurance.report.figures import Figures
from aloi.assurance.report.scale import Scale
from aloi.assurance.story import Story, TriedSet


class Try(Struct, frozen=True):
    """One set with its letter in the picture; `risk` and `loss` are proportions on the selection items."""

    letter: str
    set: TriedSet
    risk: float
    loss: float


class Point(Struct, frozen=True):
    """Where one or more sets stand: per cent from the left and from the top. `letters` is empty for the rest."""

    x: float
    y: float
    letters: str
    chosen: bool
    on_front: bool
    left: bool


class Front(Struct, frozen=True):
    """The picture of all sets."""

    points: tuple[Point, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]


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


def tries(story: Story) -> Tries:
    """Every set with its letter."""
    rated = [(_risk(one), one.benign_lost / one.benign if one.benign else 0.0, one) for one in story.tried]
    rated.sort(key=lambda entry: (not entry[2].chosen, not entry[2].on_front, entry[0], entry[1], entry[2].remedies))
    return Tries(tuple(Try(_letter(place), one, risk, loss) for place, (risk, loss, one) in enumerate(rated)))


def front(rated: Tries, figures: Figures) -> Front | None:
    """Risk upwards against loss to the right; None where fewer than two sets were tried."""
    if len(rated.all) < 2:
        return None
    across = Scale.over([one.loss for one in rated.all], least=0.05)
    up = Scale.over([one.risk for one in rated.all], least=0.05)
    places: dict[tuple[float, float], list[Try]] = {}
    for one in rated.all:
        places.setdefault((across.at(one.loss), round(100 - up.at(one.risk), 2)), []).append(one)
    points = [_point(place, ones) for place, ones in places.items()]
    # The chosen set is drawn last, so that nothing covers it.
    points.sort(key=lambda point: (point.chosen, point.on_front))
    return Front(tuple(points), ticks(across, figures), ticks(up, figures))


def _point(place: tuple[float, float], ones: list[Try]) -> Point:
    named = [one.letter for one in ones if one.set.on_front or one.set.chosen]
    return Point(
        x=place[0],
        y=place[1],
        letters=", ".join(named[:4]) + ("…" if len(named) > 4 else ""),
        chosen=any(one.set.chosen for one in ones),
        on_front=any(one.set.on_front for one in ones),
        left=place[0] > 85,
    )


def _risk(one: TriedSet) -> float:
    """Failures over all hazards by trials over all hazards."""
    trials = sum(count for _, count in one.failures.values())
    return sum(failures for failures, _ in one.failures.values()) / trials if trials else 0.0


def _letter(place: int) -> str:
    """A to Z, then AA, AB and so on."""
    head, tail = divmod(place, 26)
    return (_letter(head - 1) if head else "") + ascii_uppercase[tail]
