"""Ask many items at once: N workers over one iterator, every answer scored and logged before the next is asked.

An answer that a judge rates is logged first, and rated then: what is lost with a run is a judge's word, not an answer.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from aloi.evidence.records import Limits, Stage
from aloi.science.attacker import ATTACKER, ModelAttacker
from aloi.science.egress import sealed
from aloi.science.episode import carry_out
from aloi.science.items import Item, NotScored, Outcome
from aloi.science.judging.judged import AWAITING_JUDGE, JUDGED_BADLY, Judged
from aloi.science.probe import Scorer
from aloi.science.trials import Key, Spent, Trial, TrialLog
from aloi.system.messages import Request, Response
from aloi.system.target import Target, Unscorable

# After this many trials in a row without a usable answer, asking on would only spend; what is undecided stays so.
UNUSABLE_IN_A_ROW = 30
JUDGING = "judging"


class Job(msgspec.Struct, frozen=True):
    """One item to ask of one target, under the key by which it is logged."""

    key: Key
    item: Item
    target: Target


class Spending:
    """What a run has used of its limits. `stopped_by` names the first limit that ended it.

    `queries` counts calls of the target and of models that play attacker or judge, so that a conversation counts each
    answer.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._start = clock()
        self._failing = 0
        self._judged_badly = 0
        self.queries: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.stopped_by = ""

    def count(self, trial: Trial) -> None:
        """Add one trial that was asked now."""
        self.recall(trial)
        if not isinstance(trial.outcome, NotScored) or trial.outcome.reason == AWAITING_JUDGE:
            self._failing = 0
        elif not trial.outcome.reason.startswith(ATTACKER):  # which tells nothing of the target
            self._failing += 1

    def recall_ratings(self, spent: Spent) -> None:
        """Add what judges spent."""
        self.queries[JUDGING] += spent.calls
        self.tokens[JUDGING] += spent.tokens

    def count_rating(self, outcome: Outcome, spent: Spent) -> None:
        """Add what judges spent on one answer now, and whether they could tell."""
        self.recall_ratings(spent)
        badly = isinstance(outcome, NotScored) and outcome.reason in JUDGED_BADLY
        self._judged_badly = self._judged_badly + 1 if badly else 0

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
            "unusable-judge": self._judged_badly >= UNUSABLE_IN_A_ROW,
        }
        if not self.stopped_by:
            self.stopped_by = next((name for name, is_reached in reached.items() if is_reached), "")
        return not self.stopped_by


class Asker:
    """Ask jobs, score and log their answers. A job whose key is in the log is not asked again.

    Invariant: trials are handed on in the order of the log, however long each takes to be rated. Read again, the log
    then tells the same story.
    """

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
        log.rescored = rescoring(scorers)
        self.attacker: ModelAttacker | None = None
        self.on_trial: Callable[[Trial], None] = lambda _: None

    async def ask(self, jobs: Iterator[Job], on_done: Callable[[Trial], None]) -> None:
        """Ask until the iterator or a limit ends it. `on_done` may change what the iterator yields next.

        Raises TargetError where asking further is useless; every answered trial is in the log by then.
        """
        under_way = 0
        last: asyncio.Future[None] | None = None

        async def work() -> None:
            nonlocal under_way, last
            for job in jobs:
                if job.key in self.log:
                    on_done(await self._rated(self.log.get(job.key)))
                    continue
                if not self.spending.may_ask(under_way):
                    return
                under_way += 1
                try:
                    trial = await self._trial(job)
                finally:
                    under_way -= 1
                self.log.append(trial)
                before, last = last, asyncio.get_running_loop().create_future()
                mine = last
                self.spending.count(trial)
                trial = await self._rated(trial)
                if before is not None:
                    await before
                mine.set_result(None)
                self.on_trial(trial)
                on_done(trial)

        await self._at_once(work)

    async def rate(self, answers: Iterable[tuple[Item, Response]]) -> None:
        """Have judges rate what they have not rated yet of these answers. Raises TargetError as `ask` does."""
        waiting = iter(answers)

        async def work() -> None:
            for item, response in waiting:
                await self._rate(item, response)

        await self._at_once(work)

    async def rate_log(self, stage: Stage, arm: str) -> None:
        """Have judges rate what an earlier session left unrated."""
        if any(isinstance(scorer, Judged) for scorer in self.scorers.values()):
            trials = self.log.as_answered(stage, arm)
            await self.rate((trial.item, trial.response) for trial in trials if trial.response is not None)

    async def _at_once(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers):
                    group.create_task(work())
        except* Exception as errors:  # noqa: BLE001 - the first error of a worker is the error of the whole
            raise errors.exceptions[0] from None

    async def _rated(self, trial: Trial) -> Trial:
        if trial.response is not None:
            await self._rate(trial.item, trial.response)
        return self.log.rescored(trial)

    async def _rate(self, item: Item, response: Response) -> None:
        scorer = self.scorers.get(item.hazard)
        if isinstance(scorer, Judged) and (spent := await scorer.rate(item, response)) is not None:
            self.spending.count_rating(scorer.score(item, response), spent)

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
            outcome = self._outcome(self.scorers[job.key.hazard], item, response)
        return Trial(
            key=job.key,
            item=item,
            response=response,
            outcome=outcome,
            at=at,
            calls=target.calls,
            attacker=attempt.spent if attempt else None,
        )

    @staticmethod
    def _outcome(scorer: Scorer, item: Item, response: Response) -> Outcome:
        if isinstance(scorer, Judged):  # what judges say is kept beside the log
            return NotScored(reason=AWAITING_JUDGE)
        with sealed(scorer.identity.name):
            return scorer.score(item, response)


class _Counted:
    """A target, and how often it was asked: what was lost half-way was paid for as well."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.calls = 0

    async def ask(self, request: Request) -> Response:
        self.calls += 1
        response = await self._target.ask(request)
        self.calls += response.extra_queries
        return response


def rescoring(scorers: Mapping[str, Scorer]) -> Callable[[Trial], Trial]:
    """Give a judged trial the outcome that judges' and people's words make of it now."""

    def again(trial: Trial) -> Trial:
        scorer = scorers.get(trial.key.hazard)
        if trial.response is None or not isinstance(scorer, Judged):
            return trial
        return msgspec.structs.replace(trial, outcome=scorer.score(trial.item, trial.response))

    return again
