"""Labels beside the points of a picture, so that none covers another or a point."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

# The picture as it is on a wide screen, in pixels: on a narrow one labels are shorter.
PLOT = (640.0, 300.0)
LETTER, LINE, DOT, GAP = 7.4, 15.0, 7.0, 15.0
Place = tuple[float, float]
Box = tuple[float, float, float, float]


class Label(Struct, frozen=True):
    """Where the text of a point begins, in pixels from the point; `anchor` is SVG's. `whole`: all of it has room."""

    dx: float
    dy: float
    anchor: str
    whole: bool


def place(dots: Sequence[Place], wanted: Sequence[tuple[Place, tuple[str, str]]]) -> list[Label | None]:
    """A label for each point that wants one: (letters, more), in per cent. Earlier ones have the first choice.

    The whole text where it has room beside the point, else its letters; where these have none either they are left
    out, for the table holds them.
    """
    taken = [_around(_pixels(dot)) for dot in dots]
    labels: list[Label | None] = []
    for at, (letters, more) in wanted:
        label = None
        for text, whole in ((f"{letters} {more}", True), (letters, not more)):
            if letters and label is None:
                label, box = _free(_pixels(at), text, taken, whole=whole)
                taken += [box] if label else []
        labels.append(label)
    return labels


def _pixels(at: Place) -> Place:
    return at[0] * PLOT[0] / 100, at[1] * PLOT[1] / 100


def _around(dot: Place) -> Box:
    return dot[0] - DOT, dot[1] - DOT, dot[0] + DOT, dot[1] + DOT


def _free(at: Place, text: str, taken: Sequence[Box], *, whole: bool) -> tuple[Label | None, Box]:
    """The first place around a point where a text meets nothing."""
    width = LETTER * len(text)
    for dx, dy, anchor in _around_the_clock():
        left = at[0] + dx - {"start": 0, "middle": width / 2, "end": width}[anchor]
        bottom = at[1] + dy + 4
        box = (left, bottom - LINE, left + width, bottom)
        inside = left >= 0 and box[2] <= PLOT[0] and box[1] >= 0 and bottom <= PLOT[1]
        if inside and not any(_meet(box, other) for other in taken if other != _around(at)):
            return Label(dx, dy, anchor, whole), box
    return None, (0, 0, 0, 0)


def _around_the_clock() -> Iterator[tuple[float, float, str]]:
    yield from ((GAP, 4, "start"), (-GAP, 4, "end"), (0, -GAP, "middle"), (0, GAP + 10, "middle"))
    yield from ((GAP - 3, -9, "start"), (3 - GAP, -9, "end"), (GAP - 3, 17, "start"), (3 - GAP, 17, "end"))


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
