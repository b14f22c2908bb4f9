"""A guard's threshold for one deployment, from ordinary texts of its own, and a watch on whether it still holds."""

import math
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from aloi.errors import AskerError
from aloi.solutions.catalogue import Remedy, build, installed
from aloi.solutions.passage import DEADLINE, ERROR
from aloi.solutions.screening.quality import Share, share
from aloi.solutions.screening.running import Screened
from aloi.statistics.detection import calibrated_threshold
from aloi.statistics.drift import Exchangeability, watch
from aloi.system.messages import Role
from aloi.translation import N_

DIGITS = 6  # of a score; a threshold is rounded up to so many


class Kept(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the files that a calibration and a watch are kept in."""

    version: Literal[1] = 1


class GuardCalibration(Kept, frozen=True, kw_only=True):
    """What a threshold rests on.

    Of `texts` ordinary texts `false_alarms` score at or above `threshold`; on further texts like these the rate is at
    most `bound` with probability `level`. `digest` is the guard's identity as the catalogue ships it, `corpus` is the
    SHA-256 of the file of texts, `scores` are theirs, sorted.
    """

    guard: str
    digest: str
    role: Role
    threshold: float
    most: float
    level: float
    bound: float
    false_alarms: int
    texts: int
    calibrated_on: str
    corpus: str
    scores: tuple[float, ...]


class Watch(Kept, frozen=True, kw_only=True):
    """A watch so far: its state between two files of traffic. `stopped` counts texts at or above the threshold."""

    guard: str
    digest: str
    state: Exchangeability
    stopped: int = 0

    @property
    def share(self) -> Share:
        """The share of all watched texts that the guard stops."""
        return share(self.stopped, self.state.seen)

    def drifted(self, error: float) -> bool:
        """Whether it is shown, at this error over the whole watch, that texts no longer score as the calibrated did."""
        return self.state.peak >= -math.log(error)


def scoring(name: str) -> Remedy:
    """A guard that has a threshold, as the catalogue ships it. Raises AskerError for one that has none."""
    remedy = build(name)
    if "threshold" not in installed(name).Options.__struct_fields__:
        raise AskerError(
            N_("{name} has no threshold to calibrate: it does not score"),
            remedy=N_("choose a guard with an option threshold"),
            name=name,
        )
    return remedy


def calibrate(
    remedy: Remedy, rulings: Sequence[Screened], role: Role, *, most: float, level: float, today: str, corpus: str
) -> GuardCalibration:
    """The threshold that keeps false alarms at `most` with probability `level`, from rulings on ordinary texts.

    Texts labelled as attacks are left out. Raises AskerError where the guard failed on a text (its score is not known),
    where there are too few texts, and where no threshold below 1 would do.
    """
    ordinary = [one for one in rulings if one.text.attack is not True]
    failed = [one for one in ordinary if one.reason in {ERROR, DEADLINE}]
    if failed:
        raise AskerError(
            N_("{name} failed on {count} texts, the first on line {line}: their scores are not known"),
            remedy=N_("mend the guard, or give it more time with --deadline"),
            name=remedy.name,
            count=len(failed),
            line=failed[0].text.line,
        )
    scores = sorted(round(one.score, DIGITS) for one in ordinary)
    found = calibrated_threshold(scores, most, level)
    threshold = math.ceil(found.threshold * 10**DIGITS) / 10**DIGITS
    if threshold > 1:
        raise AskerError(
            N_(
                "{name} gives the top score to {count} of {n} ordinary texts: no threshold keeps false alarms at {most}"
            ),
            remedy=N_("allow more false alarms, or choose another guard"),
            name=remedy.name,
            count=sum(score >= 1 for score in scores),
            n=len(scores),
            most=most,
        )
    return GuardCalibration(
        guard=remedy.name,
        digest=remedy.identity.digest,
        role=role,
        threshold=threshold,
        most=most,
        level=level,
        bound=found.bound,
        false_alarms=sum(score >= threshold for score in scores),
        texts=len(scores),
        calibrated_on=today,
        corpus=corpus,
        scores=tuple(scores),
    )


def begin(calibration: GuardCalibration) -> Watch:
    """A watch that has seen nothing yet."""
    state = watch(calibration.scores, seed=calibration.corpus)
    return Watch(guard=calibration.guard, digest=calibration.digest, state=state)


def go_on(so_far: Watch, calibration: GuardCalibration, rulings: Sequence[Screened]) -> Watch:
    """Take in further texts, in their order. A text on which the guard failed counts as stopped, at the highest score.

    Raises AskerError where the watch is of another guard or edition than the calibration. `so_far` is used up.
    """
    if (so_far.guard, so_far.digest) != (calibration.guard, calibration.digest):
        raise AskerError(
            N_("the watch is of {got}, the calibration of {expected}, or of another edition of it"),
            remedy=N_("begin a new watch: name another --state"),
            got=so_far.guard,
            expected=calibration.guard,
        )
    stopped = so_far.stopped
    for one in rulings:
        score = 1.0 if one.reason in {ERROR, DEADLINE} else round(one.score, DIGITS)
        so_far.state.take(score)
        stopped += score >= calibration.threshold
    return msgspec.structs.replace(so_far, stopped=stopped)
