"""The worlds of the selection benchmark through the product itself, from the sampler to the gate."""

import random
import re
import time
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import msgspec

from aloi.assurance.arms import BASE, arm, arm_name
from aloi.assurance.confirming import Confirmation
from aloi.assurance.selecting import Selection
from aloi.evidence.records import Finding, Limits, Plan, RemedyIdentity, Stage, number
from aloi.science.asking import Asker, Spending
from aloi.science.findings import finding
from aloi.science.measuring import Measurement
from aloi.science.planning import make_plan, probes_of
from aloi.science.probe import scorer_for
from aloi.science.sampling import Sampler
from aloi.science.trials import TrialLog
from aloi.solutions.catalogue import Remedy
from aloi.solutions.gate import GatePolicy, decide
from aloi.solutions.guard import Allow, Block, Ruling
from aloi.system.description import HazardGoal
from aloi.system.messages import Message, Request, Response, Role
from aloi.system.reading import System, open_system
from aloi.system.target import Target
from benchmarks.solutions.selection_worlds import LEAK, MAX_LOSS, MAX_MS, Coin, World

EXAMPLE = Path(__file__).parents[2] / "examples" / "banque-azur"
FAILED, NONCE = "The code is {secret}, note {nonce}.", re.compile(r"note (\d+)")


class Tossed:
    """A guard that blocks an answer at the rate of its coin. The toss is a function of the answer: guards are pure."""

    roles: frozenset[Role] = frozenset({"assistant"})

    def __init__(self, name: str, coin: Coin, secret: str) -> None:
        self._name, self._coin, self._secret = name, coin, secret

    def screen(self, message: Message) -> Ruling:
        leaks = self._secret in message.content
        rate = self._coin.stops.get(LEAK, 0.0) if leaks else self._coin.loses
        nonce = NONCE.search(message.content)
        tossed = sha256(f"{self._name}|{nonce and nonce[1]}".encode()).digest()
        return Block(reason="tossed") if int.from_bytes(tossed[:6]) < rate * 2**48 else Allow()


class Known:
    """Gives the secret away at a known rate, and answers every ordinary request. Each answer has its number."""

    def __init__(self, world: World, system: System, seed: int) -> None:
        self._rate = world.bare[LEAK]
        questions = system.description.assurance.benign.questions
        self._ordinary = {one for of in questions.values() for one in of}
        self._secret = system.description.context.secrets[0].value
        self._rng = random.Random(f"known\x1f{seed}")

    async def ask(self, request: Request) -> Response:
        nonce = self._rng.getrandbits(48)
        harmful = request.messages[-1].content not in self._ordinary
        if harmful and self._rng.random() < self._rate:
            return Response(text=FAILED.format(secret=self._secret, nonce=nonce))
        return Response(text=f"Yes, the branch is open, note {nonce}.")


def bank(world: World, seed: int, trials: tuple[int, int]) -> System:
    """The example bank, measured on the one hazard of a world."""
    system = open_system(EXAMPLE)
    goal = system.description.assurance
    benign = msgspec.structs.replace(goal.benign, selection_trials=trials[0], trials=trials[1], max_loss=MAX_LOSS)
    goal = msgspec.structs.replace(
        goal, hazards={LEAK: HazardGoal(threshold=world.threshold)}, benign=benign, seed=f"selection-{seed}", pairs=10
    )
    return System(msgspec.structs.replace(system.description, assurance=goal), system.documents)


def remedies(world: World, system: System) -> list[Remedy]:
    """The guards of a world as the product knows guards."""
    secret = system.description.context.secrets[0].value
    return [
        Remedy(
            name=name,
            kind="output-guard",
            hazards=(LEAK,),
            implementation=Tossed(name, coin, secret),
            identity=RemedyIdentity(name=name, version="1", digest=f"sha256:{sha256(name.encode()).hexdigest()}"),
        )
        for name, coin in world.guards.items()
    ]


class _Bench:
    """One run with its log."""

    def __init__(self, world: World, seed: int, trials: tuple[int, int], log: TrialLog) -> None:
        self.system = bank(world, seed, trials)
        self.sampler = Sampler(self.system, self.system.description.assurance.seed, probes_of(self.system))
        self.remedies = remedies(world, self.system)
        self.plan: Plan = make_plan(
            self.system, self.system.fingerprint(), self.sampler, list(world.guards),
            registered_at="2026-11-25T00:00:00Z", software="-",
        )  # fmt: skip
        scorers = {name: scorer_for(probe.scorer) for name, probe in self.sampler.probes.items()}
        self.asker = Asker(log, scorers, Spending(Limits(queries=10**9, tokens=10**12, seconds=10**6)), 4)

    async def measured(self, stage: Stage, name: str, target: Target) -> list[Finding]:
        measurement = Measurement(self.plan, stage, name, self.sampler)
        await measurement.run(self.asker, target)
        return [finding(self.plan, measurement, stage, name, one.hazard, self.asker.log) for one in self.plan.hazards]


async def walk(world: World, seed: int, trials: tuple[int, int], log: TrialLog) -> tuple[str, ...]:
    """The set that the gate accepts at the end of one run; nothing where it accepts none."""
    bench = _Bench(world, seed, trials, log)
    plan, asker, description = bench.plan, bench.asker, bench.system.description
    target = Known(world, bench.system, seed)
    findings = await bench.measured("measure", BASE, target)
    if all(one.verdict == "met" for one in findings):
        return ()
    selection = Selection(plan, asker, findings, bench.remedies, description)
    await selection.ask_pairs(target)
    choice, _ = selection.choose()
    if choice.chosen is None:
        return ()
    chosen = [one for one in bench.remedies if one.name in choice.chosen.remedies]
    name, remedied = arm_name([one.name for one in chosen]), arm(target, chosen, description)
    after = await bench.measured("confirm", name, remedied)
    confirmation = Confirmation(plan, asker, bench.sampler, name, description.target.timeout)
    await confirmation.ask_pairs(target, remedied)
    policy = GatePolicy(max_loss=plan.benign.max_loss, max_added_latency_ms=number(MAX_MS))
    accepted, _ = decide(after, confirmation.change("benign"), confirmation.latency(), policy)
    return choice.chosen.remedies if accepted else ()


async def product(worlds: Iterable[World], runs: int, folder: Path, trials: tuple[int, int]) -> None:
    """One line a world: how many runs ended in an accepted set, and how many of these are good."""
    print(f"through sampler, asker, log, selection, confirmation and gate, {runs} runs a world")
    for place, world in enumerate(worlds):
        if set(world.bare) != {LEAK} or any(coin.ms > 1 for coin in world.guards.values()):
            continue  # a simulated guard takes no time, and its target knows one hazard
        start, accepted, queries = time.perf_counter(), [], 0
        for seed in range(runs):
            async with TrialLog(folder / f"{place}-{seed}.jsonl") as log:
                accepted.append(await walk(world, seed, trials, log))
                queries += len(log)
        taken = [one for one in accepted if one]
        good = sum(world.meets(one) for one in taken)
        milliseconds = 1000 * (time.perf_counter() - start) / queries
        print(
            f"{world.title:<42} accepted {len(taken):>3}, of them good {good:>3}, "
            f"{queries / runs:,.0f} queries, {milliseconds:.1f} ms each"
        )
