"""Claim over many e-values at once, and merge the e-values of several evaluators.

Sources: Holm 1979 on e-values (Vovk & Wang 2021); e-BH (Wang & Ramdas 2022); merging by product and average (Vovk &
Wang 2021). E-values are given as natural logarithms.
"""

from collections.abc import Sequence
from math import isnan, log
from typing import Literal

from aloi.errors import AskerError, UnknownName
from aloi.statistics.arguments import within
from aloi.statistics.betting import log_mean_exp
from aloi.translation import N_

Multiplicity = Literal["holm_per_family", "bonferroni", "holm_directional"]
MULTIPLICITIES: tuple[Multiplicity, ...] = ("holm_per_family", "bonferroni", "holm_directional")


def known_multiplicity(name: str) -> Multiplicity:
    """The rule of that name. Raises UnknownName."""
    for rule in MULTIPLICITIES:
        if rule == name:
            return rule
    raise UnknownName("multiplicity", name, MULTIPLICITIES)


def log_thresholds(
    rule: Multiplicity, alpha: float, hazards: int, met: int, not_met: int, *, joint: bool
) -> tuple[float, float]:
    """What the log e-value of the next `met`, and of the next `not met`, must reach when so many claims were made.

    Each direction has error `alpha`; with `joint` half of it, so that both directions together have `alpha`.
    """
    left = {
        "holm_per_family": (hazards - met, hazards - not_met),
        "bonferroni": (hazards, hazards),
        "holm_directional": (hazards - met - not_met, hazards - met - not_met),
    }[rule]
    share = alpha / 2 if joint else alpha
    # No hazard is left to claim where this is 0; 1 keeps the logarithm defined.
    return log(max(left[0], 1) / share), log(max(left[1], 1) / share)


def holm_evalues(log_e: Sequence[float], alpha: float) -> list[bool]:
    """Which hypotheses are rejected; any false rejection has probability at most `alpha`, under any dependence."""
    _checked(log_e)
    within("alpha", alpha, 0.0, 1.0, open_ends=True)
    rejected = [False] * len(log_e)
    for done, index in enumerate(sorted(range(len(log_e)), key=lambda i: -log_e[i])):
        if log_e[index] < log((len(log_e) - done) / alpha):
            break
        rejected[index] = True
    return rejected


def e_bh(log_e: Sequence[float], alpha: float) -> list[bool]:
    """Which hypotheses are rejected, with the expected share of false ones at most `alpha`, under any dependence.

    For exploration ("which of 500 cells fail"), not for verdicts.
    """
    _checked(log_e)
    within("alpha", alpha, 0.0, 1.0, open_ends=True)
    ranked, m = sorted(log_e, reverse=True), len(log_e)
    count = max((k for k in range(1, m + 1) if ranked[k - 1] >= log(m / (alpha * k))), default=0)
    return [bool(count) and value >= ranked[count - 1] for value in log_e]


def merge_evalues(log_e: Sequence[float], *, independent: bool) -> float:
    """One log e-value against a hypothesis that each of `log_e` tests.

    Independent evidence (disjoint seeds, other evaluators) multiplies; otherwise only the average is an e-value.
    """
    _checked(log_e)
    if not log_e:
        return 0.0
    if independent or max(log_e) == float("-inf"):
        return sum(log_e)
    return log_mean_exp(log_e)


def _checked(log_e: Sequence[float]) -> None:
    if any(isnan(value) for value in log_e):
        raise AskerError(
            N_("a log e-value is not a number"), remedy=N_("pass the log e-values that the monitor reported")
        )
