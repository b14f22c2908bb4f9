"""How refusals are worded, learnt from the labels: a linear model on hashed n-grams of what the rule reads.

The weights of a language lie in `data/refusals` as `learnt-<language>.npz` (one array of small integers); `learnt.json`
says how to read them. `make learn` makes them again.
"""

import json
import math
from functools import cache
from importlib.resources import files

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from aloi.science.refusals.spelling import Reading
from aloi.system.ngrams import whole

UNSEEN = -128  # in place of the weight of a bucket that no text of the labels falls into


class Weights(Struct, frozen=True):
    """The margin of a text is `scale` times the sum of its buckets' values by the root of their number, plus `bias`."""

    values: NDArray[np.int8]
    scale: float
    bias: float


class Models(Struct, frozen=True):
    """The models by language.

    `rule` is what the phrases' decision weighs, as a margin. The phrases decide alone on a text of fewer than `letters`
    letters, and on one of whose buckets less than `share` was seen in the labels of its language.
    """

    bits: int
    rule: float
    share: float
    letters: int
    weights: dict[str, Weights]


@cache
def models() -> Models:
    """The models of this version, read once."""
    folder = files("aloi.science").joinpath("data/refusals")
    told = json.loads(folder.joinpath("learnt.json").read_bytes())
    weights = {}
    for language, how in told["languages"].items():
        with folder.joinpath(f"learnt-{language}.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            weights[language] = Weights(arrays["values"], how["scale"], how["bias"])
    return Models(told["bits"], told["rule"], told["share"], told["letters"], weights)


def wording(reading: Reading) -> str:
    """A reading as the model reads it: sentences apart, questions marked."""
    return " . ".join(f"{sentence.text} ?" if sentence.asks else sentence.text for sentence in reading.sentences)


def margin(text: str, language: str, using: Models) -> float | None:
    """Above 0 where a wording is that of refusals; None where the model of the language does not know such texts."""
    buckets = whole(text, using.bits)
    seen = {one: float((weights.values[buckets] != UNSEEN).mean()) for one, weights in using.weights.items()}
    if len(text) < using.letters or seen[language] < max(using.share, *seen.values()):
        return None
    weights = using.weights[language]
    values = weights.values[buckets]
    total = int(values[values != UNSEEN].sum(dtype=np.int64))
    return weights.scale * total / math.sqrt(len(buckets)) + weights.bias
