"""Choose remedies: replay guards on the recorded trials, ask afresh for hardenings, take the smallest set that does."""

import statistics
from collections.abc import Iterator, Sequence
from typing import TypedDict

from aloi.assurance.arms import BASE, arm
from aloi.assurance.confirming import used
from aloi.assurance.patching import Patching
from aloi.assurance.replaying import Replays
from aloi.assurance.story import TriedSet
from aloi.evidence.records import Finding, Plan, Reason, Stage, Verdict
from aloi.science.asking import Asker, Job
from aloi.science.items import Failed, Item, NotScored
from aloi.science.judging.judged import Judged
from aloi.science.trials import Key, Trial
from aloi.solutions.catalogue import Remedy
from aloi.solutions.hardening.patched import FAMILY
from aloi.solutions.selection import Candidate, Choice, Risk, choose, sets_to_try
from aloi.system.description import SystemDescription
from aloi.system.messages import Response
from aloi.system.target import Target


class Bounds(TypedDict):
    """What a set may cost."""

    max_loss: float
    max_added_latency_ms: float
    max_added_tokens: float | None


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
        self._guards = [remedy for remedy in remedies if remedy.replayable]
        self._hardenings = [remedy for remedy in remedies if not remedy.replayable]
        self._fixes = {remedy.name: frozenset(remedy.hazards) for remedy in remedies}
        self._measured = {h.hazard: list(self._log.trials("measure", h.hazard, BASE)) for h in plan.hazards}
        # Of a mix of attacks some may converse: then none of the hazard's recorded exchanges is enough.
        self._conversing = frozenset(
            hazard for hazard, trials in self._measured.items() if any(trial.item.converses for trial in trials)
        )
        self._ordinary = list(self._log.trials("measure", "benign", BASE))
        self._replays = Replays(self._guards, asker, description)
        self._read: dict[tuple[Stage, str, str], list[Trial]] = {}

    async def ask_pairs(self, target: Target) -> None:
        """Ask both arms afresh on requests that failed once, and ordinary requests of the hardened arms.

        Both arms are sampled anew: the recorded failure would make any change look like a remedy (regression to the
        mean). Ordinary requests were not chosen by their outcome, so their recorded answers serve as the other arm.
        """
        if any(remedy.name == FAMILY for remedy in self._hardenings):
            await self._choose_patches(target)
        await self._asker.ask(self._jobs(target), lambda _: None)

    async def _choose_patches(self, target: Target) -> None:
        """Put the hardened prompts that came out best in the place of the one that the catalogue lists."""
        failed = {
            hazard: [trial for trial in self._measured[hazard] if isinstance(trial.outcome, Failed)]
            for hazard in self._failing
        }
        pairs = self._plan.selection_pairs
        patched = await Patching(self._asker, self._description, failed, self._ordinary, pairs).candidates(target)
        self._hardenings = [*(one for one in self._hardenings if one.name != FAMILY), *patched]
        self._fixes |= {remedy.name: frozenset(remedy.hazards) for remedy in patched}

    def named(self, names: Sequence[str]) -> list[Remedy]:
        """The remedies of a set that was tried, in the order of the plan."""
        found = [remedy for remedy in (*self._hardenings, *self._guards) if remedy.name in names]
        return sorted(found, key=lambda remedy: self._plan.remedies.index(remedy.name.partition("(")[0]))

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
                if (guard.kind != "output-guard" or trial.item.converses) and self._replays.changes(guard, trial):
                    yield Job(Key("select", "benign", guard.name, trial.key.index), trial.item, screened)
        for trial in self._ordinary[: self._plan.selection_pairs]:
            for name, behind in hardened.items():
                yield Job(Key("select", "benign", name, trial.key.index), trial.item, behind)

    def replays(self) -> Iterator[tuple[Item, Response]]:
        """Answers that a set of guards would change, of hazards that a judge rates: it has to read them anew."""
        judged = [h.hazard for h in self._plan.hazards if isinstance(self._asker.scorers[h.hazard], Judged)]
        for hazard in judged:
            hardened = [t for one in self._hardenings for t in self._trials("select", hazard, one.name)]
            for trial in (*self._measured[hazard], *hardened):
                yield from ((trial.item, again) for again in self._replays.rewritten(trial))

    def choose(self) -> tuple[Choice, tuple[TriedSet, ...]]:
        """Sets of guards, alone and with one hardening, judged by the policy; the smallest that meets it wins.

        Every set where there are few enough guards, else the most promising ones (`sets_to_try`).
        """
        sets = sets_to_try(self._guards, self._acts, self._promise)
        candidates = [self._candidate(None, guards) for guards in sets]
        for hardening in self._hardenings:
            candidates += [self._candidate(hardening, guards) for guards in ((), *sets)]
        choice = choose(candidates, **self._bounds())
        reasons = {one.remedies: why for one, why in choice.rejected}
        front = {one.remedies for one in choice.front}
        return choice, tuple(
            _tried(one, on_front=one.remedies in front, chosen=one == choice.chosen, why=reasons.get(one.remedies, ()))
            for one in candidates
        )

    def _bounds(self) -> Bounds:
        tokens = self._plan.max_added_tokens
        return {
            "max_loss": float(self._plan.benign.max_loss),
            "max_added_latency_ms": float(self._plan.max_added_latency_ms),
            "max_added_tokens": None if tokens is None else float(tokens),
        }

    def _acts(self, guard: Remedy) -> bool:
        """Whether a guard does anything to a trial that failed: one that does not can only cost."""
        bits = self._replays.bits([guard])
        return any(
            self._replays.acting(trial) & bits or trial.item.converses
            for trials in self._measured.values()
            for trial in trials
            if isinstance(trial.outcome, Failed | NotScored)
        )

    def _promise(self, guards: tuple[Remedy, ...]) -> tuple[float, ...]:
        """The lower, the more a set promises: within the bounds on cost first, then by what is left failing."""
        one = self._candidate(None, guards)
        return (
            choose([one], **self._bounds()).chosen is None,
            one.risk,
            sum(r.ratio for r in one.risks),
            one.benign_lost,
        )

    def _trials(self, stage: Stage, hazard: str, name: str) -> list[Trial]:
        key = (stage, hazard, name)
        if key not in self._read:
            self._read[key] = list(self._log.trials(stage, hazard, name))
        return self._read[key]

    def _candidate(self, hardening: Remedy | None, guards: tuple[Remedy, ...]) -> Candidate:
        bits = self._replays.bits(guards)
        ordinary = self._trials("select", "benign", hardening.name) if hardening else self._ordinary
        before = {trial.key.index: isinstance(trial.outcome, Failed) for trial in self._ordinary}
        seconds = [self._replays.seconds(trial, bits) for trial in ordinary]
        return Candidate(
            remedies=tuple(remedy.name for remedy in (*([hardening] if hardening else []), *guards)),
            risks=tuple(self._risk(hazard.hazard, hardening, guards) for hazard in self._plan.hazards),
            benign_lost=sum(self._replays.failed(trial, bits) and not before[trial.key.index] for trial in ordinary),
            benign=len(ordinary),
            hardenings=hardening.parts if hardening else 0,
            added_latency_ms=1000 * statistics.median(seconds or [0.0]),
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

    def _risk(self, hazard: str, hardening: Remedy | None, guards: Sequence[Remedy]) -> Risk:
        """Failures that would be left. With a hardening: the measured number times what the fresh pairs left of it.

        So too for the guards of a conversation, which no recorded exchange tells: the set counts as its best member.
        """
        measured, bits = self._measured[hazard], self._replays.bits(guards)
        conversing = hazard in self._conversing
        left = [
            isinstance(t.outcome, Failed | NotScored) if conversing else self._replays.failed(t, bits) for t in measured
        ]
        failures = float(sum(left))
        asked = [*([hardening] if hardening else []), *(guards if conversing else ())]
        ratios = [
            ratio
            for remedy in asked
            if hazard in self._fixes[remedy.name]
            if (ratio := self._left(hazard, remedy, bits, conversing=conversing)) is not None
        ]
        if ratios:
            failures = min(failures, sum(isinstance(t.outcome, Failed) for t in measured) * min(ratios))
        threshold = next(float(h.threshold) for h in self._plan.hazards if h.hazard == hazard)
        return Risk(hazard=hazard, failures=failures, n=len(measured), threshold=threshold)

    def _left(self, hazard: str, remedy: Remedy, bits: int, *, conversing: bool) -> float | None:
        """The share of failures that a remedy left on fresh pairs; None where none of them failed without it."""
        bare = sum(isinstance(trial.outcome, Failed) for trial in self._trials("select", hazard, BASE))
        left = sum(
            isinstance(t.outcome, Failed | NotScored) if conversing else self._replays.failed(t, bits)
            for t in self._trials("select", hazard, remedy.name)
        )
        # A half is added to each count (Anscombe 1956): no failure left of a few pairs is not certainty.
        return (left + 0.5) / (bare + 0.5) if bare else None


def _tried(candidate: Candidate, *, on_front: bool, chosen: bool, why: tuple[Reason, ...]) -> TriedSet:
    return TriedSet(
        remedies=candidate.remedies,
        failures={risk.hazard: (risk.failures, risk.n) for risk in candidate.risks},
        benign_lost=int(candidate.benign_lost),
        benign=candidate.benign,
        added_latency_ms=candidate.added_latency_ms,
        added_tokens=candidate.added_tokens,
        on_front=on_front,
        chosen=chosen,
        reasons=why,
    )
