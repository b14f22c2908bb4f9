"""Long texts are read one after the other, so that what else a process does goes on meanwhile."""

import asyncio
from weakref import WeakKeyDictionary

from aloi.solutions.guard import Guard, Ruling
from aloi.solutions.passage import Screen
from aloi.system.messages import Message

LARGE = 20_000  # characters


class Turns:
    """A screen that reads texts of more than `LARGE` characters in turns, and others as they come.

    A regular expression keeps the interpreter until it has read its text: forty of them at once would leave the event
    loop a fortieth of the time, and each other too little for their deadlines. A guard that asks a model waits for
    that, and takes no turn. A text whose reader has left keeps its turn until the guard is done with it, or late; one
    that still waits leaves its place.
    """

    def __init__(self, screen: Screen) -> None:
        """`screen` is asked once a text has its turn."""
        self._screen = screen
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    async def screen(self, guard: Guard, message: Message) -> Ruling:
        """The guard's ruling. Raises what the screen raises."""
        if len(message.content) <= LARGE or hasattr(guard, "asks"):
            return await self._screen(guard, message)
        turn = self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        await turn.acquire()
        reading = asyncio.ensure_future(self._screen(guard, message))
        reading.add_done_callback(lambda _: turn.release())
        return await asyncio.shield(reading)
