"""What callers have spent, so that a budget outlives the process: a line for every charge, before the request is put.

A line is written before anything follows from it, and on disk within `SYNC` seconds: the end of the process takes
nothing away, that of the machine what was charged in these seconds. A request that is under way when the process ends
stays charged with all that it might have taken.
"""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct

from aloi.errors import AloiError
from aloi.solutions.gateway.failures import Failed
from aloi.solutions.limits.machine import DAY, Account
from aloi.solutions.limits.target import Memory
from aloi.system.lines import Advice, LineFile
from aloi.translation import N_

FILE = "budgets.jsonl"
SYNC = 1.0  # seconds
# The file is written anew, with one line for each account, where it has grown by so many bytes, or was taken away.
GROWTH = 4 * 1024**2
ADVICE = Advice(
    busy=N_("{file} is in use by another gateway"),
    wait=N_("end the other one, or give each a folder of its own: `gateway.record.folder`"),
    damaged=N_("move the file away where budgets may begin anew, or name another folder: `gateway.record.folder`"),
    full=N_("free some space or make the folder writable: until then, whoever has a budget is refused"),
)


class Spent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line: the account of one caller within limits, whose name their digest begins."""

    limits: str
    caller: str
    account: Account


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Spent)


class Budgets:
    """The accounts of one gateway, by the digest of their limits, in a file of a folder that exists once it is opened.

    `told` is told once that nothing can be written, and again where that happens after something could be.
    """

    def __init__(
        self,
        folder: Path,
        told: Callable[[AloiError], None],
        *,
        clock: Callable[[], float] = time.time,
        growth: int = GROWTH,
        every: float = SYNC,
    ) -> None:
        """`growth` is in bytes, `every` in seconds."""
        self._path = folder / FILE
        self._told = told
        self._clock = clock
        self._growth = growth
        self._every = every
        self._file = LineFile(self._path, write=True, advice=ADVICE)
        self._beside: LineFile | None = None
        self._memories: dict[str, Memory] = {}
        self._written = False
        self._failure: AloiError | None = None
        self._is_told = False
        self._most = growth
        self._syncing: asyncio.Task[None]

    async def open(self) -> None:
        """Raises AskerError, and EvidenceError where the file was changed."""
        await asyncio.to_thread(self._load)
        self._syncing = asyncio.create_task(self._sync_often())

    def _load(self) -> None:
        self._file.open(self._take)
        today = int(self._clock() // DAY)
        for memory in self._memories.values():
            for caller, account in list(memory.accounts.items()):
                if account.day < today - 1 and account.tokens >= 0:  # it says no more than a new one
                    del memory.accounts[caller]
        self._most = self._file.size + self._growth

    async def close(self) -> None:
        """Have all of it on disk."""
        self._syncing.cancel()
        with suppress(asyncio.CancelledError):
            await self._syncing
        await asyncio.to_thread(self._sync)
        self._file.close()

    def __getitem__(self, limits: str) -> Memory:
        """What is known of callers within these limits."""
        memory = self._memories.setdefault(limits, Memory())
        memory.kept = partial(self._keep, limits)
        return memory

    def _take(self, line: bytes, _: int) -> None:
        spent = _DECODER.decode(line)
        accounts = self._memories.setdefault(spent.limits, Memory()).accounts
        accounts[spent.caller] = spent.account
        accounts.move_to_end(spent.caller)

    def _keep(self, limits: str, caller: str, account: Account) -> None:
        line = _ENCODER.encode(Spent(limits=limits, caller=caller, account=account)) + b"\n"
        try:
            if self._failure is not None:
                raise self._failure
            self._file.append(line)
        except AloiError as error:
            self._tell(error)
            raise _unkept() from error
        self._written, self._is_told = True, False
        if self._beside is not None:
            try:
                self._beside.append(line)
            except AloiError:  # it is no copy any more
                self._beside = None

    def _tell(self, error: AloiError) -> None:
        if not self._is_told:
            self._is_told = True
            self._told(error)

    async def _sync_often(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            if self._written or self._failure is not None:
                self._written = False
                await asyncio.to_thread(self._sync)
            if self._file.size > self._most or not self._file.stands:
                await self._begin_anew()

    def _sync(self) -> None:
        try:
            self._file.sync()
        except OSError as error:
            self._failure = self._file.refused(error)
        else:
            self._failure = None

    async def _begin_anew(self) -> None:
        """One line for each account in a new file; charges go to both until that is on disk in the place of the old."""
        path, old = self._path.with_suffix(".new"), self._file
        new = LineFile(path, write=True, advice=ADVICE)
        try:
            path.unlink(missing_ok=True)
            new.open(lambda _line, _place: None)
            new.append(self._all())
            self._beside = new
            await asyncio.to_thread(new.sync)
            if self._beside is new:
                path.replace(self._path)
                self._file, self._beside = new, old
                await asyncio.to_thread(_sync_folder, self._path.parent)
        except (AloiError, OSError) as error:
            self._tell(error if isinstance(error, AloiError) else new.refused(error))
        self._beside = None
        (old if self._file is new else new).close()
        self._most = self._file.size + self._growth

    def _all(self) -> bytes:
        return b"".join(
            _ENCODER.encode(Spent(limits=limits, caller=caller, account=account)) + b"\n"
            for limits, memory in self._memories.items()
            for caller, account in memory.accounts.items()
        )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unkept() -> Failed:
    return Failed(
        503,
        "budget",
        N_("what this request takes cannot be charged, and it is not answered without"),
        remedy=N_("ask again later; whoever runs the gateway was told what stands in the way"),
    )
