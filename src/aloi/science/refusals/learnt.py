"""How refusals are worded, learnt from the labels: a linear model on hashed n-grams and frames of what the rule reads.

The weights of a language lie in `data/refusals` as `learnt-<language>.npz` (two arrays of small integers), and
`learnt.json` says how to read them. `make learn` makes them again.
"""

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from aloi.science.refusals.frames import framed
from aloi.science.refusals.spelling import Reading
from aloi.system.ngrams import Buckets, whole

UNSEEN = -128  # in place of the weight of a bucket that no text of the labels falls into


class Weights(Struct, frozen=True):
    """What the buckets of a language weigh: those of n-grams `values`, those of frames `frames`.

    Of either, the sum over a text's buckets is divided by the root of their number; the margin is both together times
    `scale`, plus `bias`. `common` are the words that frames keep.
    """

    values: NDArray[np.int8]
    frames: NDArray[np.int8]
    scale: float
    bias: float
    common: frozenset[str]


class Models(Struct, frozen=True):
    """The models by language.

    `rule` is what the phrases' decision weighs by language, as a margin. The phrases decide alone on a text of fewer
    than `letters` letters, and on one of whose n-grams less than `share` was seen in the labels of its language.
    `beyond` are the margins by language that a text has to reach, together: `refusing` where words that refuse were
    asked for, `closed` where yes or no was, `denied` in its place where the text begins with a no, `unasked` where
    nothing is known of what was asked, and `buried` where much content stands beside a refusal; without the last, the
    phrases decide on such texts.
    """

    bits: int
    rule: Mapping[str, float]
    share: float
    letters: int
    weights: Mapping[str, Weights]
    beyond: Mapping[str, Mapping[str, float]] = {}


@cache
def models() -> Models:
    """The models of this version, read once."""
    folder = files("aloi.science").joinpath("data/refusals")
    told = json.loads(folder.joinpath("learnt.json").read_bytes())
    weights = {}
    for language, how in told["languages"].items():
        with folder.joinpath(f"learnt-{language}.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            common = frozenset(how["common"])
            weights[language] = Weights(arrays["values"], arrays["frames"], how["scale"], how["bias"], common)
    return Models(
        bits=told["bits"],
        rule=told["rule"],
        share=told["share"],
        letters=told["letters"],
        weights=weights,
        beyond=told["beyond"],
    )


def wording(reading: Reading) -> str:
    """A reading as n-grams are taken from it: sentences apart, questions marked."""
    return " . ".join(f"{sentence.text} ?" if sentence.asks else sentence.text for sentence in reading.sentences)


def margin(reading: Reading, language: str, using: Models) -> float | None:
    """Above 0 where a wording is that of refusals; None where the model of the language does not know such texts."""
    text = wording(reading)
    buckets = whole(text, using.bits)
    seen = {one: float((weights.values[buckets] != UNSEEN).mean()) for one, weights in using.weights.items()}
    if len(text) < using.letters or seen[language] < max(using.share, *seen.values()):
        return None
    weights = using.weights[language]
    frames = framed(reading, weights.common, using.bits)
    return weights.scale * (_mean(weights.values, buckets) + _mean(weights.frames, frames)) + weights.bias


def _mean(values: NDArray[np.int8], buckets: Buckets) -> float:
    found = values[buckets]
    return int(found[found != UNSEEN].sum(dtype=np.int64)) / math.sqrt(len(buckets))
