"""Ask many items at once: N workers over one iterator, every answer scored and logged before the next is asked."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from aloi.evidence.records import Limits
from aloi.science.attacker import ATTACKER, ModelAttacker
from aloi.science.egress import sealed
from aloi.science.episode import carry_out
from aloi.science.items import Item, NotScored, Outcome
from aloi.science.probe import Scorer
from aloi.science.trials import Key, Spent, Trial, TrialLog
from aloi.system.messages import Request, Response
from aloi.system.target import Target, Unscorable

# After this many trials in a row without a usable answer, asking on would only spend; what is undecided stays so.
UNUSABLE_IN_A_ROW = 30


class Job(msgspec.Struct, frozen=True):
    """One item to ask of one target, under the key by which it is logged."""

    key: Key
    item: Item
    target: Target


class Spending:
    """What a run has used of its limits. `stopped_by` names the first limit that ended it.

    `queries` counts calls of the target and of a model that plays attacker, so that a conversation counts each answer.
    """

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
        if not isinstance(trial.outcome, NotScored):
            self._failing = 0
        elif not trial.outcome.reason.startswith(ATTACKER):  # which tells nothing of the target
            self._failing += 1

    def recall(self, trial: Trial) -> None:
        """Add one trial from the log of a run that is resumed. Its target may have been mended since."""
        attacker = trial.attacker or Spent()
        self.queries[trial.key.stage] += trial.calls + attacker.calls
        self.tokens[trial.key.stage] += attacker.tokens
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
        self.attacker: ModelAttacker | None = None
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
        item, target = job.item, _Counted(job.target)
        attempt = self.attacker.at(item) if self.attacker and item.goal else None
        response: Response | None = None
        try:
            response = await carry_out(item, target, attempt)
        except Unscorable as unscorable:
            outcome: Outcome = NotScored(reason=unscorable.reason)
        else:
            scorer = self.scorers[job.key.hazard]
            with sealed(scorer.identity.name):
                outcome = scorer.score(item, response)
        return Trial(
            key=job.key,
            item=item,
            response=response,
            outcome=outcome,
            at=at,
            calls=target.calls,
            attacker=attempt.spent if attempt else None,
        )


class _Counted:
    """A target, and how often it was asked: what was lost half-way was paid for as well."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.calls = 0

    async def ask(self, request: Request) -> Response:
        self.calls += 1
        return await self._target.ask(request)
