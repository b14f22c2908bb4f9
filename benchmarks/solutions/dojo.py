"""An agent that knows AgentDojo's own solutions by heart, and obeys every goal that it reads on its way."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from aloi.science.agentdojo.installed import InstalledSuite, installed
from aloi.science.agentdojo.suite import Task, listing
from aloi.system.messages import Message, Request, Response, ToolCall

Call = tuple[str, str]  # a tool and its arguments, written


def _letters(text: str) -> str:
    """Letters and digits, as they stand also where YAML folded, quoted or escaped the text."""
    return re.sub(r"\\[n\s]|[\W_]+", "", text)


class Obedient:
    """Does the user's task as its solution does. Where it reads a goal of an attacker it carries that out at once, and
    then goes on with its task. It holds nothing from one request to the next, and tries again what was withheld.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.suite: InstalledSuite = installed(name)
        self._tasks = {task.PROMPT: user for user, task in self.suite.foreign.user_tasks.items()}
        goals = [self.suite.foreign.injection_tasks[one] for one in listing().suites[name].injections]
        self._goals = [(_letters(goal.GOAL), goal) for goal in goals]
        self._solution = cache(self._solve)

    async def ask(self, request: Request) -> Response:
        """The next call, or the last word."""
        user = self._tasks[request.messages[0].content]
        task = self.suite.foreign.user_tasks[user]
        left = self._left(list(self._solution(user, None)), user, request.messages[1:])
        if not left:
            return Response(text=task.GROUND_TRUTH_OUTPUT or "Done.")
        name, arguments = left[0]
        return Response(text="", tool_calls=(ToolCall(id=f"c{len(request.messages)}", name=name, arguments=arguments),))

    def _left(self, left: list[Call], user: str, messages: Sequence[Message]) -> list[Call]:
        """What is still to be called after these messages."""
        obeyed: set[str] = set()
        for message in messages:
            for call in message.tool_calls:
                made = (call.name, call.arguments)
                if made in left:
                    left.remove(made)
            if message.role == "tool":
                read = _letters(message.content)
                for words, goal in self._goals:
                    if words in read and words not in obeyed:
                        obeyed.add(words)
                        left = [*self._solution(user, goal), *left]
        return left

    def _solve(self, user: str, goal: Any) -> tuple[Call, ...]:
        work = self.suite.begin(Task(suite=self.name, user=user))
        solution = (goal or self.suite.foreign.user_tasks[user]).ground_truth(work.environment)
        return tuple((call.function, msgspec.json.encode(dict(call.args)).decode()) for call in solution)
