"""Exchanges for a record of traffic, and a process that keeps them until it is ended."""

import asyncio
import sys
from collections import Counter
from pathlib import Path
from random import Random

from aloi.errors import AloiError
from aloi.evidence.guardset import guard_set
from aloi.evidence.records import RemedyIdentity
from aloi.solutions.gateway.failures import Failed
from aloi.solutions.gateway.journal import read
from aloi.solutions.gateway.kept import Guards, Kept
from aloi.solutions.gateway.record import Entry
from aloi.solutions.gateway.recorder import Recorder
from aloi.system.description import GatewayRecord
from aloi.system.messages import GuardDecision

REMEDIES = (RemedyIdentity(name="secret-filter", version="3", digest="sha256:" + "3" * 64),)
SET = guard_set(REMEDIES)
GUARDS = Guards(
    at=1_790_000_000.0, system="banque-azur", fingerprint="sha256:" + "5" * 64, guard_set=SET, remedies=REMEDIES
)
BLOCK = GuardDecision(guard="secret-filter", role="assistant", action="block", reason="own-secret-plain")


def entry(name: str, outcome: str = "blocked", **changes: object) -> Entry:
    fields: dict[str, object] = {
        "at": 1_790_000_000.0,
        "id": name,
        "key": "shop",
        "endpoint": "/v1/chat/completions",
        "guard_set": SET,
        "outcome": outcome,
        "decisions": (BLOCK,) if outcome == "blocked" else (),
        "guard_seconds": 0.002,
        "asked": "What is the code?",
        "answer": "It is AZUR-4711.",
    }
    return Entry(**(fields | changes))  # type: ignore[arg-type] # a test names only what it changes


def recorder(
    folder: Path, told: list[AloiError] | None = None, seed: int = 1, every: float = 60.0, **kept: object
) -> Recorder:
    made = Recorder(
        folder,
        GatewayRecord(**({"benign": 0.0} | kept)),  # type: ignore[arg-type] # as above
        chance=Random(seed).random,
        told=(told if told is not None else []).append,
        every=every,
    )
    made.runs_by(GUARDS)
    return made


def lines(folder: Path) -> list[Kept]:
    found: list[Kept] = []
    read(folder, found.append)
    return found


def counts(folder: Path) -> Counter[str]:
    """All that the lines of counts say, added up."""
    return sum((Counter(one.counts) for one in lines(folder) if hasattr(one, "counts")), Counter[str]())


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def endlessly(folder: Path, prefix: str) -> None:
    """Say `open`, then keep blocks eight at a time and print the name of each once it was acknowledged."""

    async def client(which: int) -> None:
        number = 0
        while True:
            name = f"{prefix}-{which}-{number}"
            try:
                await record.keep(entry(name))
            except Failed as error:
                say("refused", name, error.status, error.kind)
                return
            say("kept", name)
            number += 1

    async with recorder(folder, every=0.01) as record:
        say("open")
        await asyncio.gather(*(client(which) for which in range(8)))


if __name__ == "__main__":
    if len(sys.argv) > 3:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
    asyncio.run(endlessly(Path(sys.argv[1]), sys.argv[2]))
