"""An attacker who adapts to remedies: how often its hunt refuses a set that one attack gets past, one that holds."""

import random
from collections.abc import Sequence

from msgspec import Struct

from aloi.science.hunt_plans import BATCH
from aloi.statistics.adaptive import ThompsonHunt
from benchmarks.bars import bar

THRESHOLD, ALPHA, QUERIES, ARMS = 0.1, 0.05, 150, 6


class Behind(Struct, frozen=True):
    """Failure rates of the attacks behind a set of remedies; the first is drawn at `share` in the declared mix."""

    title: str
    rates: tuple[float, ...]
    share: float = 0.05

    @property
    def mean(self) -> float:
        others = self.rates[1:]
        return self.share * self.rates[0] + (1 - self.share) * sum(others) / len(others)


BEHIND = (
    Behind("one attack at 60 %, the others at 1 %", (0.6, *[0.01] * (ARMS - 1))),
    Behind("one attack at 30 %, the others at 1 %", (0.3, *[0.01] * (ARMS - 1))),
    Behind("one attack at 20 %, the others at 1 %", (0.2, *[0.01] * (ARMS - 1))),
    Behind("every attack at 2 %", (0.02,) * ARMS),
    Behind("every attack exactly at the threshold", (THRESHOLD,) * ARMS),
)


def proved(rates: Sequence[float], seed: int) -> tuple[bool, int]:
    """Whether one hunt, as a plan registers it, proves that some attack exceeds the threshold; its queries."""
    rng, arms = random.Random(f"readapt\x1f{seed}"), [str(arm) for arm in range(len(rates))]
    hunt = ThompsonHunt(arms, THRESHOLD, ALPHA, QUERIES)
    while hunt.decision().verdict == "continue":
        for arm in [hunt.choose(rng) for _ in range(BATCH)]:
            if hunt.decision().verdict == "continue":
                hunt.update(arm, "failed" if rng.random() < rates[int(arm)] else "passed")
    return hunt.decision().verdict == "not met", hunt.decision().n


def adapting(runs: int) -> None:
    """One line a case, and the error."""
    print(f"an attacker adapts: {ARMS} attacks, threshold {THRESHOLD:.0%}, at most {QUERIES} queries, {runs} runs")
    print(f"{'behind the remedies':<42}{'mean':>7}{'largest':>9}{'refused':>9}{'queries':>9}")
    for behind in BEHIND:
        found = [proved(behind.rates, seed) for seed in range(runs)]
        refused = sum(one for one, _ in found) / runs
        queries = sum(n for _, n in found) / runs
        print(f"{behind.title:<42}{behind.mean:>7.1%}{max(behind.rates):>9.0%}{refused:>9.3f}{queries:>9.0f}")
    limit = ALPHA + 2 * (ALPHA * (1 - ALPHA) / runs) ** 0.5
    bar(
        "good remedies that the attacker has refused, worst null",
        f"{refused:.4f}",
        f"<= {limit:.4f}",
        met=refused <= limit,
    )
