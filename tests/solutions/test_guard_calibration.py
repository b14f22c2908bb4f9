"""A threshold from ordinary texts of one's own, and the watch on it."""

import msgspec
import pytest

from aloi.errors import AskerError
from aloi.solutions.screening.calibration import Watch, begin, calibrate, go_on, scoring
from aloi.solutions.screening.corpus import Text
from aloi.solutions.screening.running import Screened

SCREEN = scoring("injection-screen")


def rulings(scores, *, reason="", attack=None):
    return [
        Screened(
            guard="injection-screen",
            text=Text(text="-", attack=attack, line=i),
            action="allow",
            reason=reason,
            score=score,
            seconds=0.0,
        )
        for i, score in enumerate(scores, 1)
    ]


def made(scores, *more, most=0.01):
    found = [*rulings(scores), *more]
    return calibrate(SCREEN, found, "document", most=most, level=0.95, today="2026-11-25", corpus="sha256:00")


def test_the_threshold_lies_just_above_the_scores_that_must_pass():
    found = made([i / 1000 for i in range(1000)])
    assert (found.threshold, found.false_alarms, found.texts) == (0.995001, 4, 1000)
    assert found.bound <= 0.01


def test_attacks_are_left_out():
    assert made([0.1] * 300, *rulings([0.9] * 50, attack=True)).threshold == 0.100001


def test_scores_of_a_guard_that_failed_are_not_known():
    with pytest.raises(AskerError) as refused:
        made([0.1] * 300, *rulings([1.0], reason="guard-error"))
    assert refused.value.facts["count"] == 1


@pytest.mark.parametrize(
    ("scores", "most"), [([], 0.01), ([0.0] * 298, 0.01), ([1.0] * 400, 0.01), ([0.5] * 100, 0.001)]
)
def test_texts_that_no_threshold_can_rest_on(scores, most):
    with pytest.raises(AskerError):
        made(scores, most=most)


@pytest.mark.parametrize("name", ["link-policy", "output-budget", "spotlighting"])
def test_what_does_not_score_cannot_be_calibrated(name):
    with pytest.raises(AskerError):
        scoring(name)


def test_a_watch_goes_on_where_it_was_left():
    calibration = made([i / 1000 for i in range(1000)])
    new = rulings([(i * 37 % 1000) / 1000 for i in range(200)])
    at_once = go_on(begin(calibration), calibration, new)
    halfway = go_on(begin(calibration), calibration, new[:100])
    kept = msgspec.json.decode(msgspec.json.encode(halfway), type=Watch)
    later = go_on(kept, calibration, new[100:])
    assert later == at_once
    assert not later.drifted(0.01)
    assert (later.share.k, later.share.n) == (sum(one.score >= 0.995001 for one in new), 200)


def test_an_attack_on_the_deployment_is_drift():
    calibration = made([i / 1000 for i in range(1000)])
    assert go_on(begin(calibration), calibration, rulings([0.999] * 60)).drifted(0.01)


def test_a_guard_that_fails_counts_as_stopped():
    calibration = made([i / 1000 for i in range(1000)])
    watched = go_on(begin(calibration), calibration, rulings([0.0] * 5, reason="guard-deadline"))
    assert watched.stopped == 5


def test_a_watch_of_something_else_is_refused():
    calibration = made([0.1] * 400)
    other = msgspec.structs.replace(begin(calibration), digest="sha256:11")
    with pytest.raises(AskerError):
        go_on(other, calibration, [])
