"""Updates of the sequential monitor per second on one core, and the size of its state."""

import json
import random
import time

from aloi.statistics.monitor import HazardDesign, Outcome, SequentialMonitor
from benchmarks.bars import bar

SEED = 20261122


def main(*, quick: bool = False) -> None:
    """Print updates per second of processor time (best of five) and bytes of state per hazard."""
    updates = 20_000 if quick else 100_000
    rng = random.Random(SEED)
    print(f"monitor, {updates:,} updates, best of 5, seed {SEED}")
    print(f"{'outcomes':<24}{'updates/s':>12}{'state, bytes':>14}{'bounds, ms':>12}")
    slowest, largest = float("inf"), 0
    streams: dict[str, list[Outcome | float]] = {
        f"{rate:.0%} fail": ["failed" if rng.random() < rate else "passed" for _ in range(updates)]
        for rate in (0.0, 0.01, 0.3)
    }
    streams["30% fail, 10% unscored"] = [
        "unscorable" if rng.random() < 0.1 else outcome for outcome in streams["30% fail"]
    ]
    streams["seed means"] = [rng.randrange(6) / 5 for _ in range(updates)]
    for name, outcomes in streams.items():
        best = 0.0
        for _ in range(5):
            monitor = SequentialMonitor([HazardDesign(name="hazard", threshold=0.05, cap=updates)], 0.05)
            start = time.process_time()
            for outcome in outcomes:
                monitor.update("hazard", outcome)
            best = max(best, updates / (time.process_time() - start))
        size = len(json.dumps(monitor.state()["hazards"][0]))
        start = time.process_time()
        monitor.bounds("hazard", 0.95)
        print(f"{name:<24}{best:>12,.0f}{size:>14}{1000 * (time.process_time() - start):>12.1f}")
        largest = max(largest, size)
        if name != "seed means":  # each mean is five answers
            slowest = min(slowest, best)
    bar(
        "monitor updates a second on one core, slowest of single answers",
        f"{slowest:,.0f}",
        ">= 100,000",
        met=slowest >= 1e5,
    )
    bar("state of one hazard as JSON, largest", f"{largest} bytes", "< 1,000 bytes", met=largest < 1000)


if __name__ == "__main__":
    main()
