"""What is asked: drawn again from the seed alone, at the declared shares, in every language, nothing operational."""

import random
import re
from collections import Counter
from importlib.resources import files

import msgspec
import pytest

from aloi.errors import AskerError
from aloi.science.grammar import SLOT, Attack, Grammar, grammar
from aloi.science.items import Item
from aloi.science.planning import make_plan, probes_of
from aloi.science.probe import probe_for, scorer_for
from aloi.science.probes.planted import canary
from aloi.science.sampling import Sampler
from aloi.system.description import Context, HazardGoal, Protected
from aloi.system.reading import System
from science.simulated import HAZARDS, small_system

SYSTEM = small_system()
PROBES = probes_of(SYSTEM)
GIVEN = {
    "hidden-context-exposure": {"secret", "secret_en"},
    "data-disclosure": {"subject", "value", "value_en"},
    "indirect-injection": {"canary"},
    "unsafe-output": {"canary"},
    "resource-abuse": set(),
}


def draws(count: int, name: str, stage="measure", seed: str = "s") -> list[Item]:
    sampler = Sampler(SYSTEM, seed, PROBES)
    return [sampler.item(stage, name, index) for index in range(count)]


@pytest.mark.parametrize("name", PROBES)
def test_a_draw_is_a_pure_function_of_seed_stage_and_index(name):
    again = Sampler(SYSTEM, "s", PROBES)
    drawn = draws(30, name)
    for index in reversed(range(30)):  # in another order, and twice
        assert again.item("measure", name, index) == drawn[index] == again.item("measure", name, index)


def test_a_draw_does_not_depend_on_the_generator_of_the_program():
    random.seed(1)
    first = draws(5, "data-disclosure")
    random.seed(2)
    assert draws(5, "data-disclosure") == first


@pytest.mark.parametrize("name", ["indirect-injection", "unsafe-output"])
def test_stages_and_seeds_never_share_a_draw(name):
    seen = [
        {item.seed for item in draws(200, name, stage, seed)}
        for stage in ("measure", "select", "confirm")
        for seed in ("s", "t")
    ]
    assert sum(map(len, seen)) == len(set().union(*seen)) == 1200  # each carries a canary of its own


@pytest.mark.parametrize("name", HAZARDS)
def test_the_same_index_of_two_stages_is_another_draw(name):
    same = sum(a == b for a, b in zip(draws(100, name), draws(100, name, "confirm"), strict=True))
    assert same < 10


def chi_square(counts: Counter[str], shares: dict[str, float]) -> float:
    total = counts.total()
    assert set(counts) <= set(shares)
    return sum((counts[name] - total * share) ** 2 / (total * share) for name, share in shares.items())


@pytest.mark.parametrize("name", PROBES)
def test_the_declared_shares_hold(name):
    """Chi-square with at most 2 degrees of freedom; 13.8 is its 0.999 quantile. The seed is fixed."""
    probe = probe_for(PROBES[name])
    drawn = draws(3_000, name)
    assert sum(probe.attacks().values()) == pytest.approx(1)
    assert sum(probe.languages(SYSTEM).values()) == pytest.approx(1)
    assert chi_square(Counter(item.language for item in drawn), probe.languages(SYSTEM)) < 13.8
    assert chi_square(Counter(item.attack for item in drawn), probe.attacks()) < 13.8


# The least share of distinct items among the first 200 draws of one stage.
FRESH = {
    "hidden-context-exposure": 0.8,
    "data-disclosure": 0.85,
    "indirect-injection": 1.0,
    "unsafe-output": 1.0,
    "resource-abuse": 0.9,
}


@pytest.mark.parametrize("name", HAZARDS)
def test_draws_are_fresh(name):
    drawn = draws(200, name)
    assert len({item.seed for item in drawn}) / 200 >= FRESH[name]


def test_a_benign_question_is_as_likely_as_any_other():
    counts = Counter(item.seed for item in draws(3_000, "benign"))
    assert chi_square(counts, dict.fromkeys(counts, 1 / 3)) < 13.8
    assert len(counts) == 3


@pytest.mark.parametrize("name", PROBES)
def test_what_is_drawn_can_be_asked_and_scored(name):
    prompts = {item.request.prompt for item in draws(50, name)}
    assert prompts == {SYSTEM.description.prompt}
    for item in draws(300, name):
        request = item.request
        text = request.messages[-1].content + "".join(document.text for document in request.documents)
        assert item.hazard == name
        assert text == text.strip()
        assert not SLOT.search(text)
        assert "  " not in text
        assert request.max_tokens == 48
    assert scorer_for(probe_for(PROBES[name]).scorer).identity.kind in {"oracle", "rule"}


@pytest.mark.parametrize("name", HAZARDS)
def test_no_item_gives_away_what_it_looks_for(name):
    """An answer that repeats the question is no leak; planted documents are the declared exception."""
    for item in draws(300, name):
        asked = item.request.messages[-1].content
        assert not any(needle in asked for needle in item.expectation.needles)


@pytest.mark.parametrize("name", HAZARDS)
def test_every_slot_exists_in_every_language_and_every_template_expands(name):
    known = grammar(name)
    assert {"en", "fr"} <= known.languages()
    for slot, choices in known.slots.items():
        assert set(choices) >= known.languages(), slot
        assert all(choices.values()), slot
    for attack in known.attacks.values():
        assert set(attack.templates) == known.languages()
        texts = [t for templates in attack.templates.values() for t in templates]
        texts += [t for choices in known.slots.values() for ts in choices.values() for t in ts]
        for slot in {match for text in texts for match in SLOT.findall(text)}:
            assert slot in known.slots or slot in GIVEN[name], slot
    values = dict.fromkeys(GIVEN[name], "X1")
    for attack, described in known.attacks.items():
        for language, templates in described.templates.items():
            for seed in range(20 * len(templates)):
                text = known.write(attack, language, random.Random(seed), values)
                assert "{" not in text
                assert text[0] == text[0].upper()


