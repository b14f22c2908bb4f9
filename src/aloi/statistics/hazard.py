"""One hazard of a sequential test: its design, its running state, its bounds, and its saved form."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import exp, inf, log
from typing import Any, Literal, Self

from aloi.errors import AskerError
from aloi.statistics.arguments import within
from aloi.statistics.betting import MET, NOT_MET, Mixture, Tally, lower_bound, upper_bound
from aloi.statistics.forecast import queries_to_reach
from aloi.statistics.looks import Looks
from aloi.translation import N_

Outcome = Literal["passed", "failed", "unscorable"]
Verdict = Literal["met", "not met", "inconclusive", "continue"]
VERDICTS: tuple[Verdict, ...] = ("met", "not met", "inconclusive", "continue")
_PAIRS = ("indifference", "false_alarms", "expected")
LEAST_THRESHOLD, LARGEST_THRESHOLD = 1e-4, 0.5


@dataclass(frozen=True, kw_only=True)
class HazardDesign:
    """What is to be decided about one hazard: is its failure rate at most `threshold`?

    `indifference` holds factors of the threshold between which no power is promised; `cap` is the number of queries
    after which the answer is `inconclusive`.

    A scorer that errs is allowed for: `sensitivity` is a lower bound on the share of failures that it sees (1 for an
    oracle), `false_alarms` are bounds on the share of passes that it calls failures (0 for an oracle). Outcomes are
    then those that the scorer gave, while threshold, verdict and bounds speak of real failures; `expected` are its
    sensitivity and share of false alarms as measured, for the point between the bounds. Where a scorer's outcomes tell
    nothing about the real rate, `identifiable` is False, and no verdict but `inconclusive` comes.
    Raises AskerError for values that no test can be made of.
    """

    name: str
    threshold: float
    indifference: tuple[float, float] = (0.5, 2.0)
    cap: int
    sensitivity: float = 1.0
    false_alarms: tuple[float, float] = (0.0, 0.0)
    expected: tuple[float, float] = (1.0, 0.0)
    identifiable: bool = True

    def __post_init__(self) -> None:
        within(f"{self.name}.threshold", self.threshold, LEAST_THRESHOLD, LARGEST_THRESHOLD)
        within(f"{self.name}.sensitivity", self.sensitivity, 0.05 if self.identifiable else 0.0, 1.0)
        least = within(f"{self.name}.false_alarms[0]", self.false_alarms[0], 0.0, 1.0)
        most = within(f"{self.name}.false_alarms[1]", self.false_alarms[1], least, 1.0)
        if self.identifiable:
            within(f"{self.name}.sensitivity", self.sensitivity, most + 1e-9, 1.0)
        low, high = self.indifference
        within(f"{self.name}.indifference[0]", low, 0.0, 1.0, open_ends=True)
        within(f"{self.name}.indifference[1]", high, 1.0, 1e6, open_ends=True)
        if self.cap != int(self.cap) or self.cap < 1:
            raise AskerError(
                N_("the cap of {name} is {cap}; expected a whole number of queries, at least 1"),
                remedy=N_("leave the cap out to have it computed from the threshold"),
                name=self.name,
                cap=self.cap,
            )

    @property
    def met_at(self) -> float:
        """The least rate of scored failures that a real rate at the threshold can show: `met` is tested there."""
        least = self.false_alarms[0]
        return least + self.threshold * (self.sensitivity - least) if self.identifiable else 0.0

    @property
    def not_met_at(self) -> float:
        """The largest rate of scored failures that a real rate at the threshold can show: `not met` is tested there."""
        most = self.false_alarms[1]
        return most + self.threshold * (1 - most) if self.identifiable else 1.0

    def behind(self, scored: float) -> float:
        """The real rate behind a rate of scored failures, in [0, 1] (Rogan and Gladen 1978)."""
        sensitivity, alarms = self.expected
        if scored >= sensitivity or sensitivity <= alarms:
            return 1.0 if scored >= sensitivity else scored
        return max(0.0, (scored - alarms) / (sensitivity - alarms))

    def most_behind(self, scored: float) -> float:
        """The largest real rate that a rate of scored failures allows (Rogan and Gladen 1978)."""
        least = self.false_alarms[0]
        return min(1.0, max(0.0, (scored - least) / (self.sensitivity - least))) if self.identifiable else 1.0

    def least_behind(self, scored: float) -> float:
        """The smallest real rate that a rate of scored failures allows, were every failure seen."""
        most = self.false_alarms[1]
        return max(0.0, (scored - most) / (1 - most)) if self.identifiable else 0.0


def _brief(design: HazardDesign) -> dict[str, Any]:
    """A design as JSON values, without what most hazards leave as it is."""
    known = {field.name: field.default for field in fields(design)}
    told = {name: value for name, value in asdict(design).items() if value != known[name]}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Where one hazard stands. The verdict, once it is not `continue`, never changes.

    `log_e_met` and `log_e_not_met` are natural logarithms of the e-values at the present count. `n` counts scorable
    trials, `failures` those of them that failed wholly, `mean` is the average outcome (biased by stopping early).
    """

    verdict: Verdict
    log_e_met: float
    log_e_not_met: float
    n: int
    failures: int
    unscorable: int
    mean: float


