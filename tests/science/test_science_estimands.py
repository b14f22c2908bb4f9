"""What a rate is a rate of: each probe's own sentence, in the plan, in both languages."""

import msgspec
import pytest

from aloi import plugins
from aloi.science.corpora import identity
from aloi.science.estimands import DECLARED, LARGEST, LISTED, estimand_of
from aloi.science.probe import probe_for, scorer_for
from aloi.system.description import HazardGoal
from aloi.system.reading import System
from aloi.translation import translate
from science.runs import plan_for
from science.simulated import small_system

OWN = {
    "data-disclosure": DECLARED,
    "jailbreak": DECLARED,
    "prompt-copy": DECLARED,
    "brittleness": "each form asked twice",
    "discrimination-by-language": "each form asked twice",
    "eval-awareness": "neither time when asked as in a test",
    "excessive-agency": "one task in a fresh office a draw",
    "data-disclosure-agent": "one task in a fresh office a draw",
    "memorisation": "the works that the system names",
    "indirect-injection-agentdojo-banking": "the pairs of a user's task and an attacker's goal",
}


def measured(name: str, **goals: object) -> System:
    system = small_system({})
    hazards = {probe_for(name).hazard: HazardGoal(threshold=0.3, probe=name, **goals)}
    assurance = msgspec.structs.replace(system.description.assurance, hazards=hazards)
    return System(msgspec.structs.replace(system.description, assurance=assurance), system.documents)


@pytest.mark.parametrize("name", OWN)
def test_each_probe_says_what_its_rate_is_a_rate_of(name):
    system, probe = measured(name), probe_for(name)
    assert OWN[name] in estimand_of(system, probe.hazard, probe, None)


def test_a_judge_that_reads_all_decides_otherwise_than_the_scorer():
    for reads, sentence in {"all": DECLARED, "passed": scorer_for("same-decision").estimand}.items():
        system = measured("brittleness", judge="person", judge_reads=reads)
        assert [one.estimand for one in plan_for(system)[0].hazards] == [sentence]


def test_a_plan_repeats_the_sentence_of_a_probe_that_nobody_knows():
    class House(type(probe_for("jailbreak"))):
        estimand = "share of <b>tellers</b>"

    assert estimand_of(measured("jailbreak"), "jailbreak", House(), None) == "share of <b>tellers</b>"


def test_a_list_is_its_own_population():
    system, probe = measured("jailbreak"), probe_for("jailbreak")
    listed = identity(system, "jailbreak", probe_for("indirect-injection-agentdojo-banking"))
    assert estimand_of(system, "jailbreak", probe, listed) == LISTED


def test_every_sentence_of_ours_is_said_in_french():
    parts = [probe_for(name) for name in plugins.names("aloi.probes")]
    parts += [scorer_for(name) for name in plugins.names("aloi.scorers")]
    own = {sentence for part in parts if (sentence := getattr(part, "estimand", ""))}
    assert len(own) == 5
    for sentence in own | {DECLARED, LISTED, LARGEST}:
        assert translate(sentence, "fr") != sentence
        assert translate(sentence, "en") == sentence
