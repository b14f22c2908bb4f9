"""A consensus as it is told: to a page, to a machine, to the next program."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from aloi.assurance.consensus.account import Account
from aloi.assurance.consensus.certainty import Certainty
from aloi.assurance.consensus.clusters import Why
from aloi.assurance.consensus.likeness import Difference
from aloi.assurance.consensus.logged import AskedLog
from aloi.assurance.consensus.pooled import Pooled, Question, Standing
from aloi.evidence.records import Estimate, ScorerIdentity, Stage, Verdict
from aloi.evidence.statement import Subject
from aloi.evidence.voices import Nothing
from aloi.statistics.pooling import Shown

Aside = Literal["withdrawn", "void", "other-version", "other-system", "not-tested"]


class Evaluator(Struct, frozen=True, kw_only=True):
    """Who signed: the organisation's or the reader's name for them, else the key.

    `relation` and `access` are how the organisation says that it stands to the system's owner, '' where nobody says;
    `proved` tells whether a text that its domain serves lists its keys.
    """

    name: str
    parties: tuple[str, ...]
    signers: tuple[str, ...]
    organisation: bool = False
    proved: bool = False
    relation: str = ""
    access: str = ""


class Evidence(Struct, frozen=True, kw_only=True):
    """One result: what it says, how it was measured, by whom, and where it stands.

    A finding has an `estimate`, a hunt only the `lower` bound of the largest rate over attacks; `level` is that of its
    interval. `real` tells how many trials really failed behind a calibrated judge's words: least, middle, most.
    """

    number: int
    statement: str
    bundles: tuple[str, ...]
    evaluator: Evaluator
    system: Subject
    hazard: str
    kind: Literal["mean", "max"]
    stage: Stage
    estimand: str
    scope: str
    counts: str
    languages: Mapping[str, Decimal]
    attacks: Mapping[str, Decimal]
    scorer: ScorerIdentity
    calibrated: bool
    caveats: tuple[str, ...]
    threshold: Decimal
    verdict: Verdict
    estimate: Estimate | None
    lower: Decimal | None
    level: Decimal
    method: str
    trials: int
    real: tuple[float, float, float] | None
    log_e_met: Decimal | None
    log_e_not_met: Decimal
    plan: str
    registered_at: str
    seed: str
    software: str
    account: Account
    aside: Aside | None = None


class NamedLink(Struct, frozen=True, kw_only=True):
    """What several results have in common, by their numbers."""

    why: Why
    value: str
    numbers: tuple[int, ...]


class NamedCluster(Struct, frozen=True, kw_only=True):
    """Results that are not independent of each other, by their numbers, and why; 'A' is the first cluster."""

    name: str
    numbers: tuple[int, ...]
    links: tuple[NamedLink, ...]


class Dissent(Struct, frozen=True, kw_only=True):
    """A result whose whole interval lies outside what is predicted: from the `others` alone where they are enough."""

    number: int
    others: bool
    prediction: tuple[float, float]


class Pool(Struct, frozen=True, kw_only=True):
    """Results that are rates of one and the same thing, by their numbers, and what they say together.

    `differs` tells how they are unlike those of the hazard's first pool. `low` and `high` are the ends of the pooled
    interval or, below three clusters, the outermost of the signed intervals. `verdicts` are those that contradict each
    other at one threshold. `undisputed` is how it stands without what is disputed.
    """

    numbers: tuple[int, ...]
    differs: tuple[Difference, ...]
    clusters: tuple[NamedCluster, ...]
    shown: Shown
    low: float
    high: float
    pooled: Pooled | None
    questions: tuple[Question, ...]
    undisputed: Standing
    certainty: Certainty
    dissent: tuple[Dissent, ...]
    contradicting: tuple[int, ...]

    @property
    def question(self) -> Question:
        """The question that most clusters registered."""
        return self.questions[0]


class Unfollowed(Struct, frozen=True, kw_only=True):
    """A plan about the system that was registered and has no finding on `hazards`; `by` its parties."""

    envelope: str
    by: tuple[str, ...]
    registered_at: str
    hazards: tuple[str, ...]
    withdrawn: bool


class Unopened(Struct, frozen=True, kw_only=True):
    """A commitment about the system that nothing opens; `at` by its signer's clock."""

    envelope: str
    by: tuple[str, ...]
    at: str


class Unseen(Struct, frozen=True, kw_only=True):
    """A finding about the system that is known and is not among the results that are counted."""

    envelope: str
    by: tuple[str, ...]
    hazard: str
    verdict: Verdict


class HazardView(Struct, frozen=True, kw_only=True):
    """All that is known of one hazard: pools of alike findings, the largest first; hunts are never pooled."""

    hazard: str
    evidence: tuple[Evidence, ...]
    pools: tuple[Pool, ...]
    hunts: tuple[int, ...]

    def of(self, number: int) -> Evidence:
        """A result by its number."""
        return next(each for each in self.evidence if each.number == number)

    @property
    def standing(self) -> Standing | None:
        """How the first pool stands at its first question; None where nothing could be pooled or shown."""
        return self.pools[0].question.standing if self.pools else None


class Consensus(Struct, frozen=True, kw_only=True):
    """What several evaluators' verified bundles, and what logs hold, say of one system, hazard by hazard.

    `from_log` tells whether a log proved in which order statements were made, and that none is missing; `logs` are
    those that were asked, each complete for itself. `unread` and `nothing` could not be judged, or say something in
    vain; `unjudged` counts the results among the former.
    """

    system: Subject
    bundles: tuple[str, ...]
    other_versions: bool
    owner: str
    from_log: bool
    logs: tuple[AskedLog, ...]
    hazards: tuple[HazardView, ...]
    unfollowed: tuple[Unfollowed, ...]
    unopened: tuple[Unopened, ...]
    unseen: tuple[Unseen, ...]
    unread: tuple[tuple[str, str], ...]
    unjudged: int
    nothing: tuple[Nothing, ...]

    def exit_code(self) -> int:
        """0 where every hazard is settled below its threshold, 1 where one is settled above, 6 otherwise.

        A hunt that stands may only take away: what it proved of some attack leaves nothing settled below.
        """
        standings = [hazard.standing for hazard in self.hazards]
        if "above" in standings:
            return 1
        hunted = any(hazard.of(number).verdict is Verdict.NOT_MET for hazard in self.hazards for number in hazard.hunts)
        return 0 if standings and set(standings) == {"below"} and not hunted else 6
