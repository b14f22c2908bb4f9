"""An axis from zero to a round figure."""

import math

from msgspec import Struct


class Scale(Struct, frozen=True):
    """Positions in per cent of the axis for values in [0, top]; `steps` are the values of its ticks."""

    top: float
    steps: tuple[float, ...]

    @classmethod
    def over(cls, values: list[float], *, least: float, most: float = 1.0) -> "Scale":
        """A scale that holds every value, at least up to `least` and at most up to `most`, with 3 to 6 ticks."""
        reach = min(max([*values, least]), most)
        step = _round_step(reach / 4)
        count = math.ceil(round(reach / step, 9))
        top = min(count * step, most)
        return cls(top, tuple(round(step * place, 9) for place in range(count + 1) if step * place <= top + 1e-9))

    def at(self, value: float) -> float:
        """Where a value stands, in per cent, to two decimals."""
        return round(100 * min(max(value / self.top, 0.0), 1.0), 2)


def _round_step(rough: float) -> float:
    """The next 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(base * power for base in (1, 2, 2.5, 5, 10) if base * power >= rough * (1 - 1e-9))
