"""Write a request as the chat messages that an OpenAI-compatible endpoint reads."""

from aloi.system.messages import Request


def chat_messages(request: Request) -> list[dict[str, str]]:
    """The prompt first, unchanged from one request to the next so that an engine can keep it in its prefix cache.

    Documents follow the text of the last user message, each between tags.
    """
    messages = [{"role": "system", "content": request.prompt}] if request.prompt else []
    messages += [{"role": message.role, "content": message.content} for message in request.messages]
    if request.documents:
        documents = "\n".join(f"<document>\n{document.text}\n</document>" for document in request.documents)
        last = max(i for i, message in enumerate(messages) if message["role"] == "user")
        messages[last]["content"] = f"{messages[last]['content']}\n\n{documents}"
    return messages
