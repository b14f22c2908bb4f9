"""What is said to a system and what it answers."""

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

# `call` is a tool call that a guard rules on; no message of a conversation has this role.
Role = Literal["system", "user", "assistant", "document", "tool", "call"]


class ToolCall(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call that a model asks for. `arguments` is JSON as the model wrote it: it may be malformed."""

    id: str = ""
    name: str
    arguments: str = "{}"


class Tool(Struct, frozen=True, kw_only=True):
    """A function that a model may call, as the OpenAI tools protocol describes one; `parameters` is a JSON Schema."""

    name: str
    description: str
    parameters: dict[str, Any]


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One text and who it comes from. `document` is retrieved text, which nobody has vouched for.

    An assistant's message may carry `tool_calls`; a tool's message is the result of the call `tool_call_id`.
    """

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


class Document(Struct, frozen=True, kw_only=True):
    """A text retrieved for a request."""

    id: str
    text: str


class Request(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question to a system: its prompt, the documents retrieved for it, the conversation so far, and its tools."""

    prompt: str
    documents: tuple[Document, ...] = ()
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    max_tokens: int = 48
    temperature: float = 0.7


class GuardDecision(Struct, frozen=True, kw_only=True):
    """What one guard did to one message of an exchange: 'block', 'rewrite', 'withhold' (a document or a tool call),
    'approve' (a tool call that a person was asked about), or 'let-pass' (what it failed to judge, where that is
    chosen). `tool` names the tool of a call."""

    guard: str
    role: Role
    action: Literal["block", "rewrite", "withhold", "approve", "let-pass"]
    reason: str
    score: float = 1.0
    document: str = ""
    tool: str = ""


class Response(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a system answered. `seconds` is the time the model took, the engine's queue included.

    `earlier` is what was said between the request and this answer, in order: answers with their tool calls, results of
    tools, further turns of the user. Tokens, seconds and decisions are then those of the whole exchange.

    Behind guards, `raw` is what the model said before them (None where it was not asked), `decisions` is what they did,
    and `changed_request` tells that the model was shown something else than the request as it was made.
    `extra_queries` counts what remedies asked the model beside this answer.
    """

    text: str
    finish: str = "stop"
    tool_calls: tuple[ToolCall, ...] = ()
    earlier: tuple[Message, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    raw: str | None = None
    decisions: tuple[GuardDecision, ...] = ()
    guard_seconds: float = 0.0
    changed_request: bool = False
    extra_queries: int = 0

    @property
    def blocked(self) -> bool:
        """Whether a guard blocked the last answer, so that its own refusal reached the user in place of it.

        Guards that blocked an earlier turn of a conversation decide nothing about what was said after it.
        """
        return self.finish == "blocked" and any(decision.action == "block" for decision in self.decisions)

    def said(self) -> Iterator[str]:
        """Every text that the system said, in order, the last answer included."""
        yield from (message.content for message in self.earlier if message.role == "assistant")
        yield self.text

    def calls(self) -> tuple[ToolCall, ...]:
        """Every tool call that was carried out, in order: the tool log. Calls of the last answer were not."""
        return tuple(call for message in self.earlier for call in message.tool_calls)
