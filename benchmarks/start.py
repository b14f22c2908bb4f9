"""Cold start: CPU and wall time of `import aloi`, `aloi --help` and `aloi verify BUNDLE`, medians of 9 processes."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "tests" / "evidence" / "golden"
ALOI = Path(sys.executable).with_name("aloi")
RUNS = 9
VERIFY = [str(ALOI), "verify", str(GOLDEN / "bundle-v1.json"), "--key", str(GOLDEN / "bundle-v1.pem")]
PROOFS = [word for path in sorted(GOLDEN.glob("logged-v1.*.tlog-proof")) for word in ("--proof", str(path))]
COMMANDS = {
    "python -c pass": ([sys.executable, "-c", "pass"], None),
    "import aloi": ([sys.executable, "-c", "import aloi"], 150),
    "aloi --help": ([str(ALOI), "--help"], 250),
    "aloi verify": (VERIFY, 300),
    "the same, logged": ([*VERIFY, "--policy", str(GOLDEN / "logged-v1.policy"), *PROOFS], 300),
}


def _once(command: list[str]) -> tuple[float, float]:
    before, start = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after, end = os.times(), time.perf_counter()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return 1000 * cpu, 1000 * (end - start)


def main() -> None:
    print(f"{'command':<16}{'CPU ms':>8}{'wall ms':>9}{'bar ms':>8}")
    for name, (command, bar) in COMMANDS.items():
        _once(command)
        cpu, wall = (statistics.median(column) for column in zip(*(_once(command) for _ in range(RUNS)), strict=True))
        print(f"{name:<16}{cpu:>8.0f}{wall:>9.0f}{bar or '':>8}")


if __name__ == "__main__":
    main()
