"""Mark untrusted text so that the model can tell data from instructions (Hines et al. 2024, arXiv:2403.14720).

Three modes, in order of strength and of what they ask of the model: `delimit` puts random delimiters around each
document, `datamark` puts a sign between all its words, `encode` writes it in base64. One sentence in the prompt says
what marked text is. The marks are derived from a key and the documents, so that the same request is always marked alike
while an author of a document, who does not know the key, cannot foresee them.
"""

import base64
import hmac
import re
from itertools import count
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from aloi.solutions.options import Options, SecretText
from aloi.solutions.tables import table
from aloi.system.messages import Document, Message, Request

_BLANKS = re.compile(r"\s+")
_UNTRUSTED = frozenset({"document", "tool"})


class SpotlightingOptions(Options, frozen=True, kw_only=True):
    """`key` makes the marks unforeseeable to who writes documents; without one, the system prompt serves as the key.

    Marks of `length` letters; a mark that was foreseen is replaced, and a conversation is then marked anew.
    """

    mode: Literal["delimit", "datamark", "encode"] = "delimit"
    key: SecretText = ""
    language: Literal["en", "fr"] = "en"
    length: Annotated[int, Meta(ge=8, le=32)] = 12


class Spotlighting:
    """Mark the documents and tool results of a request, and say so in the prompt."""

    version: ClassVar[str] = "2"
    tables: ClassVar[tuple[str, ...]] = ("spotlighting",)
    Options: ClassVar[type[Options]] = SpotlightingOptions

    def __init__(self, options: SpotlightingOptions) -> None:
        self._options = options
        data: dict[str, Any] = table("spotlighting")
        self._sentence: str = data["sentences"][options.mode][options.language]
        self._signs: str = data["signs"]

    def harden(self, request: Request) -> Request:
        """A request without documents or tool results is returned unchanged."""
        texts = [document.text for document in request.documents]
        texts += [message.content for message in request.messages if message.role in _UNTRUSTED]
        if not texts:
            return request
        said = next((message.content for message in request.messages if message.role == "user"), "")
        mark = self._mark(texts, said, self._options.key or request.prompt)
        return msgspec.structs.replace(
            request,
            prompt="\n\n".join(filter(None, (request.prompt, self._sentence.format(mark=mark)))),
            documents=tuple(Document(id=one.id, text=self._marked(one.text, mark)) for one in request.documents),
            messages=tuple(self._message(message, mark) for message in request.messages),
        )

    def _mark(self, texts: list[str], said: str, key: str) -> str:
        """Letters for delimiters, or a sign of datamarking, that none of the texts holds."""
        if self._options.mode == "datamark":
            first = _drawn(key, said, texts[0], 0)[0] % len(self._signs)
            turned = self._signs[first:] + self._signs[:first]
            return next((sign for sign in turned if not any(sign in text for text in texts)), turned[0])
        # Texts are finite, so one of the marks stands in none of them.
        letters = (base64.b32encode(_drawn(key, said, texts[0], turn)).decode() for turn in count())
        marks = (drawn[: self._options.length] for drawn in letters)
        return next(mark for mark in marks if not any(mark in text for text in texts))

    def _marked(self, text: str, mark: str) -> str:
        if self._options.mode == "datamark":
            # Where the texts hold every sign there is, theirs are taken out: nobody else may set one.
            return mark + _BLANKS.sub(mark, text.replace(mark, " ").strip()) + mark
        if self._options.mode == "encode":
            return base64.b64encode(text.encode("utf-8", "replace")).decode()
        return f"<<{mark}>>\n{text}\n<</{mark}>>"

    def _message(self, message: Message, mark: str) -> Message:
        if message.role not in _UNTRUSTED:
            return message
        return msgspec.structs.replace(message, content=self._marked(message.content, mark))


def _drawn(key: str, said: str, text: str, turn: int) -> bytes:
    parts = [part.encode("utf-8", "surrogatepass") for part in (said, text, str(turn))]
    framed = b"".join(b"%d:" % len(part) + part for part in parts)
    return hmac.digest(key.encode("utf-8", "surrogatepass"), framed, "sha256")
