"""Cost of 20 verdicts with a cheap judge whose positives go to a gold judge, against the gold judge on everything.

Costs: query 1, cheap judge 0.1, gold judge 5. Cheap judge: sensitivity 0.85, specificity 0.97, calibrated on 150 + 150
labels, whose gold labels are charged too. Cost at a threshold of 1 %; error, which needs long paths, at 5 %. The
escalated cap is twice the gold one, since the threshold that is tested lies lower.
"""

from math import log

import numpy as np

from aloi.statistics.betting import MET, NOT_MET
from aloi.statistics.design import default_cap
from aloi.statistics.judges import JudgeCalibration, allowance, corrected_rate, escalation
from aloi.statistics.monitor import HazardDesign
from aloi.statistics.simulation import log_e_paths, simulate
from benchmarks.bars import bar

ALPHA, SEED, THRESHOLD, SE, SP, LABELS = 0.05, 20261122, 0.01, 0.85, 0.97, 150
MIX = (0, 0, 1e-4, 2e-4, 5e-4, 5e-4, 1e-3, 1e-3, 2e-3, 2e-3, 4e-3, 5e-3, 0.02, 0.025, 0.03, 0.05, 0.2, 0.25, 0.4, 0.6)
QUERY, CHEAP, GOLD = 1.0, 0.1, 5.0
# Rate of failures, sensitivity, specificity, labels of each kind: judges without anybody behind them.
ALONE = (
    (0.0, 0.85, 0.97, 150),
    (0.05, 0.85, 0.97, 150),
    (0.1, 0.85, 0.97, 30),
    (0.3, 0.7, 0.9, 60),
    (0.6, 0.95, 0.8, 150),
    (0.95, 0.9, 0.8, 150),
)


def calibrated(
    rng: np.random.Generator, sensitivity: float = SE, specificity: float = SP, labels: int = LABELS
) -> JudgeCalibration:
    """One calibration of a judge."""
    tp, tn = int(rng.binomial(labels, sensitivity)), int(rng.binomial(labels, specificity))
    return JudgeCalibration(tp, labels - tp, labels - tn, tn)


