"""An answer streamed through guards: text is released when no continuation can change what the guards leave of it.

Each guard reads what the one before it has settled and left, and hands on what it leaves of that part of it which it
has settled itself, with what is known of the word behind it. What comes out of the last one is released. The contracts
are `guard.Settling` and `guard.Foreseeing`; what breaks them blocks.
"""

import time
from typing import Any

import msgspec

from aloi.solutions.ahead import Ahead, apart
from aloi.solutions.guard import Allow, Ask, Block, Guard, Release, Rewrite, Ruling
from aloi.solutions.passage import CONTRACT, Guards, Passage, Screen, decision, ruling
from aloi.solutions.timed import Clock
from aloi.system.messages import GuardDecision, Message

# How much an answer grows before it is checked again, in characters and as a part of the whole. The part keeps the work
# linear in the length of the answer.
GROWTH, PART = 48, 64
# Text that came this many seconds after a check is checked at once, unless checks would take more of the time than one
# part in `IDLE`.
PAUSE, IDLE = 0.02, 8


class _Stage:
    """A guard in the window, and what it has let go. Asked as the guard is, it rules on the settled part of a text."""

    def __init__(self, name: str, guard: Guard) -> None:
        self.name = name
        self.guard = guard
        self.roles = guard.roles
        if hasattr(guard, "deadline"):
            self.deadline = guard.deadline
        self.settled, self.out = 0, ""
        self.ahead: Ahead | None = None  # behind the text that it reads next
        self.found: Ruling | None = None
        self.rewrote: Rewrite | None = None
        self._length = 0

    def screen(self, message: Message) -> Ruling:
        """The guard's ruling on what it has settled more of a text, or on all where it ends; else Allow."""
        guard, text = self.guard, message.content
        self._length = self._settled(text)
        if self._length <= self.settled:
            ends = hasattr(guard, "ends") and guard.ends(text)
            return guard.screen(message) if ends else Allow()
        return guard.screen(msgspec.structs.replace(message, content=text[: self._length]))

    def _settled(self, text: str) -> int:
        guard: Any = self.guard
        known = self.ahead is not None and hasattr(guard, "settled_before")
        settled: int = guard.settled_before(text, self.ahead) if known else guard.settled(text)
        return settled

    def behind(self, text: str) -> Ahead | None:
        """What is known of the word behind what this guard left of a text."""
        if not hasattr(self.guard, "leaves") or not apart(self.out, len(self.out)):
            return None
        if isinstance(self.found, Allow):
            return self.ahead if self.settled == len(text) else None
        ahead = self.ahead if self.settled == len(text) else Ahead.at(text, self.settled)
        left: Ahead | None = self.guard.leaves(ahead) if ahead else None
        return left

    def took(self, text: str, ruled: Ruling) -> bool:
        """Take in what the guard ruled on a text; False where it ends the answer."""
        if isinstance(ruled, Block | Ask):
            self.found = ruled
            return False
        length = min(self._length, len(text))
        if length > self.settled:
            out = ruled.content if isinstance(ruled, Rewrite) else text[:length]
            if not out.startswith(self.out):
                self.found = Block(reason=CONTRACT)
                return False
            self.settled, self.out = length, out
            self.rewrote = ruled if isinstance(ruled, Rewrite) else self.rewrote
        return True

    def passed(self, text: str) -> bool:
        """Let pass what a guard that failed could not judge; it is held where the guard had rewritten before."""
        self.found = Allow()
        if self.out == text[: self.settled]:
            self.settled, self.out = len(text), text
        return True


class Held:
    """The window: it takes a model's answer as it comes, and releases what is cleared.

    `passage` is told what was let pass; `clock` tells when to check, in seconds.
    """

    def __init__(
        self,
        readers: Guards,
        screen: Screen,
        release: Release,
        passage: Passage,
        *,
        clock: Clock = time.perf_counter,
    ) -> None:
        self._stages = [_Stage(name, guard) for name, guard in readers]
        self._screen = screen
        self._release = release
        self._passage = passage
        self._clock = clock
        self._pieces: list[str] = []
        self._length = self._checked = 0
        self._ended, self._lasted = -float("inf"), 0.0
        self._dropped = False
        self.wanted = True
        self.released = ""
        self.seconds = 0.0

    async def take(self, text: str) -> bool:
        """Take more of the answer; False once nothing more is wanted: a guard blocked, or the reader has gone."""
        if not text or not self.wanted:
            return self.wanted
        self._pieces.append(text)
        self._length += len(text)
        if self._due():
            began = self._clock()
            cleared = await self._cleared()
            self._ended = self._clock()
            self._lasted = self._ended - began
            self.seconds += self._lasted
            self._checked = self._length
            await self._let_go(cleared)
        return self.wanted

    @property
    def taken(self) -> str:
        """All of the answer that came."""
        self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    def drop(self) -> None:
        """The answer that was taken is not the one that is given, and none of it was released."""
        self._dropped = True

    def decisions(self) -> list[GuardDecision]:
        """What the guards of the window have done up to now, of an answer whose end never comes."""
        told = []
        for stage in self._stages:
            if isinstance(stage.found, Block | Ask):
                told.append(decision(stage.name, "assistant", "block", stage.found.reason, stage.found.score))
            elif stage.rewrote is not None:
                told.append(decision(stage.name, "assistant", "rewrite", stage.rewrote.reason, stage.rewrote.score))
        return told

    def ruled(self) -> Screen:
        """A screen for the whole answer, in which every guard of the window stands by what it did in it."""
        if self._dropped:
            return self._screen
        stages = iter(self._stages)

        async def screen(guard: Guard, message: Message) -> Ruling:
            stage = next(stages)
            found = stage.found or await self._screen(guard, message)
            left = found.content if isinstance(found, Rewrite) else message.content
            kept = isinstance(found, Block | Ask) or left.startswith(stage.out)
            return found if kept else Block(reason=CONTRACT, queries=found.queries)

        return screen

    def _due(self) -> bool:
        if not self.released and self._length <= GROWTH:
            return True  # the first word is what a reader waits for
        grown = self._length - self._checked
        waited = self._clock() - self._ended
        return grown >= max(GROWTH, self._length // PART) or waited >= max(PAUSE, IDLE * self._lasted)

    async def _cleared(self) -> str:
        """What all guards leave of what they have settled."""
        text, ahead = self.taken, None
        for stage in self._stages:
            stage.ahead = ahead
            if stage.found is None:
                message = Message(role="assistant", content=text)
                let_pass = len(self._passage.decisions)
                ruled = await ruling(stage.name, stage, message, self._screen, self._passage)
                if len(self._passage.decisions) == let_pass:
                    self.wanted = stage.took(text, ruled)
                else:
                    stage.passed(text)
            elif isinstance(stage.found, Allow):
                stage.passed(text)
            if not self.wanted:
                return self.released
            text, ahead = stage.out, stage.behind(text)
        return text

    async def _let_go(self, cleared: str) -> None:
        """Release what has grown."""
        more = cleared[len(self.released) :]
        if more:
            self.released = cleared
            self.wanted = await self._release(more)
