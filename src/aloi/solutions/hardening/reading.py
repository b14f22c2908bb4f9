"""Read each text of a stranger apart, by a model that has no tools and is asked for facts only (a dual-LLM reading).

The model that acts never sees a retrieved text. It sees what a second conversation with the same model, without tools,
without the system prompt and without the rest of the work, answered to: which facts of this text does the user's
request need? The answer is cut to so many characters and told to be data (Willison 2023, the dual LLM pattern; Wu et
al. 2024, arXiv:2409.19091, isolate executions).

What this does not do: a fact that is an order ("the account to pay is ...") comes through as a fact, and a reader that
obeys what it reads can pass an order on in its own words. It takes one query for each new text, and what the reader
leaves out is lost. Texts are remembered with what was answered, so that a conversation pays once for each.
"""

from collections import OrderedDict
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from aloi.solutions.guard import Put
from aloi.solutions.options import Options
from aloi.solutions.tables import table
from aloi.system.messages import Document, Message, Request

REMEMBERED = 10_000
_RETRIEVED = frozenset({"document", "tool"})


class SeparateReadingOptions(Options, frozen=True, kw_only=True):
    """`characters` of an answer are kept; texts of at most `shortest` characters are passed on unread. `tokens` are
    allowed for one reading."""

    characters: Annotated[int, Meta(ge=40, le=20_000)] = 1_200
    shortest: Annotated[int, Meta(ge=0, le=2_000)] = 0
    tokens: Annotated[int, Meta(ge=16, le=4_096)] = 300
    language: Literal["en", "fr"] = "en"


class SeparateReading:
    """Replace each document and tool result by what a reader without tools makes of it."""

    version: ClassVar[str] = "1"
    tables: ClassVar[tuple[str, ...]] = ("separate-reading",)
    Options: ClassVar[type[Options]] = SeparateReadingOptions

    def __init__(self, options: SeparateReadingOptions) -> None:
        self._options = options
        words: dict[str, Any] = table("separate-reading")
        self._reader, self._data, self._said = (words[name][options.language] for name in ("reader", "data", "said"))
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def reread(self, request: Request, ask: Put) -> Request:
        """The request with every retrieved text read apart. What `ask` raises is raised: a text that could not be read
        is never passed on as it stands."""
        question = next((one.content for one in reversed(request.messages) if one.role == "user"), "")
        documents = [
            Document(id=document.id, text=await self._read(question, document.text, ask))
            for document in request.documents
        ]
        messages = [
            msgspec.structs.replace(message, content=await self._read(question, message.content, ask))
            if message.role in _RETRIEVED
            else message
            for message in request.messages
        ]
        if all(one.role not in _RETRIEVED for one in messages) and not documents:
            return request
        return msgspec.structs.replace(
            request,
            prompt="\n\n".join(filter(None, (request.prompt, self._said))),
            documents=tuple(documents),
            messages=tuple(messages),
        )

    async def _read(self, question: str, text: str, ask: Put) -> str:
        if len(text.strip()) <= self._options.shortest:
            return text
        key = (question, text)
        if key not in self._known:
            asked = Message(role="user", content=self._reader.format(question=question, text=text))
            answer = await ask(Request(prompt="", messages=(asked,), max_tokens=self._options.tokens, temperature=0.0))
            self._known[key] = self._data.format(text=answer.text[: self._options.characters])
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return self._known[key]
