"""A real model attacks a real model: both on this machine, in a hunt of the example bank."""

from importlib.resources import files

import msgspec
import pytest

from aloi.evidence.records import Verdict
from aloi.evidence.verification import verify_bundle
from aloi.science.trials import TrialLog
from aloi.system.description import AttackerDescription, HuntGoal, LimitsDescription
from aloi.system.reading import open_system
from assurance.runs import Run

HAZARD = "hidden-context-exposure"

pytestmark = pytest.mark.model


def test_the_local_model_plays_attacker_and_target(tmp_path):
    system = open_system(files("aloi") / "examples" / "banque-azur")
    assurance = system.description.assurance
    goal = msgspec.structs.replace(
        assurance.hazards[HAZARD], cap=4, hunt=HuntGoal(queries=8, attacks=("pretext", "model-attacker"))
    )
    described = msgspec.structs.replace(
        system.description,
        assurance=msgspec.structs.replace(
            assurance,
            hazards={HAZARD: goal},
            benign=msgspec.structs.replace(assurance.benign, selection_trials=10),
            attacker=AttackerDescription(kind="local", turns=2, max_tokens=32, concurrency=2),
            limits=LimitsDescription(queries=200),
        ),
        context=msgspec.structs.replace(system.description.context, documents=()),
    )
    run = Run(tmp_path, described, measure_only=True)
    result = run.go()
    (hunt,) = result.hunts
    assert hunt.verdict in {Verdict.NOT_MET, Verdict.INCONCLUSIVE}
    assert result.signed.plan.hunts[0].attacker.startswith("local:")
    with TrialLog(run.folder.trials) as log:
        by_model = [trial for trial in log.trials("hunt", HAZARD, "base") if trial.attacker]
    assert by_model, "the attacker's arm was tried"
    for trial in by_model:
        assert trial.attacker.calls >= 1
        if trial.response:
            said = [message.content for message in trial.response.earlier]
            assert [message.role for message in trial.response.earlier] == ["user", "assistant", "user"]
            assert all(text.strip() for text in said)
            assert trial.attacker.tokens > 0
    spent = next(cost.queries for cost in result.costs if cost.stage == "hunt")
    assert spent == sum(1 if not trial.attacker else trial.calls + trial.attacker.calls for trial in _trials(run))
    verify_bundle(result.bundle, [run.key.public])
    assert run.go(offline=True).hunts == result.hunts


def _trials(run):
    with TrialLog(run.folder.trials) as log:
        return list(log.trials("hunt", HAZARD, "base"))
