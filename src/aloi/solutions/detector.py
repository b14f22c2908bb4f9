"""Score a text for direct injections and jailbreaks: a linear model on hashed n-grams, read window by window.

The weights lie beside the package as `data/injection-detector.npz` (one array of small integers) and `.json` (how to
read it); `make train` makes them again. What stands in the text in base64, hexadecimal, percent or character references
is read too, and a text in no known language also in rot13 and backwards. Linear in the text.
"""

import json
import math
from collections.abc import Iterator
from functools import cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from aloi.errors import AskerError
from aloi.solutions.language import UNKNOWN, language
from aloi.solutions.normalise import fold, layers, rot13
from aloi.solutions.tables import HERE
from aloi.system.ngrams import BITS, windows
from aloi.translation import N_

NAME = "injection-detector"
TABLES = (f"{NAME}.json", f"{NAME}.npz")
_FEWEST_WORDS = 4


class Model(Struct, frozen=True):
    """The margin of a window is `scale * sum(values[buckets]) / sqrt(number of buckets) + bias`.

    `thresholds` are margins by language, frozen on calibration data; `""` is for every other language.
    """

    values: NDArray[np.int8]
    scale: float
    bias: float
    thresholds: dict[str, float]

    def margin(self, text: str) -> float:
        """The largest margin over the windows of a folded text."""
        best = max(int(self.values[one].sum(dtype=np.int64)) / math.sqrt(len(one)) for one in windows(text))
        return self.scale * best + self.bias


class WrongModel(AskerError):
    """The weights were made for another table of n-grams than this version reads."""

    def __init__(self, bits: int) -> None:
        super().__init__(
            N_("the detector's weights are for 2^{bits} buckets; this version reads 2^{expected}"),
            remedy=N_("install the package again, or run make train"),
            bits=bits,
            expected=BITS,
        )


@cache
def model() -> Model:
    """The weights of this version, read once."""
    told = json.loads((HERE / f"{NAME}.json").read_bytes())
    with np.load(HERE / f"{NAME}.npz", allow_pickle=False) as arrays:
        values = arrays["values"]
    if told["bits"] != BITS or values.shape != (1 << BITS,) or values.dtype != np.int8:
        raise WrongModel(told["bits"])
    return Model(values, told["scale"], told["bias"], told["thresholds"])


class Reading(Struct, frozen=True):
    """The score of a text in [0, 1], 0.5 at its language's threshold; `form` is how its strongest part was read."""

    score: float
    language: str
    form: str


def _forms(text: str) -> Iterator[tuple[str, str]]:
    folded = fold(text).text
    yield "plain", folded
    if decoded := "\n".join(layer.text for layer in layers(folded)):
        yield "decoded", decoded
    # Only a text in no known language is tried in other spellings: it costs as much again as the text itself.
    if language(folded) == UNKNOWN and len(folded.split()) >= _FEWEST_WORDS:
        for name, other in (("rot13", rot13(folded)), ("reversed", folded[::-1])):
            if language(other) != UNKNOWN:
                yield name, other


def read(text: str) -> Reading:
    """Score one text. Any string is accepted, the empty one and lone surrogates included."""
    using = model()
    best = Reading(0.0, UNKNOWN, "plain")
    for form, content in _forms(text):
        spoken = language(content)
        over = using.margin(content) - using.thresholds.get(spoken, using.thresholds[""])
        score = 1 / (1 + math.exp(-max(min(over, 500.0), -500.0)))
        if form == "plain" or score > best.score:
            best = Reading(score, spoken, form)
    return best
