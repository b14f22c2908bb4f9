"""Keeps what a gateway does: what guards decided before the client is told, all other exchanges as counts.

One thread writes. While it waits for the disk what comes meanwhile gathers, and goes to disk together.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, Self

from msgspec.structs import replace

from aloi.errors import AloiError
from aloi.solutions.gateway.budgets import Budgets
from aloi.solutions.gateway.failures import Failed
from aloi.solutions.gateway.journal import Journal
from aloi.solutions.gateway.kept import Counted, Decided, Guards, Sampled, class_of, exchanged
from aloi.solutions.gateway.record import Entry
from aloi.system.description import GatewayRecord
from aloi.translation import N_

MINUTE = 60.0
SOON = 1.0  # seconds from the first exchange to the first counts: a process that is killed young tells of it too
TOGETHER = 512  # lines of one write, at most
WAITING = 4_096  # beyond so many lines that wait for the disk, samples are left out


class _Job(NamedTuple):
    line: Guards | Decided | Sampled | Counted
    waits: "asyncio.Future[None] | None" = None


class _Tally:
    """The exchanges of one set of guards since the last line of counts."""

    def __init__(self, since: float) -> None:
        self.since = since
        self.counts: Counter[str] = Counter()
        self.took: Counter[str] = Counter()
        self.missed = 0


class Recorder:
    """The record of one gateway: `async with` opens it, and ends it with the counts that are still owed.

    `chance` gives numbers in [0, 1[ that choose samples, `clock` POSIX seconds. `told` is told once that something
    cannot be written, and again when that happens after a minute or more, in which something could. Beside the record
    stands what callers have `spent`.
    """

    remembers = True

    def __init__(
        self,
        folder: Path,
        kept: GatewayRecord,
        *,
        chance: Callable[[], float],
        told: Callable[[AloiError], None],
        clock: Callable[[], float] = time.time,
        every: float = MINUTE,
    ) -> None:
        self._kept = kept
        self._chance = chance
        self._told = told
        self._clock = clock
        self._every = every
        self._tallies: dict[str, _Tally] = {}
        self._begun = asyncio.Event()
        self._writer = _Writer(Journal(folder, kept.megabytes), self._refused)
        self.spent = Budgets(folder, told)
        self._loop: asyncio.AbstractEventLoop
        self._counting: asyncio.Task[None]
        self._is_told, self._told_at = False, 0.0

    async def __aenter__(self) -> Self:
        """Raises AskerError where the folder cannot be written or another gateway has it, EvidenceError where what it
        holds was changed."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._writer.open, self._loop)
        try:
            await self.spent.open()
        except BaseException:
            await asyncio.to_thread(self._writer.close)
            raise
        self._counting = asyncio.create_task(self._count_often())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._counting.cancel()
        with suppress(asyncio.CancelledError):
            await self._counting
        self._count()
        await self.spent.close()
        await asyncio.to_thread(self._writer.close)
        await asyncio.sleep(0)  # what the writer still had to tell

    def runs_by(self, guards: Guards) -> None:
        """Exchanges to come may be of these guards: told before the first line that names them."""
        self._writer.put(_Job(guards))

    async def keep(self, entry: Entry) -> None:
        """Count an exchange. With decisions, or an error that a known key met, it is on disk afterwards.

        Raises Failed (503, 'record') where that cannot be: the client is to be told that, and nothing else.
        """
        self._tally(entry)
        # Whoever has no key could else push out what guards decided, by being refused often enough.
        if entry.decisions or (entry.error and entry.key):
            waits = self._loop.create_future()
            self._writer.put(_Job(exchanged(entry, Decided, texts=self._kept.texts), waits))
            await waits
        elif entry.outcome == "answered" and self._kept.benign and self._chance() < self._kept.benign:
            if self._writer.waiting > WAITING:
                self._tallies[entry.guard_set].missed += 1
            else:
                self._writer.put(_Job(exchanged(entry, Sampled, texts=self._kept.texts)))

    def _tally(self, entry: Entry) -> None:
        tally = self._tallies.get(entry.guard_set)
        if tally is None:
            tally = self._tallies[entry.guard_set] = _Tally(self._clock())
            self._begun.set()
        tally.counts[entry.outcome] += 1
        if entry.guard_seconds:
            tally.took[class_of(entry.guard_seconds)] += 1

    async def _count_often(self) -> None:
        await self._begun.wait()
        await asyncio.sleep(min(SOON, self._every))
        while True:
            self._count()
            await asyncio.sleep(self._every)

    def _count(self) -> None:
        now, ended = self._clock(), self._tallies
        self._tallies = {}
        for guard_set, tally in ended.items():
            line = Counted(
                at=round(now, 3),
                since=round(tally.since, 3),
                guard_set=guard_set,
                counts=dict(tally.counts),
                took=dict(tally.took),
                missed=tally.missed,
            )
            self._writer.put(_Job(line))

    def _refused(self, error: AloiError | None) -> None:
        now = self._loop.time()
        if error is None:
            if now - self._told_at > MINUTE:  # on a disk that is almost full a short line finds room now and then
                self._is_told = False
        elif not self._is_told:
            self._is_told, self._told_at = True, now
            self._told(error)


class _Writer:
    """The thread that writes, and what it owes: counts that could not be written yet are part of the next."""

    def __init__(self, journal: Journal, told: Callable[[AloiError | None], None]) -> None:
        self._journal = journal
        self._told = told
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="record", daemon=True)
        self._owed: dict[str, Counted] = {}
        self._loop: asyncio.AbstractEventLoop

    @property
    def waiting(self) -> int:
        return self._jobs.qsize()

    def put(self, job: _Job) -> None:
        self._jobs.put(job)

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._journal.open()
        self._thread.start()

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join()
        self._journal.close()

    def _run(self) -> None:
        while True:
            gathered = [self._jobs.get()]
            with suppress(Empty):
                while len(gathered) < TOGETHER and gathered[-1] is not None:
                    gathered.append(self._jobs.get_nowait())
            jobs = [job for job in gathered if job is not None]
            if jobs:
                self._commit(jobs)
            if gathered[-1] is None:
                return

    def _commit(self, jobs: Sequence[_Job]) -> None:
        for job in jobs:
            if isinstance(job.line, Guards):
                self._journal.runs_by(job.line)
        lines = [job.line for job in jobs if not isinstance(job.line, Guards)]
        written = [_with(line, self._owed.get(line.guard_set)) if isinstance(line, Counted) else line for line in lines]
        failure: AloiError | None = None
        if not lines:
            return
        try:
            self._journal.write(written)
        except Exception as error:  # noqa: BLE001 - whoever waits must be told, whatever it was
            failure = error if isinstance(error, AloiError) else self._journal.unwritable(error)
            for line in lines:
                owed = self._owed.get(line.guard_set)
                self._owed[line.guard_set] = _with(_owed_for(line), owed)
        else:
            for line in lines:
                if isinstance(line, Counted):
                    self._owed.pop(line.guard_set, None)
        waiting = [job.waits for job in jobs if job.waits is not None]
        self._loop.call_soon_threadsafe(self._settle, waiting, failure)

    def _settle(self, waiting: Sequence[Any], failure: AloiError | None) -> None:
        for future in waiting:
            if future.done():  # whoever waited has left
                continue
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(_unkept())
        self._told(failure)


def _owed_for(line: Decided | Sampled | Counted) -> Counted:
    """What the next counts must say of a line that could not be written.

    An answer that could not be kept is not given: that exchange ends with an error, and is counted as that.
    """
    if isinstance(line, Counted):
        return line
    owed = Counted(at=line.at, since=line.at, guard_set=line.guard_set, counts={})
    if isinstance(line, Sampled):
        return replace(owed, missed=1)
    if line.outcome == "error":
        return owed
    return replace(
        owed, counts={line.outcome: -1}, took={class_of(line.guard_seconds): -1} if line.guard_seconds else {}
    )


def _with(line: Counted, owed: Counted | None) -> Counted:
    if owed is None:
        return line
    counts, took = Counter(line.counts), Counter(line.took)
    counts.update(owed.counts)
    took.update(owed.took)
    return replace(
        line,
        since=min(line.since, owed.since),
        counts={name: count for name, count in counts.items() if count},
        took={name: count for name, count in took.items() if count},
        missed=line.missed + owed.missed,
    )


def _unkept() -> Failed:
    return Failed(
        503,
        "record",
        N_("this exchange cannot be recorded, and is not answered without"),
        remedy=N_("ask again later; whoever runs the gateway was told what stands in the way"),
    )
