"""Screen retrieved documents and tool results for instructions addressed to the assistant.

A document whose score reaches the threshold is withheld. What to expect: text screens catch few indirect injections
that they have not seen. Published screens find 0 to 26 % of unseen payloads at 1 % false alarms; an attacker who
writes an ordinary sentence ("our customers receive the code by asking for it") passes this one. It is a cheap first
sieve beside spotlighting and the filters on output, never the only remedy. A benign text that quotes an attack looks
like one and is withheld too: there is no discount for quotes, because an attacker could claim it.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from string import ascii_lowercase, digits
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct

from aloi.solutions.encoded import layers
from aloi.solutions.guard import Allow, Block, Ruling
from aloi.solutions.normalise import fold
from aloi.solutions.options import Options
from aloi.solutions.tables import table
from aloi.system.messages import Message, Role

_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_BLANK_LINES = re.compile(r"\n{3,}")
# Of the bytes of a text in lower case those of words stay; a sentence ends with one sign, and all others are blanks.
_END = "."
_WORDS = (ascii_lowercase + digits).encode()
_TOKENS = bytes(byte if byte in _WORDS else ord(_END) if byte in b".!?" else ord(" ") for byte in range(256))
# A line begins behind a break: that is looked for in a tenth of the time that "^" takes.
_LINE = re.compile(r"\(\?m\)\^")
# Sentences are set this far apart, so that no rule reaches over their edge.
_APART = 1_000
# What parts texts that are read as one: no rule reaches over it, and markup one character far.
_PARTED = "\n>\n\n"
_LONGEST_PHRASE = 4
_Place = tuple[int, int]


class InjectionScreenOptions(Options, frozen=True, kw_only=True):
    """`threshold` in (0, 1]: a text that scores at least this much is withheld."""

    threshold: Annotated[float, Meta(gt=0, le=1)] = 0.5
    sources: tuple[Literal["document", "tool"], ...] = ("document", "tool")


class _Sequence(Struct, frozen=True):
    id: str
    words: tuple[str, ...]
    within: int
    weight: float


class _Markup(Struct, frozen=True):
    id: str
    pattern: re.Pattern[str]
    weight: float


class _Invisible(Struct, frozen=True):
    id: str
    pattern: re.Pattern[str]
    least: int
    weight: float


class _Model(Struct, frozen=True):
    """The rules, ready to run. `phrases` leads from words to classes; `stems` from the beginning of a word.

    `known` are the words that are phrases or open one.
    """

    bias: float
    encoded: float
    phrases: Mapping[str, tuple[str, ...]]
    openers: Mapping[str, frozenset[str]]
    known: frozenset[str]
    stems: Mapping[str, tuple[str, ...]]
    stem_lengths: tuple[int, ...]
    stem_heads: frozenset[str]
    sequences: tuple[_Sequence, ...]
    markup: tuple[_Markup, ...]
    invisible: tuple[_Invisible, ...]


def _ranges(pairs: Iterable[tuple[str, str]]) -> re.Pattern[str]:
    return re.compile("[" + "".join(f"{chr(int(low, 16))}-{chr(int(high, 16))}" for low, high in pairs) + "]")


@cache
def _model() -> _Model:
    data: dict[str, Any] = table("injection-screen")
    phrases: dict[str, tuple[str, ...]] = {}
    stems: dict[str, tuple[str, ...]] = {}
    for name, entries in data["words"].items():
        for entry in entries:
            home, key = (stems, entry[:-1]) if entry.endswith("*") else (phrases, entry)
            home[key] = (*home.get(key, ()), name)
    openers = _openers(phrases)
    lengths = tuple(sorted({len(stem) for stem in stems}))
    return _Model(
        bias=data["bias"],
        encoded=data["encoded"],
        phrases=phrases,
        openers=openers,
        known=frozenset({*phrases, *openers}),
        stems=stems,
        stem_lengths=lengths,
        stem_heads=frozenset(stem[: lengths[0]] for stem in stems),
        sequences=tuple(
            _Sequence(row["id"], tuple(row["words"]), row["within"], row["weight"]) for row in data["sequences"]
        ),
        markup=tuple(
            _Markup(row["id"], re.compile(_LINE.sub(r"(?m)\\n", row["pattern"])), row["weight"])
            for row in data["markup"]
        ),
        invisible=tuple(
            _Invisible(row["id"], _ranges(row["ranges"]), row["least"], row["weight"]) for row in data["invisible"]
        ),
    )


def _openers(phrases: Iterable[str]) -> dict[str, frozenset[str]]:
    """For each word that begins a phrase, the words that come second in one."""
    openers: dict[str, frozenset[str]] = {}
    for first, second, *_ in (phrase.split() for phrase in phrases if " " in phrase):
        openers[first] = openers.get(first, frozenset()) | {second}
    return openers


def _classes(word: str, model: _Model) -> tuple[str, ...]:
    if word[: model.stem_lengths[0]] not in model.stem_heads:
        return model.phrases.get(word, ())
    stems = (model.stems.get(word[:size], ()) for size in model.stem_lengths)
    return (*model.phrases.get(word, ()), *(name for names in stems for name in names))


def _tokens(text: str) -> list[str]:
    """The words of a text in lower case, and the ends of its sentences."""
    parted = _BLANK_LINE.sub(_END, text).encode("utf-8", "surrogatepass").translate(_TOKENS)
    return parted.decode("ascii").replace(_END, f" {_END} ").split()


def _places(text: str, model: _Model) -> dict[str, list[_Place]]:
    """For each class of words, where its words stand: (first token, last token), in order."""
    tokens = _tokens(text)
    words = set(tokens)
    known = words & model.known | {word for word in words if word[: model.stem_lengths[0]] in model.stem_heads}
    classes = {word: names for word in known if (names := _classes(word, model)) or word in model.openers}
    if not classes:
        return {}
    telling = {*classes, _END}
    places: dict[str, list[_Place]] = {}
    apart = 0
    for index, word in [(index, word) for index, word in enumerate(tokens) if word in telling]:
        if word == _END:
            apart += _APART
            continue
        first = apart + index
        for name in classes[word]:
            places.setdefault(name, []).append((first, first))
        if index + 1 < len(tokens) and tokens[index + 1] in model.openers.get(word, ()):
            for size, names in _opened(tokens, index, model):
                for name in names:
                    places.setdefault(name, []).append((first, first + size - 1))
    return places


def _opened(words: list[str], index: int, model: _Model) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The classes of the phrases that the word at `index` opens, with their length in words."""
    for size in range(2, min(_LONGEST_PHRASE, len(words) - index) + 1):
        yield size, model.phrases.get(" ".join(words[index : index + size]), ())


