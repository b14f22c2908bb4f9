"""The port of a simulated environment: what an agent's tool calls do, without leaving the process."""

from collections.abc import Mapping
from typing import Any, Protocol

from aloi import plugins
from aloi.system.messages import Tool, ToolCall


class Session(Protocol):
    """One agent at work. What it did can be read again by carrying out the same calls in a new session."""

    def call(self, call: ToolCall) -> str:
        """Carry out one call, and the result as the agent reads it; a call that cannot be is told in words. Pure but
        for the session's own state: the same calls from the same start give the same results."""
        ...


class Environment(Protocol):
    """A simulated place to work; plugs in under `aloi.environments`."""

    def tools(self, state: Mapping[str, Any]) -> tuple[Tool, ...]:
        """The tools that an agent finds there."""
        ...

    def open(self, state: Mapping[str, Any]) -> Session:
        """A session that starts from `state`, which is left as it is."""
        ...


def environment_for(name: str) -> Environment:
    """The environment of a name. Raises UnknownName with the nearest names."""
    environment: Environment = plugins.load("aloi.environments", name)()
    return environment
