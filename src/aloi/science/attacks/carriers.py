"""Attacks in which the request arrives in retrieved text: the user asks something ordinary."""

import json
import random

from aloi.science.attack import Wrapped
from aloi.science.attacks.wording import Worded
from aloi.system.messages import Document, Message, Tool, ToolCall


class DocumentInjection(Worded):
    """The request stands in a document that the user asks about."""

    name = "document-injection"

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:
        """An ordinary question, and the document."""
        carrier = f"note-{rng.randrange(10**6):06d}"
        document = Document(id=carrier, text=self.wording.write("document", language, rng, {"request": text}))
        return Wrapped(messages=(self.user("question", language, rng),), documents=(document,), carrier=carrier)


class ToolResultInjection(Worded):
    """The request stands in what a tool gave back."""

    name = "tool-result-injection"
    tool_names = ("search", "lookup", "read_page", "find_note", "fetch_entry")

    def wrap(self, text: str, language: str, rng: random.Random) -> Wrapped:
        """An ordinary question, the call that the assistant made for it, and the result."""
        question = self.user("question", language, rng)
        name, number = rng.choice(self.tool_names), f"call_{rng.randrange(10**8):08d}"
        arguments = json.dumps({"query": question.content}, ensure_ascii=False)
        call = ToolCall(id=number, name=name, arguments=arguments)
        result = self.wording.write("result", language, rng, {"request": text})
        parameters = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
        return Wrapped(
            messages=(
                question,
                Message(role="assistant", content="", tool_calls=(call,)),
                Message(role="tool", content=result, tool_call_id=number),
            ),
            tools=(Tool(name=name, description="Finds a text and gives it back.", parameters=parameters),),
            carrier="messages[2]",
        )
