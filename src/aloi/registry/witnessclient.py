"""Ask witnesses to cosign a log's new checkpoint (C2SP tlog-witness), and wait for those alone who usually answer.

    async with open_witnesses([WitnessAddress("https://witness.example.org", (key,))]) as witnesses:
        cosigned = await witnesses.cosign(checkpoint, prove)
    cosigned.note, cosigned.missing

Only the addresses that are given are asked, and no redirection is followed. A witness that was late or failed is asked
again, seldomer each time, and is not waited for until it has answered.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import aiohttp

from aloi.errors import AloiError, AskerError, EvidenceError
from aloi.evidence import checkpoints, notes
from aloi.evidence.decoding import shown
from aloi.evidence.notes import SIGNATURES, Note, NoteKey, Signature
from aloi.registry import witnesswire
from aloi.registry.witness import Status
from aloi.registry.witnesswire import PATH, TEXT, Request
from aloi.translation import N_

PATIENCE = 2.0  # seconds that a checkpoint waits for a witness
LONGEST = 10.0  # seconds after which a witness is no longer listened to
REST, LONGEST_REST = 1.0, 300.0  # seconds before one that failed is asked again, doubled each time
ROUNDS = 3  # a size that moves while we ask is followed so often
ANSWER = 1 << 16

Prove = Callable[[int, int], Sequence[bytes]]
_Lines = tuple[Signature, ...]


class WitnessAddress(NamedTuple):
    """Where a witness answers (its submission prefix, under which `add-checkpoint` is asked), and the keys it has."""

    url: str
    keys: tuple[NoteKey, ...]


class Missing(NamedTuple):
    """A witness whose cosignature is not there, and why.

    `reason` is 'late' (not waited for any longer), 'resting' (it failed lately and was not asked), 'unreachable',
    'answer' (an answer that is none of tlog-witness's), 'ahead' (it says that it cosigned a larger head, of `size`),
    'conflict' (it says that it cosigned another head of this size), 'refused' (an HTTP status, in `problem`),
    'no-proof' (the log could give none), or a code of `witnesswire.cosigned`. What a witness says and does not sign is
    its word alone.
    """

    url: str
    reason: str
    problem: str = ""
    size: int | None = None


class Cosigned(NamedTuple):
    """The checkpoint with the lines of the witnesses that signed in time, each of them verified; and who is missing."""

    note: Note
    missing: tuple[Missing, ...]


class _Failed(Exception):
    def __init__(self, reason: str, problem: str = "", size: int | None = None) -> None:
        self.reason = reason
        self.problem = problem
        self.size = size
        super().__init__(reason)


class _Asked:
    """A witness, the size that it is known to have cosigned, and how it answered lately."""

    def __init__(self, address: WitnessAddress) -> None:
        self.address = address
        self.ids = {(key.name, key.id) for key in address.keys}
        self.size = 0
        self.failures = 0
        self.rest_until = 0.0
        self.task: asyncio.Task[_Lines] | None = None

    def missing(self, reason: str, problem: str = "", size: int | None = None) -> Missing:
        return Missing(self.address.url, reason, problem, size)

    def ended(self, task: asyncio.Task[_Lines]) -> None:
        """Remember whether it answered, also where nobody waited for it."""
        self.task = None
        if task.cancelled():
            return
        if task.exception() is None:
            self.failures, self.rest_until = 0, 0.0
            return
        self.failures += 1
        rest = min(REST * 2 ** min(self.failures - 1, 30), LONGEST_REST)
        self.rest_until = task.get_loop().time() + rest


class Witnesses:
    """The witnesses of one log, asked for one checkpoint at a time."""

    def __init__(self, session: aiohttp.ClientSession, addresses: Sequence[WitnessAddress]) -> None:
        """Raises AskerError where they have more keys than a note has lines."""
        if sum(len(address.keys) for address in addresses) >= SIGNATURES:
            raise AskerError(
                N_("the witnesses have as many keys as a checkpoint has lines, {limit}, or more"),
                remedy=N_("name fewer witnesses"),
                limit=SIGNATURES,
            )
        self._session = session
        self._asked = [_Asked(address) for address in addresses]

    async def cosign(self, checkpoint: Note, prove: Prove) -> Cosigned:
        """Ask all who do not rest, and wait for those who answered last time, at most `PATIENCE` seconds.

        `prove(old, new)` gives the log's consistency proof; it is called in a thread. Raises EvidenceError as
        `checkpoints.parse`.
        """
        size = checkpoints.parse(checkpoint.text).size
        missing, asked, waited = [], [], []
        for each in self._asked:
            if each.task or asyncio.get_running_loop().time() < each.rest_until:
                missing.append(each.missing("late" if each.task else "resting"))
                continue
            task = asyncio.create_task(self._ask(each, checkpoint, size, prove))
            each.task = task
            task.add_done_callback(each.ended)
            asked.append((each, task))
            if not each.failures:
                waited.append(task)
        if waited:
            await asyncio.wait(waited, timeout=PATIENCE)
        known = set[tuple[str, bytes]]().union(*(each.ids for each in self._asked))
        lines = [line for line in checkpoint.signatures if (line.name, line.id) not in known]
        for each, task in asked:
            if not task.done():
                each.failures = max(each.failures, 1)
                missing.append(each.missing("late"))
            elif isinstance(error := task.exception(), _Failed):
                missing.append(each.missing(error.reason, error.problem, error.size))
            else:
                lines += task.result()
        return Cosigned(checkpoint._replace(signatures=tuple(lines)), tuple(missing))

    async def close(self) -> None:
        """Listen to nobody any longer."""
        late = [each.task for each in self._asked if each.task]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _ask(self, each: _Asked, checkpoint: Note, size: int, prove: Prove) -> _Lines:
        signed, old = notes.write(checkpoint), min(each.size, size)
        try:
            async with asyncio.timeout(LONGEST):
                for _ in range(ROUNDS):
                    proof = await _proof(prove, old, size)
                    status, body = await self._post(each.address.url, Request(old, proof, signed))
                    if status == Status.OK:
                        note = witnesswire.cosigned(signed, body, each.address.keys)
                        each.size = size
                        return tuple(line for line in note.signatures if (line.name, line.id) in each.ids)
                    old = _next(status, body, old, size)
        except TimeoutError:
            raise _Failed("late") from None
        except EvidenceError as error:
            raise _Failed(error.reason, str(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise _Failed("unreachable", type(error).__name__) from error
        raise _Failed("answer", "409")

    async def _post(self, url: str, request: Request) -> tuple[int, bytes]:
        address = f"{url.rstrip('/').removesuffix(f'/{PATH}')}/{PATH}"
        body = witnesswire.write_request(request)
        async with self._session.post(
            address, data=body, headers={"Content-Type": TEXT}, allow_redirects=False
        ) as reply:
            answer = bytearray()
            async for part in reply.content.iter_any():
                answer += part
                if len(answer) > ANSWER:
                    raise _Failed("answer", f"> {ANSWER} bytes")
            return reply.status, bytes(answer)


async def _proof(prove: Prove, old: int, size: int) -> tuple[bytes, ...]:
    if not 0 < old < size:
        return ()
    try:
        return tuple(await asyncio.to_thread(prove, old, size))
    except (AloiError, IndexError) as error:
        raise _Failed("no-proof", str(error)) from error


def _next(status: int, body: bytes, old: int, size: int) -> int:
    """The size from which to ask again. Raises _Failed, and EvidenceError as `witnesswire.read_size`."""
    if status != Status.CONFLICT:
        raise _Failed("refused", f"HTTP {status} {shown(body.decode(errors='replace').strip())}")
    told = witnesswire.read_size(body)
    if told > size:
        raise _Failed("ahead", size=told)
    if told == old:
        raise _Failed("conflict", size=told)
    return told


@asynccontextmanager
async def open_witnesses(addresses: Sequence[WitnessAddress]) -> AsyncIterator[Witnesses]:
    """A session with witnesses; what they have not answered when it is closed is no longer waited for."""
    timeout = aiohttp.ClientTimeout(total=LONGEST)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
        witnesses = Witnesses(session, addresses)
        try:
            yield witnesses
        finally:
            await witnesses.close()


async def cosign(checkpoint: Note, prove: Prove, witnesses: Sequence[WitnessAddress]) -> Cosigned:
    """Ask once, knowing nothing of who answered before. For a log that goes on, keep `open_witnesses` open."""
    async with open_witnesses(witnesses) as asked:
        return await asked.cosign(checkpoint, prove)
