"""The exact bound for a paired difference: held to every outcome, and to sums written another way."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.special import xlogy
from scipy.stats import binom

from aloi.statistics.difference import PRECISION, SET_ASIDE, upper_difference
from aloi.statistics.exact import clopper_pearson
from aloi.statistics.paired import paired_difference

ERROR = 0.025
bound = cache(upper_difference)


def tables(n, most=None):
    return [
        (lost, changed - lost) for changed in range((n if most is None else most) + 1) for lost in range(changed + 1)
    ]


def chances(every, n, losing, gaining):
    lost, gained = np.array(every).T
    other = gaining / (1 - losing) if losing < 1 else 0.0
    return binom.pmf(lost, n, losing) * binom.pmf(gained, n - lost, min(other, 1.0))


@pytest.mark.parametrize(
    ("n", "seen", "shares"),
    [
        (5, None, np.linspace(0, 1, 101)),
        (12, None, np.linspace(0, 1, 61)),
        (30, None, np.linspace(0, 1, 41)),
        (94, 16, np.linspace(0, 0.06, 16)),
    ],
)
def test_each_tail_keeps_its_error_over_every_outcome(n, seen, shares):
    """The bound is too low with probability at most 2.5 %; tables that are not looked at count as too low."""
    every = tables(n, seen)
    bounds = np.array([bound(lost, gained, n, ERROR) for lost, gained in every])
    worst = 0.0
    for share in shares:
        for difference in np.linspace(-share, share, 41):
            chance = chances(every, n, (share - difference) / 2, (share + difference) / 2)
            worst = max(worst, chance[bounds < difference].sum() + max(0.0, 1 - chance.sum()))
    assert worst <= ERROR
    # Not by being wide: the error is all but used up somewhere.
    assert worst > 0.9 * ERROR


def limit(lost, gained, n):
    """Where the likelihood ratio, maximised by a search, reaches that of 97.5 %."""

    def beyond(difference):
        def against(share):
            rates = ((share - difference) / 2, (share + difference) / 2, 1 - share)
            return -sum(xlogy(k, rate) for k, rate in zip((lost, gained, n - lost - gained), rates, strict=True))

        ends = (abs(difference), 1)
        fitted = minimize_scalar(against, bounds=ends, method="bounded", options={"xatol": 1e-12})
        free = sum(xlogy(k, k / n) for k in (lost, gained, n - lost - gained))
        return 2 * (free + min(fitted.fun, *map(against, ends))) - 1.959963984540054**2

    return brentq(beyond, (gained - lost) / n, 1 - 1e-9) if gained < n else 1.0


def slowly(lost, gained, n, error):
    """The same bound on a grid of shares, with tables sorted by their limits and summed one by one."""
    every = tables(n)
    limits = {table: limit(*table, n) for table in every}
    low = [table for table in every if limits[table] <= limits[lost, gained] + 1e-7]
    shares = np.linspace(*clopper_pearson(lost + gained, n, 1 - SET_ASIDE * error), 401)

    def beyond(difference):
        fits = shares[shares >= abs(difference)]
        return (
            max(
                (chances(low, n, (share - difference) / 2, (share + difference) / 2).sum() for share in fits),
                default=0.0,
            )
            - (1 - SET_ASIDE) * error
        )

    return brentq(beyond, (gained - lost) / n, 1 - 1e-9, xtol=1e-6)


@pytest.mark.parametrize(("lost", "gained", "n"), [(0, 0, 6), (1, 0, 6), (0, 1, 6), (2, 3, 9), (5, 1, 7), (0, 4, 5)])
def test_it_is_the_bound_that_sums_written_another_way_give(lost, gained, n):
    expected = slowly(lost, gained, n, ERROR)
    assert expected - 1e-5 <= bound(lost, gained, n, ERROR) <= expected + 1e-3


@pytest.mark.parametrize("n", [1, 2, 40, 94, 1000])
@pytest.mark.parametrize("error", [0.025, 0.005])
def test_where_nothing_changed_it_is_the_exact_bound_of_a_rate(n, error):
    assert bound(0, 0, n, error) == pytest.approx(1 - ((1 - SET_ASIDE) * error) ** (1 / n), abs=1.5 * PRECISION)


@pytest.mark.parametrize("n", [1, 4, 11, 19])
def test_one_more_lost_or_one_fewer_gained_never_raises_it(n):
    for lost, gained in tables(n):
        here = bound(lost, gained, n, ERROR)
        for other in ((lost + 1, gained), (lost, gained - 1), (lost + 1, gained - 1)):
            if min(other) >= 0 and sum(other) <= n:
                assert bound(*other, n, ERROR) <= here + PRECISION


@pytest.mark.parametrize(("lost", "gained", "n"), [(0, 0, 20), (2, 3, 94), (7, 1, 21), (20, 0, 20), (40, 20, 160)])
def test_bounds_of_several_levels_nest(lost, gained, n):
    ends = [paired_difference(lost, gained, n, level)[1:] for level in (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)]
    for (low, high), (lower, higher) in pairwise(ends):
        assert lower <= low + PRECISION
        assert higher >= high - PRECISION


def of_discordant_pairs(lost, gained, n, level):
    """The closed form that the exact bound took the place of."""
    each, changed = (1 + level) / 2, lost + gained
    sides = clopper_pearson(lost, changed, each) if changed else (0.0, 1.0)
    corners = [share * (1 - 2 * side) for share in clopper_pearson(changed, n, each) for side in sides]
    return min(corners), max(corners)


@pytest.mark.parametrize(
    ("lost", "gained", "n", "narrower"),
    [(0, 0, 94, 0.85), (2, 3, 94, 0.56), (7, 7, 94, 0.61), (5, 0, 94, 0.74), (7, 1, 21, 0.73), (2, 3, 1000, 0.56)],
)
def test_it_is_narrower_than_the_closed_form(lost, gained, n, narrower):
    low, high = of_discordant_pairs(lost, gained, n, 0.95)
    _, lower, higher = paired_difference(lost, gained, n, 0.95)
    assert low < lower < higher < high
    assert (higher - lower) / (high - low) < narrower


def test_many_requests_are_summed_as_few_are():
    """Beyond a thousand requests most tables are left out of the sums; the normal limit (Tango 1998) is near."""
    value, low, high = paired_difference(60, 30, 5000, 0.95)
    sd = np.sqrt(90 - 30**2 / 5000) / 5000
    assert low == pytest.approx(value - 1.96 * sd, abs=3e-4)
    assert high == pytest.approx(value + 1.96 * sd, abs=3e-4)
