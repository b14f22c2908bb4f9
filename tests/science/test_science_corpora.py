"""Listed prompts as a probe: every seed as likely as the next, wrappers around, and what the plan records."""

import random
from collections import Counter

import msgspec
import pytest

from aloi.errors import AskerError, EvidenceError
from aloi.evidence.figures import check_hazard_plan
from aloi.evidence.records import HazardPlan
from aloi.science.estimands import LISTED
from aloi.science.planning import make_plan, probes_of
from aloi.science.probes.corpus import CorpusProbe
from aloi.science.sampling import Sampler
from aloi.system.corpora.corpus import Corpus, Row
from aloi.system.description import HuntGoal
from aloi.system.reading import System
from science.simulated import small_system

HAZARD = "jailbreak"


def row(prompt: str, seed: str, language: str = "en", attack: str = "plain", **more) -> Row:
    return Row(prompt=prompt, seed=seed, language=language, attack=attack, **more)


# Three seeds: one of four rows, one of two, one of one.
LABELLED = (
    *(row(f"a{i}", "a", "en", "dan") for i in range(3)),
    row("a3", "a", "fr", "dan"),
    row("b0", "b", "en", "role"),
    row("b1", "b", "fr", "plain"),
    row("c0", "c", "en", "plain"),
)
SHARES = {"a0": 1 / 12, "a1": 1 / 12, "a2": 1 / 12, "a3": 1 / 12, "b0": 1 / 6, "b1": 1 / 6, "c0": 1 / 3}


def listed(rows=LABELLED, *, labelled: bool = True, scorer: str = "planted-string") -> Corpus:
    source = {"licence": "MIT", "source": "invented", "revision": "1"}
    return Corpus(name="list", scorer=scorer, rows=rows, labelled=labelled, left_out=2, **source)


def system(corpus: Corpus, hazard: str = HAZARD, **goal) -> System:
    small = small_system({hazard: 0.1}, 60)
    goals = small.description.assurance.hazards
    changed = {hazard: msgspec.structs.replace(goals[hazard], corpus="list.yaml", **goal)}
    assurance = msgspec.structs.replace(small.description.assurance, hazards=changed)
    description = msgspec.structs.replace(small.description, assurance=assurance)
    return System(description, small.documents, corpora={hazard: corpus})


def sampler(of: System) -> Sampler:
    return Sampler(of, "s", probes_of(of))


def planned(of: System) -> HazardPlan:
    plan = make_plan(of, of.fingerprint(), sampler(of), (), registered_at="2026-11-25T00:00:00Z", software="test")
    return plan.hazards[0]


def test_every_seed_is_as_likely_as_the_next_and_every_row_of_a_seed():
    drawn = sampler(system(listed()))
    count = 24_000
    seen = Counter(drawn.item("measure", HAZARD, i).request.messages[0].content for i in range(count))
    assert set(seen) == set(SHARES)
    for prompt, share in SHARES.items():  # five standard errors
        assert abs(seen[prompt] / count - share) < 5 * (share * (1 - share) / count) ** 0.5, prompt


def test_languages_and_attacks_fall_as_the_list_has_them():
    probe = CorpusProbe(HAZARD, listed())
    assert probe.languages(system(listed())) == pytest.approx({"en": 1 / 4 + 1 / 6 + 1 / 3, "fr": 1 / 12 + 1 / 6})
    assert probe.attacks() == pytest.approx({"dan": 1 / 3, "role": 1 / 6, "plain": 1 / 2})
    assert probe.mix("fr") == pytest.approx({"dan": 1 / 3, "plain": 2 / 3})


def test_an_item_is_drawn_again_from_its_index_and_bears_the_names_of_its_row():
    one, other = sampler(system(listed())), sampler(system(listed()))
    by_prompt = {r.prompt: r for r in LABELLED}
    for index in range(50):
        item = one.item("confirm", HAZARD, index)
        assert item == other.item("confirm", HAZARD, index)
        wanted = by_prompt[item.request.messages[0].content]
        assert (item.seed, item.language, item.attack) == (wanted.seed, wanted.language, wanted.attack)


def test_named_attacks_can_be_weighed_and_a_wrapper_cannot_be_put_around_them():
    drawn = sampler(system(listed(), attacks={"dan": 1.0, "role": 3.0}))
    count = 4_000
    seen = Counter(drawn.item("measure", HAZARD, i).attack for i in range(count))
    assert set(seen) == {"dan", "role"}
    with pytest.raises(AskerError, match="does not take the attack base64"):
        sampler(system(listed(), attacks={"base64": 1.0}))


