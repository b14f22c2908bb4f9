"""Attacks that write the request in another form; each can be read back."""

import base64
import codecs
import json
import random
from abc import ABC, abstractmethod

from aloi.science.attack import Wrapped
from aloi.science.attacks.wording import Worded


class Encoded(Worded, ABC):
    """One message around the encoded request."""

    @abstractmethod
    def encode(self, text: str, rng: random.Random) -> str:
        """The text in its other form."""

    @abstractmethod
    def decode(self, encoded: str) -> str:
        """What `encode` was given, or as much of it as the form keeps."""

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:
        """The encoded request, and what to do with it."""
        return Wrapped(messages=(self.user("message", language, rng, encoded=self.encode(text, rng)),))


class Base64(Encoded):
    """Base64 (RFC 4648, section 4) of the UTF-8 bytes."""

    name = "base64"

    def encode(self, text: str, rng: random.Random) -> str:  # noqa: ARG002 - there is one way
        """The text in base64."""
        return base64.b64encode(text.encode()).decode()

    def decode(self, encoded: str) -> str:
        """The text again."""
        return base64.b64decode(encoded).decode()


class Rot13(Encoded):
    """The 26 Latin letters moved by thirteen places; all else stays."""

    name = "rot13"

    def encode(self, text: str, rng: random.Random) -> str:  # noqa: ARG002 - there is one way
        """The text with its letters moved."""
        return codecs.encode(text, "rot13")

    def decode(self, encoded: str) -> str:
        """The text again: twice thirteen is a whole turn."""
        return codecs.decode(encoded, "rot13")


class Leetspeak(Encoded):
    """Some of the letters that a figure or a sign resembles, replaced. Case, and figures of the text, are not kept."""

    name = "leetspeak"
    letters, signs = "aaeiiosstbg", "4@31!05$789"

    def encode(self, text: str, rng: random.Random) -> str:
        """The text with three in four of these letters replaced."""
        looks: dict[str, list[str]] = {}
        for letter, sign in zip(self.letters, self.signs, strict=True):
            looks.setdefault(letter, []).append(sign)
        return "".join(
            rng.choice(looks[letter.lower()]) if letter.lower() in looks and rng.random() < 0.75 else letter
            for letter in text
        )

    def decode(self, encoded: str) -> str:
        """The text with every sign read as its letter."""
        return encoded.translate(str.maketrans(self.signs, self.letters))


class InvisibleCharacters(Encoded):
    """Characters that no reader sees, between those of the text."""

    name = "invisible-characters"
    # Zero-width space, word joiner, invisible separator: none of them changes how letters join or which way they run.
    unseen = ("\N{ZERO WIDTH SPACE}", "\N{WORD JOINER}", "\N{INVISIBLE SEPARATOR}")

    def encode(self, text: str, rng: random.Random) -> str:
        """The text with one of them after about every other character, and after the first."""
        return "".join(
            letter + (rng.choice(self.unseen) if place == 0 or rng.random() < 0.5 else "")
            for place, letter in enumerate(text)
        )

    def decode(self, encoded: str) -> str:
        """The text without them."""
        return encoded.translate(dict.fromkeys(map(ord, self.unseen)))


class SplitPayload(Worded):
    """The request in two to five pieces with names, to be joined."""

    name = "split-payload"
    names = ("abcdefgh", "klmnpqrs", "uvwxyzst")

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:
        """The pieces, each a JSON string on a line of its own, and their sum."""
        cuts = sorted(rng.sample(range(1, len(text)), min(rng.randint(1, 4), len(text) - 1)))
        ends = [*cuts, len(text)]
        pieces = [text[start:end] for start, end in zip([0, *cuts], ends, strict=True)]
        names = rng.choice(self.names)[: len(pieces)]
        lines = [f"{name} = {json.dumps(piece, ensure_ascii=False)}" for name, piece in zip(names, pieces, strict=True)]
        message = self.user("message", language, rng, pieces="\n".join(lines), sum=" + ".join(names))
        return Wrapped(messages=(message,))


class FormatSmuggling(Worded):
    """The request as a JSON string, which YAML, Python and JavaScript read as well, in a file to be completed."""

    name = "format-smuggling"

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:
        """The file, and what to do with it. Its names are drawn once: they recur in it."""
        slots = self.wording.slots
        names = {slot: rng.choice(slots[slot][language]) for slot in ("task", "answer", "id")}
        quoted = json.dumps(text, ensure_ascii=False)
        return Wrapped(messages=(self.user("message", language, rng, quoted=quoted, **names),))
