"""How many tokens: as the endpoint counts them, or estimated where it does not."""

from collections.abc import Iterator

from msgspec import Struct

from aloi.system.messages import Message, Request, Response, ToolCall

# Four bytes a token is what byte-pair tokenizers come to on English text; it is an estimate, and no bound.
BYTES_A_TOKEN = 4
# Beyond, a count is no count: it is kept within what JSON numbers hold exactly (RFC 8259, section 6).
MOST = 2**53 - 1


class Tokens(Struct, frozen=True):
    """Tokens sent to a model, and tokens that it answered."""

    sent: int = 0
    answered: int = 0

    @property
    def total(self) -> int:
        return self.sent + self.answered

    def plus(self, other: "Tokens") -> "Tokens":
        """Both together."""
        return Tokens(self.sent + other.sent, self.answered + other.answered)

    def minus(self, other: "Tokens") -> "Tokens":
        """What is left without the other, at least nothing."""
        return Tokens(max(self.sent - other.sent, 0), max(self.answered - other.answered, 0))


def size(text: str) -> int:
    """Estimated tokens of a text."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_A_TOKEN)


def sent(request: Request) -> int:
    """Estimated tokens of all that a request shows the model."""
    fixed = size(request.prompt) + sum(size(document.text) for document in request.documents)
    return fixed + sum(_message(message) for message in request.messages)


def spent_before(request: Request) -> Tokens:
    """Estimated tokens that a conversation took so far: at each answer the model had been shown all before it."""
    shown = size(request.prompt) + sum(size(document.text) for document in request.documents)
    total = Tokens()
    for message in request.messages:
        if message.role == "assistant":
            total = total.plus(Tokens(shown, _message(message)))
        shown += _message(message)
    return total


def used(request: Request, response: Response) -> Tokens:
    """What an exchange took, as the endpoint counts it; where a count is missing or makes no sense, an estimate."""
    said = size(response.text if response.raw is None else response.raw) + sum(_calls(response.tool_calls))
    asked = response.prompt_tokens if response.prompt_tokens > 0 else sent(request)
    answered = response.completion_tokens if response.completion_tokens > 0 else said
    return Tokens(min(asked, MOST), min(answered, MOST))


def _message(message: Message) -> int:
    return size(message.content) + sum(_calls(message.tool_calls))


def _calls(calls: tuple[ToolCall, ...]) -> Iterator[int]:
    for call in calls:
        yield size(call.name) + size(call.arguments)
