"""Mark untrusted text so that the model can tell data from instructions (Hines et al. 2024, arXiv:2403.14720).

Three modes, in order of strength and of what they ask of the model: `delimit` puts random delimiters around each
document, `datamark` puts a sign between all its words, `encode` writes it in base64. One sentence in the prompt says
what marked text is. The marks are derived from a key and the documents, so that the same request is always marked alike
while an author of a document, who does not know the key, cannot foresee them.
"""

import base64
import hmac
import re
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from aloi.solutions.options import Options, SecretText
from aloi.solutions.tables import table
from aloi.system.messages import Document, Message, Request

_BLANKS = re.compile(r"\s+")
_UNTRUSTED = frozenset({"document", "tool"})


class SpotlightingOptions(Options, frozen=True, kw_only=True):
    """`key` makes the marks unforeseeable to who writes documents; without one, the system prompt serves as the key."""

    mode: Literal["delimit", "datamark", "encode"] = "delimit"
    key: SecretText = ""
    language: Literal["en", "fr"] = "en"
    length: Annotated[int, Meta(ge=8, le=32)] = 12


class Spotlighting:
    """Mark the documents and tool results of a request, and say so in the prompt."""

    version: ClassVar[str] = "1"
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
        mark = self._mark(texts, self._options.key or request.prompt)
        return msgspec.structs.replace(
            request,
            prompt="\n\n".join(filter(None, (request.prompt, self._sentence.format(mark=mark)))),
            documents=tuple(Document(id=one.id, text=self._marked(one.text, mark)) for one in request.documents),
            messages=tuple(self._message(message, mark) for message in request.messages),
        )

    def _mark(self, texts: list[str], key: str) -> str:
        """Letters for delimiters, or a sign that none of the texts holds."""
        framed = b"".join(b"%d:" % len(raw) + raw for raw in (text.encode("utf-8", "surrogatepass") for text in texts))
        drawn = hmac.digest(key.encode("utf-8", "surrogatepass"), framed, "sha256")
        if self._options.mode == "datamark":
            first = drawn[0] % len(self._signs)
            turned = self._signs[first:] + self._signs[:first]
            return next((sign for sign in turned if not any(sign in text for text in texts)), turned[0])
        return base64.b32encode(drawn).decode()[: self._options.length]

    def _marked(self, text: str, mark: str) -> str:
        if self._options.mode == "datamark":
            return mark + _BLANKS.sub(mark, text.strip()) + mark
        if self._options.mode == "encode":
            return base64.b64encode(text.encode("utf-8", "replace")).decode()
        return f"<<{mark}>>\n{text}\n<</{mark}>>"

    def _message(self, message: Message, mark: str) -> Message:
        if message.role not in _UNTRUSTED:
            return message
        return msgspec.structs.replace(message, content=self._marked(message.content, mark))
