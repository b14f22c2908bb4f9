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


class Multiples(Struct, frozen=True):
    """Positions for multiples of a limit in [0, top], by their square root: what lies below the limit has room."""

    top: float
    steps: tuple[float, ...]

    @classmethod
    def over(cls, values: list[float]) -> "Multiples":
        """A scale that holds every value; its steps are 0, 1, the top and powers of two that stand apart."""
        top = 2.0
        while top < max([*values, 0.0]):
            top *= 2
        steps = [0.0, 1.0, top]
        powers = [0.5, *(2.0**power for power in range(1, 40) if 2.0**power < top)]
        for step in sorted(powers, reverse=True):
            if all(abs(math.sqrt(step / top) - math.sqrt(other / top)) > 0.07 for other in steps):
                steps.append(step)
        return cls(top, tuple(sorted(steps)))

    def at(self, value: float) -> float:
        """Where a value stands, in per cent, to two decimals."""
        return round(100 * math.sqrt(min(max(value / self.top, 0.0), 1.0)), 2)


def _round_step(rough: float) -> float:
    """The next 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(base * power for base in (1, 2, 2.5, 5, 10) if base * power >= rough * (1 - 1e-9))
