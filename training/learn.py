"""A logistic regression on hashed n-grams, fitted by L-BFGS, and its weights rounded to small integers."""

from collections import Counter

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy import optimize, sparse, special

from aloi.solutions.normalise import fold
from aloi.system.ngrams import BUCKETS, windows
from training.rows import Row

Vector = NDArray[np.float64]


class Settings(Struct, frozen=True, kw_only=True):
    """`strength` of the quadratic penalty; `smooth` of the log-ratios that set how much each bucket may weigh."""

    strength: float = 0.1
    smooth: float = 0.5
    benign: float = 1.0
    balance: float = 0.5
    levels: int = 127
    iterations: int = 200


class Weights(Struct, frozen=True):
    """The margin of a window is `scale * sum(values[buckets]) / sqrt(number of buckets) + bias`."""

    values: NDArray[np.int8]
    scale: float
    bias: float


class Examples(Struct, frozen=True):
    """Windows as rows of a matrix of presences, and which row of the data each belongs to."""

    presences: sparse.csr_matrix
    owners: NDArray[np.intp]


def examples(rows: list[Row]) -> Examples:
    indices, pointers, owners = [], [0], []
    for place, row in enumerate(rows):
        for buckets in windows(fold(row.text).text):
            indices.append(buckets.astype(np.int32))
            pointers.append(pointers[-1] + len(buckets))
            owners.append(place)
    flat = np.concatenate(indices)
    presences = sparse.csr_matrix((np.ones(len(flat)), flat, pointers), shape=(len(owners), BUCKETS))
    return Examples(presences, np.asarray(owners))


def importance(rows: list[Row], given: Examples, settings: Settings) -> Vector:
    """How much each window counts: a row's windows share its part; a block of n rows weighs n ** balance in all."""
    block = [(row.source, row.group if row.source == "ours" else "", row.attack) for row in rows]
    sizes, many = Counter(block), np.bincount(given.owners, minlength=len(rows))
    each = np.array([sizes[one] ** (settings.balance - 1) for one in block]) / np.maximum(many, 1)
    attack = np.array([row.attack for row in rows])
    each[attack] /= (each * many)[attack].sum()
    each[~attack] *= settings.benign / (each * many)[~attack].sum()
    weight: Vector = each[given.owners]
    return weight * len(given.owners) / weight.sum()


def fit(rows: list[Row], given: Examples, settings: Settings) -> Weights:
    """Fit and round. Deterministic: no draw is made, and nothing depends on the order of threads."""
    attack = np.array([row.attack for row in rows])[given.owners]
    weight = importance(rows, given, settings)
    matrix = given.presences.astype(np.float64)
    columns = _columns(matrix, attack, weight, settings)
    lengths = np.sqrt(np.asarray(matrix.sum(axis=1)).ravel())
    scaled = (sparse.diags(1 / lengths) @ matrix @ sparse.diags(columns)).tocsr()
    point = solved(scaled, attack, weight, settings.strength, settings.iterations)
    return rounded(point[:-1] * columns, float(point[-1]), settings.levels)


def solved(
    scaled: sparse.csr_matrix, positive: NDArray[np.bool_], weight: Vector, strength: float, iterations: int
) -> Vector:
    """The coefficients of each column, and last the bias."""
    turned = scaled.T.tocsr()
    sign = np.where(positive, 1.0, -1.0)

    def loss(point: Vector) -> tuple[float, Vector]:
        margin = sign * (scaled @ point[:-1] + point[-1])
        slope = -weight * sign * special.expit(-margin)
        penalty = strength * point[:-1]
        value = float((weight * np.logaddexp(0, -margin)).sum() + 0.5 * (penalty * point[:-1]).sum())
        return value, np.append(turned @ slope + penalty, slope.sum())

    start = np.zeros(scaled.shape[1] + 1)
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations, "maxcor": 10})
    point: Vector = found.x
    return point


def rounded(values: Vector, bias: float, levels: int) -> Weights:
    """Weights as small integers. The largest are cut: one in ten thousand would otherwise set the step for all."""
    scale = float(np.quantile(np.abs(values[values != 0]), 0.9999)) / levels
    whole = np.clip(np.rint(values / scale), -levels, levels).astype(np.int8)
    return Weights(whole, float(f"{scale:.6g}"), float(f"{bias:.6g}"))


def _columns(matrix: sparse.csr_matrix, attack: NDArray[np.bool_], weight: Vector, settings: Settings) -> Vector:
    """Log-ratio of how often a bucket is seen in attacks and in ordinary texts (Wang and Manning 2012): its size."""
    of_attack = settings.smooth + matrix.T @ (weight * attack)
    of_benign = settings.smooth + matrix.T @ (weight * ~attack)
    ratio = np.log(of_attack / of_attack.sum()) - np.log(of_benign / of_benign.sum())
    seen = np.asarray(matrix.sum(axis=0)).ravel() > 1
    return np.abs(ratio) * seen


def margins(given: Examples, weights: Weights, count: int) -> Vector:
    """The largest margin over each row's windows, as the guard computes it."""
    sums = given.presences @ weights.values.astype(np.float64)
    lengths = np.sqrt(np.asarray(given.presences.sum(axis=1)).ravel())
    most = np.full(count, -np.inf)
    np.maximum.at(most, given.owners, weights.scale * sums / lengths + weights.bias)
    return most
