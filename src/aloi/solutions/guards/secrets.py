"""Stop secrets in an answer: the system's own in any disguise, and everybody's by their shape.

A system's own secret (canary, key, hidden code) is known, so it is searched for exactly: as written, in another case,
split by spaces or punctuation, reversed, in rot13, base64 or hexadecimal (nested), in look-alike letters or invisible
characters, with one or two characters changed where it is long, and cut off by the end of the answer. Not seen: a
paraphrase ("the bird in the code is ..."), a translation, or a spelling alphabet.
"""

import base64
import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import ClassVar, Literal

from msgspec import Struct

from aloi.solutions.guard import Allow, Block, Rewrite, Ruling
from aloi.solutions.normalise import Folded, fold, layers, rot13
from aloi.solutions.options import Options, SecretTexts
from aloi.solutions.tables import table
from aloi.system.messages import Message, Role
from aloi.translation import N_

# Below eight letters or digits a match inside other words is chance, so the secret must stand alone.
STANDS_ALONE = 8
SHORTEST = 4
# Comparisons of one answer with one secret. Beyond, the answer is held to be built around the secret and is blocked.
COMPARISONS = 2_000
# What is left of a drawn value without runs that could be words.
_WORDS, _UNWORDED = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}|[_.\-/]"), 8
_NOT_ALNUM = re.compile(r"[\W_]+")


class SecretFilterOptions(Options, frozen=True, kw_only=True):
    """`secrets` are the system's own and block; `generic` says what to do with a well-known credential shape."""

    secrets: SecretTexts = ()
    own: Literal["mask", "block"] = "block"
    generic: Literal["mask", "block", "ignore"] = "mask"

    def problem(self) -> tuple[str, str] | None:
        if any(len(squash(secret)) < SHORTEST for secret in self.secrets):
            return "secrets", N_("a secret needs at least four letters or digits, or it would be found everywhere")
        return None


def squash(text: str) -> str:
    """Only the letters and digits, folded and in one case."""
    return _NOT_ALNUM.sub("", fold(text).text.casefold())


class _Shape(Struct, frozen=True):
    """`bits` is the least entropy of a character of the group `value`; 0 asks for none."""

    pattern: re.Pattern[str]
    ends: re.Pattern[str] | None
    signs: tuple[str, ...]
    bits: float


@cache
def _shapes() -> tuple[_Shape, ...]:
    rows = table("secret-shapes")["shapes"]
    return tuple(
        _Shape(
            re.compile(row["pattern"]),
            re.compile(row["ends"]) if "ends" in row else None,
            tuple(row["signs"]),
            row.get("bits", 0.0),
        )
        for row in rows
    )


