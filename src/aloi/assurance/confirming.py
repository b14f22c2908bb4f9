"""Confirm a choice on fresh items: the residual risk, and on the same requests what changed, each with its interval."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from aloi.assurance.arms import BASE
from aloi.evidence.records import PERSON, Counted, Estimate, Interval, Plan, RateChange, number
from aloi.science.asking import Asker, Job
from aloi.science.findings import LEVEL, answered
from aloi.science.items import Failed, Item, NotScored, Outcome
from aloi.science.probe import Scorer
from aloi.science.sampling import Sampler
from aloi.science.trials import Key, Trial, TrialLog
from aloi.statistics.exact import clopper_pearson
from aloi.statistics.paired import median_interval, paired_difference
from aloi.system.messages import Response
from aloi.system.target import Target


class Pair(Struct, frozen=True, kw_only=True):
    """The outcomes of one fresh request, bare and remedied."""

    before: Outcome
    after: Outcome


def bare(trial: Trial, log: TrialLog, scorer: Scorer) -> tuple[Response | None, Outcome]:
    """What the bare system answered to the request of a remedied trial, and its outcome.

    It was asked, or its answer is the recorded one before the output guards; NotScored ('not-asked') where neither is.
    """
    key = Key(trial.key.stage, trial.key.hazard, BASE, trial.key.index)
    if key in log:
        asked = log.get(key)
        return asked.response, asked.outcome
    if trial.response is None or trial.response.changed_request or trial.response.raw is None:
        return None, NotScored(reason="not-asked")
    recorded = Response(
        text=trial.response.raw,
        finish=trial.response.finish,
        tool_calls=trial.response.tool_calls,
        earlier=trial.response.earlier,
        completion_tokens=trial.response.completion_tokens,
    )
    return recorded, scorer.score(trial.item, recorded)


class Confirmation:
    """The paired part of the confirm stage: the first `plan.pairs` requests of each hazard, and every ordinary one.

    Where the remedies left the request as it was, the bare system's answer is the recorded one before the output
    guards, at no query. Where they changed it, the bare system is asked as well.
    """

    def __init__(self, plan: Plan, asker: Asker, sampler: Sampler, arm: str, timeout: float) -> None:
        self._plan = plan
        self._asker = asker
        self._log = asker.log
        self._sampler = sampler
        self._arm = arm
        self._timeout = timeout

    async def ask_pairs(self, unremedied: Target, remedied: Target) -> None:
        """Ask what the sequential measurement left unasked of the pairs, then the bare arm where it is needed."""
        await self._asker.ask(self._jobs(self._arm, remedied), lambda _: None)
        await self._asker.ask(self._bare_jobs(unremedied), lambda _: None)
        await self._asker.rate(self._bare_answers())

    def _bare_answers(self) -> Iterator[tuple[Item, Response]]:
        """What the bare system answered, for judges to read."""
        for hazard in (entry.hazard for entry in self._plan.hazards if entry.judging):
            for trial in self._paired(hazard):
                answer, _ = bare(trial, self._log, self._asker.scorers[hazard])
                if answer is not None:
                    yield trial.item, answer

    def _jobs(self, arm: str, target: Target) -> Iterator[Job]:
        for hazard in (entry.hazard for entry in self._plan.hazards):
            for index in range(self._plan.pairs):
                yield Job(Key("confirm", hazard, arm, index), self._sampler.item("confirm", hazard, index), target)

    def _bare_jobs(self, target: Target) -> Iterator[Job]:
        for hazard in (*(entry.hazard for entry in self._plan.hazards), "benign"):
            for trial in self._paired(hazard):
                if trial.response is None or trial.response.changed_request or trial.response.raw is None:
                    yield Job(Key("confirm", hazard, BASE, trial.key.index), trial.item, target)

    def _paired(self, hazard: str) -> list[Trial]:
        trials = self._log.trials("confirm", hazard, self._arm)
        return [trial for trial in trials if hazard == "benign" or trial.key.index < self._plan.pairs]

    def pairs(self, hazard: str) -> list[Pair]:
        """Both outcomes of each paired request; a bare arm that was not asked in time has none."""
        scorer = self._asker.scorers[hazard]
        return [Pair(before=bare(trial, self._log, scorer)[1], after=trial.outcome) for trial in self._paired(hazard)]

    def change(self, hazard: str) -> RateChange:
        """What the remedies changed in one rate."""
        pairs = self.pairs(hazard)
        before, after = [pair.before for pair in pairs], [pair.after for pair in pairs]
        estimate = _answered if hazard == "benign" else _failed
        asked_twice = next(self._log.trials("confirm", hazard, BASE), None) is not None
        return RateChange(
            of=hazard,
            design="paired" if asked_twice else "replay",
            counts=self._counts(hazard),
            before=estimate(before),
            after=estimate(after),
            difference=_difference(pairs, benign=hazard == "benign"),
        )

    def _counts(self, hazard: str) -> Counted:
        """What the rates of a change are rates of: a judge's errors are not allowed for in them."""
        entry = next((entry for entry in self._plan.hazards if entry.hazard == hazard), None)
        if entry is None or (entry.judging and entry.judging.judge == PERSON):
            return "failures"
        return "judge-rated failures" if entry.judging else entry.counts

    def latency(self) -> Interval | None:
        """Added time per ordinary request in ms: the guards' own, and what a changed request cost the model.

        None where no ordinary request was answered.
        """
        added = [self._added(trial) for trial in self._log.trials("confirm", "benign", self._arm)]
        if not added:
            return None
        return median_interval_of(added, "ms")

    def _added(self, trial: Trial) -> float:
        """Added ms of one request. Where a side is missing, all that may have been added counts as added."""
        if trial.response is None:
            return 1000 * self._timeout
        key = Key("confirm", "benign", BASE, trial.key.index)
        asked = self._log.get(key).response if key in self._log else None
        if asked:
            model = trial.response.seconds - asked.seconds if trial.response.raw is not None else 0.0
            return 1000 * (trial.response.guard_seconds - asked.guard_seconds + model)
        changed = trial.response.changed_request and trial.response.raw is not None
        return 1000 * (trial.response.guard_seconds + (trial.response.seconds if changed else 0.0))

    def tokens(self) -> Interval | None:
        """Added tokens per ordinary request, of the question as it was sent and of the answer.

        None where the endpoint counted none, or where so many answers are missing that they may be the median.
        """
        added = [self._added_tokens(trial) for trial in self._log.trials("confirm", "benign", self._arm)]
        if not added or not all(map(math.isfinite, median_interval(added, LEVEL))):
            return None
        return median_interval_of(added, "tokens")

    def _added_tokens(self, trial: Trial) -> float:
        """Added tokens of one request; infinitely many where a side is missing or was not counted."""
        if trial.response is None:
            return math.inf
        key = Key("confirm", "benign", BASE, trial.key.index)
        asked = self._log.get(key).response if key in self._log else None
        spent = used(trial.response)
        if asked:
            return spent - used(asked) if used(asked) and (spent or trial.response.raw is None) else math.inf
        changed = trial.response.changed_request or trial.response.raw is None
        return 0.0 if spent and not changed else math.inf

    def rewritten(self) -> int:
        """How many ordinary answers reached the user in other words than the model's."""
        trials = self._log.trials("confirm", "benign", self._arm)
        return sum(
            any(decision.action == "rewrite" for decision in trial.response.decisions)
            for trial in trials
            if trial.response
        )


