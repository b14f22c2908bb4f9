"""Ask a guard within its deadline."""

import time
from collections.abc import Callable

from aloi.solutions.guard import Block, Guard, Ruling, patience
from aloi.solutions.passage import DEADLINE
from aloi.solutions.workers import Workers
from aloi.system.messages import Message

Clock = Callable[[], float]


class Timed:
    """A screen that gives a guard `deadline` seconds for a text, where it has no deadline of its own."""

    def __init__(self, deadline: float, clock: Clock = time.perf_counter) -> None:
        self._deadline = deadline
        self._clock = clock
        self._workers = Workers()

    async def screen(self, guard: Guard, message: Message) -> Ruling:
        """The guard's ruling. Raises TimeoutError, and whatever the guard raises."""
        began, deadline = self._clock(), patience(guard, self._deadline)
        whose = id(getattr(guard, "guard", guard))  # a stage of a window is its guard
        ruling = await self._workers.within(deadline, lambda: guard.screen(message), whose)
        # A guard that kept the interpreter to itself could not be interrupted; it still was too late.
        return ruling if self._clock() - began <= deadline else Block(reason=DEADLINE, queries=ruling.queries)
