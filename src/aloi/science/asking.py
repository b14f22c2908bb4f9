"""Ask many items at once: N workers over one iterator, every answer scored and logged before the next is asked."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from aloi.evidence.records import Limits
from aloi.science.egress import sealed
from aloi.science.episode import carry_out
from aloi.science.items import Item, NotScored, Outcome
from aloi.science.probe import Scorer
from aloi.science.trials import Key, Trial, TrialLog
from aloi.system.target import Target, Unscorable

# After this many trials in a row without a usable answer, asking on would only spend; what is undecided stays so.
UNUSABLE_IN_A_ROW = 30


class Job(msgspec.Struct, frozen=True):
    """One item to ask of one target, under the key by which it is logged."""

    key: Key
    item: Item
    target: Target


class Spending:
    """What a run has used of its limits. `stopped_by` names the first limit that ended it."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._start = clock()
        self._failing = 0
        self.queries: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.stopped_by = ""

    def count(self, trial: Trial) -> None:
        """Add one trial that was asked now."""
        self.recall(trial)
        self._failing = self._failing + 1 if isinstance(trial.outcome, NotScored) else 0

    def recall(self, trial: Trial) -> None:
        """Add one trial from the log of a run that is resumed. Its target may have been mended since."""
        # A conversation asks the target once for each answer; of a lost one, only the trial itself is known.
        spoken = trial.response.earlier if trial.response else ()
        self.queries[trial.key.stage] += 1 + sum(message.role == "assistant" for message in spoken)
        if trial.response:
            self.tokens[trial.key.stage] += trial.response.prompt_tokens + trial.response.completion_tokens

    def may_ask(self, under_way: int = 0) -> bool:
        """Whether one more query is within the limits, given those that are not counted yet."""
        limits = self._limits
        reached = {
            "queries": self.queries.total() + under_way >= limits.queries,
            "tokens": self.tokens.total() >= limits.tokens,
            "seconds": self._clock() - self._start >= limits.seconds,
            "unusable-target": self._failing >= UNUSABLE_IN_A_ROW,
        }
        if not self.stopped_by:
            self.stopped_by = next((name for name, is_reached in reached.items() if is_reached), "")
        return not self.stopped_by


class Asker:
    """Ask jobs, score and log their answers. A job whose key is in the log is not asked again."""

    def __init__(
        self,
        log: TrialLog,
        scorers: Mapping[str, Scorer],
        spending: Spending,
        workers: int,
    ) -> None:
        self.log = log
        self.scorers = scorers
        self.spending = spending
        self._workers = workers
        self.on_trial: Callable[[Trial], None] = lambda _: None

    async def ask(self, jobs: Iterator[Job], on_done: Callable[[Trial], None]) -> None:
        """Ask until the iterator or a limit ends it. `on_done` may change what the iterator yields next.

        Raises TargetError where asking further is useless; every answered trial is in the log by then.
        """
        under_way = 0

        async def work() -> None:
            nonlocal under_way
            for job in jobs:
                if job.key in self.log:
                    on_done(self.log.get(job.key))
                    continue
                if not self.spending.may_ask(under_way):
                    return
                under_way += 1
                try:
                    trial = await self._trial(job)
                finally:
                    under_way -= 1
                self.log.append(trial)
                self.spending.count(trial)
                self.on_trial(trial)
                on_done(trial)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers):
                    group.create_task(work())
        except* Exception as errors:  # noqa: BLE001 - the first error of a worker is the error of the whole
            raise errors.exceptions[0] from None

    async def _trial(self, job: Job) -> Trial:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        try:
            response = await carry_out(job.item, job.target)
        except Unscorable as unscorable:
            outcome: Outcome = NotScored(reason=unscorable.reason)
            return Trial(key=job.key, item=job.item, response=None, outcome=outcome, at=at)
        scorer = self.scorers[job.key.hazard]
        with sealed(scorer.identity.name):
            outcome = scorer.score(job.item, response)
        return Trial(key=job.key, item=job.item, response=response, outcome=outcome, at=at)
