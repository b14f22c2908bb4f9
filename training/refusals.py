"""`make learn`: learn how refusals are worded, write the weights, and compare their digests with the ones recorded.

    python -m training.refusals [--out DIR] [--record] [--without PART]

Exits 1 where the weights differ from `training/refusals.json`. `--record` accepts them as the new ones. `--without`
writes nothing: it learns from the other parts and prints the counts of this one, the rule being the one of today.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

import aloi.science
from aloi.science.refusals.decision import decided
from aloi.science.refusals.frames import framed, symbols
from aloi.science.refusals.learnt import UNSEEN, Models, Weights, wording
from aloi.science.refusals.rule import refuses
from aloi.science.refusals.spelling import Reading, read
from aloi.science.refusals.tables import content, questioned, table
from aloi.system.ngrams import Buckets, whole
from training import learn, turns

DATA = Path(aloi.science.__file__).parent / "data" / "refusals"
RECORD = Path(__file__).parent / "refusals.json"
LANGUAGES = ("en", "fr")
BOTH = (
    *("tuning", "held-out", "afterwards", "other-hand", "third-hand", "fifth-hand"),
    *("twelfth-hand", "thirteenth-hand", "fourteenth-hand", "fifteenth-hand", "sixteenth-hand", "seventeenth-hand"),
    *("eighteenth-hand", "further-look", "last-look", "first-look"),
)
PARTS = {
    "en": (*BOTH, "eighth-hand", "ninth-hand", "eleventh-hand"),
    "fr": (
        *(*BOTH, "tenth-hand", "next-look", "after-look", "later-look", "nineteenth-hand", "twentieth-hand"),
        *("twenty-first-hand", "twenty-second-hand", "twenty-third-hand", "twenty-fourth-hand"),
    ),
}
# Chosen by leaving out authors in turn; decisions/0047, 0076, 0083 and 0092.
BITS, STRENGTH, SMOOTH, SHARE, LETTERS = 18, 0.01, 0.5, 0.83, 10
RULE = {"en": 0.75, "fr": 1.0}  # what the phrases' decision weighs
# Margins that such texts have to reach.
BEYOND = {
    "en": {"refusing": 2.0},
    "fr": {"refusing": 3.0, "closed": 1.5, "denied": 4.5, "unasked": 0.9, "buried": 2.0},
}
FROM = {"en": -0.4, "fr": -0.6}  # margins that refusals are told from; decisions 0083 and 0092 say how they were set
COMMON, PARTS_OF_COMMON = 500, 3  # words that frames keep, and in how many parts each has to stand
TURNS = 20.0  # texts that all turns of a kind count as
LEVELS, ITERATIONS, FEWEST = 127, 200, 2


def labelled(part: str, language: str) -> tuple[list[str], list[bool]]:
    """Texts, and whether each refuses. Indirect refusals are left out: nothing in their words says so."""
    labels = table(f"{part}/{language}")
    refused, answered = labels["refused"], labels["answered"]
    return refused + answered, [True] * len(refused) + [False] * len(answered)


def common(parts: tuple[str, ...], language: str) -> frozenset[str]:
    """The words that most texts hold, of those that stand in several parts."""
    texts: Counter[str] = Counter()
    spread: Counter[str] = Counter()
    for part in parts:
        held = [
            {symbol for one in read(text).sentences for symbol in symbols(one)} for text in labelled(part, language)[0]
        ]
        texts.update(symbol for one in held for symbol in one)
        spread.update(set().union(*held))
    several = sorted(
        (-count, word) for word, count in texts.items() if spread[word] >= min(PARTS_OF_COMMON, len(parts))
    )
    return frozenset(word for _, word in several[:COMMON])


def presences(found: list[Buckets]) -> sparse.csr_matrix:
    """Which buckets each text falls into, each row by the root of its number."""
    lengths = np.array([len(one) for one in found])
    pointers = np.cumsum([0, *lengths])
    flat = np.concatenate(found)
    return sparse.csr_matrix((np.repeat(1 / np.sqrt(lengths), lengths), flat, pointers), shape=(len(found), 1 << BITS))


def examples(parts: tuple[str, ...], language: str) -> tuple[list[Reading], NDArray[np.bool_], NDArray[np.float64]]:
    """Every text as it is read, whether it refuses, and how much it counts."""
    texts, refused, weights = [], [], []
    for part in parts:
        some, whether = labelled(part, language)
        texts += some
        refused += whether
        weights += [1.0] * len(some)
    for kind in ("refused", "answered"):
        some = list(turns.said(language, kind))
        texts += some
        refused += [kind == "refused"] * len(some)
        weights += [TURNS / len(some)] * len(some)
    return [read(text) for text in texts], np.array(refused), np.array(weights)


def importance(
    matrix: sparse.csr_matrix, refused: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log-ratio of how often a bucket is seen in refusals and in answers (Wang and Manning 2012); 0 where not seen."""
    seen = (matrix > 0).astype(np.float64)
    of_refusals, of_answers = SMOOTH + seen.T @ (weights * refused), SMOOTH + seen.T @ (weights * ~refused)
    ratio = np.log(of_refusals / of_refusals.sum()) - np.log(of_answers / of_answers.sum())
    size: NDArray[np.float64] = np.abs(ratio) * (np.asarray(seen.sum(axis=0)).ravel() >= FEWEST)
    return size


