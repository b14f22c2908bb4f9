"""Write a request as the chat messages that an OpenAI-compatible endpoint reads."""

from typing import Any

import msgspec

from aloi.system.messages import Message, Request, Tool

ChatMessage = dict[str, Any]


def chat_messages(request: Request) -> list[ChatMessage]:
    """The prompt first, unchanged from one request to the next so that an engine can keep it in its prefix cache.

    Documents follow the text of the last user message, each between tags.
    """
    messages: list[ChatMessage] = [{"role": "system", "content": request.prompt}] if request.prompt else []
    messages += [_chat_message(message) for message in request.messages]
    if request.documents:
        documents = "\n".join(f"<document>\n{document.text}\n</document>" for document in request.documents)
        last = max(i for i, message in enumerate(messages) if message["role"] == "user")
        messages[last]["content"] = f"{messages[last]['content']}\n\n{documents}"
    return messages


def _chat_message(message: Message) -> ChatMessage:
    written: ChatMessage = {"role": message.role, "content": message.content}
    if message.tool_calls:
        written["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        written["tool_call_id"] = message.tool_call_id
    return written


def chat_tools(tools: tuple[Tool, ...]) -> list[dict[str, Any]]:
    """The tools of a request as the OpenAI tools protocol lists them."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
        }
        for tool in tools
    ]


def written(arguments: str | dict[str, Any] | None) -> str:
    """The arguments of a call as the protocol has them, a text of JSON; some endpoints give the object itself."""
    if isinstance(arguments, dict):
        return msgspec.json.encode(arguments).decode()
    return arguments or "{}"
