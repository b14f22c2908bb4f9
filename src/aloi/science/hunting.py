"""Hunt the worst attack on a hazard: Thompson sampling chooses, and one e-process proves (estimand `max`).

Trials come in batches of a fixed size. The attack of each is drawn from what all earlier batches found, so that the
choice is a function of the plan's seed and of past outcomes, whatever the number of workers and the order in which
they are answered. Outcomes count in the order of their index, and an unfinished batch counts up to its first gap.
"""

import random
from collections import Counter
from collections.abc import Iterator

from aloi.errors import EvidenceError
from aloi.evidence.records import Hunt, HuntedAttack, HuntPlan, Plan, Verdict, number
from aloi.science.asking import Asker, Job
from aloi.science.findings import Counts
from aloi.science.measuring import outcome_word, planned
from aloi.science.parts import TIME_UNIFORM
from aloi.science.sampling import Sampler
from aloi.science.trials import Key, Trial, TrialLog
from aloi.statistics.adaptive import ThompsonHunt
from aloi.system.target import Target
from aloi.translation import N_

OPEN = "continue"


class _Search:
    """One hunt: its test, its counts by attack and outcome, and the batch that is asked."""

    def __init__(self, hunt: HuntPlan, threshold: float, seed: str, arm: str) -> None:
        self.plan = hunt
        self.test = ThompsonHunt(hunt.attacks, threshold, float(hunt.alpha), hunt.cap)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.fed = 0
        self._seed = f"{seed}\x1fhunt\x1f{hunt.hazard}\x1f{arm}"
        self._answers: dict[int, Trial] = {}
        self._attacks: dict[int, str] = {}

    def batch(self) -> list[tuple[int, str]]:
        """The next indices with their attacks; nothing where the hunt has ended."""
        if self.test.decision().verdict != OPEN:
            return []
        indices = range(self.fed, min(self.fed + self.plan.batch, self.plan.cap))
        self._attacks = {i: self.test.choose(random.Random(f"{self._seed}\x1f{i}")) for i in indices}
        return list(self._attacks.items())

    def note(self, trial: Trial) -> None:
        """An answer of the batch, in whatever order. Raises EvidenceError where the log was made by other choices."""
        chosen, asked = self._attacks[trial.key.index], trial.item.attack
        if asked != chosen and asked in self.plan.attacks:
            raise EvidenceError(
                N_("trial {index} of the hunt on {hazard} was made with the attack {got}; the plan chooses {expected}"),
                reason="other-choice",
                remedy=N_("finish the run with the version that began it, or start a new run"),
                index=trial.key.index,
                hazard=self.plan.hazard,
                got=asked,
                expected=chosen,
            )
        self._answers[trial.key.index] = trial

    def feed(self) -> bool:
        """Count the batch in order, up to a decision or the first answer that is missing; whether none is."""
        whole = all(index in self._answers for index in self._attacks)
        for index, attack in self._attacks.items():
            if self.test.decision().verdict != OPEN or index not in self._answers:
                break
            outcome = outcome_word(self._answers[index].outcome)
            self.test.update(attack, outcome)
            self.counts[attack, outcome] += 1
            self.fed += 1
        self._answers.clear()
        return whole


class Hunting:
    """The hunts of a plan on one arm, a batch of each at a time: all of them behind remedies, else those of the bare
    system."""

    def __init__(self, plan: Plan, arm: str, sampler: Sampler, *, remedied: bool = False) -> None:
        self._plan = plan
        self._arm = arm
        self._sampler = sampler
        self._searches = {
            hunt.hazard: _Search(hunt, float(planned(plan, hunt.hazard).threshold), plan.seed, arm)
            for hunt in plan.hunts
            if hunt.bare or remedied
        }
        self._remedied = remedied

    async def run(self, asker: Asker, target: Target) -> None:
        """Hunt until each hunt has proved something or reached its cap, or a limit of the plan stops the run."""
        while jobs := list(self._jobs(target)):
            await asker.ask(iter(jobs), self._note)
            whole = [search.feed() for search in self._searches.values()]
            if not all(whole):
                return

    def _jobs(self, target: Target) -> Iterator[Job]:
        batches = {hazard: search.batch() for hazard, search in self._searches.items()}
        for place in range(max((len(batch) for batch in batches.values()), default=0)):
            for hazard, batch in batches.items():
                if place < len(batch):
                    index, attack = batch[place]
                    key = Key("hunt", hazard, self._arm, index)
                    yield Job(key, self._sampler.hunted(hazard, attack, index), target)

    def _note(self, trial: Trial) -> None:
        self._searches[trial.key.hazard].note(trial)

    def all_found(self, log: TrialLog) -> list[Hunt]:
        """What each hunt proved, in the order of the plan."""
        return [self.found(hazard, log) for hazard in self._searches]

    def found(self, hazard: str, log: TrialLog) -> Hunt:
        """What one hunt proved. Answers that were under way when it was decided are in the log and not in the test."""
        search, entry = self._searches[hazard], planned(self._plan, hazard)
        decision, hunt = search.test.decision(), search.plan
        level = 1 - hunt.alpha
        verdict = Verdict.INCONCLUSIVE if decision.verdict == OPEN else Verdict(decision.verdict)
        attacks = tuple(self._attacks(search))
        worst = max(attacks, key=lambda one: one.failures)
        counts = Counts(log.trials("hunt", hazard, self._arm))
        return Hunt(
            hazard=hazard,
            stage="confirm" if self._remedied else "measure",
            estimand=hunt.estimand,
            threshold=entry.threshold,
            verdict=verdict if decision.n else Verdict.NOT_TESTED,
            low=number(search.test.lower(float(level))),
            level=level,
            method=TIME_UNIFORM,
            log_e_not_met=number(decision.log_e),
            scorer=entry.scorer,
            attacks=attacks,
            worst=worst.name if worst.failures else "",
            queries=counts.queries,
            errors=counts.errors,
            sample=log.sample("hunt", hazard, self._arm),
        )

    @staticmethod
    def _attacks(search: _Search) -> Iterator[HuntedAttack]:
        for name in search.plan.attacks:
            passed, failed, lost = (search.counts[name, word] for word in ("passed", "failed", "unscorable"))
            yield HuntedAttack(name=name, failures=failed, n=passed + failed, unscorable=lost)
