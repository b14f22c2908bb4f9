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
from collections.abc import Iterator, Sequence
from functools import cache
from typing import ClassVar, Literal

from msgspec import Struct

from aloi.solutions.ahead import Ahead
from aloi.solutions.encoded import layers, rot13
from aloi.solutions.guard import Allow, Block, Rewrite, Ruling
from aloi.solutions.guards import tails
from aloi.solutions.normalise import Folded, alphanumeric, fold, squash
from aloi.solutions.options import Options, SecretTexts
from aloi.solutions.runs import runs
from aloi.solutions.tables import table
from aloi.system.messages import Message, Role
from aloi.translation import N_

# Below eight letters or digits a match inside other words is chance, so the secret must stand alone.
STANDS_ALONE = 8
SHORTEST = 4
# Comparisons of one answer with one secret. Beyond, the answer is held to be built around the secret and is blocked.
COMPARISONS = 500
# Where a piece of a secret begins in it, and what stands before and behind that piece in a text.
_Compared = set[tuple[int, str, str]]
# Ends and beginnings that are longer are looked for, shorter ones are tried.
_OVERLAP, _TAIL = 8, 1_000
# The line that opens a block of a key, or may become one.
_OPENING = re.compile(r"-{1,4}\Z|-{5}(?:[A-Z][A-Z0-9 ]{0,70}-{0,5})?\Z")
# What is left of a drawn value without runs that could be words.
_WORDS, _UNWORDED = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}|[_.\-/]"), 8


