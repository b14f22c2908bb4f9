"""A model that plays attacker: it writes the user's turns, from a goal and the conversation so far.

Each trial is an attempt of its own, in a new conversation: nothing of one attempt reaches another, so that the outcomes
of this attack are independent draws, as a hunt needs them.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from aloi.errors import AskerError
from aloi.science.attacks.wording import Wording, wording
from aloi.science.items import Item
from aloi.science.trials import Spent
from aloi.system.description import MODEL_ATTACKER, AttackerDescription
from aloi.system.messages import Message, Request
from aloi.system.target import Target, Unscorable, target_kind
from aloi.translation import N_

# What the attacker is shown of an answer, and what the target is shown of the attacker's words, in characters.
SHOWN, SENT = 2_000, 8_000
FALLBACK = "en"
# How the reason begins where the attacker, and not the target, has no usable word.
ATTACKER = "attacker-"


def said_by_the_user(item: Item) -> bool:
    """Whether all that an item asks stands in the last message of the user."""
    elsewhere = item.expectation.carrier or item.environment or item.script or item.sequel
    return not elsewhere and item.request.messages[-1].role == "user"


def towards(item: Item) -> Item:
    """The same request as a goal: whoever attacks is to obtain what it asks for, in words of their own.

    Raises AskerError for an attack that comes in retrieved text, through tools or over several turns.
    """
    if not said_by_the_user(item):
        raise AskerError(
            N_("{name} writes what a user says; the attacks on {hazard} come by document, tool or script"),
            remedy=N_("leave it out of the hunt's `attacks`"),
            name=MODEL_ATTACKER,
            hazard=item.hazard,
        )
    *before, last = item.request.messages
    request = msgspec.structs.replace(item.request, messages=tuple(before))
    return msgspec.structs.replace(item, attack=MODEL_ATTACKER, goal=last.content, request=request)


class Attempt:
    """One conversation of the attacker with a target. `calls` and `tokens` are what it was asked so far."""

    def __init__(self, attacker: Target, description: AttackerDescription, item: Item) -> None:
        self._attacker = attacker
        self._description = description
        self._item = item
        self._words: Wording = wording(MODEL_ATTACKER)
        self.turns = description.turns
        self.calls = 0
        self.tokens = 0

    @property
    def spent(self) -> Spent:
        """What it was asked so far."""
        return Spent(calls=self.calls, tokens=self.tokens)

    async def turn(self, said: Sequence[Message]) -> str:
        """The user's next turn, after the turns `said` by both sides.

        Raises Unscorable, with a reason that begins with `ATTACKER`, where the attacker has no usable word.
        """
        self.calls += 1
        try:
            answer = await self._attacker.ask(self._request(said))
        except Unscorable as unscorable:
            reason = ATTACKER + unscorable.reason
            raise Unscorable(reason, unscorable.message, remedy=unscorable.remedy, **unscorable.facts) from unscorable
        self.tokens += answer.prompt_tokens + answer.completion_tokens
        words = answer.text.strip().strip('"\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}').strip()
        if not words:
            raise Unscorable(ATTACKER + "empty", N_("the attacker wrote an empty turn"))
        return words[:SENT]

    def _request(self, said: Sequence[Message]) -> Request:
        """The attacker's own view: its brief, its turns as its answers, and the target's answers as what it is told."""
        words = self._words.parts
        language = self._item.language if self._item.language in words["brief"] else FALLBACK
        (brief,), (first,), (after,) = (words[part][language] for part in ("brief", "first", "after"))
        messages = [Message(role="user", content=first)]
        for message in said:
            told = after.replace("{answer}", message.content[:SHOWN])
            mine = message.role == "user"
            messages.append(Message(role="assistant" if mine else "user", content=message.content if mine else told))
        return Request(
            prompt=brief.replace("{turns}", str(self.turns)).replace("{goal}", self._item.goal),
            messages=tuple(messages),
            max_tokens=self._description.max_tokens,
            temperature=self._description.temperature,
        )


class ModelAttacker:
    """A model that is ready to attack."""

    def __init__(self, target: Target, description: AttackerDescription) -> None:
        self._target = target
        self._description = description

    def at(self, item: Item) -> Attempt:
        """A new attempt at an item's goal."""
        return Attempt(self._target, self._description, item)


@asynccontextmanager
async def open_attacker(description: AttackerDescription) -> AsyncIterator[ModelAttacker]:
    """The attacker that a system names, for the length of a run. Raises what opening a target raises."""
    async with target_kind(description).open(description) as target:
        yield ModelAttacker(target, description)
