"""The log of trials: append-only, crash-safe, and all that a run needs in order to go on.

One JSON line a trial, on disk at the latest `SYNC_SECONDS` after it was written. What is kept in memory of a trial is
its place in the file and its digest, 48 bytes, and 32 more where the run commits to what was asked and answered.
"""

import asyncio
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec

from aloi.evidence.commitments import seal
from aloi.evidence.merkle import Tree, leaf_hash
from aloi.evidence.records import Sample, Stage
from aloi.science.items import Item, Outcome
from aloi.system.lines import LineFile
from aloi.system.messages import Response
from aloi.translation import N_

SYNC_SECONDS = 0.2
BASE = "base"  # the arm of the system as it stands
MOST = 10_000_000  # trials of one series: the largest cap of a plan
_ORDERED = msgspec.json.Encoder(order="deterministic")

# A hunt chooses its attacks by what came before: its trials are kept apart from those of every other stage.
LogStage = Stage | Literal["hunt"]


class Key(msgspec.Struct, frozen=True, order=True):
    """Which trial: stage, hazard (or 'benign'), arm (which remedies were in place), and its index in the draw."""

    stage: LogStage
    hazard: str
    arm: str
    index: Annotated[int, msgspec.Meta(ge=0, le=MOST)]


class Spent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What models beside the target were asked: one that plays attacker during a trial, judges after it."""

    calls: int = 0
    tokens: int = 0


class Trial(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item sent, what came back, and its outcome. `response` is None where there was no usable answer.

    `calls` counts what the target was asked: once, unless a conversation went on. `attacker` is what it took to write
    the user's turns, where a model did.
    """

    key: Key
    item: Item
    response: Response | None
    outcome: Outcome
    at: str
    calls: int = 1
    attacker: Spent | None = None


def texts(trial: Trial) -> tuple[str, str]:
    """What a trial is sealed by: what was asked and what came back, each as JSON; what a scorer looks for is neither.

    A trial without a usable answer has `null` for one.
    """
    item, response = trial.item, trial.response
    asked = {"request": item.request, "script": item.script, "sequel": item.sequel, "goal": item.goal}
    said = response and {
        "text": response.text,
        "tool_calls": response.tool_calls,
        "earlier": response.earlier,
        "raw": response.raw,
    }
    return (_ORDERED.encode(asked).decode(), _ORDERED.encode(said).decode())


def named(key: Key) -> str:
    """The name of a trial, which a run has once."""
    return _ORDERED.encode(key).decode()


def sealed(secret: bytes, trial: Trial) -> bytes:
    """The seal of a trial: a leaf hash over salted commitments."""
    return seal(secret, named(trial.key), *texts(trial))


def _hash(hashes: bytearray, index: int) -> bytes:
    return bytes(hashes[32 * index : 32 * index + 32])


class _Series:
    """Where the trials of one stage, hazard and arm lie in the file, by index: offset, length, leaf hash, seal."""

    def __init__(self) -> None:
        self.offsets = array("q")
        self.lengths = array("q")
        self.leaves = bytearray()
        self.seals = bytearray()

    def __contains__(self, index: int) -> bool:
        return index < len(self.offsets) and self.offsets[index] >= 0

    def put(self, index: int, offset: int, length: int, leaf: bytes, seal: bytes) -> None:
        missing = index + 1 - len(self.offsets)
        if missing > 0:
            self.offsets.extend([-1] * missing)
            self.lengths.extend([0] * missing)
            self.leaves.extend(bytes(32 * missing))
            self.seals.extend(bytes(len(seal) * missing))
        self.offsets[index] = offset
        self.lengths[index] = length
        self.leaves[32 * index : 32 * index + 32] = leaf
        self.seals[len(seal) * index : len(seal) * (index + 1)] = seal

    def indices(self) -> Iterator[int]:
        return (index for index, offset in enumerate(self.offsets) if offset >= 0)


