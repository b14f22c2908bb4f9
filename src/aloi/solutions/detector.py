"""Score a text for direct injections and jailbreaks: a linear model on hashed n-grams, read window by window.

The weights lie beside the package as `data/injection-detector.npz` (one array of small integers) and `.json` (how to
read it); `make train` makes them again. What stands in the text in base64, hexadecimal, percent or character references
is read too, and a text in no known language also in rot13 and backwards. Linear in the text. An accepted
update changes some of the weights (`updated`).
"""

import json
import math
from collections.abc import Iterator
from functools import cache
from itertools import islice

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from aloi.errors import AskerError
from aloi.evidence.canonical import canonical
from aloi.evidence.canonical import digest as digest_of
from aloi.evidence.updates import DetectorUpdate
from aloi.solutions.encoded import layers, rot13
from aloi.solutions.language import UNKNOWN, language
from aloi.solutions.normalise import fold
from aloi.solutions.tables import HERE, digest
from aloi.system.ngrams import BITS, Buckets, windows
from aloi.translation import N_

NAME = "injection-detector"
VERSION = "3"
TABLES = (f"{NAME}.json", f"{NAME}.npz")
READ_BY = ("homoglyphs", "languages", *TABLES)
_FEWEST_WORDS = 4
_FEWEST_LETTERS = 12  # what is shorter is a value or a greeting, and no text like it was learnt from


class Model(Struct, frozen=True):
    """The margin of a window is `scale * sum(values[buckets]) / sqrt(number of buckets) + bias`.

    `thresholds` are margins by language, frozen on calibration data; `""` is for every other language.
    """

    values: NDArray[np.int8] | NDArray[np.int16]
    scale: float
    bias: float
    thresholds: dict[str, float]

    def of(self, buckets: Buckets) -> float:
        """The margin of a window."""
        return self.scale * (int(self.values[buckets].sum(dtype=np.int64)) / math.sqrt(len(buckets))) + self.bias

    def margin(self, text: str) -> float:
        """The largest margin over the windows of a folded text."""
        return max(map(self.of, windows(text)))

    def threshold(self, language: str) -> float:
        """The margin at which a text of this language scores 0.5."""
        return self.thresholds.get(language, self.thresholds[""])


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


class WrongBase(AskerError):
    """An update was made for another model, or another way to read texts."""

    def __init__(self, base: str) -> None:
        super().__init__(
            N_("the update is for another edition of the detector: got {got}, this one is {expected}"),
            remedy=N_("ask for an update of this edition, or install the version of Aloi that it was made with"),
            got=base,
            expected=base_digest(),
        )


@cache
def base_digest() -> str:
    """What an update must name: the weights of this version, and all by which texts are read."""
    return digest_of(canonical({"detector": NAME, "version": VERSION, "tables": {one: digest(one) for one in READ_BY}}))


def updated(update: DetectorUpdate) -> Model:
    """The model with an update. Raises WrongBase."""
    if update.base != base_digest():
        raise WrongBase(update.base)
    using = model()
    values = using.values.astype(np.int16)
    values[np.asarray(update.buckets)] += np.asarray(update.changes, dtype=np.int16)
    return Model(values, using.scale, using.bias + float(update.bias), using.thresholds)


class Reading(Struct, frozen=True):
    """The score of a text in [0, 1], 0.5 at its language's threshold; `form` is how its strongest part was read."""

    score: float
    language: str
    form: str


def forms(text: str) -> Iterator[tuple[str, str]]:
    """Every way in which a text is read, by name, folded."""
    folded = fold(text).text
    yield "plain", folded
    if decoded := "\n".join(layer.text for layer in layers(folded)):
        yield "decoded", decoded
    # Only a text in no known language is tried in other spellings: it costs as much again as the text itself.
    if language(folded) == UNKNOWN and len(folded.split()) >= _FEWEST_WORDS:
        for name, other in (("rot13", rot13(folded)), ("reversed", folded[::-1])):
            if language(other) != UNKNOWN:
                yield name, other


def read(text: str, using: Model | None = None) -> Reading:
    """Score one text, by the weights of this version or others. Any string is accepted, lone surrogates included.

    What has fewer than twelve letters and digits, hidden ones included, scores 0.
    """
    using = using or model()
    best = Reading(0.0, UNKNOWN, "plain")
    for form, content in forms(text):
        spoken = language(content)
        if form == "plain":
            best = Reading(0.0, spoken, form)
        if next(islice(filter(str.isalnum, content), _FEWEST_LETTERS - 1, None), None) is None:
            continue
        over = using.margin(content) - using.threshold(spoken)
        score = 1 / (1 + math.exp(-max(min(over, 500.0), -500.0)))
        if score > best.score:
            best = Reading(score, spoken, form)
    return best
