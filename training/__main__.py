"""`make train`: fetch, check, learn, calibrate, write the weights, and compare their digests with the ones recorded.

    python -m training [--folder DIR] [--out DIR] [--record]

Exits 1 where the weights differ from `training/digests.json`. `--record` accepts them as the new ones.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from aloi.solutions.tables import HERE as DATA
from aloi.system.ngrams import BITS, ORDERS, STRIDE, WINDOW
from training import authored, calibrate, learn, near, own, rows, sources

SEED = 20261125
RECORD = Path(__file__).parent / "digests.json"
NAME = "injection-detector"


def train(folder: Path) -> tuple[learn.Weights, dict[str, Any]]:
    """The weights, and what the JSON beside them says."""
    read = sources.rows(folder)
    distinct = rows.distinct(read["train"] + own.written(SEED) + authored.rows())
    kept = near.without(distinct, read["reserve"])
    held = rows.distinct(read["calibrate"])
    print(f"{len(distinct)} distinct rows, {len(distinct) - len(kept)} close to a reserved row left out", flush=True)
    settings, given = learn.Settings(), learn.examples(kept)
    weights = learn.fit(kept, given, settings)
    scores = learn.margins(learn.examples(held), weights, len(held))
    thresholds, table = calibrate.frozen(calibrate.cross(kept, given, settings), held, scores)
    for line in table:
        print("  {language} {set:<16} {blocked:>4} of {n:>5} blocked, {allowed:.0%} allowed".format(**line))
    return weights, {
        "source": "Made by `make train` from training/sources.yaml, training/grammars and training/written",
        "licence": "Apache-2.0",
        "seed": SEED,
        "bits": BITS,
        "orders": list(ORDERS),
        "window": [WINDOW, STRIDE],
        "scale": weights.scale,
        "bias": weights.bias,
        "thresholds": thresholds,
        "calibration": table,
        "rows": {"attacks": sum(row.attack for row in kept), "benign": sum(not row.attack for row in kept)},
    }


def write(folder: Path, weights: learn.Weights, told: dict[str, Any]) -> dict[str, str]:
    """Write both files; their digests. The array is stored as it is: packing would depend on the packing library."""
    np.savez(folder / f"{NAME}.npz", values=weights.values)
    (folder / f"{NAME}.json").write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (f"{NAME}.npz", f"{NAME}.json")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where fetched wheels are kept; a temporary folder without it")
    parser.add_argument("--out", type=Path, default=DATA)
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        made = write(given.out, *train(given.folder or Path(temporary)))
    if given.record:
        RECORD.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    recorded = json.loads(RECORD.read_bytes())
    for name, digest in made.items():
        print(f"{name} sha256:{digest} {'as recorded' if recorded.get(name) == digest else 'DIFFERS'}")
    return int(made != recorded)


if __name__ == "__main__":
    sys.exit(main())