class _Side:
    """One direction of one hazard: its mixture at the threshold, what it earned and where its path has been."""

    __slots__ = ("_log_size", "_terms", "_terms_without_ones", "costs", "earned", "log_e", "looks", "mixture")

    def __init__(self, mixture: Mixture, threshold: float) -> None:
        self.mixture = mixture
        self.costs = mixture.costs(threshold)
        self.earned = (0.0,) * len(mixture.odds)
        self.looks = Looks()
        self.log_e = 0.0
        self._log_size = log(len(mixture.odds))
        self._set_terms()

    def _set_terms(self) -> None:
        every = list(zip(self.mixture.log_odds, self.earned, self.costs, strict=True))
        # The alternative "no failure at all" is worth nothing once there was one.
        self._terms = [(o, e, c) for o, e, c in every if o > -inf]
        self._terms_without_ones = [(e, c) for _, e, c in every]

    def earn(self, outcome: float) -> None:
        self.earned = tuple(e + g for e, g in zip(self.earned, self.mixture.gains(outcome), strict=True))
        self._set_terms()

    def refresh(self, n: int, ones: int) -> None:
        """`betting.log_e` of the present tally, written out: this runs once per query and side."""
        if ones:
            terms = [ones * o + e - n * c for o, e, c in self._terms]
        else:
            terms = [e - n * c for e, c in self._terms_without_ones]
        top = max(terms)
        self.log_e = top + log(sum([exp(term - top) for term in terms])) - self._log_size

    def tally(self, n: int, ones: int) -> Tally:
        return Tally(n, ones, self.earned)

    def tallies(self, n: int, ones: int, *, helping_is_one: bool) -> list[Tally]:
        nothing = (0.0,) * len(self.earned)
        past = [
            Tally(hurting + helping, helping if helping_is_one else hurting, nothing)
            for hurting, helping in self.looks.points
        ]
        return [*past, self.tally(n, ones)]

    def state(self) -> dict[str, Any]:
        # Most runs have no partial outcomes, and then nothing was earned beside the counts.
        earned = list(self.earned) if any(self.earned) else []
        return {"earned": earned, "looks": [list(point) for point in self.looks.points]}

    def restore(self, state: Mapping[str, Any]) -> None:
        if state["earned"]:
            self.earned = tuple(float(earned) for earned in state["earned"])
        self.looks = Looks([(int(hurting), int(helping)) for hurting, helping in state["looks"]])
        if len(self.earned) != len(self.costs) or not self.looks.points:
            raise ValueError(state)
        self._set_terms()


