"""Exact upper bound for the difference of two rates that were seen on the same requests.

Sources: the least bound that follows a given order of the tables (Buehler 1957; Kabaila and Lloyd 2002); regions of
tables closed as Barnard (1947) asked; a nuisance kept within an interval of its own (Berger and Boos 1994).
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, gammaln, ndtri, xlog1py, xlogy

from aloi.statistics.exact import clopper_pearson

PRECISION = 2e-5  # the most by which a bound may lie above the least one
SET_ASIDE = 1e-3  # share of the error that pays for shares of discordant requests far from the one seen
NEGLIGIBLE = 1e-6  # share of the error that pays for tables left out of sums
ORDER = float(ndtri(0.975))
CELLS, AT_ONCE = 16, 256

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Chance = Callable[[float, Floats, float], Floats]


def upper_difference(lost: int, gained: int, n: int, error: float) -> float:
    """Upper bound for the rate of gained minus the rate of lost requests, too low with probability at most `error`.

    Tables are ordered by their approximate likelihood-ratio limit, the same at every level, so that bounds nest. The
    bound is the least difference beyond which, at every share of discordant requests, tables that are no higher in
    this order than the one seen have a probability of at most `error`. The share is kept within its Clopper-Pearson
    interval, at an error of SET_ASIDE * `error`, which is taken off.

    With each table its region holds those with one more lost or one fewer gained instead of a request that did not
    change or that changed the other way. So its probability falls as lost requests become rarer and gained ones more
    frequent, and a cell of shares cannot exceed its corner: the search leaves no share out. Tables left out of a sum
    count as seen. Both err upwards, the search by PRECISION at most; floating point is trusted to 1e-6 of `error`.
    """
    if gained == n:
        return 1.0
    aside = SET_ASIDE * error
    least, most = clopper_pearson(lost + gained, n, 1 - aside)
    chance = partial(_chance, _region(lost, gained, n), n, NEGLIGIBLE * error)
    allowed, bound, width = error - aside, (gained - lost) / n, (most - least) / CELLS
    shares = np.linspace(most, least, CELLS, endpoint=False)
    while True:
        shares = shares[chance(bound + PRECISION, shares, width) > allowed]
        if not shares.size:
            return min(bound + PRECISION, 1.0)
        bound = _raised(chance, bound, shares, allowed)
        width /= 2
        shares = np.concatenate([shares, shares - width])


def _raised(chance: Chance, bound: float, shares: Floats, allowed: float) -> float:
    """`bound`, or what it must at least be for the `shares` themselves."""
    low, high = bound + PRECISION / 2, 1.0
    shares = shares[chance(low, shares, 0.0) > allowed]
    if not shares.size:
        return bound
    while high - low > PRECISION / 4:
        middle = (low + high) / 2
        above = shares[chance(middle, shares, 0.0) > allowed]
        low, high, shares = (middle, high, above) if above.size else (low, middle, shares)
    return high - PRECISION / 2


def _region(lost: int, gained: int, n: int) -> Ints:
    """For each number of lost requests the most gained ones that make a table no higher than this one; -1 for none."""
    low, high = (gained - lost) / n, 1.0
    while (middle := (low + high) / 2) not in (low, high):
        beyond = _root(np.array([lost]), np.array([gained]), n, middle)[0] >= ORDER
        low, high = (low, middle) if beyond else (middle, high)
    every = np.arange(n + 1)
    inside, outside = np.full(n + 1, -1), n - every + 1
    while (outside - inside > 1).any():
        middles = np.maximum((inside + outside) // 2, 0)
        beyond = (_root(every, middles, n, high) >= ORDER - 1e-9) & (middles < outside)
        inside, outside = np.where(beyond, middles, inside), np.where(beyond, outside, middles)
    inside[lost] = max(inside[lost], gained)
    return inside


def _root(lost: Ints, gained: Ints, n: int, difference: float) -> Floats:
    """Root of twice the log likelihood ratio against `difference`; -inf for tables whose own is not below it.

    It grows with the difference, with lost requests and as gained ones become fewer: the likelihood is concave.
    """
    changed, same = lost + gained, n - lost - gained
    linear = changed + difference * (gained - lost)
    constant = difference * (gained - lost) - same * difference**2
    share = (linear + np.sqrt(np.maximum(linear**2 - 4 * n * constant, 0))) / (2 * n)
    share = np.clip(share, abs(difference), 1)
    free = _log(lost, lost / n) + _log(gained, gained / n) + _log(same, same / n)
    bound = _log(lost, (share - difference) / 2) + _log(gained, (share + difference) / 2) + _log(same, 1 - share)
    root: Floats = np.where(gained - lost < n * difference, np.sqrt(2 * np.maximum(free - bound, 0)), -np.inf)
    return root


def _log(count: Ints, rate: Floats) -> Floats:
    return np.asarray(xlogy(count, rate), dtype=np.float64)


def _chance(region: Ints, n: int, negligible: float, difference: float, tops: Floats, width: float) -> Floats:
    """The most that the probability of `region` can be in the cells of shares [top - width, top], from `difference` on.

    That is at the corner where lost requests are the most frequent and gained ones the rarest.
    """
    parts = np.array_split(tops, 1 + tops.size // AT_ONCE)
    return np.concatenate([_corners(region, n, negligible, difference, part, width) for part in parts])


def _corners(region: Ints, n: int, negligible: float, difference: float, tops: Floats, width: float) -> Floats:
    rare = (tops - difference) / 2
    chance = np.zeros(tops.size)
    possible = rare >= 0
    if possible.any():
        often = np.clip((tops - width + difference) / 2, 0, 1 - rare)
        chance[possible] = _sums(region, n, negligible, rare[possible], often[possible])
    return chance


def _sums(region: Ints, n: int, negligible: float, losing: Floats, gaining: Floats) -> Floats:
    """Probability of `region` for each pair of rates, or above it by at most `negligible`.

    Numbers of lost requests outside Bernstein's inequality (1924) at half of that count as inside the region.
    """
    far = np.log(4 / negligible)
    reach = far / 3 + np.sqrt(far * far / 9 + 2 * far * n * losing * (1 - losing))
    first = np.maximum(np.floor(n * losing - reach), 0).astype(np.int64)
    last = np.minimum(np.ceil(n * losing + reach), n).astype(np.int64)
    lost = first[:, None] + np.arange((last - first).max() + 1)
    seen = lost <= last[:, None]
    lost = np.minimum(lost, n)
    rate = losing[:, None]
    log_weight = (
        gammaln(n + 1) - gammaln(lost + 1) - gammaln(n - lost + 1) + xlogy(lost, rate) + xlog1py(n - lost, -rate)
    )
    weight = np.where(seen, np.exp(log_weight), 0.0)
    most, rest = region[lost], n - lost
    inside = np.where(most < 0, 0.0, 1.0)
    summed = (most >= 0) & (most < rest) & (weight > negligible / (2 * n + 2))
    others = np.broadcast_to(np.clip(gaining[:, None] / np.maximum(1 - rate, 1e-300), 0, 1), lost.shape)
    inside[summed] = bdtr(most[summed].astype(float), rest[summed], others[summed])
    sums: Floats = (weight * inside).sum(axis=1) + negligible / 2
    return sums
