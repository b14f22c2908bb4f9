"""What is claimed: the records through which the rooms meet, and the predicates that are signed.

Numbers are `Decimal` or `int`: a signed number is a decimal string, never a binary float. Times are RFC 3339 in UTC.
Digests are written `sha256:<64 hex>`.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import Literal

from msgspec import Struct


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A frozen value. Readers tolerate fields they do not know, so that later editions stay readable."""


def number(value: float, digits: int = 6) -> Decimal:
    """A float as a decimal with `digits` significant digits. Raises ValueError where it is not finite."""
    result = Context(prec=digits, rounding=ROUND_HALF_EVEN).create_decimal_from_float(float(value))
    if not result.is_finite():
        raise ValueError(f"a signed number must be finite, got {value}")
    # `normalize` alone would write 100 as 1E+2, which is legal but not what a person expects to read.
    return result.quantize(Decimal(1)) if result == result.to_integral_value() else result.normalize()


class Verdict(StrEnum):
    """The four words, always "at the stated threshold"."""

    MET = "met"
    NOT_MET = "not met"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTED = "not tested"


class Estimate(Record, frozen=True, kw_only=True):
    """A rate with its doubt: `failures` of `n` scorable trials, and a time-uniform interval at `level`.

    `unscorable` trials are in neither count; the interval covers them as if each had gone either way.
    """

    value: Decimal
    low: Decimal
    high: Decimal
    failures: int
    n: int
    unscorable: int = 0
    level: Decimal
    method: str

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"value {self.value} lies outside [{self.low}, {self.high}]")


class Interval(Record, frozen=True, kw_only=True):
    """A difference, a duration or a cost with its doubt."""

    value: Decimal
    low: Decimal
    high: Decimal
    n: int
    level: Decimal
    unit: Literal["proportion", "ms", "tokens"]
    method: str


Part = Literal["language", "attack", "question"]


class Stratum(Record, frozen=True, kw_only=True):
    """One part of a result: `failures` of `n` scorable trials, and what they say of its own rate. Parts of the kind
    'question' tell what measuring had asked before, 'repeated', from what is 'new'.

    No verdict is given on it. Its estimate holds for one part at a time, at the estimate's level.
    """

    kind: Part
    name: str
    failures: int
    n: int
    estimate: Estimate | None = None


class Contrast(Record, frozen=True, kw_only=True):
    """`first` minus `second`, for one pair of rates at a time; the interval is the union of what both bounds allow."""

    kind: Part
    first: str
    second: str
    difference: Interval


class Cell(Record, frozen=True, kw_only=True):
    """One attack in one language; `log_e_above` is the log e-value against a rate at or below the threshold."""

    attack: str
    language: str
    failures: int
    n: int
    unscorable: int = 0
    log_e_above: Decimal


class Exploration(Record, frozen=True, kw_only=True):
    """Which of `cells` attacks by language exceed the threshold, by e-BH (Wang and Ramdas 2022): exploratory.

    Of the cells in `above` an expected share of at most `false_share` does not exceed it. No verdict rests on them.
    """

    cells: int
    false_share: Decimal
    above: tuple[Cell, ...] = ()


class ScorerIdentity(Record, frozen=True, kw_only=True):
    """Who decided the outcomes. An oracle is exact; a rule or judge tells its calibration, a judge what `model` how."""

    name: str
    kind: Literal["oracle", "rule", "judge"]
    version: str
    calibration: str = ""
    model: str = ""
    digest: str = ""


class Sample(Record, frozen=True, kw_only=True):
    """The trials behind a record: how many, and the Merkle roots (RFC 6962) over their log lines and, `sealed`, over
    salted commitments to what was asked and answered (`aloi.evidence.commitments`)."""

    trials: int
    root: str
    sealed: str = ""


Stage = Literal["measure", "select", "confirm"]
Counted = Literal["failures", "judge-rated failures"]
PERSON = "person"


