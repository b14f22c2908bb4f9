"""How much one party may ask: so many in a stretch of time, given back evenly (a token bucket each)."""

from collections import OrderedDict

_REMEMBERED = 10_000


class Rate:
    """At most `count` at once and in each stretch of `seconds`, for each party by its name."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count = count
        self._seconds = seconds
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, party: str, many: int, now: float) -> float:
        """Take `many` at the second `now`, and 0; or take none, and how many seconds until there are so many.

        More than `count` are never let through; the wait is then infinite. Of the parties that asked least lately one
        is forgotten for each above ten thousand: what it had used is given back to it.
        """
        if many > self._count:
            return float("inf")
        left, then = self._left.pop(party, (float(self._count), now))
        left = min(self._count, left + max(0.0, now - then) * self._count / self._seconds)
        lacking = max(0.0, many - left)
        self._left[party] = (left if lacking else left - many, now)
        while len(self._left) > _REMEMBERED:
            self._left.popitem(last=False)
        return lacking * self._seconds / self._count