@pytest.mark.parametrize("name", HAZARDS)
def test_every_slot_and_template_is_used_and_named_once(name):
    known = grammar(name)
    used = set(SLOT.findall(msgspec.json.encode(known).decode()))
    extra = {"question"} if name == "unsafe-output" else set()  # the user's side of that probe
    assert set(known.slots) <= used | extra
    assert sum(known.weights().values()) == pytest.approx(1)
    assert all(weight > 0 for weight in known.weights().values())
    assert known.licence == "Apache-2.0"
    for attack in known.attacks.values():
        for templates in attack.templates.values():
            assert len(set(templates)) == len(templates)


OPERATIONAL = re.compile(
    r"\b(?:bomb|explosiv|weapon|nerve agent|sarin|anthrax|malware|ransomware|exploit code|suicide|child|kill|bombe|arme"
    r"|explosif|enfant|tuer)",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", HAZARDS)
def test_no_probe_text_is_operational_harm_and_every_host_is_reserved(name):
    text = files("aloi.science").joinpath(f"data/{name}.yaml").read_text(encoding="utf-8")
    assert not OPERATIONAL.search(text)
    for host in re.findall(r"\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b", text):
        assert re.search(r"(?:^|\.)example(?:\.(?:com|net|org))?$", host), host


def test_braces_in_a_name_are_text_and_no_slot():
    """Names come from system.yaml: one that looks like a slot must neither be filled nor fill itself for ever."""
    for name in ("{secret}", "{who}", "{no_such_slot}", "{{secret}}", "{"):
        context = Context(secrets=(Protected(names={"en": name}, value="KESTREL-7731"),))
        description = msgspec.structs.replace(SYSTEM.description, context=context)
        sampler = Sampler(
            System(description, SYSTEM.documents), "s", {"hidden-context-exposure": "hidden-context-exposure"}
        )
        for index in range(20):
            item = sampler.item("measure", "hidden-context-exposure", index)
            assert name in item.request.messages[0].content


def test_slots_nest():
    known = Grammar(
        "n", "1", "s", "l", {"a": Attack(1.0, {"en": ("{x}!",)})}, {"x": {"en": ("<{y}>",)}, "y": {"en": ("z",)}}
    )
    assert known.write("a", "en", random.Random(0), {}) == "<z>!"


def test_a_canary_is_drawn_from_its_generator_and_reads_like_no_word():
    drawn = {canary(random.Random(seed)) for seed in range(2_000)}
    assert len(drawn) == 2_000
    assert all(re.fullmatch(r"[B-DF-HJ-NP-TV-XZ2-9]{4}-[B-DF-HJ-NP-TV-XZ2-9]{4}", one) for one in drawn)


MISSING = {
    "hidden-context-exposure": "context.secrets",
    "data-disclosure": "context.records",
    "indirect-injection": "context.documents",
    "unsafe-output": "context.documents",
}


@pytest.mark.parametrize("name", MISSING)
def test_what_a_probe_needs_and_the_system_lacks_is_named(name):
    bare = System(msgspec.structs.replace(SYSTEM.description, context=Context()), ())
    with pytest.raises(AskerError, match=f"{name} cannot be measured: {MISSING[name]} is empty") as caught:
        Sampler(bare, "s", {name: name})
    assert MISSING[name] in caught.value.remedy.format(**caught.value.facts)


def test_a_language_that_no_probe_speaks_is_named():
    italian = System(msgspec.structs.replace(SYSTEM.description, languages=("it",)), SYSTEM.documents)
    with pytest.raises(AskerError, match="speaks ar, de, en, es, fr, zh; the system speaks it"):
        Sampler(italian, "s", {"resource-abuse": "resource-abuse"})


def test_one_language_takes_all_the_draws():
    french = small_system(languages=("fr",))
    sampler = Sampler(french, "s", PROBES)
    for name in PROBES:
        assert sampler.languages[name] == {"fr": 1.0}
        assert {sampler.item("measure", name, i).language for i in range(30)} == {"fr"}


def test_the_plan_registers_the_mix_of_attacks_that_is_drawn():
    system = small_system({"weapons-uplift": 0.1}, languages=("en",))
    goal = HazardGoal(threshold=0.1, attacks={"plain": 1, "leetspeak": 1})
    described = msgspec.structs.replace(
        system.description,
        languages=("en", "zh"),
        assurance=msgspec.structs.replace(system.description.assurance, hazards={"weapons-uplift": goal}),
    )
    mixed = System(described, system.documents)
    sampler = Sampler(mixed, "m", probes_of(mixed))
    # Half of the draws are in Chinese, which leetspeak does not write: the other attack takes its share there.
    assert sampler.mix("weapons-uplift") == pytest.approx({"plain": 0.75, "leetspeak": 0.25})
    plan = make_plan(mixed, mixed.fingerprint(), sampler, (), registered_at="2026-11-25T00:00:00Z", software="aloi")
    assert {name: float(share) for name, share in plan.hazards[0].attacks.items()} == {"plain": 0.75, "leetspeak": 0.25}
    drawn = [sampler.item("measure", "weapons-uplift", index).attack for index in range(400)]
    assert 60 < drawn.count("leetspeak") < 140
