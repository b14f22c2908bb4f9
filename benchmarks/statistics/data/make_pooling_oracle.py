"""Make `pooling-oracle.json`: what PyMARE says of the public sets, and metafor of the designs that PyMARE ships.

    pip install pymare==0.0.13    # in an environment of its own: it brings sympy and pandas, 90 MB
    PYTHONPATH=src:. python benchmarks/statistics/data/make_pooling_oracle.py

PyMARE (MIT) keeps, in its own tests, data sets and the output of metafor 4.6.0 (R 4.4.1) on them; they are copied with
the numbers that we compare. Run it again only for another version, and write its number here.
"""

import csv
import json
from pathlib import Path

import numpy as np
import pymare
from benchmarks.statistics.public_sets import public_sets
from pymare import Dataset
from pymare.estimators import VarianceBasedLikelihoodEstimator
from pymare.stats import q_profile

HERE = Path(__file__).parent


def by_pymare(y: np.ndarray, v: np.ndarray) -> dict[str, float]:
    """REML, Knapp-Hartung floored at Wald, Q-profile, as tight as PyMARE goes."""
    floored = VarianceBasedLikelihoodEstimator(
        method="REML", small_sample_correction="knapp-hartung-conservative", xtol=1e-13, ftol=0, maxiter=500
    )
    results = floored.fit_dataset(Dataset(y=y, v=v, X=np.ones((len(y), 1)), add_intercept=False)).summary()
    fixed = {name: float(np.ravel(value)[0]) for name, value in results.get_fe_stats().items()}
    interval = q_profile(y, v, np.ones((len(y), 1)))
    return {
        "tau2": float(np.ravel(results.tau2)[0]),
        "estimate": fixed["est"],
        "standard_error": fixed["se"],
        "low": fixed["ci_l"],
        "high": fixed["ci_u"],
        "tau2_low": float(interval["ci_l"]),
        "tau2_high": float(interval["ci_u"]),
    }


def by_metafor() -> dict[str, dict[str, object]]:
    """The random-effects cases of PyMARE's own reference file, with their data."""
    folder = Path(pymare.__file__).parent / "tests" / "data"
    reference = json.loads((folder / "metafor_reference.json").read_text(encoding="utf-8"))
    with (folder / "metafor_small_sample.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    cases = {}
    for case in reference["cases"]:
        if (case["model"], case["method"], case["test"]) == ("intercept", "REML", "adhoc"):
            mine = [row for row in rows if row["case"] == case["design"]]
            cases[case["design"]] = {
                "y": [float(row["y"]) for row in mine],
                "v": [float(row["v"]) for row in mine],
                "tau2": case["tau2"],
                "estimate": case["beta"][0],
                "standard_error": case["se"][0],
                "low": case["ci_lb"][0],
                "high": case["ci_ub"][0],
                "tau2_low": case["tau2_ci_lb"],
                "tau2_high": case["tau2_ci_ub"],
            }
    return cases


def main() -> None:
    oracle = {
        "pymare": pymare.__version__,
        "sets": {name: by_pymare(*effects) for name, effects in public_sets().items()},
        "metafor": "4.6.0",
        "designs": by_metafor(),
    }
    (HERE / "pooling-oracle.json").write_text(json.dumps(oracle, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
