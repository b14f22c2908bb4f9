"""The environment `workplace`: its tools, and a session in it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from aloi.science.items import Item
from aloi.science.workplace.effects import Effect
from aloi.science.workplace.office import MOST_LOGGED, Office, Trouble
from aloi.science.workplace.toolbox import arguments, toolbox
from aloi.system.messages import Response, Tool, ToolCall

NAME = "workplace"
MOST_CALLS = 200
LONGEST_RESULT = 20_000


class WorkplaceSession:
    """One agent at work. `effects` is the tool log; `said` tells it that the user spoke again."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        # A copy through bytes: the item's own state is left as it is.
        self._office = msgspec.json.decode(msgspec.json.encode(state), type=Office)
        self._left = MOST_CALLS

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What was brought about so far, in order."""
        return tuple(self._office.effects)

    def said(self) -> None:
        """The user spoke again: what is done from now on is told from what was done before. Nothing else changes."""
        self._office.turn += 1

    def call(self, call: ToolCall) -> str:
        """Carry out one call. What cannot be carried out has no effect, and the agent is told why."""
        self._left -= 1
        if self._left < 0:
            return f"error: this session has ended after {MOST_CALLS} calls"
        if self._office.logged > MOST_LOGGED:
            return f"error: this session has ended after {MOST_LOGGED} characters"
        known = toolbox().get(call.name)
        if known is None or call.name not in self._office.tools:
            return f"error: there is no tool {call.name[:80]!r}; the tools are {', '.join(self._office.tools)}"
        try:
            result = known.act(self._office, arguments(known, call.arguments))
        except Trouble as trouble:
            return f"error: {call.name}: {trouble}"
        cut = len(result) - LONGEST_RESULT
        return f"{result[:LONGEST_RESULT]}\n[{cut} more characters are left out]" if cut > 0 else result


class Workplace:
    """Mail, files, calendar, bank, web, tickets, a toy shell and more. Pure, in memory."""

    def tools(self, state: Mapping[str, Any]) -> tuple[Tool, ...]:
        """The tools that the state names, in its order. Raises KeyError for one that does not exist."""
        return tuple(toolbox()[name].tool for name in state["tools"])

    def open(self, state: Mapping[str, Any]) -> WorkplaceSession:
        """A session that starts from `state`."""
        return WorkplaceSession(state)


def tool_log(item: Item, response: Response) -> tuple[Effect, ...]:
    """What the agent did in an exchange, rebuilt by carrying out its calls again from the item's state."""
    session = WorkplaceSession(item.state)
    for message in response.earlier:
        if message.role == "user":
            session.said()
        for call in message.tool_calls:
            session.call(call)
    return session.effects
