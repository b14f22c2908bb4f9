"""The loop of assurance: plan, measure, choose a remedy, confirm it, prove it, tell it.

Every answer is in the log of the run before it is used. To resume is to walk the same path again: what is in the log is
read, what is missing is asked.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from typing import Protocol

import msgspec
from msgspec import Struct

from aloi import __version__
from aloi.assurance.arms import BASE, arm, arm_name
from aloi.assurance.confirming import Confirmation
from aloi.assurance.folder import RunFolder, RunProgress, write_whole
from aloi.assurance.proving import Proof, SignedPlan, declared, read_plan, sign_plan
from aloi.assurance.registering import Registry, register_plan
from aloi.assurance.remedies import fitted, remedies_for
from aloi.assurance.selecting import Selection, failing
from aloi.assurance.story import Cost, TriedSet
from aloi.assurance.unasked import unasked
from aloi.errors import AskerError, EvidenceError, TargetError
from aloi.evidence import envelope as dsse
from aloi.evidence.keys import PrivateKey
from aloi.evidence.records import BenignRate, CorpusIdentity, Coverage, Effect, Finding, Hunt, Plan, Stage, Verdict
from aloi.evidence.statement import Subject
from aloi.science.asking import JUDGING, Asker, Spending
from aloi.science.attacker import open_attacker
from aloi.science.chance import check_thresholds
from aloi.science.egress import EgressDenied
from aloi.science.findings import benign_rate, finding
from aloi.science.forecasting import forecast_remaining
from aloi.science.hunt_plans import planned_hunts
from aloi.science.hunting import Hunting
from aloi.science.judging.bench import judged_hazards, open_judges, scorers_for
from aloi.science.judging.judged import Words
from aloi.science.measuring import Measurement
from aloi.science.planning import judges_of, make_plan, probes_of
from aloi.science.probe import Scorer
from aloi.science.sampling import Sampler
from aloi.science.trials import LogStage, Trial, TrialLog
from aloi.solutions.catalogue import Remedy
from aloi.solutions.gate import GatePolicy, decide, readapted
from aloi.standards.frameworks import framework
from aloi.system.messages import Request, Response
from aloi.system.reading import System
from aloi.system.target import Target, target_kind
from aloi.translation import N_

SOFTWARE = f"aloi {__version__}"
OFFLINE = "offline"
AWAITING_LABELS = "awaiting-labels"


class Progress(Protocol):
    """Who watches a run."""

    def stage(self, name: str) -> None:
        """A stage of the loop begins: 'plan', 'measure', 'hunt', 'select', 'confirm', 'prove' or 'report'."""
        ...

    def planned(self, unasked: Mapping[str, Sequence[str]]) -> None:
        """The plan stands; `unasked` are the system's languages in which a hazard of it is not asked, by hazard."""
        ...

    def trial(self, trial: Trial, measurement: Measurement | None) -> None:
        """A trial was answered; `measurement` is the sequential test it belongs to, if any."""
        ...

    def found(self, findings: Sequence[Finding], benign: BenignRate) -> None:
        """A measurement ended."""
        ...

    def hunted(self, hunts: Sequence[Hunt]) -> None:
        """The hunts of one system ended."""
        ...

    def chose(self, tried: Sequence[TriedSet]) -> None:
        """Remedies were tried on the selection split."""
        ...

    def confirmed(self, effect: Effect) -> None:
        """The gate decided."""
        ...


