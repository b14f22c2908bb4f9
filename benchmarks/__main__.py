"""`make bench`: print the figures that README and docs quote. `make bench BENCH=start` runs one benchmark."""

import importlib
import os
import platform
import sys

BENCHMARKS = {
    "start": "benchmarks.start",
    "verify": "benchmarks.evidence.verify",
    "logged": "benchmarks.evidence.logged",
    "tamper": "benchmarks.evidence.tamper",
    "fuzz": "benchmarks.evidence.fuzz",
    "histories": "benchmarks.registry.histories",
    "federation": "benchmarks.registry.federation",
    "look-up": "benchmarks.registry.lookups",
    "omission": "benchmarks.registry.omission",
    "guards": "benchmarks.solutions.guards",
    "guards-search": "benchmarks.solutions.guards_search",
    "catalogue": "benchmarks.solutions.catalogue",
    "agents": "benchmarks.solutions.agents",
    "detection": "benchmarks.solutions.detection",
    "streaming": "benchmarks.solutions.streaming",
    "update": "benchmarks.solutions.updating",
    "selection": "benchmarks.solutions.selection",
    "personal-data": "benchmarks.solutions.personal_data.bench",
    "gateway": "benchmarks.gateway.overhead",
    "crowds": "benchmarks.gateway.crowds",
    "said-before": "benchmarks.gateway.said_before",
    "exports": "benchmarks.standards.exports",
    "ingest": "benchmarks.registry.ingest",
    "growth": "benchmarks.registry.growth",
    "runner": "benchmarks.science.runner",
    "refusals": "benchmarks.science.refusals",
    "distress": "benchmarks.science.distress",
    "local_judge": "benchmarks.science.local_judge",
    "hunting": "benchmarks.science.hunting",
    "workplace": "benchmarks.science.workplace",
    "verdicts": "benchmarks.statistics.verdicts",
    "familywise": "benchmarks.statistics.familywise",
    "coverage": "benchmarks.statistics.coverage",
    "speed": "benchmarks.statistics.speed",
    "judging": "benchmarks.statistics.judging",
    "remedies": "benchmarks.statistics.remedies",
    "pooling": "benchmarks.statistics.pooling",
    "rare_pooling": "benchmarks.statistics.rare_pooling",
    "published_methods": "benchmarks.statistics.published_methods",
}


def main() -> None:
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; known: {', '.join(BENCHMARKS)}")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, Python {platform.python_version()}")
    for name in names:
        print(f"\n== {name}", flush=True)
        importlib.import_module(BENCHMARKS[name]).main()


if __name__ == "__main__":
    main()
