"""One writer behind many requests: what comes in is logged in batches, witnessed, published, and then answered.

While one batch waits for the disk and the witnesses, the next one gathers.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from aloi.errors import AloiError, RegistryError
from aloi.evidence import notes
from aloi.evidence.notes import Note
from aloi.registry.admission import Admitted
from aloi.registry.log import BATCH, Log, require_batch
from aloi.translation import N_

QUEUE = 20 * BATCH
# Told why a batch could not be logged; nothing, where the next one could.
Trouble = Callable[[AloiError | None], None]
# Gives the newest checkpoint with what witnesses signed of it; raises RegistryError where the log has gone back.
Cosign = Callable[[Note], Awaitable[Note]]


class _Waiting(NamedTuple):
    items: Sequence[Admitted]
    done: asyncio.Future[list[int]]


class Sequencer:
    """Writes to one log. `run` it as one task; `submit` from as many as there are. `cosign` is set before it runs.

    `published` is called each time that the log is.
    """

    def __init__(
        self,
        log: Log,
        cosign: Cosign | None = None,
        trouble: Trouble = lambda _: None,
        published: Callable[[], None] = lambda: None,
    ) -> None:
        self._log = log
        self.cosign = cosign
        self._trouble = trouble
        self._published = published
        self._waiting: deque[_Waiting] = deque()
        self._count = 0
        self._arrived = asyncio.Event()
        self.stopped: RegistryError | None = None

    @property
    def waiting(self) -> int:
        """How many statements wait to be logged."""
        return self._count

    async def submit(self, items: Sequence[Admitted]) -> list[int]:
        """Log statements, and give their indices once they are durable and published.

        Raises RegistryError where too many wait already, and where they could not be logged.
        """
        require_batch(len(items))
        if self.stopped:
            raise self.stopped
        if self._count + len(items) > QUEUE:
            raise RegistryError(
                N_("{waiting} statements wait to be logged; no more are taken now"),
                remedy=N_("send the same again later: what was logged already is not logged twice"),
                waiting=self._count,
            )
        done: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(items, done))
        self._count += len(items)
        self._arrived.set()
        return await done

    async def run(self) -> None:
        """Log what comes in, for ever. What an earlier process logged and did not publish is published first.

        Where that fails nothing is taken in: the log may have gone back.
        """
        try:
            await self._publish()
            while True:
                await self._arrived.wait()
                await self._log_one_batch()
        except BaseException as error:
            stopped = RegistryError(N_("the registry takes no statements in"), remedy=N_("ask who keeps it"))
            self.stopped = error if isinstance(error, RegistryError) else stopped
            for each in self._waiting:
                _fail(each.done, self.stopped)
            raise

    async def _log_one_batch(self) -> None:
        batch = self._gather()
        try:
            items = [item for each in batch for item in each.items]
            indices = await asyncio.to_thread(self._log.sequence, items, publish=False)
            await self._publish()
        except AloiError as error:  # what was logged is published with the next batch, and known when it is sent again
            self._trouble(error)
            for each in batch:
                _fail(each.done, error)
        except BaseException:
            self._waiting.extendleft(reversed(batch))  # `run` tells them with the others
            raise
        else:
            self._trouble(None)
            _answer(batch, indices)

    def _gather(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        count = 0
        while self._waiting and count + len(self._waiting[0].items) <= BATCH:
            batch.append(self._waiting.popleft())
            count += len(batch[-1].items)
        self._count -= count
        if not self._waiting:
            self._arrived.clear()
        return batch

    async def _publish(self) -> None:
        note = notes.read(await asyncio.to_thread(self._log.checkpoint))
        if self.cosign:
            note = await self.cosign(note)
        await asyncio.to_thread(self._log.publish, note)
        self._published()


def _fail(done: asyncio.Future[list[int]], error: AloiError) -> None:
    if not done.done():
        done.set_exception(error)


def _answer(batch: Sequence[_Waiting], indices: Sequence[int]) -> None:
    at = 0
    for each in batch:
        end = at + len(each.items)
        if not each.done.done():
            each.done.set_result(list(indices[at:end]))
        at = end