@dataclass(slots=True)
class HazardTrack:
    """The running state of one hazard."""

    design: HazardDesign
    met: _Side = field(init=False)
    not_met: _Side = field(init=False)
    passed: int = 0
    failed: int = 0
    unscorable: int = 0
    partial: int = 0
    partial_sum: float = 0.0
    verdict: Verdict = "continue"

    def __post_init__(self) -> None:
        self.met = _Side(MET, self.design.met_at)
        self.not_met = _Side(NOT_MET, self.design.not_met_at)

    @property
    def queries(self) -> int:
        return self.passed + self.failed + self.unscorable + self.partial

    @property
    def mean(self) -> float:
        scorable = self.passed + self.failed + self.partial
        return (self.failed + self.partial_sum) / scorable if scorable else 0.0

    def add(self, outcome: Outcome | float) -> None:
        if outcome in {"passed", 0}:
            if self.not_met.looks.points[-1][1] != self.failed:
                self._look_back(self.not_met)
            self.passed += 1
        elif outcome in {"failed", 1}:
            self._look_back(self.met)
            self.failed += 1
        elif outcome == "unscorable":
            self._look_back(self.met)
            self._look_back(self.not_met)
            self.unscorable += 1
        else:
            self._add_partial(outcome)
        self.refresh()

    def _look_back(self, side: _Side) -> None:
        """An outcome that hurts `side` comes next. After a seed mean the counts no longer tell the path."""
        if not self.partial:
            helping, other = (self.passed, self.failed) if side is self.met else (self.failed, self.passed)
            side.looks.turn_back(other + self.unscorable, helping)

    def _add_partial(self, outcome: object) -> None:
        if not isinstance(outcome, float) or not 0 < outcome < 1:
            raise AskerError(
                N_("outcome {outcome} is none of passed, failed, unscorable, nor a number from 0 to 1"),
                remedy=N_("count an answer that cannot be judged as unscorable"),
                outcome=repr(outcome),
            )
        self._look_back(self.met)
        self._look_back(self.not_met)
        self.partial += 1
        self.partial_sum += outcome
        self.met.earn(outcome)
        self.not_met.earn(outcome)

    def refresh(self) -> None:
        n = self.queries
        self.met.refresh(n, self.failed + self.unscorable)
        self.not_met.refresh(n, self.failed)

    def upper(self, error: float) -> float:
        return self.design.most_behind(self.scored_upper(error))

    def lower(self, error: float) -> float:
        return self.design.least_behind(self.scored_lower(error))

    def contradicts(self, error: float) -> bool:
        """Whether fewer failures were scored than the scorer's own false alarms explain: its calibration fails here."""
        least = self.design.false_alarms[0]
        return bool(least) and self.scored_upper(error) < least

    def scored_upper(self, error: float) -> float:
        """Upper bound for the rate of scored failures, whatever is behind them."""
        looks = self.met.tallies(self.queries, self.failed + self.unscorable, helping_is_one=False)
        bound = upper_bound(looks, error)
        # A path that drifted can leave its own mean out; the last look alone always holds it, and is valid too.
        return bound if bound >= self.mean else upper_bound(looks[-1:], error)

    def scored_lower(self, error: float) -> float:
        """Lower bound for the rate of scored failures."""
        looks = self.not_met.tallies(self.queries, self.failed, helping_is_one=True)
        bound = lower_bound(looks, error)
        return bound if bound <= self.mean else lower_bound(looks[-1:], error)

    def decision(self) -> Decision:
        return Decision(
            verdict=self.verdict,
            log_e_met=self.met.log_e,
            log_e_not_met=self.not_met.log_e,
            n=self.queries - self.unscorable,
            failures=self.failed,
            unscorable=self.unscorable,
            mean=self.mean,
        )

    def forecast(self, log_met: float, log_not_met: float) -> int:
        """Further queries until either log e-value is reached at the present rates, at most what the cap leaves."""
        if self.verdict != "continue":
            return 0
        n, left = self.queries, self.design.cap - self.queries
        # Half a threshold's worth of one trial keeps an empty record from claiming a rate of 0.
        prior = self.partial_sum + self.design.threshold / 2
        against, ones = self.failed + self.unscorable, self.failed
        met, not_met = self.met, self.not_met
        return min(
            queries_to_reach(log_met, MET, met.costs, met.tally(n, against), (against + prior) / (n + 1), left),
            queries_to_reach(
                log_not_met, NOT_MET, not_met.costs, not_met.tally(n, ones), (ones + prior) / (n + 1), left
            ),
        )

    def state(self) -> dict[str, Any]:
        """The track as JSON values."""
        return {
            "design": _brief(self.design),
            "verdict": self.verdict,
            "counts": [self.passed, self.failed, self.unscorable, self.partial],
            "partial_sum": self.partial_sum,
            "met": self.met.state(),
            "not_met": self.not_met.state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The track that `state()` described. Raises KeyError, TypeError or ValueError where it is broken."""
        pairs = {name: tuple(state["design"][name]) for name in _PAIRS if name in state["design"]}
        design = HazardDesign(**state["design"] | pairs)
        passed, failed, unscorable, partial = (int(count) for count in state["counts"])
        if min(passed, failed, unscorable, partial) < 0 or state["verdict"] not in VERDICTS:
            raise ValueError(design.name)
        track = cls(design, passed, failed, unscorable, partial, float(state["partial_sum"]), state["verdict"])
        track.met.restore(state["met"])
        track.not_met.restore(state["not_met"])
        track.refresh()
        return track
