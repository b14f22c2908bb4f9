"""`make learn`: learn how refusals are worded, write the weights, and compare their digests with the ones recorded.

    python -m training.refusals [--out DIR] [--record] [--without PART]

Exits 1 where the weights differ from `training/refusals.json`. `--record` accepts them as the new ones. `--without`
writes nothing: it learns from the other parts and prints the counts of this one, the rule being the one of today.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from scipy import sparse

import aloi.science
from aloi.science.refusals.decision import decided
from aloi.science.refusals.learnt import UNSEEN, Models, Weights, wording
from aloi.science.refusals.rule import refuses
from aloi.science.refusals.spelling import read
from aloi.science.refusals.tables import content, table
from aloi.system.ngrams import whole
from training import learn, turns

DATA = Path(aloi.science.__file__).parent / "data" / "refusals"
RECORD = Path(__file__).parent / "refusals.json"
LANGUAGES = ("en", "fr")
BOTH = ("tuning", "held-out", "afterwards", "other-hand", "third-hand", "fifth-hand")
PARTS = {"en": (*BOTH, "eighth-hand", "ninth-hand", "eleventh-hand"), "fr": (*BOTH, "tenth-hand")}
# Chosen by leaving out one author in turn; decisions/0047.
BITS, STRENGTH, RULE, SHARE, LETTERS = 17, 0.03, 0.75, 0.88, 30
TURNS = 20.0  # texts that all turns of a kind count as
LEVELS, ITERATIONS, FEWEST = 127, 200, 2


def labelled(part: str, language: str) -> tuple[list[str], list[bool]]:
    """Texts, and whether each refuses. Indirect refusals are left out: nothing in their words says so."""
    labels = table(f"{part}/{language}")
    refused, answered = labels["refused"], labels["answered"]
    return refused + answered, [True] * len(refused) + [False] * len(answered)


def presences(texts: list[str]) -> sparse.csr_matrix:
    """Which buckets each text falls into."""
    found = [whole(wording(read(text)), BITS) for text in texts]
    pointers = np.cumsum([0, *map(len, found)])
    flat = np.concatenate(found)
    return sparse.csr_matrix((np.ones(len(flat)), flat, pointers), shape=(len(found), 1 << BITS))


def fit(parts: tuple[str, ...], language: str) -> Weights:
    """Fit and round. A bucket that fewer than two texts fall into counts as not seen."""
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
    matrix = presences(texts)
    seen = np.asarray(matrix.sum(axis=0)).ravel() >= FEWEST
    lengths = np.sqrt(np.asarray(matrix.sum(axis=1)).ravel())
    rows = (sparse.diags(1 / lengths) @ matrix @ sparse.diags(seen.astype(np.float64))).tocsr()
    point = learn.solved(rows, np.array(refused), np.array(weights), STRENGTH, ITERATIONS)
    found = learn.rounded(point[:-1], float(point[-1]), LEVELS)
    return Weights(np.where(seen, found.values, UNSEEN).astype(np.int8), found.scale, found.bias)


def without(part: str) -> None:
    """Print how the models of all other parts decide on one."""
    languages = [language for language in LANGUAGES if part in PARTS[language]]
    models = Models(bits=BITS, rule=RULE, share=SHARE, letters=LETTERS, weights={})
    for language in languages:
        models.weights[language] = fit(tuple(one for one in PARTS[language] if one != part), language)
    for language in languages:
        labels = table(f"{part}/{language}")
        caught = sum(decided(text, language, models) for text in labels["refused"])
        passed = sum(not decided(text, language, models) for text in labels["answered"])
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
        np.savez(folder / f"learnt-{language}.npz", values=weights.values)
        labels = hashlib.sha256(b"".join(content(f"{part}/{language}") for part in PARTS[language])).hexdigest()
        languages[language] = {"scale": weights.scale, "bias": weights.bias, "labels": labels}
    told = {
        "source": "Made by `make learn` from the labels beside this file",
        "licence": "Apache-2.0",
        "parts": {language: list(parts) for language, parts in PARTS.items()},
        "bits": BITS,
        "rule": RULE,
        "share": SHARE,
        "letters": LETTERS,
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
