"""The thinking of Anthropic's models, which some want back with the results of their tools.

No guard reads it, and a client is shown none: it is handed out sealed, as `redacted_thinking`, with the calls that came
of it, and put back where it stood before the model is asked again.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from aloi.solutions.gateway.dialects.contents import Unread
from aloi.solutions.gateway.dialects.dialect import Body
from aloi.solutions.gateway.dialects.gathering import Gathered
from aloi.solutions.gateway.sealing import Seal, is_ours
from aloi.system.messages import ToolCall

# Nobody but the model's maker, or this gateway, can write or read it.
SEALED = "redacted_thinking"
THOUGHTS = {"thinking": ("thinking", "signature"), SEALED: ("data",)}
KINDS = frozenset({"text", "tool_use", *THOUGHTS})
_Placed = list[tuple[int, Body]]
_PLACED = msgspec.json.Decoder(_Placed)


class ConsideredCall(ToolCall, frozen=True, kw_only=True, omit_defaults=True):
    """A call, with the thinking of the answer that asks for it. `sealed` is the same for all calls of an answer."""

    sealed: str


class Thinking:
    """The blocks of a stream's answer as far as their places and what they thought are known."""

    def __init__(self, said: Gathered) -> None:
        """What is kept is counted with what was `said`."""
        self._said = said
        self._blocks: dict[int, tuple[str, dict[str, list[str]]]] = {}

    def begin(self, place: int, kind: str) -> None:
        """A block begins."""
        if kind in KINDS:
            self._said.begin()
            self._blocks[place] = kind, {name: [] for name in THOUGHTS.get(kind, ())}

    def add(self, place: int, **parts: str | None) -> None:
        """More of a block; of one that is no thought nothing is kept."""
        _, thought = self._blocks.get(place, ("", {}))
        for name, more in parts.items():
            if more and name in thought:
                self._said.weigh(more)
                thought[name].append(more)

    def content(self) -> list[Body]:
        """The blocks in their order."""
        return [
            {"type": kind} | {name: "".join(parts) for name, parts in thought.items()}
            for kind, thought in self._blocks.values()
        ]


def considered(calls: Sequence[ToolCall], content: Iterable[Body], seal: Seal) -> tuple[ToolCall, ...]:
    """The calls of an answer with what its content thought; as they are where it thought nothing."""
    placed = [(place, block) for place, block in _places(content) if block["type"] in THOUGHTS]
    if not placed or not calls:
        return tuple(calls)
    sealed = seal.closed(msgspec.json.encode(placed))
    return tuple(ConsideredCall(id=one.id, name=one.name, arguments=one.arguments, sealed=sealed) for one in calls)


def handed_out(calls: Iterable[ToolCall]) -> list[Body]:
    """The block that stands for the thinking behind calls; none where there was none."""
    behind = next((one.sealed for one in calls if isinstance(one, ConsideredCall)), "")
    return [{"type": SEALED, "data": behind}] if behind else []


def unsealed(turns: Sequence[Body], seal: Seal, unread: Unread) -> list[Body]:
    """The turns of a body with the thinking that this gateway sealed, where it stood.

    What others sealed, or seem to have, is left out with what cannot be opened; it stays where `unread` lets it pass.
    """
    told = [_unsealed(turn, seal, unread) for turn in turns]
    return [new for new, old in zip(told, turns, strict=True) if new["content"] or new is old]


def _unsealed(turn: Body, seal: Seal, unread: Unread) -> Body:
    content = turn["content"]
    if turn["role"] != "assistant" or not isinstance(content, list):
        return turn

    def is_taken(block: Body) -> bool:
        return block["type"] == SEALED and (unread == "refuse" or is_ours(block.get("data")))

    opened = [seal.opened(block["data"]) for block in content if is_taken(block)]
    if not opened:
        return turn
    placed = deque(one for thoughts in opened if thoughts for one in _PLACED.decode(thoughts))
    told: list[Body] = []
    for place, block in _places(block for block in content if not is_taken(block)):
        while placed and placed[0][0] <= place:
            told.append(placed.popleft()[1])
        told.append(block)
    return turn | {"content": [*told, *(block for _, block in placed)]}


def _places(content: Iterable[Body]) -> Iterator[tuple[int, Body]]:
    """Blocks, each with how many stand before it: texts in a row are one, as they are handed out, thoughts are none."""
    place, before = -1, ""
    for block in content:
        kind = block["type"]
        if kind in THOUGHTS:
            yield place + 1, block
            continue
        place += kind != "text" or before != "text"
        before = kind
        yield place, block