class _Needle:
    """One secret of the system and the forms it is searched in."""

    def __init__(self, secret: str) -> None:
        self.plain = squash(secret)
        self.turned = {"reversed": self.plain[::-1], "rot13": rot13(self.plain), "encoded": self.plain.encode().hex()}
        self.encoded = {core for form in (secret, secret.lower(), secret.upper()) for core in _base64_cores(form)}
        alone = r"[\W_]{0,4}".join(map(re.escape, self.plain))
        self.alone = re.compile(rf"(?<![^\W_]){alone}(?![^\W_])")
        # What may be masked: a short secret only where it stands alone, as it is searched.
        whole = alone if len(self.plain) >= STANDS_ALONE else self.alone.pattern
        self.copy = re.compile(whole, re.IGNORECASE)
        self.edits = 0 if len(self.plain) < 10 else 1 if len(self.plain) < 24 else 2

    def form(self, text: str, squashed: str) -> str | None:
        """How `text` holds the secret: 'copied', 'reversed', 'rot13', 'encoded', 'near', 'cut' or 'overload'."""
        if len(self.plain) < STANDS_ALONE:
            return "copied" if self.alone.search(text.casefold()) else None
        if self.plain in squashed:
            return "copied"
        for name, turned in self.turned.items():
            if turned in squashed:
                return name
        if any(
            squashed.endswith(self.plain[:size]) for size in range(max(8, len(self.plain) * 3 // 4), len(self.plain))
        ):
            return "cut"
        return self._near(squashed)

    def _near(self, squashed: str) -> str | None:
        """Within `edits` changes, at least one of `edits` + 1 pieces is left whole (Wu and Manber 1992)."""
        if not self.edits:
            return None
        size, seen = len(self.plain) // (self.edits + 1), set()
        for start in range(0, size * (self.edits + 1), size):
            piece = self.plain[start : start + size]
            for at in _occurrences(piece, squashed):
                low = max(0, at - start - self.edits)
                before = squashed[low:at][::-1]
                after = squashed[at + size : at + len(self.plain) - start + self.edits]
                if (start, before, after) in seen:
                    continue
                seen.add((start, before, after))
                if len(seen) > COMPARISONS:
                    return "overload"
                if self._around(start, size, before, after):
                    return "near"
        return None

    def _around(self, start: int, size: int, before: str, after: str) -> bool:
        left, right = self.plain[:start][::-1], self.plain[start + size :]
        return any(
            _begins(before, left, spent) and _begins(after, right, self.edits - spent)
            for spent in range(self.edits + 1)
        )


def _occurrences(piece: str, text: str) -> Iterator[int]:
    at = text.find(piece)
    while at >= 0:
        yield at
        at = text.find(piece, at + 1)


def _begins(text: str, wanted: str, edits: int) -> bool:
    """Whether `text` begins with `wanted`, give or take `edits` characters changed, dropped or added."""
    same = next((i for i, (a, b) in enumerate(zip(text, wanted, strict=False)) if a != b), min(len(text), len(wanted)))
    if len(wanted) - same <= edits:
        return True
    if not edits:
        return False
    text, wanted = text[same:], wanted[same:]
    return any(
        _begins(text[skip:], wanted[drop:], edits - 1) for skip, drop in ((1, 1), (0, 1), (1, 0)) if skip <= len(text)
    )


def _base64_cores(secret: str) -> Iterator[str]:
    """What base64 shows of a secret whatever stands before it: three alignments, without the shared edges."""
    raw = secret.encode("utf-8", "surrogatepass")
    for pad in range(3):
        coded = base64.b64encode(b"\0" * pad + raw).decode()
        core = coded[-(-pad * 4 // 3) : len(coded) - 4 if (pad + len(raw)) % 3 else len(coded)]
        if len(core) >= 10:
            yield core
            yield core.replace("+", "-").replace("/", "_")


class SecretFilter:
    """Block an answer that holds a secret of the system; mask well-known credential shapes."""

    version: ClassVar[str] = "3"
    tables: ClassVar[tuple[str, ...]] = ("homoglyphs", "secret-shapes")
    Options: ClassVar[type[Options]] = SecretFilterOptions
    roles: frozenset[Role] = frozenset({"assistant"})
    # An address can carry a secret away as well as a text can.
    reads = "all"

    def __init__(self, options: SecretFilterOptions) -> None:
        self._generic = options.generic
        self._own_action = options.own
        self._needles = tuple(map(_Needle, options.secrets))
        self._mask: str = table("secret-shapes")["mask"]

    def screen(self, message: Message) -> Ruling:
        folded = fold(message.content)
        decoded = [(layer.text, layer.start, layer.end) for layer in layers(folded.text)]
        if self._needles and (form := self.own(folded.text, [text for text, _, _ in decoded])):
            if self._own_action == "mask" and (masked := self._masked(folded)) is not None:
                return Rewrite(content=masked, reason=f"own-secret-{form}")
            return Block(reason=f"own-secret-{form}")
        if self._generic == "ignore":
            return Allow()
        spans = _credentials(folded.text, decoded)
        if not spans:
            return Allow()
        if self._generic == "block":
            return Block(reason="credential")
        return Rewrite(content=replaced(folded, spans, self._mask), reason="credential")

    def _masked(self, folded: Folded) -> str | None:
        """The text without its plain copies of secrets; None where it holds one in another form as well."""
        spans = sorted(match.span() for needle in self._needles for match in needle.copy.finditer(folded.text))
        again = fold(replaced(folded, spans, self._mask)) if spans else folded
        if self.own(again.text, [layer.text for layer in layers(again.text)]):
            return None
        return again.original

    def own(self, text: str, decoded: list[str]) -> str | None:
        """How a folded text, or one decoded from it, holds a secret of the system's own; None where none does."""
        squashed, unspaced = _NOT_ALNUM.sub("", text.casefold()), "".join(text.split())
        inner = [(layer, _NOT_ALNUM.sub("", layer.casefold())) for layer in decoded]
        for needle in self._needles:
            if form := needle.form(text, squashed):
                return form
            if any(core in unspaced for core in needle.encoded) or any(needle.form(*layer) for layer in inner):
                return "encoded"
        return None


def credentials(text: str) -> list[tuple[int, int]]:
    """Spans of a folded text that hold a credential: of a known shape, given to a name that says so, or encoded."""
    return _credentials(text, [(layer.text, layer.start, layer.end) for layer in layers(text)])


def _credentials(text: str, decoded: list[tuple[str, int, int]]) -> list[tuple[int, int]]:
    return sorted({*_generic(text), *((low, high) for inner, low, high in decoded if any(_generic(inner)))})


def _generic(text: str) -> Iterator[tuple[int, int]]:
    """Spans of credential shapes."""
    lowered = text.lower()
    for shape in _shapes():
        if not any(sign in lowered for sign in shape.signs):
            continue
        at = 0
        while match := shape.pattern.search(text, at):
            at = match.end()
            if shape.ends:
                end = shape.ends.search(text, at)
                at = end.end() if end else len(text)
            elif shape.bits and not _drawn(match["value"], shape.bits):
                at = match.start("value")
                continue
            yield match.start("value") if "value" in shape.pattern.groupindex else match.start(), at


def _drawn(value: str, bits: float) -> bool:
    """Whether a value was drawn and not written: enough entropy, and not a name that is put together of words."""
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())
    return entropy >= bits and len(_WORDS.sub("", value)) >= _UNWORDED


def replaced(folded: Folded, spans: list[tuple[int, int]], mask: str) -> str:
    """The original text with each span of the folded text replaced by `mask`; overlapping spans become one."""
    pieces, done = [], 0
    for low, high in (folded.span(*span) for span in spans):
        if low >= done:
            pieces += [folded.original[done:low], mask]
        done = max(done, high)
    return "".join([*pieces, folded.original[done:]])