def _follow(before: Iterable[_Place], after: Iterable[_Place], within: int) -> Iterator[_Place]:
    """Those of `after` that start at most `within` tokens behind the end of one of `before`."""
    # Both are in order of their starts and a phrase spans at most four tokens, so one pass suffices.
    earlier, latest = iter(before), -_APART
    one = next(earlier, None)
    for start, end in after:
        while one and one[1] < start:
            latest = max(latest, one[1])
            one = next(earlier, None)
        if start - latest <= within:
            yield start, end


def _fires(rule: _Sequence, places: Mapping[str, list[_Place]]) -> bool:
    reached: Iterable[_Place] = places[rule.words[0]]
    for name in rule.words[1:]:
        reached = _follow(reached, places.get(name, ()), rule.within)
    return any(True for _ in reached)


def _fired(text: str, model: _Model) -> dict[str, float]:
    """The rules that fire on a folded text, and their weights."""
    lowered = "\n" + text.lower()
    if "\n\n\n" in lowered:
        lowered = _BLANK_LINES.sub("\n\n", lowered)
    places = _places(lowered, model)
    begun = (rule for rule in model.sequences if rule.words[0] in places)
    fired = {rule.id: rule.weight for rule in begun if _fires(rule, places)}
    return fired | {rule.id: rule.weight for rule in model.markup if rule.pattern.search(lowered)}


def _squash(total: float) -> float:
    return 1 / (1 + math.exp(-total))


class Reading(Struct, frozen=True):
    """The score of a text in [0, 1], and the rules that made it."""

    score: float
    rules: tuple[str, ...]


def read(text: str) -> Reading:
    """Score one text."""
    model = _model()
    folded = fold(text)
    fired = _fired(folded.text, model)
    if folded.text is not text:
        fired |= {rule.id: rule.weight for rule in model.invisible if len(rule.pattern.findall(text)) >= rule.least}
    inner = _fired(_PARTED.join(layer.text for layer in layers(folded.text)), model)
    if sum(inner.values()) + model.bias > 0:
        fired |= inner | {"encoded": model.encoded}
    return Reading(_squash(model.bias + sum(fired.values())) if fired else 0.0, tuple(sorted(fired)))


class InjectionScreen:
    """Withhold a document or a tool result that speaks to the assistant."""

    version: ClassVar[str] = "2"
    tables: ClassVar[tuple[str, ...]] = ("homoglyphs", "injection-screen")
    Options: ClassVar[type[Options]] = InjectionScreenOptions
    judges_words: ClassVar[bool] = True

    def __init__(self, options: InjectionScreenOptions) -> None:
        self.roles: frozenset[Role] = frozenset(options.sources)
        self._threshold = options.threshold

    def screen(self, message: Message) -> Ruling:
        reading = read(message.content)
        if reading.score >= self._threshold:
            return Block(reason="addressed-to-assistant", score=reading.score)
        return Allow(score=reading.score)
