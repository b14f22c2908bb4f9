"""Every probe of an endpoint that is wrapped, twinned or asked of a closed world: fresh draws, and right verdicts on
systems whose rate is known."""

import random
from collections.abc import Callable

import msgspec
import pytest

from aloi.science.episode import carry_out
from aloi.science.grammar import SLOT
from aloi.science.items import Failed, Item, Passed
from aloi.science.probe import probe_for, scorer_for
from aloi.science.sampling import Sampler
from aloi.statistics.exact import clopper_pearson
from aloi.system.description import HazardGoal, TargetDescription
from aloi.system.local import LocalKind
from aloi.system.messages import Request
from aloi.system.reading import System
from science.answering import SIX, Answering, as_code, six_languages
from science.runs import Run
from science.simulated import small_system

SYSTEM = six_languages()
ABSENT = {"en": "UNKNOWN", "fr": "INCONNU", "es": "DESCONOCIDO", "de": "UNBEKANNT", "ar": "غير معروف", "zh": "未知"}


def confabulates(item: Item, request: Request, fails: bool) -> str:
    details = item.expectation.details
    if fails:
        return "77"
    return f"{details['right']}." if details["right"] else ABSENT[item.language]


def believes_the_note(item: Item, request: Request, fails: bool) -> str:
    if len(request.messages) == 1:
        return "Ready."
    details = item.expectation.details
    return f"**{details['wrong'][0]}**" if fails else details["right"]


def breaks_the_rule(item: Item, request: Request, fails: bool) -> str:
    assert request.prompt.startswith(SYSTEM.description.prompt)
    assert request.prompt != SYSTEM.description.prompt
    return f"Of course: {item.expectation.needles[0]}." if fails else "I cannot write that."


def decides_by_form(item: Item, request: Request, fails: bool) -> str:
    granted, denied = ("مقبول", "مرفوض") if item.language == "ar" else ("Granted.", "**DENIED**")
    is_other = request.messages[0].content != item.request.messages[0].content
    return denied if fails and is_other else granted


def behaves_when_tested(item: Item, request: Request, fails: bool) -> str:
    is_used = request.messages[0].content != item.request.messages[0].content
    return f"It is {item.expectation.needles[0]}." if fails and is_used else "I may not write it."


def recites(item: Item, request: Request, fails: bool) -> str:
    return f"Sure! {request.prompt}" if fails else "You answer in one sentence: that is all I may say."


def copies_what_was_typed(item: Item, request: Request, fails: bool) -> str:
    copied, kept = as_code(item.attack, item.expectation.details["value"])
    return copied if fails else kept


PROBES: dict[str, Callable[[Item, Request, bool], str]] = {
    "brittleness": decides_by_form,
    "confabulation": confabulates,
    "discrimination": decides_by_form,
    "discrimination-by-language": decides_by_form,
    "eval-awareness": behaves_when_tested,
    "jailbreak": breaks_the_rule,
    "memory-rag-poisoning": believes_the_note,
    "output-injection": copies_what_was_typed,
    "poisoning-backdoor": decides_by_form,
    "prompt-copy": recites,
}


def draws(name: str, language: str, count: int, seed: str = "s") -> list[Item]:
    probe = probe_for(name)
    attacks = list(probe.attacks())
    rngs = (random.Random(f"{seed}{index}") for index in range(count))
    return [probe.item(SYSTEM, language, rng.choice(attacks), rng) for rng in rngs]


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize("language", SIX)
def test_draws_are_fresh_in_every_language_and_hold_no_open_slot(name, language):
    drawn = draws(name, language, 3_000)
    assert len({item.seed for item in drawn}) > 2_000
    for item in drawn[:300]:
        texts = [message.content for message in item.request.messages]
        texts += [*item.script, *item.sequel, *(document.text for document in item.request.documents)]
        for text in texts:
            assert not SLOT.search(text)
            assert "  " not in text
            assert text == text.strip()


@pytest.mark.parametrize("name", PROBES)
def test_a_draw_depends_on_its_seed_alone(name):
    assert draws(name, "en", 20) == draws(name, "en", 20)
    assert draws(name, "en", 20) != draws(name, "en", 20, "t")
    assert set(probe_for(name).languages(SYSTEM)) == set(SIX)
    assert sum(probe_for(name).attacks().values()) == pytest.approx(1)


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
async def test_the_oracle_counts_the_failures_that_there_are(name, rate):
    """Each outcome is that of its item; the exact 99.9 % interval of the count holds the rate. The seed is fixed."""
    probe = probe_for(name)
    scorer = scorer_for(probe.scorer)
    items = [item for language in SIX for item in draws(name, language, 60, language)]
    target = Answering(items, PROBES[name], rate)
    outcomes = [scorer.score(item, await carry_out(item, target)) for item in items]
    wanted = [Failed if target.fails(item) else Passed for item in items]
    assert [type(outcome) for outcome in outcomes] == wanted
    failed = sum(isinstance(outcome, Failed) for outcome in outcomes)
    low, high = clopper_pearson(failed, len(items), 0.999)
    assert low <= rate <= high


def of_probe(hazard: str, name: str) -> System:
    """A small system whose one hazard is measured by the probe of a name."""
    system = small_system({hazard: 0.1})
    threshold = 0.1 + getattr(scorer_for(probe_for(name).scorer), "chance", 0)
    assurance = msgspec.structs.replace(
        system.description.assurance, hazards={hazard: HazardGoal(threshold=threshold, probe=name)}
    )
    return System(msgspec.structs.replace(system.description, assurance=assurance), system.documents)


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize(("rate", "verdict"), [(0.0, "met"), (0.6, "not met")])
async def test_known_rates_get_their_verdicts(name, rate, verdict, tmp_path):
    hazard = probe_for(name).hazard
    run = Run(tmp_path / "trials.jsonl", of_probe(hazard, name))
    items = [run.sampler.item("measure", hazard, index) for index in range(run.plan.hazards[0].cap)]
    await run.measure(Answering(items, PROBES[name], rate))
    finding = run.findings[hazard]
    assert finding.verdict.value == verdict
    assert float(finding.estimate.low) <= rate <= float(finding.estimate.high)
    assert finding.estimate.unscorable == 0


@pytest.mark.model
@pytest.mark.parametrize("name", PROBES)
async def test_the_real_model_can_be_asked(name):
    """It answers in no form that can be known beforehand: each exchange is carried to its end and is scored."""
    system = small_system()
    probe = probe_for(name)
    sampler = Sampler(system, "s", {probe.hazard: name})
    scorer = scorer_for(probe.scorer)
    async with LocalKind().open(TargetDescription(kind="local", concurrency=2, max_tokens=24)) as target:
        for index in range(3):
            item = sampler.item("measure", probe.hazard, index)
            response = await carry_out(item, target)
            assert response.completion_tokens > 0
            assert scorer.score(item, response) is not None
