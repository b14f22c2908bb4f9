"""What the parts of a result (its languages, its attacks) owe the result, each other and the plan."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from aloi.errors import EvidenceError
from aloi.evidence.decoding import shown
from aloi.evidence.figures import check_estimate, check_interval, impossible
from aloi.evidence.records import BenignRate, Contrast, Estimate, Exploration, Finding, HazardPlan, Stratum
from aloi.translation import N_

# Rates are signed with six significant digits, and a difference has the rounding of both.
_ROUNDING = Decimal("0.00001")
_LOG_ROUNDING = Decimal("0.0001")


def check_parts(result: Finding | BenignRate) -> None:
    """Raises EvidenceError ('impossible-figure') unless the parts can be those of one measurement.

    Parts with an estimate are the trials behind the result's own, so that each kind adds up to it. Parts of earlier
    editions are counts alone.
    """
    for stratum in result.strata:
        _check_stratum(stratum)
    _refuse_repeated(f"{stratum.kind} {stratum.name}" for stratum in result.strata)
    for kind in {stratum.kind for stratum in result.strata}:
        estimates = [stratum.estimate for stratum in result.strata if stratum.kind == kind]
        known = [estimate for estimate in estimates if estimate is not None]
        if len(known) == len(estimates) and _sums(known) != _sums([result.estimate]):
            raise impossible(f"{kind}: {_sums(known)}, {_sums([result.estimate])}")
    parts: dict[tuple[str, str], Stratum] = {(stratum.kind, stratum.name): stratum for stratum in result.strata}
    for contrast in result.contrasts:
        _check_contrast(contrast, parts)
    _refuse_repeated(" ".join(sorted((one.first, one.second))) for one in result.contrasts)


def _check_stratum(stratum: Stratum) -> None:
    if not 0 <= stratum.failures <= stratum.n:
        raise impossible(f"{stratum.name}: {stratum.failures}/{stratum.n}")
    if stratum.estimate is None:
        return
    check_estimate(stratum.estimate)
    if (stratum.failures, stratum.n) != (stratum.estimate.failures, stratum.estimate.n):
        raise impossible(f"{stratum.name}: {stratum.failures}/{stratum.n}, {_sums([stratum.estimate])}")


def _sums(estimates: list[Estimate]) -> tuple[int, int, int]:
    """Failures, scorable trials and unscorable ones."""
    return (
        sum(estimate.failures for estimate in estimates),
        sum(estimate.n for estimate in estimates),
        sum(estimate.unscorable for estimate in estimates),
    )


def _check_contrast(contrast: Contrast, parts: Mapping[tuple[str, str], Stratum]) -> None:
    """A difference is that of its two parts, and never surer than they are."""
    check_interval(contrast.difference)
    of = [parts.get((contrast.kind, name)) for name in (contrast.first, contrast.second)]
    estimates = [part.estimate for part in of if part is not None and part.estimate is not None]
    about = f"{contrast.first} - {contrast.second}: {contrast.difference.value}"
    if len(estimates) < 2 or contrast.first == contrast.second or contrast.difference.unit != "proportion":
        raise impossible(about)
    one, other = estimates
    told = contrast.difference
    differs = abs(told.value - (one.value - other.value)) > _ROUNDING or told.n != one.n + other.n
    surer = told.level >= max(one.level, other.level) and (
        told.low > one.low - other.high + _ROUNDING or told.high < one.high - other.low - _ROUNDING
    )
    if differs or surer:
        raise impossible(f"{about} [{told.low}, {told.high}]")


def check_exploration(exploration: Exploration, planned: HazardPlan, alpha: Decimal) -> None:
    """Raises EvidenceError unless e-BH (Wang and Ramdas 2022) names these cells at the plan's `alpha`.

    With k cells named of m, each needs an e-value of m / (k false_share). m counts all cells of the plan.
    """
    above = exploration.above
    least = max(len(planned.attacks) * len(planned.languages), len(above))
    if not 0 < exploration.false_share <= alpha or exploration.cells < least:
        raise impossible(f"{exploration.cells} cells, {exploration.false_share}")
    _refuse_repeated(f"{cell.attack} {cell.language}" for cell in above)
    for cell in above:
        if not 0 <= cell.failures <= cell.n or cell.unscorable < 0:
            raise impossible(f"{cell.attack}, {cell.language}: {cell.failures}/{cell.n}")
        if cell.log_e_above < (exploration.cells / (len(above) * exploration.false_share)).ln() - _LOG_ROUNDING:
            raise EvidenceError(
                N_("the cell {attack}, {language} is said to exceed the threshold, but its e-value is too small"),
                reason="unfounded-exploration",
                remedy=N_("ask the one who signed: the evidence contradicts itself"),
                attack=shown(cell.attack),
                language=shown(cell.language),
            )


def _refuse_repeated(names: Iterable[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise impossible(repeated[0])
