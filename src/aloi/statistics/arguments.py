"""Refuse numbers that a formula cannot take, in words that say what was expected."""

import math

from aloi.errors import AskerError
from aloi.translation import N_


def within(name: str, value: float, low: float, high: float, *, open_ends: bool = False) -> float:
    """`value` as a float. Raises AskerError unless it lies in [low, high], or in ]low, high[ with `open_ends`."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    inside = low < number < high if open_ends else low <= number <= high
    if not (math.isfinite(number) and inside):
        raise AskerError(
            N_("{name} is {value}; expected a number between {low} and {high}"),
            remedy=N_("correct {name}"),
            name=name,
            value=value,
            low=low,
            high=high,
        )
    return number


def level_of(value: float) -> float:
    """A confidence level such as 0.95. Raises AskerError outside ]0, 1[."""
    return within("level", value, 0.0, 1.0, open_ends=True)


def counts_of(k: int, n: int, *, least: int = 0) -> tuple[int, int]:
    """`k` events among `n` trials. Raises AskerError unless 0 <= k <= n and n >= `least`."""
    if int(k) != k or int(n) != n or not 0 <= k <= n or n < least:
        raise AskerError(
            N_(
                "{k} events among {n} trials cannot be; expected whole numbers, at least {least} trials, no more events"
            ),
            remedy=N_("count the events and the trials again"),
            k=k,
            n=n,
            least=least,
        )
    return int(k), int(n)