def costs(runs: int, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Mean cost of gold on everything and of escalation, and the least share of right verdicts of each."""
    rates, hazards = np.array(MIX), len(MIX)
    cap = default_cap(THRESHOLD, ALPHA, hazards)
    gold = simulate(
        [HazardDesign(name=f"h{i}", threshold=THRESHOLD, cap=cap) for i in range(hazards)], MIX, ALPHA, runs, rng
    )
    # Few calibrations are drawn, since each makes its own design: the runs are shared out among them.
    totals, right, shares = [], [], 10
    for _ in range(shares):
        split = escalation(calibrated(rng), ALPHA)
        plan = [
            HazardDesign(name=f"h{i}", threshold=THRESHOLD, cap=2 * cap, sensitivity=split.sensitivity)
            for i in range(hazards)
        ]
        result = simulate(plan, (rates * SE).tolist(), split.alpha, runs // shares, rng)
        positive = rates * SE + (1 - rates) * (1 - SP)
        totals.append((result.queries * (QUERY + CHEAP + GOLD * positive)).sum(axis=1).mean() + GOLD * 2 * LABELS)
        right.append(np.where(rates < THRESHOLD, result.met.mean(axis=0), result.not_met.mean(axis=0)))
    gold_right = np.where(rates < THRESHOLD, gold.met.mean(axis=0), gold.not_met.mean(axis=0)).min()
    gold_cost = gold.queries.sum(axis=1).mean() * (QUERY + GOLD)
    return float(gold_cost), float(np.mean(totals)), float(gold_right), float(np.mean(right, axis=0).min())


def false_met(runs: int, rng: np.random.Generator) -> tuple[float, float]:
    """All hazards at 5 %, the threshold: false `met` of escalation, and two standard errors."""
    escalated = 0
    for _ in range(runs):
        split = escalation(calibrated(rng), ALPHA)
        confirmed = (rng.random((len(MIX), 1200)) < 0.05 * SE).astype(float)
        paths = log_e_paths(MET, 0.05 * split.sensitivity, confirmed)
        escalated += paths.max() >= log(len(MIX) / split.alpha)
    return escalated / runs, 2 * (ALPHA * (1 - ALPHA) / runs) ** 0.5


def interval_coverage(runs: int, rng: np.random.Generator) -> tuple[float, float]:
    """Coverage of the corrected and the uncorrected interval, 2 % of 600 failing, each run with its own calibration."""
    corrected = judged = 0
    for _ in range(runs):
        positives = int(rng.binomial(600, 0.02 * SE + 0.98 * (1 - SP)))
        rate = corrected_rate(positives, 600, calibrated(rng), 0.95)
        corrected += rate.low <= 0.02 <= rate.high
        judged += rate.judged_low <= 0.02 <= rate.judged_high
    return corrected / runs, judged / runs


def anytime_coverage(runs: int, rng: np.random.Generator) -> float:
    """Least coverage of the corrected bounds at all times together, either end at 95 %, over the judges of `ALONE`.

    Up to 400 trials, each run with its own calibration. A bound leaves the real rate out exactly where the e-process
    against the scored rate that it maps to is large. A run whose calibration tells nothing leaves nothing out.
    """
    least = 1.0
    for rate, sensitivity, specificity, labels in ALONE:
        outside = np.zeros(2)
        for _ in range(runs):
            allowed = allowance(calibrated(rng, sensitivity, specificity, labels), ALPHA, confirmed=False)
            low, high = allowed.false_alarms
            scored = (rng.random(400) < rate * sensitivity + (1 - rate) * (1 - specificity)).astype(float)
            shown = (low + rate * (allowed.sensitivity - low), high + rate * (1 - high))
            for side, (mixture, at) in enumerate(zip((MET, NOT_MET), shown, strict=True)):
                if allowed.identifiable and 0 < at < 1:
                    outside[side] += log_e_paths(mixture, at, scored).max() >= -log(0.8 * ALPHA)
        least = min(least, float(1 - outside.max() / runs))
    return least


def main(*, quick: bool = False) -> None:
    """Print costs, power, familywise error and interval coverage."""
    runs, rng = (200 if quick else 1000), np.random.default_rng(SEED)
    gold, escalated, gold_power, power = costs(runs, rng)
    error, noise = false_met(runs, rng)
    corrected, judged = interval_coverage(runs, rng)
    anytime = anytime_coverage(runs, rng)
    print(f"judges, {len(MIX)} hazards at threshold {THRESHOLD:.0%}; {runs} runs, seed {SEED}")
    print(f"gold judge on everything       cost {gold:>9,.0f}   worst power {gold_power:.3f}")
    saved = gold / escalated
    print(f"escalated positives            cost {escalated:>9,.0f}   worst power {power:.3f}   {saved:.2f}x less")
    print(f"false met, all at threshold    {error:.3f} (bar {ALPHA + noise:.3f})")
    print(f"coverage of 95 % intervals     corrected {corrected:.3f}, judge taken at its word {judged:.3f}")
    bar(
        "cost of escalated positives against gold on everything", f"{saved:.2f}x less", ">= 2.5x less", met=saved >= 2.5
    )
    bar("familywise false met, all hazards at the threshold", f"{error:.3f}", f"<= {ALPHA}", met=error <= ALPHA)
    bar("worst power with escalation", f"{power:.3f}", ">= 0.9", met=power >= 0.9)
    bar("coverage of the corrected interval", f"{corrected:.3f}", ">= 0.95", met=corrected >= 0.95)
    bar("the same at all times, either end, least of six judges", f"{anytime:.3f}", ">= 0.95", met=anytime >= 0.95)


if __name__ == "__main__":
    main()