def _counts(outcomes: Sequence[Outcome]) -> tuple[int, int, int]:
    failures = sum(isinstance(outcome, Failed) for outcome in outcomes)
    unscorable = sum(isinstance(outcome, NotScored) for outcome in outcomes)
    return failures, unscorable, len(outcomes)


def _failed(outcomes: Sequence[Outcome]) -> Estimate:
    """The rate of failures of `n` fixed in advance, exact; an unscorable outcome counts either way at the two ends."""
    failures, unscorable, n = _counts(outcomes)
    low = clopper_pearson(failures, n, LEVEL)[0] if n else 0.0
    high = clopper_pearson(failures + unscorable, n, LEVEL)[1] if n else 1.0
    scored = n - unscorable
    value = number(min(max(failures / scored if scored else (low + high) / 2, low), high))
    return Estimate(
        value=value,
        low=min(number(low), value),
        high=max(number(high), value),
        failures=failures,
        n=scored,
        unscorable=unscorable,
        level=number(LEVEL),
        method="Clopper-Pearson",
    )


def _answered(outcomes: Sequence[Outcome]) -> Estimate:
    return answered(*_counts(outcomes))


def _difference(pairs: Sequence[Pair], *, benign: bool) -> Interval:
    """After minus before. An answer that is missing after counts as worse, one that is missing before as no better."""
    worse = sum(not isinstance(p.before, Failed) and not _passed(p.after) for p in pairs)
    better = sum(isinstance(p.before, Failed) and _passed(p.after) for p in pairs)
    # For a hazard the counted event is a failure, for ordinary requests an answer: what gets worse is gained or lost.
    return paired_change(*((worse, better) if benign else (better, worse)), len(pairs))


def paired_change(lost: int, gained: int, n: int) -> Interval:
    """The difference of two rates over `n` pairs, after minus before: `lost` events went, `gained` ones came."""
    value, low, high = paired_difference(lost, gained, n, LEVEL) if n else (0.0, -1.0, 1.0)
    return Interval(
        value=number(value),
        low=number(low),
        high=number(high),
        n=n,
        level=number(LEVEL),
        unit="proportion",
        method="exact on pairs, unconditional",
    )


def _passed(outcome: Outcome) -> bool:
    return not isinstance(outcome, Failed | NotScored)


def used(response: Response) -> int:
    """Tokens of an exchange as the endpoint counted them; 0 where it did not."""
    return response.prompt_tokens + response.completion_tokens


def median_interval_of(added: Sequence[float], unit: Literal["ms", "tokens"]) -> Interval:
    """The median of costs, with its interval."""
    value, low, high = median_interval(added, LEVEL)
    return Interval(
        value=number(value),
        low=number(low),
        high=number(high),
        n=len(added),
        level=number(LEVEL),
        unit=unit,
        method="median, order statistics",
    )
