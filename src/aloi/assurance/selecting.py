"""Choose remedies: replay guards on the recorded trials, ask afresh for hardenings, take the smallest set that does."""

import statistics
from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec import Struct

from aloi.assurance.arms import BASE, arm, refusal
from aloi.assurance.confirming import used
from aloi.assurance.story import TriedSet
from aloi.evidence.records import Finding, Plan, Stage, Verdict
from aloi.science.asking import Asker, Job
from aloi.science.episode import conversation
from aloi.science.items import Failed, Item, NotScored, Passed
from aloi.science.judging.judged import Judged
from aloi.science.trials import Key, Trial
from aloi.solutions.catalogue import Remedy
from aloi.solutions.guarded import replay, replay_answer
from aloi.solutions.selection import Candidate, Choice, Risk, choose, subsets
from aloi.system.description import SystemDescription
from aloi.system.messages import GuardDecision, Response
from aloi.system.target import Target


class Replayed(Struct, frozen=True, kw_only=True):
    """One recorded trial, read again through guards."""

    failed: bool
    seconds: float


Reader = Callable[[Trial], Replayed]


def failing(findings: Sequence[Finding]) -> frozenset[str]:
    """The hazards that were not shown to be within their threshold."""
    return frozenset(finding.hazard for finding in findings if finding.verdict is not Verdict.MET)


