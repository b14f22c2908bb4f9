"""Streams of OpenAI's older protocols: chunks without a name, each with choices, closed by `[DONE]`."""

from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from msgspec import Struct

from aloi.solutions.gateway.dialects.bodies import said_by, understood
from aloi.solutions.gateway.dialects.dialect import Broken, Event
from aloi.solutions.gateway.dialects.gathering import GatheredReading
from aloi.solutions.gateway.dialects.openai_forms import Usage


class _Indexed(Protocol):
    index: int | None


C = TypeVar("C", bound=_Indexed)


class Chunk(Struct, Generic[C]):
    """What is read of one event."""

    choices: list[C] | None = None
    usage: Usage | None = None
    error: Any = None


class ChunkedReading(GatheredReading, ABC, Generic[C]):
    """One upstream stream. The protocol says what its one choice adds."""

    def __init__(self, chunks: msgspec.json.Decoder[Chunk[C]], limit: int) -> None:
        super().__init__(limit)
        self._chunks = chunks

    def feed(self, event: Event) -> str:
        """What the event adds to the text. Raises Broken."""
        if event.data == b"[DONE]":
            self._ended = True
            return ""
        if not event.data:
            return ""
        chunk = understood(event.data, self._chunks, self._limit)
        if chunk.error is not None or event.name == "error":
            raise Broken("error", said_by(chunk.error))
        if chunk.usage is not None:
            self._said.prompt_tokens = chunk.usage.get("prompt_tokens") or 0
            self._said.completion_tokens = chunk.usage.get("completion_tokens") or 0
        return "".join([self._of_one(choice) for choice in chunk.choices or ()])

    def _of_one(self, choice: C) -> str:
        if choice.index:
            raise Broken("malformed", "several choices")
        return self._choice(choice)

    @abstractmethod
    def _choice(self, choice: C) -> str:
        """What a choice adds to the text."""
