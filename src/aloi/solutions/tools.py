"""What is known of tools by their names: which arguments say where a call goes to, whose results can be believed."""

from collections.abc import Iterator, Mapping
from functools import cache

from msgspec import Struct

from aloi.solutions.tables import table
from aloi.system.messages import Request

# Where a call goes to, as against what it carries.
DESTINATIONS = frozenset({"recipient", "account", "url", "page", "path"})


class Audience(Struct, frozen=True):
    """The fields of a tool's records: that of the title, and those in which the system says who may read the record."""

    title: str
    people: tuple[str, ...]


class _Table(Struct, frozen=True):
    names: Mapping[str, str]
    tools: Mapping[str, Mapping[str, str]]
    trusted: frozenset[str]
    senders: Mapping[str, tuple[str, ...]]
    acts: Mapping[str, tuple[str, ...]]
    audiences: Mapping[str, Audience]
    readers: frozenset[str]


@cache
def _known() -> _Table:
    data = table("tools")
    names = {name: kind for kind, listed in data["arguments"].items() for name in listed}
    senders = {tool: tuple(fields) for tool, fields in data["senders"].items()}
    acts = {tool: tuple(act["words"]) for act in data["acts"].values() for tool in act["tools"]}
    audiences = {tool: Audience(told["title"], tuple(told["people"])) for tool, told in data["audiences"].items()}
    return _Table(
        names=names,
        tools=data["tools"],
        trusted=frozenset(data["trusted"]),
        senders=senders,
        acts=acts,
        audiences=audiences,
        readers=frozenset(data["readers"]),
    )


def kind_of(tool: str, argument: str, told: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """What an argument is: a kind (`aloi.system.toolpolicy.ArgumentKind`), or '' for what is not known to matter.

    First what the owner `told`, then what is listed of this tool, then what an argument of that name usually is.
    """
    known = _known()
    for source in (told or {}, known.tools):
        if argument in source.get(tool, {}):
            return source[tool][argument]
    return known.names.get(argument.casefold(), "")


def is_known_sink(tool: str, told: Mapping[str, Mapping[str, str]] | None = None) -> bool:
    """Whether something is listed about the arguments of this very tool."""
    return tool in _known().tools or tool in (told or {})


def trusted(tool: str) -> bool:
    """Whether the results of this tool come from the house itself, and not from whoever wrote to it."""
    return tool in _known().trusted


def sender_fields(tool: str) -> tuple[str, ...]:
    """The fields of this tool's results in which the system, not the writer, says who wrote."""
    return _known().senders.get(tool, ())


def audience_fields(tool: str) -> Audience | None:
    """Where this tool's results say who may read a record; None where it is not known to say so."""
    return _known().audiences.get(tool)


def only_reads(tool: str) -> bool:
    """Whether this tool is known to change nothing, and to give what others wrote."""
    known = _known()
    return tool in known.readers or "page" in known.tools.get(tool, {}).values()


def words_for(tool: str) -> tuple[str, ...]:
    """The words of a user who wants what this tool does; none for a tool that changes nothing, or is not known."""
    return _known().acts.get(tool, ())


def results(request: Request) -> Iterator[tuple[str, str]]:
    """Each result of a conversation with the tool that gave it; '' where two calls of one answer share its id, or none
    has it: a model must not be able to pass one tool's result off as another's."""
    named: dict[str, set[str]] = {}
    for message in request.messages:
        if message.tool_calls:
            named = {}
            for call in message.tool_calls:
                named.setdefault(call.id, set()).add(call.name)
        elif message.role == "tool":
            tools = named.get(message.tool_call_id, set())
            yield (next(iter(tools)) if len(tools) == 1 else ""), message.content