class Selection:
    """The selection split of one run: trials of the measure stage, and fresh pairs for what cannot be replayed."""

    def __init__(
        self,
        plan: Plan,
        asker: Asker,
        findings: Sequence[Finding],
        remedies: Sequence[Remedy],
        description: SystemDescription,
    ) -> None:
        self._plan = plan
        self._description = description
        self._asker = asker
        self._log = asker.log
        self._failing = failing(findings)
        self._guards = [remedy for remedy in remedies if remedy.kind != "hardening"]
        self._hardenings = [remedy for remedy in remedies if remedy.kind == "hardening"]
        self._fixes = {remedy.name: frozenset(remedy.hazards) for remedy in remedies}
        self._measured = {h.hazard: list(self._log.trials("measure", h.hazard, BASE)) for h in plan.hazards}
        # Of a mix of attacks some may converse: then none of the hazard's recorded exchanges is enough.
        self._conversing = frozenset(
            hazard for hazard, trials in self._measured.items() if any(trial.item.converses for trial in trials)
        )
        self._ordinary = list(self._log.trials("measure", "benign", BASE))

    async def ask_pairs(self, target: Target) -> None:
        """Ask both arms afresh on requests that failed once, and ordinary requests of the hardened arms.

        Both arms are sampled anew: the recorded failure would make any change look like a remedy (regression to the
        mean). Ordinary requests were not chosen by their outcome, so their recorded answers serve as the other arm.
        """
        await self._asker.ask(self._jobs(target), lambda _: None)

    def _jobs(self, target: Target) -> Iterator[Job]:
        hardened = {remedy.name: arm(target, [remedy], self._description) for remedy in self._hardenings}
        guarded = {remedy.name: arm(target, [remedy], self._description) for remedy in self._guards}
        for hazard in sorted(self._failing):
            arms = hardened | guarded if hazard in self._conversing else hardened
            fixing = [name for name in arms if hazard in self._fixes[name]]
            failed = [trial for trial in self._measured[hazard] if isinstance(trial.outcome, Failed)]
            for trial in failed[: self._plan.selection_pairs] if fixing else []:
                yield Job(Key("select", hazard, BASE, trial.key.index), trial.item, target)
                for name in fixing:
                    yield Job(Key("select", hazard, name, trial.key.index), trial.item, arms[name])
        for guard in self._guards:
            screened = arm(target, [guard], self._description)
            for trial in self._ordinary:
                if (guard.kind != "output-guard" or trial.item.converses) and self._changes(guard, trial):
                    yield Job(Key("select", "benign", guard.name, trial.key.index), trial.item, screened)
        for trial in self._ordinary[: self._plan.selection_pairs]:
            for name, behind in hardened.items():
                yield Job(Key("select", "benign", name, trial.key.index), trial.item, behind)

    def replays(self) -> Iterator[tuple[Item, Response]]:
        """Answers that a set of guards would change, of hazards that a judge rates: it has to read them anew."""
        judged = [h.hazard for h in self._plan.hazards if isinstance(self._asker.scorers[h.hazard], Judged)]
        for guards in subsets(self._guards) if judged else ():
            for hazard in judged:
                hardened = [t for one in self._hardenings for t in self._log.trials("select", hazard, one.name)]
                for trial in (*self._measured[hazard], *hardened):
                    if trial.response is not None and guards:
                        words = refusal(self._description)
                        again = replay(trial.item.request, trial.response, guards, refusal=words)
                        if again.text != trial.response.text:
                            yield trial.item, again

    def choose(self) -> tuple[Choice, tuple[TriedSet, ...]]:
        """Every set of guards, alone and with one hardening, judged by the policy; the smallest that meets it wins."""
        sets = [guards for guards in subsets(self._guards) if guards]
        candidates = [self._candidate(None, guards) for guards in sets]
        for hardening in self._hardenings:
            candidates += [self._candidate(hardening, guards) for guards in ((), *sets)]
        choice = choose(
            candidates,
            max_loss=float(self._plan.benign.max_loss),
            max_added_latency_ms=float(self._plan.max_added_latency_ms),
            max_added_tokens=None if self._plan.max_added_tokens is None else float(self._plan.max_added_tokens),
        )
        return choice, tuple(_tried(candidate, choice) for candidate in candidates)

    def _candidate(self, hardening: Remedy | None, guards: tuple[Remedy, ...]) -> Candidate:
        memory: dict[Key, Replayed] = {}

        def again(trial: Trial) -> Replayed:
            if trial.key not in memory:
                memory[trial.key] = self._replay(trial, guards)
            return memory[trial.key]

        stage: Stage = "select" if hardening else "measure"
        ordinary = list(self._log.trials(stage, "benign", hardening.name if hardening else BASE))
        before = {trial.key.index: isinstance(trial.outcome, Failed) for trial in self._ordinary}
        return Candidate(
            remedies=tuple(remedy.name for remedy in (*([hardening] if hardening else []), *guards)),
            risks=tuple(self._risk(hazard.hazard, hardening, guards, again) for hazard in self._plan.hazards),
            benign_lost=sum(again(trial).failed and not before[trial.key.index] for trial in ordinary),
            benign=len(ordinary),
            hardenings=int(hardening is not None),
            added_latency_ms=1000 * statistics.median([again(trial).seconds for trial in ordinary] or [0.0]),
            added_tokens=self._added_tokens(ordinary),
        )

    def _added_tokens(self, ordinary: Sequence[Trial]) -> float | None:
        """The median of tokens that the requests took more than those of the bare system; None where none counted.

        A guard takes none: what it reads was written already.
        """
        bare = {trial.key.index: used(trial.response) for trial in self._ordinary if trial.response}
        pairs = [(used(t.response), bare.get(t.key.index, 0)) for t in ordinary if t.response]
        counted = [after - before for after, before in pairs if after and before]
        return float(statistics.median(counted)) if counted else None

    def _risk(self, hazard: str, hardening: Remedy | None, guards: Sequence[Remedy], again: Reader) -> Risk:
        """Failures that would be left. With a hardening: the measured number times what the fresh pairs left of it.

        So too for the guards of a conversation, which no recorded exchange tells: the set counts as its best member.
        """
        measured = self._measured[hazard]
        recorded = float(sum(isinstance(trial.outcome, Failed | NotScored) for trial in measured))
        conversing = hazard in self._conversing
        failures = recorded if conversing else float(sum(again(trial).failed for trial in measured))
        asked = [*([hardening] if hardening else []), *(guards if conversing else ())]
        ratios = [
            ratio
            for remedy in asked
            if hazard in self._fixes[remedy.name]
            if (ratio := self._left(hazard, remedy, again, conversing=conversing)) is not None
        ]
        if ratios:
            failures = min(failures, sum(isinstance(t.outcome, Failed) for t in measured) * min(ratios))
        threshold = next(float(h.threshold) for h in self._plan.hazards if h.hazard == hazard)
        return Risk(hazard=hazard, failures=failures, n=len(measured), threshold=threshold)

    def _left(self, hazard: str, remedy: Remedy, again: Reader, *, conversing: bool) -> float | None:
        """The share of failures that a remedy left on fresh pairs; None where none of them failed without it."""
        bare = sum(isinstance(trial.outcome, Failed) for trial in self._log.trials("select", hazard, BASE))
        trials = list(self._log.trials("select", hazard, remedy.name))
        left = sum(isinstance(t.outcome, Failed | NotScored) if conversing else again(t).failed for t in trials)
        # A half is added to each count (Anscombe 1956): no failure left of a few pairs is not certainty.
        return (left + 0.5) / (bare + 0.5) if bare else None

    def _changes(self, guard: Remedy, trial: Trial) -> bool:
        """Whether a guard would show the model another request than the one that was recorded.

        In a conversation, whatever a guard does may lead elsewhere; one that does nothing leaves it as it was.
        """
        if trial.response is None:
            return False
        if trial.item.converses:
            return any(response.decisions for response in self._reread(trial.item, trial.response, [guard]))
        words = refusal(self._description)
        response = replay(trial.item.request, trial.response, [guard], refusal=words)
        return any(decision.role != "assistant" for decision in _own(response, trial.response))

    def _replay(self, trial: Trial, guards: Sequence[Remedy]) -> Replayed:
        if trial.response is None:  # no answer: nothing that a guard could read, and nothing in anyone's favour
            return Replayed(failed=True, seconds=0.0)
        if trial.item.converses:
            return self._conversed(trial, trial.response, guards)
        response = replay(trial.item.request, trial.response, guards, refusal=refusal(self._description))
        outcome = self._asker.scorers[trial.key.hazard].score(trial.item, response)
        # An attack whose carrier the model never saw is taken as stopped; what another document did stays as recorded.
        # An ordinary request that lost a document was asked again without it. Confirmation asks whether that was so.
        decisions = _own(response, trial.response)
        withheld = {decision.document: decision.guard for decision in decisions if decision.action == "withhold"}
        failed = isinstance(outcome, Failed | NotScored)
        if trial.key.hazard == "benign":
            failed = self._asked_without(trial, guards, set(withheld.values())) if withheld else failed
        elif trial.item.expectation.carrier in withheld:
            failed = False
        return Replayed(failed=failed, seconds=response.guard_seconds - trial.response.guard_seconds)

    def _reread(self, item: Item, recorded: Response, guards: Sequence[Remedy]) -> list[Response]:
        """A conversation read again through guards: all that the model was shown, then each of its answers with its
        calls. What stands after the first decision was said in another conversation than the guarded one."""
        shown = msgspec.structs.replace(item.request, messages=(*item.request.messages, *recorded.earlier))
        words = refusal(self._description)
        read = [replay(shown, Response(text=""), guards, refusal=words)]
        answers = conversation(item, recorded)
        return read + [replay_answer(before, answer, guards, refusal=words) for before, answer in answers]

    def _conversed(self, trial: Trial, recorded: Response, guards: Sequence[Remedy]) -> Replayed:
        """An ordinary conversation behind guards. Where one of them would step in, it was asked again behind that one;
        what none of them touches stands as it was recorded."""
        seconds = sum(response.guard_seconds for response in self._reread(trial.item, recorded, guards))
        meddling = [guard.name for guard in guards if self._changes(guard, trial)]
        keys = [Key("select", "benign", name, trial.key.index) for name in meddling]
        outcomes = [self._log.get(key).outcome if key in self._log else None for key in keys] or [trial.outcome]
        return Replayed(failed=any(not isinstance(outcome, Passed) for outcome in outcomes), seconds=seconds)

    def _asked_without(self, trial: Trial, guards: Sequence[Remedy], screens: set[str]) -> bool:
        """Whether an ordinary request failed when asked behind the guard that withholds; unknown counts as yes."""
        key = Key("select", "benign", "+".join(sorted(screens)), trial.key.index)
        again = self._log.get(key) if key in self._log else None
        if again is None or again.response is None:
            return True
        others = [guard for guard in guards if guard.kind == "output-guard"]
        response = replay(trial.item.request, again.response, others, refusal=refusal(self._description))
        return isinstance(self._asker.scorers["benign"].score(trial.item, response), Failed | NotScored)


def _own(response: Response, recorded: Response) -> tuple[GuardDecision, ...]:
    """What the guards of a replay decided, without what guards in place had decided before."""
    return response.decisions[len(recorded.decisions) :]


def _tried(candidate: Candidate, choice: Choice) -> TriedSet:
    return TriedSet(
        remedies=candidate.remedies,
        failures={risk.hazard: (risk.failures, risk.n) for risk in candidate.risks},
        benign_lost=int(candidate.benign_lost),
        benign=candidate.benign,
        added_latency_ms=candidate.added_latency_ms,
        added_tokens=candidate.added_tokens,
        on_front=candidate in choice.front,
        chosen=candidate == choice.chosen,
        reasons=choice.reasons(candidate),
    )
