"""Gathering an answer from the pieces of a stream, within bounds."""

from dataclasses import dataclass, field

from aloi.solutions.gateway.dialects.dialect import Broken
from aloi.system.messages import Response, ToolCall
from aloi.system.openai import ANSWER_LIMIT

# What a part takes beside its words, so that endless empty ones come to an end too.
_PART = 256


class GatheredReading:
    """What every reader of an upstream's stream has: what was said so far, and whether the protocol's end was read."""

    def __init__(self, limit: int = ANSWER_LIMIT) -> None:
        """`limit` is in bytes of all that is said."""
        self._limit = limit
        self._said = Gathered(limit=limit)
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the protocol's own end was read."""
        return self._ended

    def response(self) -> Response:
        """All that was said so far."""
        return self._said.response()


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Gathered:
    """All that a stream said so far. Raises Broken('too-large') where text and calls exceed `limit` bytes."""

    limit: int = ANSWER_LIMIT
    finish: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    _texts: list[str] = field(default_factory=list)
    _calls: dict[int, _Call] = field(default_factory=dict)
    _size: int = 0

    def say(self, text: str) -> str:
        """Add to the text, and give it back."""
        if text:
            self.weigh(text)
            self._texts.append(text)
        return text

    def call(self, place: int, *, identity: str = "", name: str = "", arguments: str = "") -> None:
        """Add to the call at a place. A name or an identity that was given before stands."""
        call = self._calls.get(place)
        if call is None:
            call = self._calls[place] = _Call()
            self.begin()
        self.weigh(arguments)
        if arguments:
            call.arguments.append(arguments)
        if identity and not call.id:
            self.weigh(identity)
            call.id = identity
        if name and not call.name:
            self.weigh(name)
            call.name = name

    def calls(self, place: int) -> bool:
        """Whether a call was begun at a place."""
        return place in self._calls

    def begun(self, place: int) -> bool:
        """Whether arguments of the call at a place were given."""
        return place in self._calls and bool(self._calls[place].arguments)

    def last_call(self) -> int:
        """The place of the call that came last, -1 before the first."""
        return next(reversed(self._calls), -1)

    def response(self) -> Response:
        """What was said, calls in their order. A call without an identity is given one, for results name it."""
        return Response(
            text="".join(self._texts),
            finish=self.finish,
            tool_calls=tuple(
                ToolCall(id=call.id or f"call-{i}", name=call.name, arguments="".join(call.arguments) or "{}")
                for i, (_, call) in enumerate(sorted(self._calls.items()))
            ),
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
        )

    def weigh(self, text: str) -> None:
        """Count a text, be it said or not. Raises Broken('too-large')."""
        self._grow(len(text) if text.isascii() else len(text.encode()))

    def begin(self) -> None:
        """Count what a part of the answer takes beside its words. Raises Broken('too-large')."""
        self._grow(_PART)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self.limit:
            raise Broken("too-large")