class Result(Struct, frozen=True, kw_only=True):
    """All that a run found. `findings` and `benign` hold the measure stage, then the confirm stage if there was one.

    `hunts` are those of the bare system, then those of the remedied one where nothing else spoke against the remedies.
    """

    system: System
    signed: SignedPlan
    before: str
    after: str
    findings: tuple[Finding, ...]
    benign: tuple[BenignRate, ...]
    hunts: tuple[Hunt, ...] = ()
    tried: tuple[TriedSet, ...]
    effect: Effect | None
    arm: str
    coverage: tuple[Coverage, ...]
    costs: tuple[Cost, ...]
    stopped_by: str
    bundle: bytes
    scorers: dict[str, Scorer]
    labels: int = 0

    def standing(self) -> tuple[Finding, ...]:
        """The findings that speak of the system as it may now be used: remedied where the gate accepted the remedy."""
        stage = "confirm" if self.effect and self.effect.accepted else "measure"
        return tuple(finding for finding in self.findings if finding.stage == stage)

    def standing_hunts(self) -> tuple[Hunt, ...]:
        """The hunts of that same system."""
        stage = "confirm" if self.effect and self.effect.accepted else "measure"
        return tuple(hunt for hunt in self.hunts if hunt.stage == stage)

    def remaining(self) -> dict[str, dict[str, int]]:
        """Further queries that would decide what a stage left undecided: by stage, then by hazard."""
        stages = {stage: [one for one in self.findings if one.stage == stage] for stage in ("measure", "confirm")}
        return {stage: forecast_remaining(self.signed.plan, found) for stage, found in stages.items() if found}

    def exit_code(self) -> int:
        """0 all met, 1 one not met, 6 otherwise. A hunt may add a `not met`, and nothing else."""
        verdicts = {finding.verdict for finding in self.standing()}
        proved = {hunt.verdict for hunt in self.standing_hunts()}
        if Verdict.NOT_MET in verdicts | proved:
            return 1
        return 0 if verdicts == {Verdict.MET} else 6


class Unasked:
    """The target of a run that is only read again."""

    async def ask(self, request: Request) -> Response:  # noqa: ARG002 - the port has it
        """Raises TargetError: nothing may be asked."""
        raise TargetError(
            N_("this run is read again; nothing is asked"), remedy=N_("go on with it by aloi assure --resume RUN")
        )


def prepared(system: System, *, measure_only: bool) -> tuple[Sampler, list[Remedy]]:
    """What a run draws its requests from, and the remedies it may try.

    Raises AskerError where the system asks for a hazard, a remedy, a judge or a threshold that cannot be, or lacks what
    one needs.
    """
    sampler = Sampler(system, system.description.assurance.seed, probes_of(system))
    check_thresholds(system, sampler)
    judges_of(system, sampler)
    list(planned_hunts(system, sampler))  # a hunt that cannot be is told before anything is written
    fitted(system, system.description.guards)
    remedies = fitted(system, remedies_for(system))
    return sampler, [] if measure_only else remedies


