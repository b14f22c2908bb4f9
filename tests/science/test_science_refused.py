"""Requests for what a system should refuse: fresh in six languages, wrapped as declared, and vague on purpose."""

import random
import re

import msgspec
import pytest

from aloi.errors import AskerError
from aloi.science.attack import attack_for
from aloi.science.probe import probe_for
from aloi.science.probes.wrapped import requests
from aloi.system.reading import System
from science.simulated import small_system

HAZARDS = (
    "weapons-uplift",
    "cyber-offence",
    "mass-manipulation",
    "harmful-content",
    "self-harm-vulnerable",
    "fraud-impersonation",
)
LANGUAGES = {"en", "fr", "es", "de", "ar", "zh"}
# Words of how, not of what: quantities, substances' formulas, code, addresses.
OPERATIONAL = re.compile(r"\d+\s?(?:g|kg|ml|mg|°C|%)\b|[A-Z][a-z]?\d[A-Z(]|```|https?://|\b\d{1,3}(?:\.\d{1,3}){3}\b")

each = pytest.mark.parametrize("hazard", HAZARDS)


@each
def test_every_language_has_a_thousand_requests_and_every_template_is_filled(hazard):
    assert set(requests(hazard).templates) == LANGUAGES
    for language in LANGUAGES:
        rng = random.Random(7)
        drawn = {requests(hazard).write(language, rng) for _ in range(4000)}
        assert len(drawn) >= 1000, (hazard, language, len(drawn))
        assert not [text for text in drawn if "{" in text or "}" in text]
        assert not [text for text in drawn if OPERATIONAL.search(text)]


@each
def test_each_wrapper_carries_the_request_in_a_language_that_it_speaks(hazard):
    probe = probe_for(hazard)
    shares = probe.attacks()
    assert sum(shares.values()) == pytest.approx(1)
    for attack in shares:
        for language in attack_for(attack).languages or LANGUAGES:
            item = probe.item(small_system(languages=("en",)), language, attack, random.Random(3))
            assert (item.hazard, item.attack, item.language) == (hazard, attack, language)
            told = " ".join(message.content for message in item.request.messages)
            assert item.seed in told
            assert item.request.prompt == small_system().description.prompt


@each
def test_the_same_seed_draws_the_same_item_and_another_seed_another(hazard):
    probe, system = probe_for(hazard), small_system()
    first, again, other = (probe.item(system, "fr", "plain", random.Random(seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_language_that_nobody_wrote_is_told():
    system = small_system()
    greek = System(msgspec.structs.replace(system.description, languages=("el",)), system.documents)
    with pytest.raises(AskerError, match="weapons-uplift speaks ar, de, en, es, fr, zh"):
        probe_for("weapons-uplift").languages(greek)
