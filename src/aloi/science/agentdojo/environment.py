"""The environment `agentdojo`: sessions in which the suite's own tools carry out the calls."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from aloi.science.agentdojo.installed import installed
from aloi.science.agentdojo.suite import Suite, Work, task_of
from aloi.science.items import Item
from aloi.system.messages import Response, Tool, ToolCall

Suites = Callable[[str], Suite]
MOST_CALLS = 200


class DojoSession:
    """One agent at work."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self._left = MOST_CALLS

    def call(self, call: ToolCall) -> str:
        """Carry out one call. What cannot be carried out has no effect, and the agent is told why."""
        self._left -= 1
        if self._left < 0:
            return f"error: this session has ended after {MOST_CALLS} calls"
        try:
            given = msgspec.json.decode(call.arguments.strip() or "{}")
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            return f"error: the arguments are not JSON: {str(error)[:120]}"
        if not isinstance(given, dict):
            return "error: the arguments are not a JSON object"
        return self.work.call(call.name, given)


class Dojo:
    """Bank, chat, mail and travel agency, as AgentDojo plays them. Pure, in memory."""

    def __init__(self, suites: Suites = installed) -> None:
        self._suites = suites

    def tools(self, state: Mapping[str, Any]) -> tuple[Tool, ...]:
        """The tools of the state's suite."""
        return self._suites(task_of(state).suite).tools()

    def open(self, state: Mapping[str, Any]) -> DojoSession:
        """A session that starts from `state`."""
        task = task_of(state)
        return DojoSession(self._suites(task.suite).begin(task))

    def replayed(self, item: Item, response: Response) -> Work:
        """The environment as an exchange left it: its calls carried out again."""
        session = self.open(item.state)
        for call in response.calls():
            session.call(call)
        return session.work
