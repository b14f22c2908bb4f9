import numpy as np
import pytest
from benchmarks.solutions.detection_data import ours
from training import authored, calibrate, learn, near
from training.rows import Row


def row(text, group, kind="trigger", *, attack=False):
    return Row(text=text, attack=attack, language="en", source="ours", group=group, kind="" if attack else kind)


def test_what_a_person_wrote_is_scored_by_a_model_that_read_nothing_of_the_same_file(monkeypatch):
    rows = [
        *(row(f"a question number {n}", f"written/one/trigger/{n:02}") for n in range(4)),
        *(row(f"another question {n}", f"written/two/quoting/{n:02}", "quoting") for n in range(2)),
        *(row(f"drawn by a grammar {n}", f"en-benign/family-{n}") for n in range(3)),
        row("an attack", "written/one-attacks/persona/00", attack=True),
    ]
    fitted = []

    def fit(given, presences, settings):
        fitted.append({one.group for one in given})
        return learn.fit(given, presences, settings)

    monkeypatch.setattr(calibrate, "fit", fit)
    found = calibrate.cross(rows, learn.examples(rows), learn.Settings(iterations=1))
    assert {key: len(margins) for key, margins in found.items()} == {("en", "written"): 6, ("en", "trigger"): 3}
    assert all("written/one-attacks/persona/00" in groups for groups in fitted)
    for file in ("written/one/", "written/two/"):
        seen = [sum(group.startswith(file) for group in groups) for groups in fitted]
        assert 0 in seen
        assert set(seen) <= {0, max(seen)}, "a file is left out whole"


@pytest.mark.parametrize(("kind", "blocked"), [("ordinary", 2), ("risky", 4), ("written", 20), ("trigger", 20)])
def test_the_threshold_is_the_lowest_that_holds_each_allowance(kind, blocked):
    margins = [n / 10 for n in range(200)]
    thresholds, (told,) = calibrate.frozen({("fr", kind): margins}, [], np.array([]))
    assert told["blocked"] == blocked
    assert thresholds["fr"] == thresholds[""] == pytest.approx(margins[-blocked - 1] + 0.001)


def test_nothing_that_a_person_wrote_for_training_is_close_to_a_sealed_text():
    sealed = [row(text, one.id) for one in ours("sealed", "sealed") for text in one.texts]
    assert len(sealed) == 200
    rows = authored.rows()
    assert near.without(rows, sealed) == rows
