"""Personal data and credentials kept from a model: masked in what it is shown, put back in what it answers.

    >>> masks = Masks()
    >>> masks.mask("Pay to FR76 1999 0001 0000 0421 8001 175, please.")
    'Pay to [IBAN-1], please.'
    >>> masks.unmask("I shall pay to [IBAN-1].")
    'I shall pay to FR76 1999 0001 0000 0421 8001 175.'

One `Masks` belongs to one conversation. Its values live in memory only: it cannot be pickled, copied or shown, and
nothing of it enters evidence. The port of guards has no place for it, since one guard screens every user's messages;
`MaskedTarget` stands around the model instead, with masks of its own for each request.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NoReturn

import msgspec

from aloi.solutions.guards.identifiers import Overload
from aloi.solutions.guards.personal import KINDS, Found, Kind, PersonalData
from aloi.solutions.guards.secrets import credentials
from aloi.solutions.normalise import fold
from aloi.solutions.tables import table
from aloi.system.messages import Document, Message, Request, Response
from aloi.system.target import Target, Unscorable
from aloi.translation import N_

OVERLOAD = "masking-overload"
# What a placeholder may not be put back into: an address would carry the value away.
_ADDRESS = re.compile(r"//|\]\(|(?:^|[^a-z0-9])(?:mailto|data|sms|tel):|\b(?:src|href)=", re.IGNORECASE)
_RUN = 2_000


class MaskingRefused(Unscorable):
    """A text holds more candidates of personal data than can be told apart; it is not shown to the model."""

    def __init__(self) -> None:
        super().__init__(
            OVERLOAD,
            N_("the request holds more numbers that look personal than can be checked"),
            remedy=N_("send it in smaller parts"),
        )


@cache
def _names() -> dict[str, str]:
    """The word of each kind, as it stands in a placeholder."""
    masks = {**table("personal-data")["masks"], "secret": table("secret-shapes")["mask"]}
    return {kind: mask.strip("[]").replace(" ", "_") for kind, mask in masks.items()}


@cache
def _placeholder() -> re.Pattern[str]:
    """A placeholder as a model may write it: in another case, spaced, with another hyphen, escaped for Markdown."""
    names = "|".join(re.escape(name).replace("_", r"\\?[_ ]") for name in _names().values())
    return re.compile(rf"\\?\[[ ]?({names})[ ]?[-_\u2010-\u2014 ][ ]?(\d{{1,6}})[ ]?\\?\]", re.IGNORECASE)


class Masks:
    """What was masked in one conversation, by placeholder; `[IBAN-1]` is the same value wherever it stands.

    `kinds` and `regions` are those of the personal-data filter; `credentials` masks keys and passwords as well. A value
    of `allow` is shown as it is, in any spelling.
    """

    def __init__(
        self,
        kinds: Sequence[Kind] = KINDS,
        regions: Sequence[str] = ("FR",),
        *,
        allow: Sequence[str] = (),
        credentials: bool = True,
    ) -> None:
        self._data = PersonalData(tuple(kinds), tuple(regions), tuple(allow))
        self._credentials = credentials
        self._placeholders: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._taken: set[str] = set()

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Masks: {len(self)} values>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("masks stay in the memory of the process that made them")

    def __copy__(self) -> NoReturn:
        self.__reduce__()

    def __deepcopy__(self, _: object) -> NoReturn:
        self.__reduce__()

    def reserve(self, text: str) -> None:
        """Give out no placeholder that a text holds already: what a stranger wrote must not become a value."""
        self._taken.update(_key(match) for match in _placeholder().finditer(fold(text).text))

    def mask(self, text: str) -> str:
        """The text as a model may see it. Raises `MaskingRefused`."""
        self.reserve(text)
        if self._credentials:
            folded, pieces, done = fold(text), [], 0
            for low, high in (folded.span(*span) for span in credentials(folded.text)):
                if low >= done:
                    written = text[low:high]
                    pieces += [text[done:low], self._stand_in(Found("secret", written, written))]
                done = max(done, high)
            text = "".join([*pieces, text[done:]])
        try:
            return self._data.replaced(text, self._stand_in)[0]
        except Overload:
            raise MaskingRefused from None

    def unmask(self, text: str) -> str:
        """The text with every value back in its place; inside a link or an address placeholders stay.

        A placeholder that was never given out stays too.
        """

        def value(match: re.Match[str]) -> str:
            run = text[max(0, match.start() - _RUN) : match.start()].split()
            glued = match.start() > 0 and not text[match.start() - 1].isspace()
            if glued and run and _ADDRESS.search(run[-1]):
                return match[0]
            return self._values.get(_key(match), match[0])

        return _placeholder().sub(value, text)

    def _stand_in(self, found: Found) -> str:
        key = (found.kind, found.value)
        if key not in self._placeholders:
            name = _names()[found.kind]
            number = next(n for n in range(1, len(self._values) + len(self._taken) + 2) if self._free(name, n))
            self._placeholders[key] = f"[{name}-{number}]"
            self._values[f"{name}-{number}"] = found.written
        return self._placeholders[key]

    def _free(self, name: str, number: int) -> bool:
        return f"{name}-{number}" not in self._values and f"{name}-{number}" not in self._taken


def _key(match: re.Match[str]) -> str:
    name = match[1].upper().replace("\\", "").replace(" ", "_")
    return f"{name}-{int(match[2])}"


class MaskedTarget:
    """A target that is shown masked requests, and whose answers are given back with the values in place.

    Everything is masked that can hold a person's data: documents, messages, results and arguments of tools; the
    system's own prompt is not. The arguments of tools that the model asks for keep their placeholders: a tool is no
    place to send a value to unasked.
    """

    def __init__(self, target: Target, *, kinds: Sequence[Kind] = KINDS, regions: Sequence[str] = ("FR",)) -> None:
        self._target = target
        self._kinds = tuple(kinds)
        self._regions = tuple(regions)

    async def ask(self, request: Request) -> Response:
        """The answer with the values back. Raises `MaskingRefused`, and what the target raises."""
        masks = Masks(self._kinds, self._regions)
        for text in _texts(request):
            masks.reserve(text)
        shown = msgspec.structs.replace(
            request,
            documents=tuple(Document(id=one.id, text=masks.mask(one.text)) for one in request.documents),
            messages=tuple(_masked(message, masks) for message in request.messages),
        )
        response = await self._target.ask(shown)
        return msgspec.structs.replace(
            response, text=masks.unmask(response.text), changed_request=response.changed_request or shown != request
        )


def _texts(request: Request) -> Iterator[str]:
    yield from (one.text for one in request.documents)
    for message in request.messages:
        yield message.content
        yield from (call.arguments for call in message.tool_calls)


def _masked(message: Message, masks: Masks) -> Message:
    calls = tuple(msgspec.structs.replace(call, arguments=masks.mask(call.arguments)) for call in message.tool_calls)
    return msgspec.structs.replace(message, content=masks.mask(message.content), tool_calls=calls)