class SecretFilterOptions(Options, frozen=True, kw_only=True):
    """`secrets` are the system's own and block; `generic` says what to do with a well-known credential shape."""

    secrets: SecretTexts = ()
    own: Literal["mask", "block"] = "block"
    generic: Literal["mask", "block", "ignore"] = "mask"

    def problem(self) -> tuple[str, str] | None:
        if any(len(squash(secret)) < SHORTEST for secret in self.secrets):
            return "secrets", N_("a secret needs at least four letters or digits, or it would be found everywhere")
        return None


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
        self.begun = re.compile(_begun(self.plain[:STANDS_ALONE]))
        self.edits = 0 if len(self.plain) < 10 else 1 if len(self.plain) < 24 else 2
        # What is shorter shows too little of a longer secret.
        self.least = max(STANDS_ALONE, len(self.plain) * 3 // 4)

    def form(self, text: str, squashed: str, seen: _Compared) -> str | None:
        """How `text` holds the secret: 'copied', 'reversed', 'rot13', 'encoded', 'near', 'cut' or 'overload'.

        `seen` is what was compared before, in this text or those that it was decoded from, and was no copy.
        """
        if len(self.plain) < STANDS_ALONE:
            return "copied" if self.alone.search(text.casefold()) else None
        if len(squashed) < self.least:
            return None
        if self.plain in squashed:
            return "copied"
        for name, turned in self.turned.items():
            if turned in squashed:
                return name
        if self.cut(squashed):
            return "cut"
        return self._near(squashed, seen)

    def _near(self, squashed: str, seen: _Compared) -> str | None:
        """Within `edits` changes, at least one of `edits` + 1 pieces is left whole (Wu and Manber 1992)."""
        if not self.edits:
            return None
        size = len(self.plain) // (self.edits + 1)
        for start in range(0, size * (self.edits + 1), size):
            piece = self.plain[start : start + size]
            for at in _occurrences(piece, squashed):
                low = max(0, at - start - self.edits)
                before = squashed[low:at][::-1]
                after = squashed[at + size : at + len(self.plain) - start + self.edits]
                if (start, before, after) in seen:
                    continue
                if len(seen) >= COMPARISONS:
                    return "overload"
                if self._around(start, size, before, after):
                    return "near"
                seen.add((start, before, after))
        return None

    def begins(self, text: str, squashed: str, unspaced: str, ahead: Ahead | None, *, whole: bool) -> int:
        """Where the first thing begins in a folded text that may become this secret, or that is it where `whole`."""
        if len(self.plain) < STANDS_ALONE:
            at = [self._alone(text, whole=whole)]
        else:
            begun = min([self._leading(squashed, ahead), *(self._copies(squashed) if whole else ())])
            at = [tails.back(text, len(squashed) - begun, tails.letters)]
        for core in self.encoded:
            place = unspaced.find(core) if whole else -1
            place = place if place >= 0 else _led_to(unspaced, core, ahead)
            if place < len(unspaced):
                at.append(tails.back(text, len(unspaced) - place, lambda part: len("".join(part.split()))))
        return min(at)

    def begins_within(self, letters: str) -> bool:
        """Whether the secret may begin in a word that begins with these."""
        low = letters.casefold()
        return any(_is_on_the_way(low[at:], self.plain) for at in range(len(low)))

    def told(self, squashed: str, unspaced: str) -> bool:
        """Whether a text holds the secret in a spelling that no mask takes out of it."""
        turned = self.turned.values() if len(self.plain) >= STANDS_ALONE else ()
        return any(form in squashed for form in turned) or any(core in unspaced for core in self.encoded)

    def stays(self, squashed: str) -> bool:
        """Whether a text holds the secret, or nearly, whatever follows; a short one may become a part of a word."""
        return len(self.plain) >= STANDS_ALONE and (self.plain in squashed or self._near(squashed, set()) is not None)

    def copying(self, text: str, squashed: str) -> int:
        """Where a plain copy begins at the end of a folded text that is not whole yet."""
        if len(self.plain) < STANDS_ALONE:
            return self._alone(text, whole=False)
        return tails.back(text, _overlap(squashed, self.plain), tails.letters)

    def _alone(self, text: str, *, whole: bool) -> int:
        cased = text.casefold()
        found = (whole and self.alone.search(cased)) or self.begun.search(cased, max(0, len(cased) - 40))
        return tails.back(text, len(cased) - found.start() if found else 0, lambda part: len(part.casefold()))

    def cut(self, squashed: str) -> bool:
        """Whether a text ends as if the secret had been cut off."""
        sizes = range(self.least, len(self.plain))
        return len(self.plain) >= STANDS_ALONE and any(squashed.endswith(self.plain[:size]) for size in sizes)

    def _leading(self, squashed: str, ahead: Ahead | None) -> int:
        """Where the longest end of a text begins that leads up to some form of the secret."""
        least = min(_led_to(squashed, form, ahead) for form in (self.plain, *self.turned.values()))
        for at in range(max(0, len(squashed) - len(self.plain) - self.edits), least):
            if self._leads(end := squashed[at:]) and (
                ahead is None or any(self._leads(end + way.casefold()) for way in ahead.letters())
            ):
                return at
        return least

    def _leads(self, text: str) -> bool:
        """Whether a text begins as the secret does, some letters left out at most, or may go on to."""
        return any(
            text[:1] == self.plain[skip] and _leads(text, self.plain[skip:], self.edits - skip)
            for skip in range(self.edits + 1)
        )

    def _copies(self, squashed: str) -> Iterator[int]:
        """Where in the letters of a text the secret stands, in any form but base64."""
        for form in (self.plain, *self.turned.values()):
            if (at := squashed.find(form)) >= 0:
                yield at
        size, compared, most = len(self.plain) // (self.edits + 1), 0, len(self.plain) + self.edits
        for start in range(0, size * (self.edits + 1), size) if self.edits else ():
            for at in _occurrences(self.plain[start : start + size], squashed):
                low, high = max(0, at - start - self.edits), at - start + self.edits
                compared += 1
                if compared > COMPARISONS:
                    yield low
                    break
                yield from (one for one in range(low, high + 1) if self._leads(squashed[one : one + most]))

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


def _leads(text: str, wanted: str, edits: int) -> bool:
    """Whether some text that begins with `text` begins with `wanted`, give or take `edits` characters."""
    same = next((i for i, (a, b) in enumerate(zip(text, wanted, strict=False)) if a != b), min(len(text), len(wanted)))
    if same == len(text) or len(wanted) - same <= edits:
        return True
    text, wanted = text[same:], wanted[same:]
    return edits > 0 and any(_leads(text[skip:], wanted[drop:], edits - 1) for skip, drop in ((1, 1), (0, 1), (1, 0)))


def _overlap(text: str, wanted: str) -> int:
    """The length of the longest end of a text that `wanted` begins with, and goes on from."""
    end = text[-len(wanted) + 1 :] if len(wanted) > 1 else ""
    for among, least in ((end, _OVERLAP), (end[1 - _OVERLAP :], 1)):
        for at in _occurrences(wanted[:least], among):
            if wanted.startswith(among[at:]):
                return len(among) - at
    return 0


def _led_to(text: str, wanted: str, ahead: Ahead | None) -> int:
    """Where the longest end of a text begins that `wanted` begins with, and goes on from as `ahead` tells."""
    least = len(text) - _overlap(text, wanted)
    if ahead is None or least == len(text):
        return least
    ways = [*ahead.letters(), *(way.casefold() for way in ahead.letters())]
    led = (at for at in range(least, len(text)) if any(_is_on_the_way(text[at:] + way, wanted) for way in ways))
    return next(led, len(text))


def _is_on_the_way(text: str, wanted: str) -> bool:
    return text.startswith(wanted) or wanted.startswith(text)


def _begun(secret: str) -> str:
    """A pattern of a secret that stands alone, or begins to, at the end of a text."""
    pattern = rf"{re.escape(secret[-1:])}\Z"
    for letter in reversed(secret[:-1][:STANDS_ALONE]):
        pattern = rf"{re.escape(letter)}[\W_]{{0,4}}(?:\Z|{pattern})"
    return rf"(?<![^\W_]){pattern}"


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

    version: ClassVar[str] = "6"
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
        form = self.own(folded.text, [text for text, _, _ in decoded]) if self._needles else None
        if form and self._own_action == "block":
            return Block(reason=f"own-secret-{form}")
        spans = _credentials(folded.text, decoded) if self._generic != "ignore" else []
        if spans and self._generic == "block":
            return Block(reason=f"own-secret-{form}" if form else "credential")
        if form:
            masked = self._masked(folded, spans)
            reason = f"own-secret-{form}"
            return Block(reason=reason) if masked is None else Rewrite(content=masked, reason=reason)
        return Rewrite(content=replaced(folded, spans, self._mask), reason="credential") if spans else Allow()

    def settled(self, text: str) -> int:
        return self._settled(text, None)

    def settled_before(self, text: str, ahead: Ahead) -> int:
        return self._settled(text, ahead)

    def leaves(self, ahead: Ahead) -> Ahead | None:
        masks_own = self._own_action == "mask" and self._needles
        if masks_own and any(needle.begins_within(one) for needle in self._needles for one in ahead.instead):
            return None
        return ahead.behind(self._mask) if masks_own or self._generic == "mask" else ahead

    def _settled(self, text: str, ahead: Ahead | None) -> int:
        folded = fold(text)
        decoded = [(layer.text, layer.start, layer.end) for layer in layers(folded.text)]
        opening = _OPENING.search(folded.text, max(0, len(folded.text) - 90))
        at = min(tails.encoded(folded.text, ahead), opening.start() if opening else len(folded.text))
        copies = _Copies(folded, self._needles if self._own_action == "mask" else (), self._mask)
        if self._needles:
            shown = [(one.text, one.start, one.end) for one in layers(copies.text)] if copies.spans else decoded
            at = min(at, copies.back(self.begins(copies.text, shown, ahead)), copies.ends)
        if copies.spans:
            squashed = alphanumeric(folded.text)
            at = min([at, *(needle.copying(folded.text, squashed) for needle in self._needles)])
        spans = tails.Spans([*runs(folded.text), *_blocks(folded.text), *copies.spans])
        at = self.clear(folded.text, at, spans, copies)
        if self._generic == "block":
            at = min([at, *(low for low, _ in _credentials(folded.text, decoded))])
        return folded.place(self.clear(folded.text, at, spans, copies))

    def ends(self, text: str) -> bool:
        folded = fold(text).text
        squashed, unspaced = _read(folded)
        blocks = self._own_action == "block"
        return any(needle.told(squashed, unspaced) or (blocks and needle.stays(squashed)) for needle in self._needles)

    def clear(self, text: str, at: int, spans: tails.Spans, copies: "_Copies | None" = None) -> int:
        """The last place up to `at` where no word is cut, none of the spans, and no secret seems to be cut off."""
        at = spans.clear(text, at)
        while self._cut(copies.text[: copies.forth(at)] if copies else text[:at]):
            at = spans.clear(text, len(text[:at].rstrip()))
        return at

    def _cut(self, text: str) -> bool:
        longest = max((len(needle.plain) for needle in self._needles), default=0)
        squashed = alphanumeric(text[-_TAIL:])
        squashed = squashed if len(squashed) >= longest else alphanumeric(text)
        return any(needle.cut(squashed) for needle in self._needles)

    def begins(self, text: str, decoded: list[tuple[str, int, int]], ahead: Ahead | None) -> int:
        """Where the first thing begins in a folded text that is, or may become, a secret of the system's own."""
        squashed, unspaced = _read(text)
        seen = self._nothing_seen()
        whole = self._own(text, squashed, unspaced, [layer for layer, _, _ in decoded], seen) is not None
        at = [needle.begins(text, squashed, unspaced, ahead, whole=whole) for needle in self._needles]
        at += [low for layer, low, _ in decoded if whole and self._own(layer, *_read(layer), [], seen)]
        return min(at, default=len(text))

    def _masked(self, folded: Folded, beside: list[tuple[int, int]]) -> str | None:
        """The text without its plain copies of secrets, and without what lies `beside` them; None where it holds a
        secret in another form as well."""
        copies = sorted(match.span() for needle in self._needles for match in needle.copy.finditer(folded.text))
        again = fold(replaced(folded, copies, self._mask)) if copies else folded
        if self.own(again.text, [layer.text for layer in layers(again.text)]):
            return None
        return replaced(folded, sorted([*copies, *beside]), self._mask)

    def own(self, text: str, decoded: list[str]) -> str | None:
        """How a folded text, or one decoded from it, holds a secret of the system's own; None where none does."""
        return self._own(text, *_read(text), decoded, self._nothing_seen())

    def _own(self, text: str, squashed: str, unspaced: str, decoded: list[str], seen: list[_Compared]) -> str | None:
        inner = [(layer, alphanumeric(layer)) for layer in decoded]
        for needle, compared in zip(self._needles, seen, strict=True):
            if form := needle.form(text, squashed, compared):
                return form
            if any(core in unspaced for core in needle.encoded) or any(needle.form(*one, compared) for one in inner):
                return "encoded"
        return None

    def _nothing_seen(self) -> list[_Compared]:
        """Nothing that was compared yet with each of the secrets."""
        return [set() for _ in self._needles]


def _read(text: str) -> tuple[str, str]:
    """The letters and digits of a folded text in one case, and all of it without blanks."""
    return alphanumeric(text), "".join(text.split())


class _Copies(tails.Replaced):
    """A folded text with the plain copies of some secrets masked, and where these stand in it.

    `ends` is where one begins that the next character may undo; the end of the text where there is none.
    """

    def __init__(self, folded: Folded, needles: Sequence[_Needle], mask: str) -> None:
        found = [(match, needle) for needle in needles for match in needle.copy.finditer(folded.text)]
        end = len(folded.text)
        open_ended = [m.start() for m, one in found if m.end() == end and len(one.plain) < STANDS_ALONE]
        self.ends = min(open_ended, default=end)
        self.spans = sorted(folded.whole(*match.span()) for match, _ in found)
        super().__init__(folded.text, ((low, high, mask) for low, high in self.spans))


def credentials(text: str) -> list[tuple[int, int]]:
    """Spans of a folded text that hold a credential: of a known shape, given to a name that says so, or encoded."""
    return _credentials(text, [(layer.text, layer.start, layer.end) for layer in layers(text)])


def _credentials(text: str, decoded: list[tuple[str, int, int]]) -> list[tuple[int, int]]:
    found = set(_generic(text, _shapes()))
    # Hardly anything that is decoded has a sign of a credential: all of it is looked at in one.
    shapes = _signed("\n".join([inner for inner, _, _ in decoded]), _shapes())
    if shapes:
        found |= {(low, high) for inner, low, high in decoded if any(_generic(inner, shapes))}
    return sorted(found)


def _signed(text: str, shapes: Sequence[_Shape]) -> list[_Shape]:
    """Those of these shapes of which a text holds a sign: without one there is none of them."""
    lowered = text.lower()
    return [shape for shape in shapes if any(sign in lowered for sign in shape.signs)]


def _generic(text: str, shapes: Sequence[_Shape]) -> Iterator[tuple[int, int]]:
    """Spans of credentials of these shapes."""
    for shape in _signed(text, shapes):
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


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Spans of blocks of keys; one that is not closed ends behind the text."""
    for shape in _signed(text, [shape for shape in _shapes() if shape.ends]):
        at = 0
        while shape.ends and (match := shape.pattern.search(text, at)):
            end = shape.ends.search(text, match.end())
            at = end.end() if end else len(text) + 1
            yield match.start(), at


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
