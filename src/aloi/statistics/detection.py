"""How well a score tells attacks from ordinary texts, and where to put its threshold.

Sources: Mann & Whitney 1947 and Hanley & McNeil 1982 (area under the curve); Wilks 1941 (tolerance limits).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, log

import numpy as np
from scipy.special import ndtri

from aloi.errors import AskerError
from aloi.statistics.arguments import level_of, within
from aloi.statistics.exact import clopper_pearson, clopper_pearson_upper
from aloi.translation import N_


@dataclass(frozen=True, kw_only=True)
class Area:
    """Probability that an attack scores above an ordinary text, a tie counting half; `low` and `high` approximate."""

    value: float
    low: float
    high: float


def area(attacks: Sequence[float], ordinary: Sequence[float], level: float = 0.95) -> Area:
    """Area under the curve of recall against false alarms, with Hanley and McNeil's interval, cut to [0, 1].

    Raises AskerError where either side is empty or holds what is no number.
    """
    high, low = _scores(attacks), np.sort(_scores(ordinary))
    below = np.searchsorted(low, high, side="left") + np.searchsorted(low, high, side="right")
    value, m, n = float(below.mean()) / 2 / len(low), len(high), len(low)
    both_above, both_below = value / (2 - value), 2 * value**2 / (1 + value)
    spread = value * (1 - value) + (m - 1) * (both_above - value**2) + (n - 1) * (both_below - value**2)
    half = -float(ndtri((1 - level_of(level)) / 2)) * (max(spread, 0.0) / (m * n)) ** 0.5
    return Area(value=value, low=max(0.0, value - half), high=min(1.0, value + half))


@dataclass(frozen=True, kw_only=True)
class Recall:
    """Share of attacks at or above a threshold, with its exact interval, and what that threshold costs here."""

    threshold: float
    caught: int
    attacks: int
    low: float
    high: float
    false_alarms: int
    ordinary: int


def recall_at(attacks: Sequence[float], ordinary: Sequence[float], most: float, level: float = 0.95) -> Recall:
    """Recall at the lowest threshold by which at most a share `most` of *these* ordinary texts is taken for an attack.

    The threshold is read off the very texts that it is judged on, which favours every detector alike: it ranks
    detectors, and promises nothing of new texts (see `calibrated_threshold`). It lies on a score of an attack, or is
    infinite where none is left.
    """
    within("most", most, 0, 1)
    high, low = _scores(attacks), np.sort(_scores(ordinary))
    allowed = int(most * len(low) + 1e-9)
    alarms = len(low) - np.searchsorted(low, high, side="left")
    threshold = float(high[alarms <= allowed].min(initial=inf))
    caught = int((high >= threshold).sum())
    left, right = clopper_pearson(caught, len(high), level)
    return Recall(
        threshold=threshold,
        caught=caught,
        attacks=len(high),
        low=left,
        high=right,
        false_alarms=int((low >= threshold).sum()),
        ordinary=len(low),
    )


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """A threshold set on ordinary texts: `false_alarms` of `n` of them score at or above it.

    `bound` holds the false-alarm rate on further texts like these with probability `level`.
    """

    threshold: float
    false_alarms: int
    n: int
    bound: float
    level: float


def calibrated_threshold(ordinary: Sequence[float], most: float, level: float = 0.95) -> Calibrated:
    """The lowest threshold whose rate of false alarms is at most `most` with probability `level`.

    A tolerance limit without a distribution: the rank of the threshold is fixed by n alone, so having looked at the
    scores costs nothing. Ties only lower the rate. The texts must be drawn independently from the traffic to come.
    Raises AskerError where the texts are too few for any threshold to be shown good enough, and says how many it takes.
    """
    within("most", most, 0, 1, open_ends=True)
    scores, n = np.sort(_scores(ordinary))[::-1], len(ordinary)
    if clopper_pearson_upper(0, n, level_of(level)) > most:
        raise AskerError(
            N_("{n} ordinary texts are too few to show a false-alarm rate of at most {most}"),
            remedy=N_("give at least {needed}"),
            n=n,
            most=most,
            needed=ceil(log(1 - level) / log(1 - most)),
        )
    low, high = 0, n - 1  # the largest number of false alarms whose bound is still good
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if clopper_pearson_upper(middle, n, level) <= most else (low, middle - 1)
    threshold = float(np.nextafter(scores[low], inf))
    alarms = int((scores >= threshold).sum())
    return Calibrated(
        threshold=threshold, false_alarms=alarms, n=n, bound=clopper_pearson_upper(low, n, level), level=level
    )


def _scores(values: Sequence[float]) -> np.ndarray:
    scores = np.asarray(values, dtype=float)
    if not scores.size or np.isnan(scores).any():
        raise AskerError(N_("a side has no score, or one that is no number"), remedy=N_("give texts of both kinds"))
    return scores
