"""Updates of the sequential monitor per second on one core, and the size of its state."""

import json
import random
import time

from aloi.statistics.monitor import HazardDesign, SequentialMonitor

SEED = 20261122


def main(*, quick: bool = False) -> None:
    """Print updates per second of processor time (best of five) and bytes of state per hazard."""
    updates = 20_000 if quick else 100_000
    rng = random.Random(SEED)
    print(f"monitor, {updates:,} updates, best of 5, seed {SEED}")
    print(f"{'failure rate':<14}{'updates/s':>12}{'state, bytes':>14}{'bounds, ms':>12}")
    for rate in (0.0, 0.01, 0.3):
        outcomes = ["failed" if rng.random() < rate else "passed" for _ in range(updates)]
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
        print(f"{rate:<14}{best:>12,.0f}{size:>14}{1000 * (time.process_time() - start):>12.1f}")


if __name__ == "__main__":
    main()