class Calibration(Record, frozen=True, kw_only=True):
    """A judge against labels held to be true: what it said of labelled failures (`tp`, `fn`) and passes (`fp`, `tn`).

    The `unclear` rows, of which it gave no clear word, are among `fn` and `tn`: it did not call them failures. It
    speaks for this hazard, these attacks and languages. `judge` is the digest of the judge that was asked, empty where
    it was not told; `digest` is that of the calibration as it was read.
    """

    tp: int
    fn: int
    fp: int
    tn: int
    unclear: int = 0
    hazard: str
    attacks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    labelled_by: str
    labelled_on: str
    judge: str = ""
    digest: str


class Judging(Record, frozen=True, kw_only=True):
    """Who rates a hazard's answers where no oracle does, and what a calibration makes of the ratings.

    After the exact scorer `after`, if there is one, `judge` reads every answer. What it does not let pass, and a random
    share `audit` of what it does, goes on to `escalates_to`, whose word then counts; 'person' is held to be right. With
    a calibration, `sensitivity` is a lower bound and `false_alarms` are bounds on the judge's errors, at the error that
    the plan spends on judges; where they tell too little, `identifiable` is False. `caveats` are stable codes.
    """

    judge: str
    after: str = ""
    escalates_to: ScorerIdentity | None = None
    audit: Decimal = Decimal(0)
    calibration: Calibration | None = None
    sensitivity: Decimal = Decimal(1)
    false_alarms: tuple[Decimal, Decimal] = (Decimal(0), Decimal(0))
    identifiable: bool = True
    caveats: tuple[str, ...] = ()

    @property
    def confirmed(self) -> bool:
        """Whether a person has the last word on every failure."""
        return PERSON in {self.judge, self.escalates_to.name if self.escalates_to else ""}

    def expected(self) -> tuple[float, float]:
        """Sensitivity and share of false alarms as they were measured; a judge taken at its word where none were."""
        found = self.calibration
        if found is None or not self.identifiable:
            return 1.0, 0.0
        return found.tp / (found.tp + found.fn), 0.0 if self.confirmed else found.fp / (found.fp + found.tn)

    @property
    def corrected(self) -> bool:
        """Whether rates speak of real failures, the judge's errors allowed for."""
        return self.judge == PERSON or (self.calibration is not None and self.identifiable)


class Audit(Record, frozen=True, kw_only=True):
    """A random share of what a judge let pass, looked at again: `misses` of `audited` were failures after all.

    `high` is an upper bound for the real failure rate that rests on the run alone, at all times, one-sided at `level`.
    """

    share: Decimal
    audited: int
    misses: int
    unscorable: int = 0
    high: Decimal
    level: Decimal


Scope = Literal["suite", "declared", "population"]


class CorpusIdentity(Record, frozen=True, kw_only=True):
    """The listed requests that are drawn from: which they are, under which licence, from where.

    The digest covers the canonical form (RFC 8785) of all rows in their order, or of the texts of a suite of tasks.
    `seeds` are clusters of rows. `left_out` counts rows that are never drawn: in a language that the system does not
    speak, of another label, standing twice or, in other people's data, without a usable prompt or a working check.
    """

    name: str
    digest: str
    rows: int
    seeds: int
    licence: str
    source: str
    revision: str
    left_out: int = 0


