"""Of the sets of remedies that the loop accepts, how many truly meet the policy? Systems whose risks are known.

The first table runs the product's own sequential test, choice, paired interval and gate on simulated outcomes, many
times; `naive` accepts what the selection split says, without the confirmation. The second runs the product itself, from
the sampler to the gate, with the log on disk, on the same worlds.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from msgspec import Struct

from aloi.assurance.confirming import median_interval_of, paired_change
from aloi.evidence.records import Estimate, Finding, Interval, RateChange, Sample, ScorerIdentity, Verdict, number
from aloi.science.planning import INDIFFERENCE
from aloi.solutions.gate import GatePolicy, decide
from aloi.solutions.selection import Candidate, Risk, choose, subsets
from aloi.statistics.design import default_cap
from aloi.statistics.exact import clopper_pearson
from aloi.statistics.monitor import HazardDesign, SequentialMonitor
from benchmarks.bars import bar
from benchmarks.solutions.readapting import adapting
from benchmarks.solutions.selection_product import product
from benchmarks.solutions.selection_worlds import MAX_LOSS, MAX_MS, WORLDS, World

SEED, ALPHA, WANTED = 20261125, 0.05, 0.95
SELECTION_TRIALS, CONFIRMATION_TRIALS = 60, 150
GATE = GatePolicy(max_loss=number(MAX_LOSS), max_added_latency_ms=number(MAX_MS))
ORACLE = ScorerIdentity(name="simulated", kind="oracle", version="1")
Set = tuple[str, ...]


class Outcome(Struct, frozen=True):
    """One run: the set that was nominated, whether the gate accepted it, what the split alone would accept, queries."""

    nominated: Set | None
    accepted: bool
    naive: Set | None
    queries: int


class Measured(Struct, frozen=True):
    """One sequential measurement: verdicts, and for each hazard the failures by guard that let them pass."""

    verdicts: dict[str, Verdict]
    failed: dict[str, "np.ndarray"]
    passing: dict[str, "np.ndarray"]

    @property
    def queries(self) -> int:
        return sum(len(outcomes) for outcomes in self.failed.values())


def measure(world: World, rng: np.random.Generator, chosen: Set | None) -> Measured:
    """The product's sequential test on one arm, hazards in turn: the bare system, or one behind a set."""
    cap = default_cap(world.threshold, ALPHA, len(world.bare), INDIFFERENCE)
    designs = [
        HazardDesign(name=name, threshold=world.threshold, indifference=INDIFFERENCE, cap=cap) for name in world.bare
    ]
    monitor, names = SequentialMonitor(designs, ALPHA), list(world.guards)
    bare = {name: rng.random(cap) < rate for name, rate in world.bare.items()}
    # A guard that stops this answer; whether another does is another toss.
    shares = {h: np.array([world.guards[name].stops.get(h, 0.0) for name in names]) for h in world.bare}
    passing = {h: rng.random((cap, len(names))) >= shares[h] for h in world.bare}
    behind = [names.index(name) for name in chosen or ()]
    failed = {h: bare[h] & passing[h][:, behind].all(axis=1) for h in world.bare}
    asked = dict.fromkeys(world.bare, 0)
    while undecided := monitor.undecided():
        hazard = min(undecided, key=asked.__getitem__)
        monitor.update(hazard, "failed" if failed[hazard][asked[hazard]] else "passed")
        asked[hazard] += 1
    return Measured(
        {h: Verdict(monitor.decision(h).verdict) for h in world.bare},
        {h: failed[h][:n] for h, n in asked.items()},
        {h: passing[h][:n] for h, n in asked.items()},
    )


def candidates(world: World, split: Measured, rng: np.random.Generator) -> list[Candidate]:
    """Every set of guards, replayed on the recorded failures and on the ordinary requests of the split."""
    names = list(world.guards)
    lost = rng.random((SELECTION_TRIALS, len(names))) < [world.guards[name].loses for name in names]
    delay = np.array([world.guards[name].ms for name in names]) * rng.uniform(0.7, 1.3, (SELECTION_TRIALS, len(names)))
    made = []
    for places in subsets(range(len(names))):
        chosen = list(places)
        if not chosen:
            continue
        risks = tuple(
            Risk(
                hazard=hazard,
                failures=float((failed & split.passing[hazard][:, chosen].all(axis=1)).sum()),
                n=len(failed),
                threshold=world.threshold,
            )
            for hazard, failed in split.failed.items()
        )
        one = Candidate(
            remedies=tuple(names[place] for place in chosen),
            risks=risks,
            benign_lost=int(lost[:, chosen].any(axis=1).sum()),
            benign=SELECTION_TRIALS,
            added_latency_ms=float(np.median(delay[:, chosen].sum(axis=1))),
        )
        made.append(one)
    return made


def finding(hazard: str, verdict: Verdict, failed: "np.ndarray", threshold: float) -> Finding:
    """A finding as the gate reads it."""
    estimate = Estimate(
        value=number(failed.mean()), low=number(0), high=number(1), failures=int(failed.sum()), n=len(failed),
        level=number(0.9), method="-",
    )  # fmt: skip
    return Finding(
        hazard=hazard, stage="confirm", estimand="mean", scope="declared", threshold=number(threshold),
        verdict=verdict, estimate=estimate, log_e_met=number(0), log_e_not_met=number(0), scorer=ORACLE,
        queries=len(failed), sample=Sample(trials=len(failed), root="-"),
    )  # fmt: skip


@cache
def loss_of(lost: int) -> RateChange:
    """What the paired ordinary requests say: all were answered before, `lost` were not after."""
    same = Estimate(value=number(1), low=number(0), high=number(1), failures=0, n=1, level=number(0.95), method="-")
    change = paired_change(lost, 0, CONFIRMATION_TRIALS)
    return RateChange(of="benign", design="replay", before=same, after=same, difference=change)


