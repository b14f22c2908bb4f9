"""Published results as estimates with their variances, from `data/`."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml

from aloi.statistics.pooling import logit_study

DATA = Path(__file__).parent / "data"
Effects = tuple[np.ndarray, np.ndarray]


def _table(rows: np.ndarray) -> np.ndarray:
    """Events and others among treated, events and others among controls."""
    a, n, c, m = rows.T
    return np.array([a, n - a, c, m - c])


def _odds_ratio(rows: np.ndarray) -> Effects:
    table = _table(rows) + 0.5
    return np.log(table[0] * table[3] / (table[1] * table[2])), (1 / table).sum(axis=0)


def _risk_ratio(rows: np.ndarray) -> Effects:
    a, n, c, m = rows.T
    return np.log(a / n / (c / m)), 1 / a - 1 / n + 1 / c - 1 / m


def _risk_difference(rows: np.ndarray) -> Effects:
    a, n, c, m = rows.T
    return a / n - c / m, a * (n - a) / n**3 + c * (m - c) / m**3


def _means(rows: np.ndarray) -> Effects:
    n, mean, sd, m, other, its_sd = rows.T
    return mean - other, sd**2 / n + its_sd**2 / m


def _ratio(rows: np.ndarray) -> Effects:
    ratio, low, high = np.log(rows).T
    return ratio, ((high - low) / (2 * 1.959963984540054)) ** 2


def _correlation(rows: np.ndarray) -> Effects:
    n, r = rows.T
    return np.arctanh(r), 1 / (n - 3)


def _rate(rows: np.ndarray) -> Effects:
    studies = [logit_study("s", int(k), int(n), "c") for k, n in rows]
    return np.array([one.estimate for one in studies]), np.array([one.variance for one in studies])


KINDS: dict[str, Callable[[np.ndarray], Effects]] = {
    "estimate and variance": lambda rows: (rows[:, 0], rows[:, 1]),
    "two means": _means,
    "ratio and interval": _ratio,
    "risk difference": _risk_difference,
    "log odds ratio": _odds_ratio,
    "log risk ratio": _risk_ratio,
    "correlation": _correlation,
    "rate": _rate,
}


def bcg() -> Effects:
    """Log risk ratios of the BCG trials."""
    with (DATA / "bcg.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    a, b, c, d = (np.array([float(row[name]) for row in rows]) for name in ("tpos", "tneg", "cpos", "cneg"))
    return _risk_ratio(np.array([a, a + b, c, c + d]).T)


def public_sets() -> dict[str, Effects]:
    """Every set by its name."""
    sets = yaml.safe_load((DATA / "public-sets.yaml").read_text(encoding="utf-8"))
    return {"bcg": bcg()} | {name: KINDS[one["kind"]](np.array(one["rows"], float)) for name, one in sets.items()}