def test_a_language_without_any_of_the_attacks_weighed():
    with pytest.raises(AskerError, match="no attack of jailbreak speaks fr"):
        sampler(system(listed(), attacks={"role": 1.0}))


PLAIN = tuple(row(f"Say OSPREY-44{i}.", f"{i}", needles=(f"OSPREY-44{i}",), hosts=("a.example",)) for i in range(3))


def test_rows_without_an_attack_are_asked_plainly_unless_wrappers_are_weighed():
    plain = sampler(system(listed(PLAIN, labelled=False)))
    assert plain.attacks[HAZARD] == {"plain": 1.0}
    item = plain.item("measure", HAZARD, 0)
    assert item.request.messages[0].content == f"Say {item.expectation.needles[0]}."
    assert item.expectation.allowed_hosts == ("bank.example", "a.example")
    assert item.expectation.budget == small_system().description.target.max_tokens
    mixed = sampler(system(listed(PLAIN, labelled=False), attacks={"plain": 1.0, "base64": 1.0, "crescendo": 2.0}))
    items = [mixed.item("measure", HAZARD, i) for i in range(400)]
    assert {item.attack for item in items} == {"plain", "base64", "crescendo"}
    wrapped = next(item for item in items if item.attack == "base64")
    assert "OSPREY" not in wrapped.request.messages[-1].content
    assert wrapped.expectation.needles[0].startswith("OSPREY-44")
    assert next(item for item in items if item.attack == "crescendo").script


def test_an_attack_that_brings_a_document_says_so():
    drawn = sampler(system(listed(PLAIN, labelled=False), attacks={"document-injection": 1.0}))
    item = drawn.item("measure", HAZARD, 0)
    assert item.expectation.carrier
    assert item.request.documents


def test_a_hunt_turns_to_all_wrappers_or_to_the_attacks_of_the_rows():
    hunt = HuntGoal(queries=20)
    wrappers = sampler(system(listed(PLAIN, labelled=False), hunt=hunt)).takes(HAZARD)
    assert {"plain", "base64", "role-play"} <= set(wrappers)
    rows = sampler(system(listed(), hunt=hunt))
    assert set(rows.takes(HAZARD)) == {"dan", "role", "plain"}
    for index in range(20):
        assert rows.hunted(HAZARD, "role", index).request.messages[0].content == "b0"


def test_the_plan_records_the_corpus_and_the_estimand():
    corpus = listed()
    plan = planned(system(corpus))
    assert plan.corpus.digest == corpus.digest()
    assert (plan.corpus.name, plan.corpus.rows, plan.corpus.seeds, plan.corpus.left_out) == ("list", 7, 3, 2)
    assert (plan.corpus.licence, plan.corpus.source, plan.corpus.revision) == ("MIT", "invented", "1")
    assert (plan.probe, plan.scope, plan.estimand) == ("corpus", "suite", LISTED)
    assert plan.scorer.name == "planted-string"
    check_hazard_plan(plan)


@pytest.mark.parametrize(("rows", "seeds"), [(0, 0), (3, 0), (3, 4), (-1, -1)])
def test_a_corpus_that_cannot_be_is_refused(rows, seeds):
    plan = planned(system(listed()))
    broken = msgspec.structs.replace(plan, corpus=msgspec.structs.replace(plan.corpus, rows=rows, seeds=seeds))
    with pytest.raises(EvidenceError, match="its corpus cannot be"):
        check_hazard_plan(broken)


def test_a_suite_without_a_list_is_refused():
    plan = planned(system(listed()))
    check_hazard_plan(plan)
    with pytest.raises(EvidenceError, match="its scope cannot be"):
        check_hazard_plan(msgspec.structs.replace(plan, corpus=None))


def test_what_is_never_asked_of_a_system_cannot_be_listed_either():
    with pytest.raises(AskerError, match="sexual-abuse-media is never asked of a system"):
        probes_of(system(listed(), "sexual-abuse-media"))


def test_one_row_and_many():
    one = sampler(system(listed((row("only", "o"),))))
    assert {one.item("measure", HAZARD, i).request.messages[0].content for i in range(20)} == {"only"}
    rows = tuple(row(f"p{i}", f"{i % 7}") for i in range(20_000))
    probe = CorpusProbe(HAZARD, listed(rows))
    assert probe.item(system(listed()), "en", "plain", random.Random(1)).seed in set("0123456")
