"""Stop an answer that gives away the system's prompt: word for word, nearly so, or encoded.

A copy is a run of letters and digits, whatever case, blanks, punctuation, look-alike letters or invisible characters
stand between: as written, reversed, in rot13, base64, hexadecimal, percent or character references (nested). A near
copy is a stretch of the answer most of whose word triples stand in the prompt: sentences in another order, or with a
word changed here and there. Canaries, strings put into the prompt for this alone, are looked for in every disguise of
the secret filter. Not seen: a summary, a translation, a copy interleaved with other words, one of a few words.
"""

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar

from msgspec import Meta

from aloi.solutions.guard import Allow, Block, Ruling
from aloi.solutions.guards.secrets import SecretFilter, SecretFilterOptions, squash
from aloi.solutions.normalise import fold, layers, rot13
from aloi.solutions.options import LongSecret, Options, SecretTexts, Texts
from aloi.system.messages import Message, Role
from aloi.translation import N_

# A run of RUN letters holds a whole block of BLOCK that begins at a multiple of BLOCK in the answer.
BLOCK, RUN = 24, 48
# Of WINDOW word triples in a row, this many different ones stand in the prompt.
WINDOW, NEAR = 22, 14
# How many places of the prompt one block is compared at, and comparisons of one answer: more are made only by an
# answer that is built around the prompt.
PLACES, COMPARISONS = 4, 4_000
_WORD = re.compile(r"[^\W_]+")
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
    words = _WORD.findall(text)
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

    def run(self, text: str, at: int, place: int) -> tuple[int, int]:
        """How far the text and the prompt agree around a block: its place in the text."""
        low, high = 0, BLOCK
        while low < min(at, place) and text[at - low - 1] == self.letters[place - low - 1]:
            low += 1
        most = min(len(text) - at, len(self.letters) - place)
        while high < most and text[at + high] == self.letters[place + high]:
            high += 1
        return at - low, at + high


class PromptLeak:
    """Block an answer that copies the system's prompt."""

    version: ClassVar[str] = "1"
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
        self._public = tuple(map(squash, options.allowed))
        public = {triple for text in options.allowed for triple in _triples(_plain(text))}
        self._triples = frozenset(_triples(_plain(options.prompt))) - public
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

    def _form(self, text: str) -> str | None:
        """How a folded text holds the prompt: 'copied', 'reversed', 'rot13', 'near' or 'overload'."""
        words = _WORD.findall(text.casefold())
        return self._copied("".join(words)) or ("near" if self._near(words) else None)

    def _copied(self, letters: str) -> str | None:
        compared = 0
        for name, spelling in self._spellings.items():
            if len(spelling.letters) < RUN:
                if spelling.letters in letters:
                    return name
                continue
            done = 0
            for at in range(0, len(letters) - BLOCK + 1, BLOCK):
                for place in spelling.at.get(letters[at : at + BLOCK], ()) if at >= done else ():
                    compared += 1
                    low, high = spelling.run(letters, at, place)
                    done = max(done, high)
                    if high - low >= self._run and not self._is_public(letters[low:high], name):
                        return name
                    if compared > COMPARISONS:
                        return "overload"
        return None

    def _is_public(self, run: str, name: str) -> bool:
        plain = {"reversed": run[::-1], "rot13": rot13(run)}.get(name, run)
        return any(plain in text for text in self._public)

    def _near(self, words: list[str]) -> bool:
        """Whether a stretch of the answer is made of the prompt's word triples."""
        triples = self._triples
        known = [triple in triples for triple in zip(words, words[1:], words[2:], strict=False)]
        if known.count(True) < NEAR:
            return False
        count = sum(known[:WINDOW])
        for at in range(max(1, len(known) - WINDOW + 1)):
            if at:
                count += known[at + WINDOW - 1] - known[at - 1]
            if count >= NEAR and self._different(words[at : at + WINDOW + 2]) >= NEAR:
                return True
        return False

    def _different(self, words: list[str]) -> int:
        return len(self._triples.intersection(zip(words, words[1:], words[2:], strict=False)))


def _plain(text: str) -> str:
    return fold(text).text.casefold()
