"""Whether a request is still the client's."""

from aloi.system.messages import Message, Request


def descends(request: Request, asked: Request) -> bool:
    """Whether a request is what the client asked, as guards and hardenings left it; else it is a remedy's own.

    They may change texts, arguments of calls, the prompt and the limits, and add messages at the end. Nothing takes
    away the tools, the whole prompt or a message: results of tools, which may be left out where no call waits for them,
    have a call in every protocol here.
    """
    return (
        request.tools == asked.tools
        and not request.documents
        and bool(request.prompt or not asked.prompt)
        and len(request.messages) >= len(asked.messages)
        and all(_same_place(new, old) for new, old in zip(request.messages, asked.messages, strict=False))
    )


def _same_place(new: Message, old: Message) -> bool:
    return new is old or (
        new.role == old.role
        and new.tool_call_id == old.tool_call_id
        and [(call.id, call.name) for call in new.tool_calls] == [(call.id, call.name) for call in old.tool_calls]
    )
