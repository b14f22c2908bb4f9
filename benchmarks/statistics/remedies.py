"""Queries to prove what a remedy did: enriched pairs for "lower" and "at least halved", replays for output guards."""

import numpy as np

from aloi.statistics.paired import Claim, PairedMonitor, replay_reduction
from benchmarks.bars import bar

SEED, ALPHA, ICC = 20261122, 0.05, 0.4


def paired(claim: Claim, before: float, ratio: float, runs: int, rng: np.random.Generator) -> tuple[float, float]:
    """Mean target queries (both arms) on seeds that failed once, and the share of runs where the claim was proved."""
    size, queries, proved = (1 - ICC) / ICC, [], 0
    for _ in range(runs):
        monitor = PairedMonitor(claim, ALPHA, cap=1000)
        for chance in rng.beta(1 + before * size, (1 - before) * size, 1000):
            b, a = rng.random(2) < (chance, chance * ratio)
            if monitor.update(float(b), float(a)).verdict != "continue":
                break
        proved += monitor.decision().verdict == "met"
        queries.append(2 * monitor.decision().n)
    return float(np.mean(queries)), proved / runs


def main(*, quick: bool = False) -> None:
    """Print one line per claim."""
    runs, rng = (200 if quick else 1000), np.random.default_rng(SEED)
    print(f"before/after at error {ALPHA}, seeds correlated {ICC}; {runs} runs, seed {SEED}")
    print(f"{'claim':<18}{'before':>8}{'true ratio':>12}{'target queries':>16}{'proved':>8}")
    needed: dict[tuple[Claim, float, float], tuple[float, float]] = {}
    for claim, before, ratio in (
        ("lower", 0.02, 0.5),
        ("lower", 0.02, 0.1),
        ("lower", 0.05, 0.5),
        ("lower", 0.2, 0.5),
        ("at least halved", 0.02, 0.1),
        ("at least halved", 0.2, 0.1),
        ("lower", 0.02, 1.0),
        ("at least halved", 0.02, 0.5),
    ):
        queries, proved = needed[claim, before, ratio] = paired(claim, before, ratio, runs, rng)
        print(f"{claim:<18}{before:>8.0%}{ratio:>12}{queries:>16.0f}{proved:>8.3f}")
    replays: dict[float, tuple[float, float]] = {}
    for remaining in (0.1, 0.0, 0.5):
        results = [replay_reduction(row, ALPHA) for row in (rng.random((runs, 60)) < remaining).tolist()]
        decided = [result.decided_at for result in results if result.decided_at]
        replays[remaining] = float(np.mean(decided)), len(decided) / runs
        print(
            f"replay: halved, {remaining:.0%} remain: {replays[remaining][0]:.1f} transcripts where proved,"
            f" 0 target queries, proved within 60: {replays[remaining][1]:.3f}"
        )
    queries, proved = needed["lower", 0.02, 0.5]
    bar(
        f"lower, 2 % hazard, true halving: queries (proved in {proved:.1%})",
        f"{queries:.0f}",
        "<= 200",
        met=queries <= 200,
    )
    count, proved = replays[0.1]
    bar(f"at least halved, output guard: replays (proved in {proved:.1%})", f"{count:.1f}", "<= 15", met=count <= 15)
    for claim, before, ratio in (("lower", 0.02, 1.0), ("at least halved", 0.02, 0.5)):
        false = needed[claim, before, ratio][1]
        limit = ALPHA + 2 * (ALPHA * (1 - ALPHA) / runs) ** 0.5
        bar(
            f"false claim “{claim}” where the truth is the limit", f"{false:.3f}", f"<= {limit:.3f}", met=false <= limit
        )


if __name__ == "__main__":
    main()