def delay_of(world: World, chosen: Set, rng: np.random.Generator) -> Interval:
    """The delays of the ordinary requests."""
    ms = sum(world.guards[name].ms for name in chosen)
    return median_interval_of([float(one) for one in ms * rng.uniform(0.7, 1.3, CONFIRMATION_TRIALS)], "ms")


def once(world: World, seed: int) -> Outcome:
    """One run: measure, choose, confirm on fresh draws, decide."""
    rng = np.random.default_rng((SEED, seed))
    split = measure(world, rng, None)
    queries = split.queries + SELECTION_TRIALS
    if all(verdict is Verdict.MET for verdict in split.verdicts.values()):
        return Outcome(None, accepted=False, naive=None, queries=queries)
    made = candidates(world, split, rng)
    naive = choose(made, max_loss=MAX_LOSS, max_added_latency_ms=MAX_MS, indifference_lower=1.0)
    choice = choose(made, max_loss=MAX_LOSS, max_added_latency_ms=MAX_MS)
    by_split = naive.chosen.remedies if naive.chosen and naive.meets else None
    if choice.chosen is None:
        return Outcome(None, accepted=False, naive=by_split, queries=queries)
    chosen = choice.chosen.remedies
    again = measure(world, rng, chosen)
    after = [finding(h, again.verdicts[h], failed, world.threshold) for h, failed in again.failed.items()]
    lost = int((rng.random(CONFIRMATION_TRIALS) < world.loss(chosen)).sum())
    accepted, _ = decide(after, loss_of(lost), delay_of(world, chosen, rng), GATE)
    return Outcome(chosen, accepted, by_split, queries + again.queries + CONFIRMATION_TRIALS)


class Row(Struct, frozen=True):
    """A world over many runs."""

    title: str
    has_good: bool
    runs: int
    accepted: int
    right: int
    naive: int
    naive_right: int
    queries: float


def row(world: World, outcomes: Sequence[Outcome]) -> Row:
    """Counts of one world."""
    taken = [one.nominated for one in outcomes if one.accepted and one.nominated]
    naive = [one.naive for one in outcomes if one.naive]
    return Row(
        world.title,
        any(world.meets(chosen) for chosen in subsets(list(world.guards)) if chosen),
        len(outcomes),
        len(taken),
        sum(world.meets(chosen) for chosen in taken),
        len(naive),
        sum(world.meets(chosen) for chosen in naive),
        float(np.mean([one.queries for one in outcomes])),
    )


def share(part: int, whole: int) -> str:
    """A share with its exact 95 % interval."""
    if not whole:
        return "-"
    low, high = clopper_pearson(part, whole, 0.95)
    return f"{part / whole:.3f} ({low:.3f}-{high:.3f})"


def show(rows: Sequence[Row]) -> None:
    """The table: of those accepted how many are good; runs that ended in a wrong acceptance; the same for naive."""
    print(
        f"{'world':<42}{'good set':>9}{'accepted':>9}  {'of them good':<21}{'wrong/runs':>11}"
        f"{'naive':>7}  {'of them good':<21}{'wrong/runs':>11}{'queries':>9}"
    )
    for one in rows:
        print(
            f"{one.title:<42}{'yes' if one.has_good else 'no':>9}{one.accepted / one.runs:>9.3f}  "
            f"{share(one.right, one.accepted):<21}{(one.accepted - one.right) / one.runs:>11.4f}"
            f"{one.naive / one.runs:>7.3f}  {share(one.naive_right, one.naive):<21}"
            f"{(one.naive - one.naive_right) / one.runs:>11.4f}{one.queries:>9,.0f}"
        )


def judge(rows: Sequence[Row], runs: int) -> None:
    """The bars."""
    right, accepted = sum(one.right for one in rows), sum(one.accepted for one in rows)
    naive_right, naive = sum(one.naive_right for one in rows), sum(one.naive for one in rows)
    print(f"over all worlds: accepted and good {share(right, accepted)}, naive {share(naive_right, naive)}")
    if accepted:
        bar(
            "accepted sets that truly meet the policy",
            f"{right / accepted:.4f}",
            f">= {WANTED}",
            met=right >= WANTED * accepted,
        )
    worst = min((one for one in rows if one.has_good and one.accepted), key=lambda one: one.right / one.accepted)
    part = worst.right / worst.accepted
    bar(f"the same, least world that has a good set ({worst.title})", f"{part:.4f}", f">= {WANTED}", met=part >= WANTED)
    limit = ALPHA + 2 * (ALPHA * (1 - ALPHA) / runs) ** 0.5
    wrong = max(rows, key=lambda one: one.accepted - one.right)
    rate = (wrong.accepted - wrong.right) / wrong.runs
    bar(
        f"runs that accept a set that does not, worst ({wrong.title})",
        f"{rate:.4f}",
        f"<= {limit:.4f}",
        met=rate <= limit,
    )


def main(*, quick: bool = False) -> None:
    """Print both tables and the bars."""
    runs = 60 if quick else 2_000
    print(
        f"threshold 10 %, alpha {ALPHA}, loss at most {MAX_LOSS:.0%}, delay at most {MAX_MS:.0f} ms; "
        f"{runs} runs, seed {SEED}"
    )
    start = time.perf_counter()
    rows = [row(world, [once(world, seed) for seed in range(runs)]) for world in WORLDS.values()]
    show(rows)
    print(f"{time.perf_counter() - start:.0f} s")
    judge(rows, runs)
    adapting(runs)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(product(WORLDS.values(), 3 if quick else 40, Path(folder), (SELECTION_TRIALS, CONFIRMATION_TRIALS)))


if __name__ == "__main__":
    main()
