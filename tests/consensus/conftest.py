"""Five evaluators of one system, made once: real runs, a tenth of a second each."""

import pytest
from msgspec.structs import replace

from consensus.laboratory import HAZARD, OTHER, Evaluator, goal, judged, system
from science.judged import calibration

RATES = {"north": 0.06, "south": 0.06, "east": 0.06, "west": 0.06}


@pytest.fixture(scope="session")
def rooms(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluators")


@pytest.fixture(scope="session")
def four(rooms):
    """Four who agree, with seeds of their own."""
    return tuple(Evaluator(rooms, name, rate) for name, rate in RATES.items())


@pytest.fixture(scope="session")
def failing(rooms):
    """One who found it to fail far more often."""
    return Evaluator(rooms, "failing", 0.7)


@pytest.fixture(scope="session")
def copying(rooms):
    """One with a key of its own and the seed of `north`."""
    return Evaluator(rooms, "copying", 0.02, system("seed of north"))


@pytest.fixture(scope="session")
def other_version(rooms):
    """One who measured another version of the system."""
    return Evaluator(rooms, "other-version", 0.02, system("seed of v", prompt="You answer in one word."))


@pytest.fixture(scope="session")
def other_attacks(rooms):
    """One who weighs the attacks otherwise."""
    described = system("seed of attacks")
    return Evaluator(rooms, "other-attacks", 0.02, goal(described, attacks={"pretext": 1.0, "completion": 1.0}))


@pytest.fixture(scope="session")
def rated(rooms):
    """One whose answers a judge rates, not calibrated."""
    return Evaluator(rooms, "rated", 0.02, judged(system("seed of rated")))


@pytest.fixture(scope="session")
def calibrated(rooms):
    """Two whose answers the same judge rates, by the same calibration."""
    known = {
        "right": replace(
            calibration(146, 4, 3, 147, hazard=HAZARD),
            attacks=("completion", "pretext", "translation"),
            languages=("en", "fr"),
        )
    }
    return tuple(
        Evaluator(rooms, name, 0.2, judged(system(f"seed of {name}")), calibrations=known)
        for name in ("first", "second")
    )


@pytest.fixture(scope="session")
def broad(rooms):
    """Three who measured two hazards."""
    return tuple(
        Evaluator(rooms, f"broad-{name}", 0.03, system(f"seed of broad {name}", hazards=(HAZARD, OTHER)))
        for name in ("a", "b", "c")
    )
