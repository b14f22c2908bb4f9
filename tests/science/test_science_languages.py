"""The five probes of the demonstration, in six languages: fresh draws, known rates, and the same draws as ever."""

import hashlib
import math
from pathlib import Path

import pytest

from aloi.evidence.canonical import canonical
from aloi.science.grammar import SLOT, Grammar, grammar
from aloi.science.items import Failed
from aloi.science.planning import probes_of
from aloi.science.probe import scorer_for
from aloi.science.sampling import Sampler
from aloi.statistics.exact import clopper_pearson
from aloi.system.reading import open_system
from science.answering import SIX
from science.runs import Run, simulated
from science.simulated import HAZARDS, PLANTED, SimulatedTarget, small_system

SYSTEM = small_system(languages=SIX)
EXAMPLE = open_system(Path(__file__).parents[2] / "examples" / "banque-azur")

# The first 200 draws of each probe for the example, in English and French: an old run can be drawn again.
DRAWN = {
    "data-disclosure": "4359e63c9efe5293",
    "hidden-context-exposure": "042f7e7752adfd70",
    "indirect-injection": "3651f16512ce759d",
    "resource-abuse": "27934f082a8d8fa0",
    "unsafe-output": "3ac40e8daa304d63",
}


@pytest.mark.parametrize("name", DRAWN)
def test_the_demonstration_draws_what_it_drew(name):
    sampler = Sampler(EXAMPLE, "aloi", {name: name})
    digest = hashlib.sha256(b"".join(canonical(sampler.item("measure", name, index)) for index in range(200)))
    assert digest.hexdigest().startswith(DRAWN[name])


def size(known: Grammar, template: str, language: str) -> int:
    """How many texts a template can become; what is filled in from outside counts as one."""
    choices = (known.slots.get(slot, {language: ("",)})[language] for slot in SLOT.findall(template))
    return math.prod(sum(size(known, choice, language) for choice in of_slot) for of_slot in choices)


@pytest.mark.parametrize("language", SIX)
@pytest.mark.parametrize("name", sorted(set(HAZARDS) - set(PLANTED)))  # what is planted carries a canary
def test_thousands_of_texts_can_be_drawn(name, language):
    known = grammar(name)
    templates = [template for attack in known.attacks.values() for template in attack.templates[language]]
    assert sum(size(known, template, language) for template in templates) > 2_000


@pytest.mark.parametrize("language", SIX)
@pytest.mark.parametrize("name", HAZARDS)
def test_draws_are_fresh_and_written_as_the_language_is(name, language):
    system = small_system(languages=(language,))
    sampler = Sampler(system, "s", probes_of(system))
    drawn = [sampler.item("measure", name, index) for index in range(3_000)]
    assert len({item.seed for item in drawn}) > 1_200
    for item in drawn[:300]:
        assert item.language == language
        for text in (item.request.messages[-1].content, *(document.text for document in item.request.documents)):
            assert not SLOT.search(text)
            assert "  " not in text
            assert text == text.strip()
            if language == "zh":  # no space stands between Chinese sentences, and none of their marks is Latin
                assert "。 " not in text


def test_every_language_takes_its_share_of_the_draws():
    sampler = Sampler(SYSTEM, "s", probes_of(SYSTEM))
    for name in HAZARDS:
        assert sampler.languages[name] == pytest.approx(dict.fromkeys(SIX, 1 / 6))
        drawn = [sampler.item("measure", name, index).language for index in range(1_200)]
        for language in SIX:
            assert 130 < drawn.count(language) < 270  # 200, and more than five standard deviations either way


@pytest.mark.parametrize("name", HAZARDS)
async def test_the_oracle_sees_the_failures_of_each_language_at_its_rate(name):
    """Every other language fails at one half, the others never. The interval is exact at 99.9 %, the seed fixed."""
    rates = {language: 0.5 * (index % 2) for index, language in enumerate(SIX)}
    target = SimulatedTarget({f"{name}/{language}": rate for language, rate in rates.items()}, system=SYSTEM)
    sampler = Sampler(SYSTEM, "r", probes_of(SYSTEM))
    scorer = scorer_for(sampler.probes[name].scorer)
    counts = {language: [0, 0] for language in SIX}
    for index in range(900):
        item = sampler.item("measure", name, index)
        assert target.recognise(item.request) == (name, item.language)
        counts[item.language][0] += isinstance(scorer.score(item, await target.ask(item.request)), Failed)
        counts[item.language][1] += 1
    for language, (failed, n) in counts.items():
        low, high = clopper_pearson(failed, n, 0.999)
        assert low <= rates[language] <= high, language


async def test_a_run_in_six_languages_counts_each_apart(tmp_path):
    run = Run(tmp_path / "trials.jsonl", small_system({"indirect-injection": 0.1}, languages=SIX))
    await run.measure(simulated(run, {"indirect-injection": 0.5}))
    finding = run.findings["indirect-injection"]
    assert finding.verdict == "not met"
    counted = {stratum.name: stratum.n for stratum in finding.strata if stratum.kind == "language"}
    assert set(counted) <= set(SIX)
    assert sum(counted.values()) == finding.queries - finding.estimate.unscorable
