"""Ask a guard within its deadline."""

import time
from collections.abc import Callable

from aloi.solutions.guard import Block, Guard, Ruling, patience
from aloi.solutions.passage import DEADLINE
from aloi.solutions.workers import PATIENCE, Workers
from aloi.system.messages import Message

Clock = Callable[[], float]


class Timed:
    """A screen that gives a guard `deadline` seconds for a text, where it has no deadline of its own.

    They are seconds in which the guard could work: a processor that others have, or an interpreter that is busy, is no
    fault of the guard's and none of the text's. `PATIENCE` times as many pass by the clock at most.
    """

    def __init__(self, deadline: float, clock: Clock = time.perf_counter) -> None:
        self._deadline = deadline
        self._clock = clock
        self._workers = Workers()

    async def screen(self, guard: Guard, message: Message) -> Ruling:
        """The guard's ruling. Raises TimeoutError, and whatever the guard raises."""
        began, deadline = self._clock(), patience(guard, self._deadline)
        whose = id(getattr(guard, "guard", guard))  # a stage of a window is its guard

        def screen() -> tuple[Ruling, float]:
            before = time.thread_time()
            return guard.screen(message), time.thread_time() - before

        ruling, worked = await self._workers.within(deadline, screen, whose, of_its_own=True)
        # A guard that kept the interpreter to itself could not be interrupted; it still was too late.
        late = worked > deadline or self._clock() - began > PATIENCE * deadline
        return Block(reason=DEADLINE, queries=ruling.queries) if late else ruling
