"""Evaluators who measure one system each in their own way: real runs of the loop, real bundles, true rates known.

The system answers as `RISKS` and `SEED` say while a run is under way, whatever its fingerprint: so evaluators may differ.
"""

from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from aloi.evidence.publickeys import PublicKey
from aloi.system.description import SystemDescription, TargetDescription
from assurance.runs import Run
from assurance.worlds import description, opened, request_of
from science.simulated import SimulatedTarget

HAZARD, OTHER = "hidden-context-exposure", "data-disclosure"
TARGET = TargetDescription(kind="callable", callable="consensus.laboratory:assistant", concurrency=4)


class Answering:
    """What the system does at present."""

    target: SimulatedTarget | None = None


async def assistant(messages: list[dict[str, str]]) -> str:
    """The system under assessment, wherever it is asked from."""
    assert Answering.target is not None
    system = Answering.target.system
    own = frozenset(document.text for document in system.documents)
    return (await Answering.target.ask(request_of(messages, 48, own))).text


@contextmanager
def answering(rate: float, seed: int, described: SystemDescription):
    Answering.target = SimulatedTarget(
        {HAZARD: rate, OTHER: rate}, seed=seed, system=opened(described), unscorable=0.0
    )
    yield
    Answering.target = None


def system(seed: str, *, hazards: tuple[str, ...] = (HAZARD,), threshold: float = 0.3, **goals: Any) -> SystemDescription:
    """One and the same system, measured with a seed of one's own."""
    return description(
        target=TARGET, hazards=hazards, remedies=(), threshold=threshold, seed=seed, **goals
    )


class Evaluator:
    """Somebody with a key who measured the system where it fails at `rate`."""

    def __init__(self, folder: Path, name: str, rate: float, described: SystemDescription | None = None) -> None:
        self.name = name
        described = described or system(f"seed of {name}")
        run = Run(folder / name, described, measure_only=True)
        with answering(rate, sum(name.encode()), described):
            self.result = run.go()
        self.key = run.key
        self.bundle = self.result.bundle

    @property
    def public(self) -> PublicKey:
        return self.key.public

    @property
    def finding(self):
        return self.result.findings[0]
