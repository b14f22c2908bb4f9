"""Remember a whole path of counts in a few points, so that a bound can intersect over all of it.

The log capital of a mixture is convex in (helping, hurting) outcomes, grows with the first and falls with the second.
Its largest value over a path is therefore taken at a vertex of the path's upper convex chain, whatever the hypothesis
and the level: keeping the chain (about 2 log n points) loses nothing.
"""

from dataclasses import dataclass, field

LIMIT = 24


@dataclass
class Looks:
    """Vertices (hurting, helping) of a growing path, up to the last hurting outcome."""

    points: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])

    def turn_back(self, hurting: int, helping: int) -> None:
        """The path stands at `hurting` and `helping` outcomes, and a hurting one comes next: keep where it stands."""
        points = self.points
        if points[-1][1] == helping:
            return
        if points[-1][0] == hurting:
            points.pop()
        while len(points) > 1 and _turn(points[-2], points[-1], (hurting, helping)) >= 0:
            points.pop()
        points.append((hurting, helping))
        if len(points) > LIMIT:
            # Forgetting a look only widens the intersection: the bound stays valid.
            flattest = max(range(1, LIMIT), key=lambda i: _turn(*points[i - 1 : i + 2]))
            del points[flattest]


def _turn(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    """Twice the signed area of the triangle abc: negative where the chain bends down at b."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
