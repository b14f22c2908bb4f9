"""Scripted agents: they read what they are shown, do their task, and fail at the rates that they were given.

An agent knows the scenarios by heart. It finds the one that the user's words open, reads the names and numbers of it
back from the results of its tools, and makes the calls of the scenario's `solution`, or of its `wrong` way. It holds
nothing from one request to the next: what it does follows from the conversation and its seed alone.
"""

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from aloi.science.workplace.scenarios import Step, write
from aloi.system.rendering import ChatMessage
from aloi.testing.reading import Recognised, Values, derived, orders, read, recognise

SECRET = re.compile(r"\b[A-Z][A-Z0-9]+(?:-[A-Z0-9]+)+\b")
MARKED = re.compile(r"<<[A-Z2-7]{8,}>>")  # as spotlighting marks a text

DONE = {"en": "It is done.", "fr": "C'est fait."}
LOST = {"en": "I could not find what I need for this.", "fr": "Je n'ai pas trouvé ce qu'il me faut."}
UNKNOWN = "I am the assistant of this office. / Je suis l'assistant de ce bureau."


class ScriptedAgent:
    """An agent that fails at the rate `risks[hazard]`, or `otherwise`, and does what it is asked.

    `marked` multiplies the rate of obeying an order that stands in a marked text (spotlighting). `clumsy` is the share
    of ordinary tasks that it gives up.
    """

    def __init__(
        self,
        risks: Mapping[str, float],
        *,
        otherwise: float = 0.0,
        seed: str = "1",
        marked: float = 1.0,
        clumsy: float = 0.0,
    ) -> None:
        self._risks = risks
        self._otherwise = otherwise
        self._seed = seed
        self._marked = marked
        self._clumsy = clumsy

    async def __call__(self, messages: Sequence[ChatMessage], tools: Sequence[Any] = ()) -> ChatMessage:
        """The next message of the assistant, as the OpenAI protocol writes one."""
        prompt = "".join(message["content"] for message in messages if message["role"] == "system")
        said = [message for message in messages if message["role"] != "system"]
        known = recognise(said[0]["content"]) if said and said[0]["role"] == "user" else None
        if known is None:
            return {"role": "assistant", "content": UNKNOWN}
        work = _Work(self, known, {tool["function"]["name"] for tool in tools})
        if match := SECRET.search(prompt):
            work.values["secret"] = match[0]
        for message in said[1:]:
            work.take(message)
        return work.next(len(said))

    def fails(self, hazard: str, about: str, *, marked: bool = False) -> bool:
        """Whether the agent fails here: the same in the same place, whatever comes before or after."""
        risk = self._risks.get(hazard, self._otherwise) * (self._marked if marked else 1.0)
        return self._draw(hazard, about) < risk

    def gives_up(self, about: str) -> bool:
        """Whether the agent gives an ordinary task up."""
        return self._draw("clumsy", about) < self._clumsy

    def _draw(self, kind: str, about: str) -> float:
        return random.Random(f"{self._seed}|{kind}|{about}").random()


class _Work:
    """One conversation, read from its beginning: what is known by now, and the calls that are still to be made."""

    def __init__(self, agent: ScriptedAgent, known: Recognised, offered: set[str]) -> None:
        self._agent = agent
        self._known = known
        self._offered = offered
        self._turn = known.turn
        self._obeyed: set[str] = set()
        self.values: Values = dict(known.values)
        # Both conversations of one item quote its reference number: an agent that fails in one fails in the other.
        first = f"{known.scenario.id}|{known.values.get('ref') or sorted(known.values.items())}"
        if known.pack.name == "tasks":
            self._turns = () if agent.gives_up(first) else known.scenario.solution
        else:
            wrong = bool(known.scenario.wrong) and agent.fails(known.pack.name, first)
            self._turns = known.scenario.wrong if wrong else known.scenario.solution
        self._queue: list[Step] = self._steps()

    def _steps(self) -> list[Step]:
        return self._possible(self._turns[self._turn]) if self._turn < len(self._turns) else []

    def _possible(self, steps: Sequence[Step]) -> list[Step]:
        return [step for step in steps if step.keys() <= self._offered]

    def take(self, message: ChatMessage) -> None:
        """Go on by one message of the conversation."""
        match message["role"]:
            case "assistant":
                for call in message.get("tool_calls") or ():
                    self._made(call["function"])
            case "tool":
                self._read(message["content"])
            case "user":
                self._turn += 1
                self._queue = self._steps()

    def _made(self, call: Mapping[str, str]) -> None:
        """A call was carried out. What was withheld from it is still to be made, and may stand before this one."""
        same = [i for i, step in enumerate(self._queue) if call["name"] in step]
        exact = [i for i in same if self._written(self._queue[i]) == call["arguments"]]
        for i in (exact or same)[:1]:
            del self._queue[i]

    def _written(self, step: Step) -> str | None:
        """The arguments of a step as it writes them; None where it does not know all that it needs."""
        (arguments,) = step.values()
        values = derived(self._known.draws, self.values)
        try:
            return msgspec.json.encode(write(arguments, self._known.language, values)).decode()
        except KeyError:  # what it needed was withheld from it
            return None

    def _read(self, result: str) -> None:
        for slot, value in read(self._known, result).items():
            self.values.setdefault(slot, value)
        marked = bool(MARKED.search(result))
        for order in orders(result, self._known.language):
            steps = order.goal.later if self._turn else order.goal.wrong
            if order.words not in self._obeyed and self._agent.fails(order.hazard, order.words, marked=marked):
                self._obeyed.add(order.words)
                self.values |= {**order.values, "planted": order.words}
                self._queue = [*self._possible(steps), *self._queue]

    def next(self, number: int) -> ChatMessage:
        """The next call, or the last word."""
        language = self._known.language
        if not self._queue:
            return {"role": "assistant", "content": DONE[language]}
        written = self._written(self._queue[0])
        if written is None:
            return {"role": "assistant", "content": LOST[language]}
        (name,) = self._queue[0]
        call = {"id": f"call-{number}", "type": "function", "function": {"name": name, "arguments": written}}
        return {"role": "assistant", "content": "", "tool_calls": [call]}


_WEAK = ScriptedAgent({}, otherwise=0.6, marked=0.3, seed="weak")
_HARDENED = ScriptedAgent({}, otherwise=0.01, marked=0.3, seed="hardened")


async def weak_agent(messages: list[ChatMessage], tools: Sequence[Any] = ()) -> ChatMessage:
    """An agent that obeys what it reads and takes the short way, six times in ten."""
    return await _WEAK(messages, tools)


async def hardened_agent(messages: list[ChatMessage], tools: Sequence[Any] = ()) -> ChatMessage:
    """Its twin, which does the same tasks and fails once in a hundred."""
    return await _HARDENED(messages, tools)
