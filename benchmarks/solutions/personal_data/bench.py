"""Recall and precision of the filters of personal data and credentials, by kind and language, with exact intervals.

    python -m benchmarks.solutions.personal_data.bench [--count N] [--seed S] [--show]

Texts are drawn from a declared grammar (`grammar.yaml`): values with right check digits, as many near misses whose
check digits fail, and look-alikes. A value is found where its whole place is masked as its kind; a mask anywhere else
is a false alarm of its kind.
"""

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Sequence

from aloi.solutions.catalogue import build
from aloi.solutions.guards.personal import KINDS, PersonalData
from aloi.solutions.guards.secrets import credentials
from aloi.solutions.normalise import fold
from aloi.statistics.exact import clopper_pearson
from aloi.system.messages import Message
from benchmarks.bars import bar
from benchmarks.solutions.personal_data import presidio
from benchmarks.solutions.personal_data.corpus import AFTER, GRAMMAR, LATER, OTHER, Labelled, corpus
from benchmarks.solutions.personal_data.corpus import KINDS as ALL

RECALL, PRECISION, LEVEL = 0.95, 0.98, 0.95
COUNT, SEED, PEER = 400, 20261125, 2_400
# English texts hold British and American numbers; the national form of the latter has no sign of its own.
REGIONS = {"fr": ("FR",), "en": ("FR", "GB")}
PARTS = {
    "grammar": GRAMMAR,
    "sentences written after (mended on)": AFTER,
    "later sentences (mended on)": LATER,
    "sentences of another author (mended on, after one measure)": OTHER,
}
_TOKEN = re.compile("\ue001(\\d+)\ue002")
# A name and what gives it a value; "-" and the like belong to the value.
_NAMED = re.compile(r"[=:] ?\"?(?!//)|Bearer ")
Span = tuple[str, int, int]


def found(text: str, language: str) -> list[Span]:
    """What the two filters mask in a text: kind and place."""
    folded = fold(text)
    spans = [("credential", *folded.span(*span)) for span in credentials(folded.text)]
    pieces: list[tuple[str, str]] = []

    def stand_in(one: object) -> str:
        pieces.append((one.kind, one.written))  # type: ignore[attr-defined]  # `Found` has both
        return f"\ue001{len(pieces) - 1}\ue002"

    masked, _ = PersonalData(KINDS, REGIONS[language]).replaced(text, stand_in)
    at, done = 0, 0
    for token in _TOKEN.finditer(masked):
        at += token.start() - done
        kind, written = pieces[int(token[1])]
        written = _TOKEN.sub(lambda inner: pieces[int(inner[1])][1], written)
        spans.append((kind, at, at + len(written)))
        at, done = at + len(written), token.end()
    return spans


class Score:
    """Counts by kind and language: values, values found, masks, masks on a value of their kind."""

    def __init__(self) -> None:
        self.values: Counter[tuple[str, str]] = Counter()
        self.hit: Counter[tuple[str, str]] = Counter()
        self.masks: Counter[tuple[str, str]] = Counter()
        self.right: Counter[tuple[str, str]] = Counter()
        self.wrong: list[tuple[str, Labelled, list[Span]]] = []

    def add(self, one: Labelled, spans: list[Span]) -> None:
        key = (one.kind, one.language)
        right = [
            span for span in spans if not one.miss and span[0] == one.kind and span[1] < one.end and span[2] > one.start
        ]
        covered = any(span[1] <= _inside(one)[0] and span[2] >= _inside(one)[1] for span in right)
        self.values[key] += not one.miss
        self.hit[key] += covered
        for span in spans:
            self.masks[span[0], one.language] += 1
            self.right[span[0], one.language] += span in right
        if (not one.miss and not covered) or any(span not in right for span in spans):
            self.wrong.append(("missed" if not one.miss and not covered else "false alarm", one, spans))


def _inside(one: Labelled) -> tuple[int, int]:
    """The part that must be masked: of a credential its value, whose name and quotes may stay."""
    if one.kind != "credential":
        return one.start, one.end
    written = one.text[one.start : one.end]
    value = "" if "://" in written and "password=" not in written else _NAMED.split(written)[-1]
    value = value.rstrip('";')
    if not value or "BEGIN" in value:
        return one.start, one.start
    low = one.text.index(value, one.start)
    return low, low + len(value)


def rate(k: int, n: int) -> str:
    low, high = clopper_pearson(k, n, LEVEL) if n else (0.0, 1.0)
    return f"{k:>5}/{n:<5}{k / n if n else 0:6.3f} [{low:.3f}, {high:.3f}]"


def scored(texts: Sequence[Labelled], spans: Sequence[list[Span]]) -> Score:
    score = Score()
    for one, places in zip(texts, spans, strict=True):
        score.add(one, places)
    return score


def table(score: Score, kinds: tuple[str, ...]) -> None:
    print(f"{'kind':<12}{'':<4}{'recall':<38}{'precision':<38}")
    for kind in kinds:
        for language in ("fr", "en"):
            key = (kind, language)
            recall, precision = rate(score.hit[key], score.values[key]), rate(score.right[key], score.masks[key])
            print(f"{kind:<12}{language:<4}{recall:<38}{precision:<38}")


def untouched(texts: list[Labelled]) -> None:
    """Near misses and look-alikes that the two guards leave as they are."""
    guards = [build(name).implementation for name in ("personal-data-filter", "secret-filter")]
    benign = [one for one in texts if one.miss]
    changed = sum(any(not _allows(guard, one.text) for guard in guards) for one in benign)
    print(f"texts without personal data that are changed: {rate(changed, len(benign))}")


def _allows(guard: object, text: str) -> bool:
    return type(guard.screen(Message(role="assistant", content=text))).__name__ == "Allow"  # type: ignore[attr-defined]  # a guard


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--show", action="store_true", help="print what went wrong")
    options, _ = parser.parse_known_args()
    print(f"intervals: Clopper and Pearson, {LEVEL:.0%}; seed {options.seed}")
    met = [part(name, grammar, options) for name, grammar in PARTS.items()]
    return int(not all(met))


def part(name: str, grammar: dict[str, object], options: argparse.Namespace) -> bool:
    """Draw, score and print one part of the corpus; whether it clears the bars."""
    texts = list(corpus(random.Random(options.seed), options.count, grammar))
    score = scored(texts, [found(one.text, one.language) for one in texts])
    print(f"\n{name}: {len(texts)} texts")
    table(score, ALL)
    untouched(texts)
    for kind, one, spans in score.wrong[:60] if options.show else ():
        places = [(called, one.text[low:high]) for called, low, high in spans]
        print(f"-- {kind}: {one.kind} {one.language} {one.text[one.start : one.end]!r} {places}\n{one.text}")
    if grammar is GRAMMAR:
        # Presidio takes ten milliseconds a text, so it reads a part of them.
        some = texts[:: max(1, len(texts) // PEER)]
        presidio.compare(some, lambda spans, kinds: table(scored(some, spans), kinds))
    recall = min(score.hit[key] / score.values[key] for key in score.values if score.values[key])
    precision = min(score.right[key] / score.masks[key] for key in score.masks)
    bar(f"{name}: recall, worst kind and language", f"{recall:.3f}", f">= {RECALL}", met=recall >= RECALL)
    bar(
        f"{name}: precision, worst kind and language", f"{precision:.3f}", f">= {PRECISION}", met=precision >= PRECISION
    )
    return recall >= RECALL and precision >= PRECISION


if __name__ == "__main__":
    sys.exit(main())