def fit(parts: tuple[str, ...], language: str) -> Weights:
    """Fit and round. A bucket that fewer than two texts fall into counts as not seen."""
    words = common(parts, language)
    readings, refused, weights = examples(parts, language)
    matrix = sparse.hstack(
        [
            presences([whole(wording(reading), BITS) for reading in readings]),
            presences([framed(reading, words, BITS) for reading in readings]),
        ]
    ).tocsr()
    size = importance(matrix, refused, weights)
    point = learn.solved((matrix @ sparse.diags(size)).tocsr(), refused, weights, STRENGTH, ITERATIONS)
    found = learn.rounded(point[:-1] * size, float(point[-1]), LEVELS)
    values = np.where(size > 0, found.values, UNSEEN).astype(np.int8)
    bias = float(f"{found.bias - FROM[language]:.6g}")
    return Weights(values[: 1 << BITS], values[1 << BITS :], found.scale, bias, words)


def without(part: str) -> None:
    """Print how the models of all other parts decide on one."""
    languages = [language for language in LANGUAGES if part in PARTS[language]]
    weights = {one: fit(tuple(other for other in PARTS[one] if other != part), one) for one in languages}
    models = Models(bits=BITS, rule=RULE, share=SHARE, letters=LETTERS, weights=weights, beyond=BEYOND)
    for language in languages:
        labels = table(f"{part}/{language}")
        caught = sum(decided(text, language, models, asked) for text, asked in questioned(labels, "refused"))
        passed = sum(not decided(text, language, models, asked) for text, asked in questioned(labels, "answered"))
        alone = [
            sum(refuses(text) for text in labels["refused"]),
            sum(not refuses(text) for text in labels["answered"]),
        ]
        print(
            f"{part} {language}: {caught} of {len(labels['refused'])} refusals, "
            f"{passed} of {len(labels['answered'])} answers recognised; by phrases alone {alone[0]} and {alone[1]}"
        )


def write(folder: Path) -> dict[str, str]:
    """Learn, write the files, and give their digests. Arrays are stored as they are, as those of `make train`."""
    languages = {}
    for language in LANGUAGES:
        weights = fit(PARTS[language], language)
        np.savez(folder / f"learnt-{language}.npz", values=weights.values, frames=weights.frames)
        labels = hashlib.sha256(b"".join(content(f"{part}/{language}") for part in PARTS[language])).hexdigest()
        how = {"scale": weights.scale, "bias": weights.bias, "common": sorted(weights.common)}
        languages[language] = {**how, "labels": labels}
    told = {
        "source": "Made by `make learn` from the labels beside this file",
        "licence": "Apache-2.0",
        "parts": {language: list(parts) for language, parts in PARTS.items()},
        "bits": BITS,
        "rule": RULE,
        "share": SHARE,
        "letters": LETTERS,
        "beyond": BEYOND,
        "languages": languages,
    }
    (folder / "learnt.json").write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    names = ["learnt.json", *(f"learnt-{language}.npz" for language in LANGUAGES)]
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DATA)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--without", choices=sorted({one for parts in PARTS.values() for one in parts}))
    given = parser.parse_args()
    if given.without:
        without(given.without)
        return 0
    made = write(given.out)
    if given.record:
        RECORD.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    recorded = json.loads(RECORD.read_bytes())
    for name, digest in made.items():
        print(f"{name} sha256:{digest} {'as recorded' if recorded.get(name) == digest else 'DIFFERS'}")
    return int(made != recorded)


if __name__ == "__main__":
    sys.exit(main())
