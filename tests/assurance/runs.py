"""One run of the loop in this process, watched."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from aloi.assurance.folder import EDITION, RunFolder, RunState
from aloi.assurance.loop import SOFTWARE, Loop, Result
from aloi.assurance.proving import signing_key
from aloi.assurance.story import TriedSet
from aloi.evidence.records import BenignRate, Effect, Finding, Hunt
from aloi.science.measuring import Measurement
from aloi.science.trials import Trial
from aloi.system.description import SystemDescription
from assurance.worlds import opened

FRAMEWORKS = ("owasp-llm@2026", "eu-ai-act@2026-07-27")


class Watcher:
    """What happened, in order; `planned_first` tells that the plan lay signed on disk before the first answer."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self.stages: list[str] = []
        self.asked = 0
        self.planned_first = False

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def planned(self, unasked: Mapping[str, Sequence[str]]) -> None:
        self.unasked = dict(unasked)

    def trial(self, trial: Trial, measurement: Measurement | None) -> None:
        if not self.asked:
            self.planned_first = self._folder.plan.stat().st_mtime_ns <= self._folder.trials.stat().st_mtime_ns
        self.asked += 1

    def found(self, findings: Sequence[Finding], benign: BenignRate) -> None:
        pass

    def hunted(self, hunts: Sequence[Hunt]) -> None:
        pass

    def chose(self, tried: Sequence[TriedSet]) -> None:
        pass

    def confirmed(self, effect: Effect) -> None:
        pass


class Run:
    """A run of a described system in `folder`, with a key of its own."""

    def __init__(self, path: Path, described: SystemDescription, *, measure_only: bool = False) -> None:
        self.key = signing_key(path / "key.pem")
        state = RunState(
            edition=EDITION,
            software=SOFTWARE,
            key=str(path / "key.pem"),
            description=described,
            documents=opened(described).documents,
            model=f"callable:{described.target.callable}",
            measure_only=measure_only,
        )
        self.folder = RunFolder.create(path, "small", datetime(2026, 11, 23, tzinfo=UTC), state)

    def go(self, *, offline: bool = False) -> Result:
        """Walk the loop to its end, or go on with it."""
        self.watcher = Watcher(self.folder)
        return asyncio.run(Loop(self.folder, self.key, self.watcher, FRAMEWORKS).run(offline=offline))
