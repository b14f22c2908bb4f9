"""Whether texts still score as those did on which a threshold was set: a conformal test of exchangeability.

Each new score gets its smoothed conformal p-value among all before it; where scores are exchangeable with the
calibrated ones the p-values are independent and uniform, and no bet on them gains on average. The bet is the simple
jumper, which leans now to high, now to low scores. By Ville's inequality its capital ever reaches 1/alpha with
probability at most alpha, however long one watches.

Sources: Vovk, Nouretdinov & Gammerman 2003 (testing exchangeability on-line); Vovk, Petej, Nouretdinov, Ahlberg,
Carlsson & Gammerman 2021 (retrain or not retrain: the simple jumper); Ville 1939.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log
from random import Random

from aloi.errors import AskerError
from aloi.translation import N_

LEANS = (-1.0, 0.0, 1.0)
JUMP = 0.01


@dataclass
class Exchangeability:
    """The state of one watch: all scores so far, sorted; the shares of capital on each lean; and the log of capital.

    `peak` is the highest log capital yet: from log(1/alpha) on, drift is shown at error alpha. `seed` breaks ties.
    """

    scores: list[float]
    shares: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)
    log_capital: float = 0.0
    peak: float = 0.0
    seen: int = 0
    seed: str = ""

    def take(self, score: float) -> float:
        """Take in one new score; its p-value, small where it lies high. Raises AskerError where it is no number."""
        if not isfinite(score):
            raise AskerError(
                N_("a score is {got}, expected a finite number"), remedy=N_("leave out what was not scored"), got=score
            )
        above = len(self.scores) - bisect_right(self.scores, score)
        ties = len(self.scores) - above - bisect_left(self.scores, score) + 1
        part = Random(f"{self.seed}:{self.seen}").random()
        p = (above + part * ties) / (len(self.scores) + 1)
        insort(self.scores, score)
        self.seen += 1
        self._bet(p)
        return p

    def _bet(self, p: float) -> None:
        leant = [(1 - JUMP) * share + JUMP / 3 for share in self.shares]
        won = [share * (1 + lean * (p - 0.5)) for share, lean in zip(leant, LEANS, strict=True)]
        total = sum(won)
        self.shares = (won[0] / total, won[1] / total, won[2] / total)
        self.log_capital += log(total)
        self.peak = max(self.peak, self.log_capital)


def watch(calibrated: Sequence[float], *, seed: str) -> Exchangeability:
    """A watch that begins with the scores of a calibration. Raises AskerError where one of them is no number."""
    if not all(map(isfinite, calibrated)):
        raise AskerError(N_("a calibrated score is no finite number"), remedy=N_("calibrate the guard again"))
    return Exchangeability(scores=sorted(calibrated), seed=seed)
