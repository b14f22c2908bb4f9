"""Mask personal data in an answer: IBAN, payment card, French NIR, tax number, VAT number, SIREN and SIRET, telephone,
e-mail, Internet address, French plate.

Numbers are masked only where their check digits hold, so an order number or an amount passes. Names, postal addresses,
dates of birth and health data are not seen: no check digit tells them from ordinary words. Numbers of passports and of
practitioners (RPPS) are not seen either: python-stdnum knows no check for them.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import ClassVar, Literal, get_args

from msgspec import Struct

from aloi.solutions.ahead import Ahead
from aloi.solutions.encoded import layers
from aloi.solutions.guard import Allow, Block, Rewrite, Ruling
from aloi.solutions.guards.announced import ANNOUNCED
from aloi.solutions.guards.identifiers import Budget, Identifier, Overload, identifiers, known_value, shaped
from aloi.solutions.guards.unfinished import unfinished
from aloi.solutions.normalise import Folded, fold
from aloi.solutions.options import Options, Texts
from aloi.solutions.tables import table
from aloi.system.messages import Message, Role

Kind = Literal["iban", "card", "nir", "tax", "vat", "siren", "siret", "phone", "email", "ip", "plate"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# A mask may leave two numbers beside each other that a first pass had to read as one.
PASSES = 3
# What a later pass reads around a mask, in characters, and how near to the edge of that it believes what it finds.
REACH, EDGE = 1_200, 400


class PersonalDataOptions(Options, frozen=True, kw_only=True):
    """`allow` lists values that may be shown, in any spelling; `regions` dial their numbers without a country code."""

    action: Literal["mask", "block"] = "mask"
    kinds: tuple[Kind, ...] = KINDS
    regions: tuple[str, ...] = ("FR",)
    allow: Texts = ()


class Found(Struct, frozen=True):
    """One piece of personal data as it was written, and its compact value, which is the same for every spelling."""

    kind: str
    written: str
    value: str


class PersonalData:
    """Find personal data of some kinds in a text and put something else in its place."""

    def __init__(self, kinds: tuple[Kind, ...], regions: tuple[str, ...], allow: Texts = ()) -> None:
        self._kinds: frozenset[str] = frozenset(kinds)
        self._regions = regions
        self._allowed = frozenset().union(*(known_value(value, regions) for value in allow))

    def replaced(self, text: str, stand_in: Callable[[Found], str]) -> tuple[str, list[str]]:
        """The text with `stand_in` for each piece, and the kinds that were in it, by place.

        Raises `Overload` where the text holds more candidates than an answer honestly can.
        """
        kinds: list[str] = []
        ranges, budget = [(0, len(text))], Budget()
        for _ in range(PASSES):
            pieces, again, done, length = [], [], 0, 0
            for low, high in ranges:
                folded = fold(text[low:high])
                for one, start, end in self._places(folded, low, high, len(text), budget):
                    if start < done:
                        done = max(done, end)
                        continue
                    kinds.append(one.kind)
                    written = text[start:end]
                    mask = stand_in(Found(one.kind, written, one.value or written))
                    pieces += [text[done:start], mask]
                    length += start - done + len(mask)
                    again.append((length - len(mask), length, one.kind))
                    done = end
            if not again:
                return text, kinds
            text = "".join([*pieces, text[done:]])
            ranges = _around(again, text)
        if any(any(self._places(fold(text[low:high]), low, high, len(text), budget)) for low, high in ranges):
            raise Overload
        return text, kinds

    def settled(self, text: str, *, block: bool) -> int:
        """How much of a text stays as it is left here whatever follows; with `block`, none of what is found in it."""
        folded, starts = fold(text), []
        if block:
            try:
                starts = [one.start for one, _, _ in self._places(folded, 0, len(text), len(text), Budget())]
            except Overload:
                starts = [0]
        return folded.place(unfinished(folded.text, starts))

    def _places(
        self, folded: Folded, low: int, high: int, length: int, budget: Budget
    ) -> list[tuple[Identifier, int, int]]:
        """What stands in a part of a text, and where in the whole; near the edge of a part it is not believed."""
        first, last = low + EDGE * (low > 0), high - EDGE * (high < length)
        found = [
            (one, low + start, low + end)
            for one in chain(self._found(folded.text, self._kinds, budget), self._encoded(folded.text, budget))
            for start, end in (folded.span(one.start, one.end),)
        ]
        return sorted(
            (one for one in found if one[1] < last and one[2] > first and (one[1] > low or low == 0)),
            key=lambda one: (one[1], -one[2]),
        )

    def _found(self, text: str, kinds: frozenset[str], budget: Budget) -> Iterator[Identifier]:
        found = identifiers(text, kinds, self._regions, budget)
        return (one for one in found if one.value not in self._allowed)

    def _encoded(self, text: str, budget: Budget) -> Iterator[Identifier]:
        """Encoded runs that decode to personal data; the run is masked whole, as one kind of what is in it."""
        decoded = list(layers(text))
        # Hardly anything that is decoded has the shape of an identifier: all of it is looked at in one.
        kinds = shaped("\n".join([layer.text for layer in decoded]), self._kinds)
        for layer in decoded if kinds else ():
            if inner := next(self._found(layer.text, kinds, budget), None):
                yield Identifier(inner.kind, layer.start, layer.end, "")


def _around(masks: list[tuple[int, int, str]], text: str) -> list[tuple[int, int]]:
    """The parts of a text that a mask may have changed the reading of: only beside one that touches or announces."""
    ranges: list[tuple[int, int]] = []
    for low, high, kind in masks:
        if kind not in ANNOUNCED and _stands_alone(text, low, high):
            continue
        start, end = max(0, low - REACH), min(len(text), high + REACH)
        if ranges and start <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], end)
        else:
            ranges.append((start, end))
    return ranges


def _stands_alone(text: str, low: int, high: int) -> bool:
    """Whether blanks or the signs of a sentence part a mask from its neighbours, and these are no digits."""
    before, after = text[max(0, low - 4) : low], text[high : high + 4]
    return (
        all(part.isascii() and not any(map(str.isdigit, part)) for part in (before, after))
        and before[-1:] in _APART
        and after[:1] in _APART
    )


_APART = ("", " ", "\n", ",", ";", "!", "?", '"', "'", "<", ">", "|")


class PersonalDataFilter:
    """Mask personal data in the answer, or block the answer."""

    version: ClassVar[str] = "7"
    tables: ClassVar[tuple[str, ...]] = ("homoglyphs", "personal-data")
    Options: ClassVar[type[Options]] = PersonalDataOptions
    roles: frozenset[Role] = frozenset({"assistant"})

    def __init__(self, options: PersonalDataOptions) -> None:
        self._block = options.action == "block"
        self._data = PersonalData(options.kinds, options.regions, options.allow)
        self._masks: dict[str, str] = table("personal-data")["masks"]

    def screen(self, message: Message) -> Ruling:
        try:
            content, kinds = self._data.replaced(message.content, lambda one: self._masks[one.kind])
        except Overload:
            return Block(reason="personal-data-overload")
        if not kinds:
            return Allow()
        if self._block:
            return Block(reason=f"personal-data-{kinds[0]}")
        return Rewrite(content=content, reason=f"personal-data-{kinds[0]}")

    def settled(self, text: str) -> int:
        return self._data.settled(text, block=self._block)

    def settled_before(self, text: str, ahead: Ahead) -> int:
        # No number and no address goes on with a bracket and letters, unless these are those of a sign.
        return min(len(text), *(self.settled(text + first) for first in ahead.firsts()))

    def leaves(self, ahead: Ahead) -> Ahead | None:
        return ahead if self._block else ahead.behind(*self._masks.values())
