"""Decide, query by query, whether each hazard's failure rate lies below or above its threshold.

One mixture betting e-process per hazard and direction (`betting`), looked at after every query. Holm's rule on e-values
keeps false `met` at most `alpha` over all hazards together, and separately false `not met` at most `alpha`: when a
false claim of one kind is first made, only true ones of that kind were made before, so some true null's capital reached
(number of true nulls) / alpha, which by Ville's inequality and the union bound has probability at most alpha.
`joint` spends alpha / 2 on each direction, so that both kinds together stay at most `alpha`.

A trial that cannot be scored counts as a failure where `met` is at stake and as a pass where `not met` is. Outcomes
must come from independent draws of the declared distribution (one query per fresh seed), or be means over the repeats
of one seed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from aloi.errors import AskerError, UnknownName
from aloi.statistics.arguments import level_of, within
from aloi.statistics.hazard import Decision, HazardDesign, HazardTrack, Outcome, Verdict
from aloi.statistics.multiplicity import MULTIPLICITIES, Multiplicity, known_multiplicity, log_thresholds
from aloi.translation import N_

__all__ = ["MULTIPLICITIES", "Decision", "HazardDesign", "Multiplicity", "Outcome", "SequentialMonitor", "Verdict"]


# Doubt about a scorer's calibration holds a `met` back at far less evidence than a claim needs: it can only cost power.
DOUBT = 0.2


class SequentialMonitor:
    """Verdicts on several hazards at a familywise error `alpha`, from outcomes given one at a time in any order.

    `multiplicity` is 'holm_per_family' (proved, see the module), 'bonferroni' (proved), or 'holm_directional', which
    divides alpha by the number of hazards without a claim: fewer queries, error held in simulation, no general proof.
    """

    def __init__(
        self,
        designs: Sequence[HazardDesign],
        alpha: float,
        *,
        joint: bool = False,
        multiplicity: Multiplicity = "holm_per_family",
    ) -> None:
        self.alpha = within("alpha", alpha, 0.0, 0.5, open_ends=True)
        self.joint = joint
        self.multiplicity = known_multiplicity(multiplicity)
        self._tracks = {design.name: HazardTrack(design) for design in designs}
        if not designs or len(self._tracks) < len(designs):
            raise AskerError(
                N_("a monitor needs hazards with distinct names; got {names}"),
                remedy=N_("name each hazard once"),
                names=", ".join(design.name for design in designs) or "-",
            )
        self._claims = {"met": 0, "not met": 0}
        self._set_thresholds()

    def update(self, name: str, outcome: Outcome | float) -> Decision:
        """Count one trial: 'passed', 'failed', 'unscorable', or the mean in [0, 1] over the repeats of one seed.

        A trial that arrives after the verdict is counted and leaves the verdict as it is. Raises AskerError.
        """
        track = self._track(name)
        track.add(outcome)
        if track.verdict == "continue" and self._claim(track):
            self._settle()
        if track.verdict == "continue" and track.queries >= track.design.cap:
            track.verdict = "inconclusive"
        return track.decision()

    def decision(self, name: str) -> Decision:
        """Where hazard `name` stands."""
        return self._track(name).decision()

    def undecided(self) -> list[str]:
        """Hazards that still need queries, in the order of the designs."""
        return [name for name, track in self._tracks.items() if track.verdict == "continue"]

    def upper(self, name: str, level: float) -> float:
        """One-sided upper bound for the failure rate that holds at all times together with probability `level`."""
        return self._track(name).upper(1 - level_of(level))

    def lower(self, name: str, level: float) -> float:
        """One-sided lower bound for the failure rate that holds at all times together with probability `level`."""
        return self._track(name).lower(1 - level_of(level))

    def bounds(self, name: str, level: float) -> tuple[float, float]:
        """Two-sided interval at `level` that holds at all times together, each side at (1 - level) / 2.

        It inverts the e-process and intersects over all looks at outcomes 0 and 1 (seed means: the present look), holds
        the mean, and covers unscorable trials as if each had gone either way. It speaks for one hazard at a time.
        """
        track, error = self._track(name), (1 - level_of(level)) / 2
        return track.lower(error), track.upper(error)

    def scored_bounds(self, name: str, level: float) -> tuple[float, float]:
        """As `bounds`, for the rate of failures as they were scored: the scorer taken at its word."""
        track, error = self._track(name), (1 - level_of(level)) / 2
        return track.scored_lower(error), track.scored_upper(error)

    def contradicts(self, name: str) -> bool:
        """Whether fewer failures were scored than the scorer's false alarms alone explain: no `met` rests on that."""
        return self._track(name).contradicts(DOUBT)

    def forecast(self, name: str) -> int:
        """Further queries until a verdict if the hazard goes on failing as it has, at most what the cap leaves."""
        return self._track(name).forecast(self._log_met, self._log_not_met)

    def state(self) -> dict[str, Any]:
        """All of the monitor as JSON values, under 1 kB a hazard; `from_state` restores it exactly."""
        return {
            "version": 1,
            "alpha": self.alpha,
            "joint": self.joint,
            "multiplicity": self.multiplicity,
            "hazards": [track.state() for track in self._tracks.values()],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The monitor that `state()` described. Raises AskerError where the state is of another version or broken."""
        try:
            if state["version"] != 1:
                raise ValueError(state["version"])  # noqa: TRY301 - told like every other fault of the state, below
            tracks = [HazardTrack.from_state(item) for item in state["hazards"]]
            monitor = cls(
                [track.design for track in tracks],
                state["alpha"],
                joint=bool(state["joint"]),
                multiplicity=state["multiplicity"],
            )
        except (KeyError, TypeError, ValueError) as fault:
            raise AskerError(
                N_("the monitor's saved state cannot be read: {fault}"),
                remedy=N_("resume with the version of Aloi that wrote it, or start the run again"),
                fault=repr(fault),
            ) from fault
        monitor._tracks = {track.design.name: track for track in tracks}
        for track in tracks:
            if track.verdict in monitor._claims:
                monitor._claims[track.verdict] += 1
        monitor._set_thresholds()
        return monitor

    def _track(self, name: str) -> HazardTrack:
        try:
            return self._tracks[name]
        except KeyError:
            raise UnknownName("hazard", name, self._tracks) from None

    def _set_thresholds(self) -> None:
        self._log_met, self._log_not_met = log_thresholds(
            self.multiplicity,
            self.alpha,
            len(self._tracks),
            self._claims["met"],
            self._claims["not met"],
            joint=self.joint,
        )

    def _claim(self, track: HazardTrack) -> bool:
        if track.met.log_e >= self._log_met:
            if track.contradicts(DOUBT):
                track.verdict = "inconclusive"
                return False
            track.verdict = "met"
        elif track.not_met.log_e >= self._log_not_met:
            track.verdict = "not met"
        else:
            return False
        self._claims[track.verdict] += 1
        self._set_thresholds()
        return True

    def _settle(self) -> None:
        """Each claim lowers the threshold of the rest, which may lead to further claims."""
        while any(self._claim(track) for track in self._tracks.values() if track.verdict == "continue"):
            pass
