"""Coverage of the pooled mean (REML, Hartung-Knapp floored at Wald) on log-odds of attack success near 18 %."""

import numpy as np
from scipy.special import expit, stdtrit

from aloi.statistics.pooling import logit_study, random_effects, reml

SEED = 20261122


def coverage(k: int, tau: float, runs: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """Floored and plain Hartung-Knapp, and DerSimonian-Laird with Wald, at 95 %."""
    truth, hits = -1.5, np.zeros(3)
    for _ in range(runs):
        sizes = rng.integers(50, 1001, k)
        failures = rng.binomial(sizes, expit(truth + tau * rng.normal(size=k)))
        studies = [logit_study("s", int(f), int(n), "c") for f, n in zip(failures, sizes, strict=True)]
        y, v = np.array([s.estimate for s in studies]), np.array([s.variance for s in studies])
        effect = random_effects(y, v, 0.95)
        hits[0] += effect.low <= truth <= effect.high
        w = 1 / (v + reml(y, v))
        plain = np.sqrt((w * (y - effect.estimate) ** 2).sum() / (k - 1) / w.sum()) * -stdtrit(k - 1, 0.025)
        hits[1] += abs(effect.estimate - truth) <= plain
        u = 1 / v
        q = (u * (y - (u * y).sum() / u.sum()) ** 2).sum()
        dl = 1 / (v + max(0.0, (q - k + 1) / (u.sum() - (u**2).sum() / u.sum())))
        hits[2] += abs((dl * y).sum() / dl.sum() - truth) <= 1.96 / np.sqrt(dl.sum())
    return tuple(hits / runs)


def main(*, quick: bool = False) -> None:
    """Print coverage for k = 3..20 and tau = 0..1."""
    runs, rng = (200 if quick else 2000), np.random.default_rng(SEED)
    print(f"coverage of the pooled mean at 95 %, 50-1,000 trials per evaluator; {runs} runs a line, seed {SEED}")
    print(f"{'k':>4}{'tau':>6}{'floored HK':>12}{'plain HK':>10}{'DL + Wald':>11}")
    for k in (3, 5, 10, 20):
        for tau in (0.0, 0.2, 0.5, 1.0):
            print("{:>4}{:>6}{:>12.3f}{:>10.3f}{:>11.3f}".format(k, tau, *coverage(k, tau, runs, rng)))


if __name__ == "__main__":
    main()