class Finding(Record, frozen=True, kw_only=True):
    """The result for one hazard of one system.

    `counts` says what `estimate` is a rate of. Where it is corrected for a judge's errors, `failures` are those that
    were scored and `uncorrected` is their own rate. `ratings` are the judges' and people's words behind the outcomes.
    """

    hazard: str
    stage: Stage
    estimand: str
    scope: Scope
    threshold: Decimal
    verdict: Verdict
    estimate: Estimate
    log_e_met: Decimal
    log_e_not_met: Decimal
    scorer: ScorerIdentity
    counts: Counted = "failures"
    uncorrected: Estimate | None = None
    audit: Audit | None = None
    ratings: Sample | None = None
    corpus: CorpusIdentity | None = None
    caveats: tuple[str, ...] = ()
    queries: int
    errors: dict[str, int] = {}
    strata: tuple[Stratum, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    exploration: Exploration | None = None
    sample: Sample

    @property
    def rates_failures(self) -> bool:
        """Whether the rate is one of real failures: by an oracle, by people, or corrected for a judge's errors."""
        known = self.scorer.kind == "oracle" or self.scorer.name == PERSON or self.uncorrected is not None
        return known and self.counts == "failures"


class HuntedAttack(Record, frozen=True, kw_only=True):
    """How often a hunt tried one attack: `failures` of `n` scorable trials. Chosen adaptively: no rate to claim."""

    name: str
    failures: int
    n: int
    unscorable: int = 0


class Hunt(Record, frozen=True, kw_only=True):
    """What a hunt for the worst attack on one hazard of one system proved: `not met`, or nothing (`inconclusive`).

    `low` is a lower bound for the largest failure rate over the attacks, at all times, one-sided at `level`. `worst` is
    the attack that failed most often; that one of them exceeds the threshold is proved, which one is not. Unscorable
    trials count as passed. `stage` tells which system was hunted: 'measure' as it stood, 'confirm' with its remedies.
    """

    hazard: str
    stage: Literal["measure", "confirm"]
    estimand: str
    threshold: Decimal
    verdict: Verdict
    low: Decimal
    level: Decimal
    method: str
    log_e_not_met: Decimal
    scorer: ScorerIdentity
    attacks: tuple[HuntedAttack, ...]
    worst: str = ""
    queries: int
    errors: dict[str, int] = {}
    sample: Sample


class BenignRate(Record, frozen=True, kw_only=True):
    """The rate of ordinary requests answered; `failures` counts those refused or blocked: over-refusal."""

    stage: Stage
    estimate: Estimate
    scorer: ScorerIdentity
    queries: int
    errors: dict[str, int] = {}
    strata: tuple[Stratum, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    sample: Sample


class HazardPlan(Record, frozen=True, kw_only=True):
    """What will be measured for one hazard. `corpus` is set where its prompts are listed and no probe makes them.

    A system whose answers are chance fails at most `chance` of the items; 0 where its scorer knows of no such rate.
    """

    hazard: str
    probe: str
    scorer: ScorerIdentity
    estimand: str
    scope: Scope
    threshold: Decimal
    chance: Decimal = Decimal(0)
    indifference: tuple[Decimal, Decimal]
    cap: int
    languages: dict[str, Decimal]
    attacks: dict[str, Decimal]
    corpus: CorpusIdentity | None = None
    judging: Judging | None = None

    @property
    def counts(self) -> Counted:
        """What a rate of this hazard is a rate of: only an oracle, or a judge allowed for, counts failures."""
        known = self.judging.corrected if self.judging else self.scorer.kind == "oracle"
        return "failures" if known else "judge-rated failures"


class HuntPlan(Record, frozen=True, kw_only=True):
    """How the worst of `attacks` on a hazard of the plan is hunted, apart from its measurement.

    Thompson sampling chooses the attack of each trial from the outcomes before its batch of `batch` trials; `cap`
    trials at most. `alpha` is the hunt's own error: over all hunts of one system the shares add up to the plan's.
    `attacker` is the model that writes the user's turns, at most `turns`, in the attack of that name. `bare`: it is
    hunted as it stood, not only behind remedies; `gate`: whether what is proved there makes the policy refuse them.
    """

    hazard: str
    estimand: str
    attacks: tuple[str, ...]
    cap: int
    batch: int
    alpha: Decimal
    attacker: str = ""
    turns: int = 0
    bare: bool = True
    gate: Literal["refuse", "show"] = "show"


class BenignPlan(Record, frozen=True, kw_only=True):
    """How the cost to ordinary users is measured: requests that must be answered, and the loss that is allowed.

    `corpus` is set where they are listed by somebody else.
    """

    probe: str
    scorer: ScorerIdentity
    selection_trials: int
    confirmation_trials: int
    languages: dict[str, Decimal]
    max_loss: Decimal
    corpus: CorpusIdentity | None = None


class Limits(Record, frozen=True, kw_only=True):
    """A run stops cleanly at the first of these. Seconds are wall time."""

    queries: int
    tokens: int
    seconds: int


Multiplicity = Literal["holm_per_family", "bonferroni", "holm_directional"]


class RemedyIdentity(Record, frozen=True, kw_only=True):
    """A remedy as it ran: its digest covers code version and options."""

    name: str
    version: str
    digest: str


class Plan(Record, frozen=True, kw_only=True):
    """What will be measured, registered before the first query; guards `in_place` stand around the model throughout.

    Over all hazards of a stage, `multiplicity` keeps the chance of any false `met` at most `alpha`, and separately that
    of any false `not met`; with `joint` that of any false claim. `remedies` may be tried: on `selection_pairs` failures
    to choose, on `pairs` fresh requests of each hazard to confirm. Judges' errors take `judging_alpha` of `alpha`.
    """

    system: str
    alpha: Decimal
    multiplicity: Multiplicity
    joint: bool = False
    hazards: tuple[HazardPlan, ...]
    hunts: tuple[HuntPlan, ...] = ()
    benign: BenignPlan
    in_place: tuple[RemedyIdentity, ...] = ()
    remedies: tuple[str, ...]
    pairs: int
    selection_pairs: int
    max_added_latency_ms: Decimal
    max_added_tokens: Decimal | None = None
    seed: str
    limits: Limits
    judging_alpha: Decimal = Decimal(0)
    registered_at: str
    software: str

    @property
    def error_each_way(self) -> Decimal:
        """The error of each direction, `met` and `not met`, over all hazards together."""
        return self.alpha / 2 if self.joint else self.alpha

    @property
    def test_error(self) -> Decimal:
        """What the calibrations of judges leave of it to the test."""
        left = self.alpha - self.judging_alpha
        return left / 2 if self.joint else left


class RateChange(Record, frozen=True, kw_only=True):
    """A rate on the same requests without and with the remedies. `difference` is after minus before.

    `of` is a hazard's slug (rate of failures) or 'benign' (rate of requests answered, whose `failures` were not);
    `design`: 'replay' re-reads recorded answers, 'paired' asks both arms afresh.
    """

    of: str
    design: Literal["replay", "paired"]
    counts: Counted = "failures"
    before: Estimate
    after: Estimate
    difference: Interval


class Reason(Record, frozen=True, kw_only=True):
    """Why a gate decided: a stable `code`, what it is about, and the figures it compared."""

    code: str
    about: str
    got: Decimal | None = None
    limit: Decimal | None = None


class Effect(Record, frozen=True, kw_only=True):
    """What a set of remedies bought and what it broke, and whether the policy accepts it."""

    remedies: tuple[RemedyIdentity, ...]
    stage: Stage
    changes: tuple[RateChange, ...]
    benign: RateChange
    latency: Interval | None = None
    tokens: Interval | None = None
    rewritten: int
    accepted: bool
    reasons: tuple[Reason, ...] = ()
    sample: Sample


CoverageState = Literal[
    "proven", "not met", "partial", "not tested", "needs a document", "needs a process record", "proposed mapping only"
]


class RequirementCoverage(Record, frozen=True, kw_only=True):
    """One requirement of a framework, and what the evidence at hand says about it."""

    requirement: str
    state: CoverageState
    controls: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    mapping: Literal["endorsed", "disputed", "proposed", "none"] = "none"


class Coverage(Record, frozen=True, kw_only=True):
    """A framework at an edition seen through the evidence at hand; its text is to be checked again by the day `due`."""

    framework: str
    checked_on: str
    due: str = ""
    requirements: tuple[RequirementCoverage, ...]
