"""Learn from attacks that were found: a sparse change of the detector's weights that keeps close to what they were.

Penalised logistic regression around the base model: the margin of a window is the base's plus what changes, and the
quadratic penalty is on the change (as a prior centred at other weights; le Cessie & van Houwelingen 1992). No draw is
made: the same texts give the same update, in whatever order they come.
"""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy import optimize, sparse, special

from aloi.errors import AskerError
from aloi.evidence.updates import BIAS, MOST, STEPS
from aloi.solutions.detector import Model, forms, model
from aloi.solutions.language import language
from aloi.solutions.updating.texts import Labelled, Texts
from aloi.system.ngrams import BUCKETS, Buckets, windows
from aloi.translation import N_

LEAST = 3  # distinct attacks that hold an n-gram, or its weight does not change
FEWEST_ATTACKS, FEWEST_ORDINARY = 10, 50
LARGEST = 50_000  # distinct texts that are learnt from at once
STRENGTH = Decimal("0.02")
_ORDINARY = 4.0  # how much all ordinary texts weigh against all attacks
_BIAS = 0.1  # of the penalty on the bias, for each text that counts fully
_ITERATIONS = 200

Vector = NDArray[np.float64]


class Change(Struct, frozen=True, kw_only=True):
    """What an update changes: `changes` steps of the base's scale for each of `buckets`, ascending, and `bias`."""

    buckets: tuple[int, ...]
    changes: tuple[int, ...]
    bias: Decimal


class _Windows(Struct, frozen=True):
    """Windows as rows of a matrix of presences over roots of their lengths; by how much the base's margin is over the
    threshold; whether they are of an attack; how much each counts."""

    presences: sparse.csr_matrix
    over: Vector
    attack: NDArray[np.bool_]
    weight: Vector


def learn(texts: Texts) -> Change:
    """The change that these texts ask for. Raises AskerError where they are too few, too many, or teach nothing."""
    _check(texts)
    given = _windows(texts)
    chosen = _chosen(given)
    if not len(chosen):
        raise AskerError(
            N_("these attacks have nothing in common to be learnt: no n-gram stands in {least} of them"),
            remedy=N_("give more attacks of the kind that passed"),
            least=LEAST,
        )
    point = _solved(given, chosen)
    steps = np.clip(np.rint(point[:-1] / model().scale), -STEPS, STEPS).astype(int)
    if not steps.any():
        raise AskerError(
            N_("there is nothing to learn: the detector already tells these attacks from these ordinary texts"),
            remedy=N_("give attacks that passed"),
        )
    bias = Decimal(f"{min(max(float(point[-1]), -float(BIAS)), float(BIAS)):.4f}")
    return Change(
        buckets=tuple(int(one) for one in chosen[steps != 0]),
        changes=tuple(int(one) for one in steps[steps != 0]),
        bias=bias,
    )


def _check(texts: Texts) -> None:
    for got, least, sentence in (
        (
            len(texts.attacks),
            FEWEST_ATTACKS,
            N_("{got} distinct attacks are too few to learn from: {least} are needed"),
        ),
        (
            len(texts.ordinary),
            FEWEST_ORDINARY,
            N_("{got} distinct ordinary texts are too few to learn from: {least} are needed"),
        ),
    ):
        if got < least:
            remedy = N_("give more texts that differ by more than blanks, case and digits")
            raise AskerError(sentence, remedy=remedy, got=got, least=least)
    if (got := len(texts.attacks) + len(texts.ordinary)) > LARGEST:
        raise AskerError(
            N_("{got} distinct texts are more than can be learnt from at once: {most}"),
            remedy=N_("draw some of them by chance"),
            got=got,
            most=LARGEST,
        )


def _windows(texts: Texts) -> _Windows:
    using, rows, over, attack, weight = model(), [], [], [], []
    for group, total in ((texts.attacks, 1.0), (texts.ordinary, _ORDINARY)):
        for one in group:
            read = list(_read(one, using))
            # Of an attack the strongest window counts, as the guard reads it: the others may be ordinary.
            kept = [max(read, key=lambda pair: pair[1])] if one.attack else read
            for buckets, excess in kept:
                rows.append(buckets)
                over.append(excess)
                attack.append(one.attack)
                weight.append(total / len(group) / len(kept))
    lengths = [len(one) for one in rows]
    values = np.repeat(1 / np.sqrt(lengths), lengths)
    pointers = np.concatenate(([0], np.cumsum(lengths)))
    presences = sparse.csr_matrix((values, np.concatenate(rows), pointers), shape=(len(rows), BUCKETS))
    shares = np.array(weight)
    return _Windows(presences, np.array(over), np.array(attack), shares * (len(texts.attacks) / shares.sum()))


def _read(one: Labelled, using: Model) -> Iterator[tuple[Buckets, float]]:
    for _, content in forms(one.text):
        threshold = using.threshold(language(content))
        for buckets in windows(content):
            yield buckets, using.of(buckets) - threshold


def _chosen(given: _Windows) -> NDArray[np.intp]:
    """The n-grams that enough attacks hold, of them those at which the loss is steepest; in order."""
    held = np.bincount(given.presences[np.flatnonzero(given.attack)].indices, minlength=BUCKETS)
    sign = np.where(given.attack, 1.0, -1.0)
    slope = given.presences.T @ (given.weight * sign * special.expit(-sign * given.over))
    eligible = np.flatnonzero(held >= LEAST)
    steepest = eligible[np.argsort(-np.abs(slope[eligible]), kind="stable")[:MOST]]
    return np.sort(steepest)


def _solved(given: _Windows, chosen: NDArray[np.intp]) -> Vector:
    """The change of each chosen weight, and last that of the bias."""
    columns = given.presences[:, chosen].tocsr()
    turned, sign = columns.T.tocsr(), np.where(given.attack, 1.0, -1.0)
    # The bias moves every text there is: what it may explain is bought dearly.
    strength = np.append(np.full(len(chosen), float(STRENGTH)), _BIAS * given.weight.sum())

    def loss(point: Vector) -> tuple[float, Vector]:
        margin = sign * (given.over + columns @ point[:-1] + point[-1])
        slope = -given.weight * sign * special.expit(-margin)
        penalty = strength * point
        value = float((given.weight * np.logaddexp(0, -margin)).sum() + 0.5 * (penalty * point).sum())
        return value, np.append(turned @ slope, slope.sum()) + penalty

    start = np.zeros(len(chosen) + 1)
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS, "maxcor": 10})
    point: Vector = found.x
    return point