class TrialLog:
    """The trials of one run, in one file. `async with` opens it to write, `with` to read.

    `rescored` is applied to whatever is read back: the outcome of a judged trial is not in its line. With the run's
    `secret`, samples commit to what was asked and answered.
    """

    def __init__(self, path: Path, secret: bytes = b"") -> None:
        self._path = path
        self._secret = secret
        self.rescored: Callable[[Trial], Trial] = lambda trial: trial
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(Trial)
        self._series: dict[tuple[LogStage, str, str], _Series] = {}
        self._count = 0
        self._dirty = False
        self._file = LineFile(path, write=False)
        self._syncing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._file = LineFile(self._path, write=True)
        self._file.open(self._take)
        self._syncing = asyncio.create_task(self._sync_often())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._syncing is not None
        self._syncing.cancel()
        with suppress(asyncio.CancelledError):
            await self._syncing
        self._file.sync()
        self._file.close()

    def __enter__(self) -> Self:
        """Open to read only: a run that has ended."""
        self._file = LineFile(self._path, write=False)
        self._file.open(self._take)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __contains__(self, key: Key) -> bool:
        series = self._series.get((key.stage, key.hazard, key.arm))
        return series is not None and key.index in series

    def __len__(self) -> int:
        return self._count

    def append(self, trial: Trial) -> None:
        """Write one trial. Raises AskerError where the disk refuses: what was written before is kept."""
        line = self._encoder.encode(trial) + b"\n"
        self._remember(trial, line, self._file.append(line))
        self._dirty = True

    def get(self, key: Key) -> Trial:
        """Read one trial back. Raises KeyError where it is not in the log."""
        if key not in self:
            raise KeyError(key)
        series = self._series[key.stage, key.hazard, key.arm]
        line = self._file.read(series.lengths[key.index], series.offsets[key.index])
        return self.rescored(self._decoder.decode(line))

    def __iter__(self) -> Iterator[Trial]:
        """All trials, by stage, hazard, arm and index."""
        for name in sorted(self._series):
            yield from self.trials(*name)

    def trials(self, stage: LogStage, hazard: str, arm: str) -> Iterator[Trial]:
        """Trials of one stage, hazard and arm in the order of their index."""
        series = self._series.get((stage, hazard, arm))
        for index in series.indices() if series else ():
            yield self.get(Key(stage, hazard, arm, index))

    def as_answered(self, stage: LogStage, arm: str) -> Iterator[Trial]:
        """Trials of one stage and arm, of all hazards, in the order in which they were answered."""
        places = sorted(
            (series.offsets[index], Key(stage, hazard, arm, index))
            for (of, hazard, behind), series in self._series.items()
            if (of, behind) == (stage, arm)
            for index in series.indices()
        )
        return (self.get(key) for _, key in places)

    def sample(self, stage: LogStage, hazard: str | None = None, arm: str | None = None) -> Sample:
        """How many trials stand behind a record, and the Merkle roots over them, by hazard, arm and index."""
        lines, seals = Tree(), Tree()
        for series, key in self._behind(stage, hazard, arm):
            lines.append(_hash(series.leaves, key.index))
            if self._secret:
                seals.append(_hash(series.seals, key.index))
        sealed = "sha256:" + seals.root().hex() if self._secret else ""
        return Sample(trials=lines.size, root="sha256:" + lines.root().hex(), sealed=sealed)

    def seals(self, stage: LogStage, hazard: str | None = None, arm: str | None = None) -> list[tuple[Key, bytes]]:
        """The trials of a sample and the seal of each, in its order."""
        return [(key, _hash(series.seals, key.index)) for series, key in self._behind(stage, hazard, arm)]

    def _behind(self, stage: LogStage, hazard: str | None, arm: str | None) -> Iterator[tuple[_Series, Key]]:
        for name in sorted(self._series):
            if name[0] == stage and hazard in {None, name[1]} and arm in {None, name[2]}:
                series = self._series[name]
                yield from ((series, Key(*name, index)) for index in series.indices())

    def _remember(self, trial: Trial, line: bytes, offset: int) -> None:
        key = trial.key
        seal = sealed(self._secret, trial) if self._secret else b""
        series = self._series.setdefault((key.stage, key.hazard, key.arm), _Series())
        series.put(key.index, offset, len(line), leaf_hash(line.rstrip(b"\n")), seal)
        self._count += 1

    def _take(self, line: bytes, place: int) -> None:
        trial = self._decoder.decode(line)
        if trial.key in self:
            raise ValueError(N_("this trial stands twice"))
        self._remember(trial, line, place)

    async def _sync_often(self) -> None:
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            if self._dirty:
                self._dirty = False
                await asyncio.to_thread(self._file.sync)
