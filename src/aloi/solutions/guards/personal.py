"""Mask personal data in an answer: IBAN, payment card, French NIR, SIREN and SIRET, telephone, e-mail, French plate.

Numbers are masked only where their check digits hold, so an order number or an amount passes. Names, postal addresses,
dates of birth and health data are not seen: no check digit tells them from ordinary words.
"""

from typing import ClassVar, Literal

from aloi.solutions.guard import Allow, Block, Rewrite, Ruling
from aloi.solutions.guards.identifiers import Identifier, Overload, identifiers, known_value
from aloi.solutions.normalise import Folded, fold, layers
from aloi.solutions.options import Options, Texts
from aloi.solutions.tables import table
from aloi.system.messages import Message, Role

Kind = Literal["iban", "card", "nir", "siren", "siret", "phone", "email", "plate"]
# A mask may leave two numbers beside each other that a first pass had to read as one.
PASSES = 3


class PersonalDataOptions(Options, frozen=True, kw_only=True):
    """`allow` lists values that may be shown, in any spelling; `regions` dial their numbers without a country code."""

    action: Literal["mask", "block"] = "mask"
    kinds: tuple[Kind, ...] = ("iban", "card", "nir", "siren", "siret", "phone", "email", "plate")
    regions: tuple[str, ...] = ("FR",)
    allow: Texts = ()


class PersonalDataFilter:
    """Mask personal data in the answer, or block the answer."""

    version: ClassVar[str] = "1"
    tables: ClassVar[tuple[str, ...]] = ("homoglyphs", "personal-data")
    Options: ClassVar[type[Options]] = PersonalDataOptions
    roles: frozenset[Role] = frozenset({"assistant"})

    def __init__(self, options: PersonalDataOptions) -> None:
        self._block = options.action == "block"
        self._kinds: frozenset[str] = frozenset(options.kinds)
        self._regions = options.regions
        self._allowed = frozenset().union(*(known_value(value, options.regions) for value in options.allow))
        self._masks: dict[str, str] = table("personal-data")["masks"]

    def screen(self, message: Message) -> Ruling:
        try:
            content, kinds = self._mask(message.content)
        except Overload:
            return Block(reason="personal-data-overload")
        if not kinds:
            return Allow()
        if self._block:
            return Block(reason=f"personal-data-{kinds[0]}")
        return Rewrite(content=content, reason=f"personal-data-{kinds[0]}")

    def _mask(self, text: str) -> tuple[str, list[str]]:
        """The text without personal data, and the kinds that were in it, in order of place."""
        kinds: list[str] = []
        for _ in range(PASSES):
            folded = fold(text)
            found = self._found(folded.text) + self._encoded(folded.text)
            if not found:
                return text, kinds
            kinds += [one.kind for one in found]
            text = self._masked(folded, found)
        if self._found(fold(text).text):
            raise Overload
        return text, kinds

    def _found(self, text: str) -> list[Identifier]:
        return [one for one in identifiers(text, self._kinds, self._regions) if one.value not in self._allowed]

    def _encoded(self, text: str) -> list[Identifier]:
        """Encoded runs that decode to personal data; the run is masked whole."""
        return [
            Identifier(inner[0].kind, layer.start, layer.end, "")
            for layer in layers(text)
            if (inner := self._found(layer.text))
        ]

    def _masked(self, folded: Folded, found: list[Identifier]) -> str:
        pieces, done = [], 0
        for one in sorted(found, key=lambda one: (one.start, -one.end)):
            low, high = folded.span(one.start, one.end)
            if low >= done:
                pieces += [folded.original[done:low], self._masks[one.kind]]
            done = max(done, high)
        return "".join([*pieces, folded.original[done:]])
