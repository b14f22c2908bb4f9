"""Stop an answer that gives away the system's prompt: word for word, nearly so, or encoded.

A copy is a run of letters and digits, whatever case, blanks, punctuation, look-alike letters or invisible characters
stand between: as written, reversed, in rot13, base64, hexadecimal, percent or character references (nested). A near
copy is a stretch of the answer most of whose word triples stand in the prompt: sentences in another order, or with a
word changed here and there. Canaries, strings put into the prompt for this alone, are looked for in every disguise of
the secret filter. Not seen: a summary, a translation, a copy interleaved with other words, one of a few words, one of
which a part of each word is encoded.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Annotated, ClassVar

from msgspec import Meta

from aloi.solutions.ahead import Ahead
from aloi.solutions.encoded import layers, rot13
from aloi.solutions.guard import Allow, Block, Ruling
from aloi.solutions.guards import tails
from aloi.solutions.guards.secrets import SecretFilter, SecretFilterOptions
from aloi.solutions.normalise import fold, squash, words_in
from aloi.solutions.options import LongSecret, Options, SecretTexts, Texts
from aloi.solutions.runs import runs
from aloi.system.messages import Message, Role
from aloi.translation import N_

# A run of RUN letters holds a whole block of BLOCK that begins at a multiple of BLOCK in the answer.
BLOCK, RUN = 24, 48
# Of WINDOW word triples in a row, this many different ones stand in the prompt.
WINDOW, NEAR = 22, 14
# How many places of the prompt one block is compared at, and comparisons of one answer: more are made only by an
# answer that is built around the prompt.
PLACES, COMPARISONS = 4, 4_000
Triple = tuple[str, str, str]


class PromptLeakOptions(Options, frozen=True, kw_only=True):
    """`prompt` is the system's, `canaries` are strings in it that mean nothing else; `allowed` are its public parts.

    `run` is how many letters and digits in a row make a copy.
    """

    prompt: LongSecret = ""
    canaries: SecretTexts = ()
    allowed: Texts = ()
    run: Annotated[int, Meta(ge=RUN, le=400)] = RUN

    def problem(self) -> tuple[str, str] | None:
        if any(len(squash(canary)) < 8 for canary in self.canaries):
            return "canaries", N_("a canary needs at least eight letters or digits, or it would be found by chance")
        return None


def _triples(text: str) -> Iterator[Triple]:
    words = words_in(text)
    return zip(words, words[1:], words[2:], strict=False)


class _Blocks:
    """The prompt in one spelling: where each block of letters stands in it."""

    def __init__(self, letters: str) -> None:
        self.letters = letters
        self.at: dict[str, list[int]] = {}
        for place in range(len(letters) - BLOCK + 1):
            places = self.at.setdefault(letters[place : place + BLOCK], [])
            if len(places) < PLACES:
                places.append(place)

    def ends(self, text: str) -> int:
        """How many letters at the end of a text stand in the prompt as well."""
        low, high = 0, 1
        while high <= len(text) and text[-high:] in self.letters:
            low, high = high, 2 * high
        high = min(high, len(text) + 1)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if text[-middle:] in self.letters else (low, middle)
        return low

    def leads(self, text: str, word: str, ahead: Ahead | None) -> int:
        """How many letters at the end of a text stand in the prompt, with what follows as far as that is known.

        One letter at the end of a longer `word`, the last, is no beginning of what goes on with a stand-in.
        """
        longest = self.ends(text)
        if ahead is None or not longest:
            return longest
        plain, *instead = (
            self.ends(text[-longest:] + way.casefold()) - len(way.casefold()) for way in ahead.letters(self.letters)
        )
        return max(0, plain, *(led for led in instead if led > 1 or len(word) == 1))

    def run(self, text: str, at: int, place: int) -> tuple[int, int]:
        """How far the text and the prompt agree around a block: its place in the text."""
        low, high = 0, BLOCK
        while low < min(at, place) and text[at - low - 1] == self.letters[place - low - 1]:
            low += 1
        most = min(len(text) - at, len(self.letters) - place)
        while high < most and text[at + high] == self.letters[place + high]:
            high += 1
        return at - low, at + high


class _Next:
    """What is known of the next word: how it begins, as written so far or as `ahead` tells."""

    def __init__(self, begun: str, ahead: Ahead | None) -> None:
        self._begun = begun
        # A stand-in ends a word that has begun, or begins one.
        self._ways = tuple(way.casefold() for way in ahead.letters()) if ahead else ()
        self._ends = frozenset(self._ways[0][:at] for at in range(1, len(self._ways[0]))) if ahead else frozenset()

    def may_be(self, words: Iterable[str]) -> bool:
        """Whether it may be one of these."""
        ways = self._ways or (self._begun,)
        return any(word in self._ends or word.startswith(ways) for word in words)


class PromptLeak:
    """Block an answer that copies the system's prompt."""

    version: ClassVar[str] = "2"
    tables: ClassVar[tuple[str, ...]] = ("homoglyphs",)
    Options: ClassVar[type[Options]] = PromptLeakOptions
    roles: frozenset[Role] = frozenset({"assistant"})
    # An address can carry a prompt away as well as a text can.
    reads = "all"

    def __init__(self, options: PromptLeakOptions) -> None:
        plain = squash(options.prompt)
        # A prompt shorter than RUN is copied whole or not at all.
        self._run = min(options.run, max(RUN, len(plain)))
        self._spellings = {
            name: _Blocks(letters)
            for name, letters in (("copied", plain), ("reversed", plain[::-1]), ("rot13", rot13(plain)))
        }
        self._blocks = frozenset(chain.from_iterable(spelling.at for spelling in self._spellings.values()))
        self._public = tuple(map(squash, options.allowed))
        public = {triple for text in options.allowed for triple in _triples(_plain(text))}
        self._triples = frozenset(_triples(_plain(options.prompt))) - public
        self._openings: dict[tuple[str, ...], set[str]] = {}
        for triple in self._triples:
            for size in (1, 2):
                self._openings.setdefault(triple[:size], set()).add(triple[size])
        canaries = SecretFilterOptions(secrets=options.canaries, own="block", generic="ignore")
        self._canaries = SecretFilter(canaries) if options.canaries else None

    def screen(self, message: Message) -> Ruling:
        folded = fold(message.content).text
        decoded = list(layers(folded))
        if self._canaries and self._canaries.own(folded, [layer.text for layer in decoded]):
            return Block(reason="prompt-canary")
        if len(self._spellings["copied"].letters) < BLOCK:
            return Allow()
        if form := self._form(folded):
            return Block(reason=f"prompt-{form}")
        return Block(reason="prompt-encoded") if any(self._form(layer.text) for layer in decoded) else Allow()

    def settled(self, text: str) -> int:
        return self._settled(text, None)

    def settled_before(self, text: str, ahead: Ahead) -> int:
        return self._settled(text, ahead)

    def leaves(self, ahead: Ahead) -> Ahead | None:
        return ahead

    def _settled(self, text: str, ahead: Ahead | None) -> int:
        folded = fold(text)
        decoded = [(layer.text, layer.start, layer.end) for layer in layers(folded.text)]
        at = tails.encoded(folded.text, ahead)
        if len(self._spellings["copied"].letters) >= BLOCK:
            encoded = (low for layer, low, _ in decoded if low < at and self._form(layer))
            at = min([at, self._begins(folded.text, ahead), *encoded])
        spans = tails.Spans(runs(folded.text))
        if self._canaries:
            begun = self._canaries.begins(folded.text, decoded, ahead)
            at = self._canaries.clear(folded.text, min(at, begun), spans)
        return folded.place(spans.clear(folded.text, at))

    def ends(self, text: str) -> bool:
        if self._canaries and self._canaries.ends(text):
            return True
        return len(self._spellings["copied"].letters) >= BLOCK and self._form(fold(text).text) is not None

    def _begins(self, text: str, ahead: Ahead | None) -> int:
        """Where the first thing begins in a folded text that is a copy of the prompt, or may become one."""
        words = words_in(text)
        letters = "".join(words)
        held = max(spelling.leads(letters, "".join(words[-1:]), ahead) for spelling in self._spellings.values())
        places = [len(letters) - held, *(low for _, low in self._runs(letters))]
        at = tails.back(text, len(letters) - min(places), tails.letters)
        cut = words[-1:] if text[-1:].isalnum() else []
        first = self._near_begins(words, _Next(cut[0] if cut else "", ahead), whole=not cut)
        return min(at, tails.back(text, sum(map(len, words[first:])), tails.letters))

    def _near_begins(self, words: list[str], following: "_Next", *, whole: bool) -> int:
        """The first word of a stretch that is, or may become, a near copy; `whole` tells that no word is cut."""
        near = self._near_at(words)
        complete = words if whole else words[:-1]
        last = len(complete)
        held = [last if near is None else near]
        held += [last - size for size in (1, 2) if following.may_be(self._openings.get(tuple(complete[-size:]), ()))]
        known = self._known(complete[-WINDOW - 2 :])
        for at, one in enumerate(known):
            size = len(known) - at
            if one and sum(known[at:]) + WINDOW - size >= NEAR:
                held.append(last - 2 - size)
                break
        return min(held)

    def _form(self, text: str) -> str | None:
        """How a folded text holds the prompt: 'copied', 'reversed', 'rot13', 'near' or 'overload'."""
        words = words_in(text)
        letters = "".join(words)
        if len(letters) < BLOCK and len(words) < NEAR:
            return None
        return self._copied(letters) or ("near" if self._near(words) else None)

    def _copied(self, letters: str) -> str | None:
        return next((name for name, _ in self._runs(letters)), None)

    def _runs(self, letters: str) -> Iterator[tuple[str, int]]:
        """Copies in the letters of a text, and where each begins; 'overload' is the last."""
        compared = 0
        known = [
            (at, block)
            for at in range(0, len(letters) - BLOCK + 1, BLOCK)
            if (block := letters[at : at + BLOCK]) in self._blocks
        ]
        for name, spelling in self._spellings.items():
            if len(spelling.letters) < RUN:
                if spelling.letters in letters:
                    yield name, letters.find(spelling.letters)
                continue
            done = 0
            for at, block in known:
                for place in spelling.at.get(block, ()) if at >= done else ():
                    compared += 1
                    low, high = spelling.run(letters, at, place)
                    done = max(done, high)
                    if high - low >= self._run and not self._is_public(letters[low:high], name):
                        yield name, low
                    if compared > COMPARISONS:
                        yield "overload", at
                        return

    def _is_public(self, run: str, name: str) -> bool:
        plain = {"reversed": run[::-1], "rot13": rot13(run)}.get(name, run)
        return any(plain in text for text in self._public)

    def _near(self, words: list[str]) -> bool:
        return self._near_at(words) is not None

    def _near_at(self, words: list[str]) -> int | None:
        """The word with which the first stretch begins that is made of the prompt's word triples."""
        known = self._known(words)
        if known.count(True) < NEAR:
            return None
        count = sum(known[:WINDOW])
        for at in range(max(1, len(known) - WINDOW + 1)):
            if at:
                count += known[at + WINDOW - 1] - known[at - 1]
            if count >= NEAR and self._different(words[at : at + WINDOW + 2]) >= NEAR:
                return known.index(True, at)
        return None

    def _known(self, words: list[str]) -> list[bool]:
        triples = self._triples
        return [triple in triples for triple in zip(words, words[1:], words[2:], strict=False)]

    def _different(self, words: list[str]) -> int:
        return len(self._triples.intersection(zip(words, words[1:], words[2:], strict=False)))


def _plain(text: str) -> str:
    return fold(text).text.casefold()