class Loop:
    """One run of the loop in one folder."""

    def __init__(
        self,
        folder: RunFolder,
        key: PrivateKey,
        progress: Progress,
        frameworks: Sequence[str],
        registry: Registry | None = None,
    ) -> None:
        self.folder = folder
        self._registry = registry
        self.system = folder.system()
        self._in_place = fitted(self.system, self.system.description.guards)
        self.before = self._fingerprint(())
        self._key = key
        self._progress = progress
        self._frameworks = frameworks
        self._sampler, self._remedies = prepared(self.system, measure_only=folder.state().measure_only)
        for name in frameworks:
            framework(name)  # a name that nothing answers to is told now, not after the last query
        self._seconds = dict(folder.spent().seconds)
        self._words: Words | None = None

    async def run(self, *, offline: bool = False) -> Result:
        """Walk the loop to its end, or to where a limit of the plan stops it; `offline` reads the log and asks nothing.

        Raises TargetError where the system cannot be asked; what was answered is in the folder, and the run resumes.
        """
        self._progress.stage("plan")
        signed = self._plan()
        if self._registry:
            await register_plan(self.folder, self._registry)
        plan = signed.plan
        self._progress.planned(unasked(plan, self.system.description.languages))
        async with AsyncExitStack() as stack:
            asker, target = await self._open(plan, stack, offline=offline)
            log, spending = asker.log, asker.spending
            measurement = await self._measure(plan, asker, "measure", BASE, target)
            findings, benign = self._found(plan, measurement, "measure", BASE, asker)
            if plan.hunts and not offline:
                await self._arm_attacker(plan, asker, stack)
            hunts = await self._hunt(plan, asker, BASE, target)
            if any(one.verdict is Verdict.INCONCLUSIVE for one in findings):
                self._wait_for_people(spending)
            chosen: Sequence[Remedy] = ()
            tried: tuple[TriedSet, ...] = ()
            went_on = any(trial.key.stage in {"select", "confirm"} for trial in log)
            if self._remedies and failing(findings) and (went_on or not self._stopped(spending)):
                chosen, tried = await self._select(plan, asker, findings, target)
                if self._wait_for_people(spending):  # whose words may choose otherwise
                    chosen, tried = (), ()
            effect, after, confirmed = None, self.before, None
            if chosen:
                effect, confirmed, readapted_hunts = await self._confirm(plan, asker, chosen, target)
                hunts += readapted_hunts
                after = self._fingerprint(chosen)
                self._wait_for_people(spending)
        self._progress.stage("prove")
        proof = Proof(signed, self._subject(self.before), self._subject(after), self._key, declared(self.system))
        for record in (*findings, benign, *(confirmed or ()), *([effect] if effect else []), *hunts):
            proof.add(record)
        coverage = proof.cover(self._frameworks, accepted=bool(effect and effect.accepted))
        again = [r for r in confirmed or () if isinstance(r, Finding)]
        rates = [r for r in confirmed or () if isinstance(r, BenignRate)]
        return Result(
            system=self.system,
            signed=signed,
            before=self.before,
            after=after,
            findings=(*findings, *again),
            benign=(benign, *rates),
            hunts=tuple(hunts),
            tried=tried,
            effect=effect,
            arm=arm_name([remedy.name for remedy in chosen]),
            coverage=tuple(coverage),
            costs=self._costs(spending),
            stopped_by=self.folder.spent().stopped_by,
            bundle=proof.bundle(),
            scorers=dict(asker.scorers),
            labels=self._label_count(),
        )

    async def _open(self, plan: Plan, stack: AsyncExitStack, *, offline: bool) -> tuple[Asker, Target]:
        """The log, what was said of it, who can be asked, and what was spent; the target with its guards in place."""
        stack.enter_context(self._egress_logged())
        judged = judged_hazards(self.system)
        self._words = stack.enter_context(self.folder.words(write=not offline)) if judged else None
        judges = {} if offline else await stack.enter_async_context(open_judges(self.system, judged))
        scorers = scorers_for(self.system, self._sampler, self._words, judges)
        log = await stack.enter_async_context(TrialLog(self.folder.trials, self.folder.secret()))
        spending = Spending(plan.limits)
        for trial in log:
            spending.recall(trial)
        if self._words:
            spending.recall_ratings(self._words.ratings.spent)
        if offline:
            spending.stopped_by = OFFLINE
            target: Target = Unasked()
        else:
            stack.callback(self._remember, spending)
            description = self.system.description.target
            target = await stack.enter_async_context(target_kind(description).open(description))
        if self._in_place:
            target = arm(target, self._in_place, self.system.description)
        return Asker(log, scorers, spending, self.system.description.target.concurrency), target

    def _wait_for_people(self, spending: Spending) -> bool:
        """Whether answers wait for a person's word; then the run ends for now, and goes on when they are labelled."""
        waits = bool(self._words and self._words.awaited())
        if waits and not spending.stopped_by:
            spending.stopped_by = AWAITING_LABELS
        return waits

    def _label_count(self) -> int:
        return self._words.labels.count if self._words else 0

    def _stopped(self, spending: Spending) -> bool:
        """Whether a limit ended the run; what was not asked by then is not judged."""
        return bool(self.folder.spent().stopped_by if spending.stopped_by == OFFLINE else spending.stopped_by)

    def _fingerprint(self, chosen: Sequence[Remedy]) -> str:
        """The system with the guards that it has, and with those chosen for it."""
        return self.system.fingerprint(tuple(remedy.identity.digest for remedy in (*self._in_place, *chosen)))

    def _subject(self, fingerprint: str) -> Subject:
        name = self.system.description.name
        return Subject.of(name if fingerprint == self.before else f"{name}+remedies", fingerprint)

    def _plan(self) -> SignedPlan:
        """The plan of this run: read back where the run is resumed, else registered now, before the first query."""
        if self.folder.plan.exists():
            signed = read_plan(self.folder.plan.read_bytes(), self._key)
            if signed.plan.system != self.before:
                raise EvidenceError(
                    N_("the system in {file} is not the one that was planned: got {got}, planned {planned}"),
                    reason="other-system",
                    remedy=N_("the folder was changed by hand: start a new run"),
                    file=self.folder.state_file,
                    got=self.before,
                    planned=signed.plan.system,
                )
            made = self._make_plan(signed.plan.registered_at)
            if _corpora(made) != _corpora(signed.plan):
                raise EvidenceError(
                    N_("the prompts in {file} are not those that were planned"),
                    reason="other-corpus",
                    remedy=N_("the folder was changed by hand: start a new run"),
                    file=self.folder.state_file,
                )
            if made != signed.plan:
                raise AskerError(
                    N_("{folder} was planned by {got}; this is {expected}, which would measure otherwise"),
                    remedy=N_("finish it with the version that began it, or start a new run"),
                    folder=self.folder.path,
                    got=signed.plan.software,
                    expected=SOFTWARE,
                )
            return signed
        write_whole(self.folder.public_key, self._key.public.pem(), mode=0o644)
        signed = sign_plan(self._make_plan(now()), self._subject(self.before), self._key)
        write_whole(self.folder.plan, dsse.write(signed.envelope))
        return signed

    def _make_plan(self, registered_at: str) -> Plan:
        names = [remedy.name for remedy in self._remedies]
        made = make_plan(self.system, self.before, self._sampler, names, registered_at=registered_at, software=SOFTWARE)
        return msgspec.structs.replace(made, in_place=tuple(remedy.identity for remedy in self._in_place))

    async def _measure(self, plan: Plan, asker: Asker, stage: Stage, arm: str, target: Target) -> Measurement:
        self._progress.stage(stage)
        measurement = Measurement(plan, stage, arm, self._sampler)
        asker.on_trial = lambda trial: self._progress.trial(trial, measurement)
        with self._timed(stage):
            await measurement.run(asker, target)
        return measurement

    def _found(
        self, plan: Plan, measurement: Measurement, stage: Stage, arm: str, asker: Asker
    ) -> tuple[list[Finding], BenignRate]:
        """What a stage found, once all that it asks is in the log: the samples are those of the log as it stays."""
        findings = [
            finding(plan, measurement, stage, arm, entry.hazard, asker.log, asker.scorers[entry.hazard])
            for entry in plan.hazards
        ]
        benign = benign_rate(plan, stage, arm, asker.log)
        self._progress.found(findings, benign)
        return findings, benign

    async def _arm_attacker(self, plan: Plan, asker: Asker, stack: AsyncExitStack) -> None:
        """Open the model that plays attacker, where a hunt of the plan uses one: it is asked by nothing else."""
        described = self.system.description.assurance.attacker
        if described and any(hunt.attacker for hunt in plan.hunts):
            asker.attacker = await stack.enter_async_context(open_attacker(described))

    async def _hunt(self, plan: Plan, asker: Asker, arm: str, target: Target) -> list[Hunt]:
        """Hunt one system, beside its measurement: what a hunt chose to ask counts toward no mean."""
        remedied = arm != BASE
        if not any(hunt.bare or remedied for hunt in plan.hunts):
            return []
        self._progress.stage("hunt")
        hunting = Hunting(plan, arm, self._sampler, remedied=remedied)
        asker.on_trial = lambda trial: self._progress.trial(trial, None)
        with self._timed("hunt"):
            await hunting.run(asker, target)
        hunts = hunting.all_found(asker.log)
        self._progress.hunted(hunts)
        return hunts

    async def _select(
        self, plan: Plan, asker: Asker, findings: Sequence[Finding], target: Target
    ) -> tuple[list[Remedy], tuple[TriedSet, ...]]:
        self._progress.stage("select")
        selection = Selection(plan, asker, findings, self._remedies, self.system.description)
        asker.on_trial = lambda trial: self._progress.trial(trial, None)
        with self._timed("select"):
            await selection.ask_pairs(target)
            await asker.rate(selection.replays())
            choice, tried = selection.choose()
        self._progress.chose(tried)
        chosen = choice.chosen.remedies if choice.chosen else ()
        return selection.named(chosen), tried

    async def _confirm(
        self, plan: Plan, asker: Asker, chosen: Sequence[Remedy], target: Target
    ) -> tuple[Effect, tuple[Finding | BenignRate, ...], list[Hunt]]:
        """Measure the chosen remedies on fresh draws; where all holds, let the attacker turn to what gets through."""
        name = arm_name([remedy.name for remedy in chosen])
        remedied = arm(target, chosen, self.system.description)
        measurement = await self._measure(plan, asker, "confirm", name, remedied)
        confirmation = Confirmation(plan, asker, self._sampler, name, self.system.description.target.timeout)
        with self._timed("confirm"):
            await confirmation.ask_pairs(target, remedied)
        findings, benign = self._found(plan, measurement, "confirm", name, asker)
        change, latency, tokens = confirmation.change("benign"), confirmation.latency(), confirmation.tokens()
        policy = GatePolicy(
            max_loss=plan.benign.max_loss,
            max_added_latency_ms=plan.max_added_latency_ms,
            max_added_tokens=plan.max_added_tokens,
        )
        accepted, reasons = decide(findings, change, latency, policy, tokens=tokens)
        hunts = await self._hunt(plan, asker, name, remedied) if accepted else []
        if accepted:
            thresholds = {entry.hazard: entry.threshold for entry in plan.hazards}
            reasons = readapted(hunts, plan.hunts, thresholds)
        effect = Effect(
            remedies=tuple(remedy.identity for remedy in chosen),
            stage="confirm",
            changes=tuple(confirmation.change(entry.hazard) for entry in plan.hazards),
            benign=change,
            latency=latency,
            tokens=tokens,
            rewritten=confirmation.rewritten(),
            accepted=not reasons,
            reasons=reasons,
            sample=asker.log.sample("confirm"),
        )
        self._progress.confirmed(effect)
        return effect, (*findings, benign), hunts

    @contextmanager
    def _egress_logged(self) -> Iterator[None]:
        """A plug-in that tried to leave the process ends the run, and the attempt is kept with it."""
        try:
            yield
        except EgressDenied as denied:
            with self.folder.egress.open("ab") as file:
                file.write(msgspec.json.encode({"at": now(), "who": denied.who, "what": denied.what}) + b"\n")
            raise

    @contextmanager
    def _timed(self, stage: LogStage) -> Iterator[None]:
        start = time.monotonic()
        try:
            yield
        finally:  # an interrupted session spent its time as well
            self._seconds[stage] = self._seconds.get(stage, 0.0) + time.monotonic() - start

    def _remember(self, spending: Spending) -> None:
        progress = RunProgress(seconds=self._seconds, stopped_by=spending.stopped_by, labels=self._label_count())
        write_whole(self.folder.progress, msgspec.json.encode(progress))

    def _costs(self, spending: Spending) -> tuple[Cost, ...]:
        costs = [
            Cost(stage=stage, queries=spending.queries[stage], tokens=spending.tokens[stage], seconds=seconds)
            for stage, seconds in self.folder.spent().seconds.items()
        ]
        calls, tokens = spending.queries[JUDGING], spending.tokens[JUDGING]
        return (*costs, *([Cost(stage=JUDGING, queries=calls, tokens=tokens, seconds=0.0)] if calls else []))


def _corpora(plan: Plan) -> list[CorpusIdentity | None]:
    """What is drawn from, hazard by hazard."""
    return [*(one.corpus for one in plan.hazards), plan.benign.corpus]


def now() -> str:
    """This moment, RFC 3339 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
