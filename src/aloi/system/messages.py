"""What is said to a system and what it answers."""

from typing import Literal

from msgspec import Struct

Role = Literal["system", "user", "assistant", "document", "tool"]


class Message(Struct, frozen=True, kw_only=True):
    """One text and who it comes from. `document` is retrieved text, which nobody has vouched for."""

    role: Role
    content: str


class Document(Struct, frozen=True, kw_only=True):
    """A text retrieved for a request."""

    id: str
    text: str


class Request(Struct, frozen=True, kw_only=True):
    """One question to a system: its prompt, the documents retrieved for it, and the conversation so far."""

    prompt: str
    documents: tuple[Document, ...] = ()
    messages: tuple[Message, ...]
    max_tokens: int = 48
    temperature: float = 0.7


class GuardDecision(Struct, frozen=True, kw_only=True):
    """What one guard did to one message of an exchange: 'block', 'rewrite' or 'withhold' (a document)."""

    guard: str
    role: Role
    action: Literal["block", "rewrite", "withhold"]
    reason: str
    score: float = 1.0
    document: str = ""


class Response(Struct, frozen=True, kw_only=True):
    """What a system answered. `seconds` is the time the model took, the engine's queue included.

    Behind guards, `raw` is what the model said before them (None where it was not asked), `decisions` is what they did,
    and `changed_request` tells that the model was shown something else than the request as it was made.
    """

    text: str
    finish: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    raw: str | None = None
    decisions: tuple[GuardDecision, ...] = ()
    guard_seconds: float = 0.0
    changed_request: bool = False
