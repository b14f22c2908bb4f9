"""The catalogue of hazards: complete in both languages, and no number of another list without its edition."""

import re
from importlib.resources import files

import msgspec
import pytest
import yaml

from aloi.errors import UnknownName
from aloi.science.hazards import Hazard, HazardPack, Mapping, hazard, hazards, pack
from aloi.science.probed import probes_by_hazard
from science.simulated import HAZARDS

TEXT = files("aloi.science").joinpath("data/hazards.yaml").read_text(encoding="utf-8")


def test_the_catalogue_of_hazards():
    known = hazards()
    assert len(known) == len(pack().hazards) == TEXT.count("\n  - slug:") == 25  # a slug that stood twice would be lost
    assert [one.tier for one in known.values()] == ["extreme"] * 6 + ["visible"] * 19
    for slug, one in known.items():
        assert one.slug == slug
        assert set(one.title) == set(one.description) == {"en", "fr"}
        assert len(set(one.title.values())) == len(set(one.description.values())) == 2
        assert one.surfaces
        assert one.scorers
        assert one.maps_to
        assert len(set(one.maps_to)) == len(one.maps_to)
    assert set(HAZARDS) <= set(known)


def test_where_the_catalogue_comes_from_is_said():
    told = pack()
    assert (told.id, told.edition, told.licence) == ("aloi-hazards", "2026-11", "Apache-2.0")
    assert told.checked_on.isoformat() == "2026-11-22"
    assert "AILuminate 1.0" in told.source


def test_what_is_always_measured_is_no_hazard():
    assert {metric.name for metric in pack().always_on} == {"benign-pass-rate", "added-latency"}
    assert not {metric.name for metric in pack().always_on} & set(hazards())
    assert all(set(metric.title) == set(metric.description) == {"en", "fr"} for metric in pack().always_on)


@pytest.mark.parametrize("slug", hazards())
def test_french_punctuation_of_the_catalogue(slug):
    for text in (hazard(slug).title["fr"], hazard(slug).description["fr"]):
        assert not re.search(r"[ \u00a0][;:!?%»]|\w[;!?»]|\w:(?=\s)", text)


def test_no_system_is_asked_for_abuse_material():
    assert set(hazard("sexual-abuse-media").surfaces) == {"record", "media"}
    assert "sexual-abuse-media" not in probes_by_hazard()


def test_surfaces_on_which_agents_and_endpoints_are_asked():
    assert {"file", "agent"} == set(hazard("artefact-compromise").surfaces)
    assert {"media", "agent"} == set(hazard("unmarked-media").surfaces)
    assert "endpoint" in hazard("poisoning-backdoor").surfaces
    assert "oracle" in hazard("artefact-compromise").scorers
    assert "oracle" in hazard("unmarked-media").scorers


def test_every_probe_measures_what_a_system_can_be_asked():
    for slug, probes in probes_by_hazard().items():
        assert probes
        assert slug == "benign" or {"endpoint", "agent", "predictive"} & set(hazard(slug).surfaces)


def test_a_mapping_is_cut_at_its_first_colon():
    entry = Mapping(to="owasp-llm@2026:LLM01:2026")
    assert (entry.framework, entry.id, entry.unconfirmed) == ("owasp-llm@2026", "LLM01:2026", False)
    assert Mapping(to="eu-ai-act@2026-07-27:Art. 5(1)(ba)").id == "Art. 5(1)(ba)"


HOSTILE = {
    "no edition": {"to": "owasp-llm:LLM01"},
    "an empty edition": {"to": "owasp-llm@:LLM01"},
    "no id": {"to": "owasp-llm@2026:"},
    "a blank id": {"to": "owasp-llm@2026: "},
    "an id with a space at its end": {"to": "owasp-llm@2026:LLM01 "},
    "no framework": {"to": "@2026:LLM01"},
    "an empty text": {"to": ""},
    "another word for doubt": {"to": "owasp-llm@2026:LLM01", "confirmed": False},
    "doubt in words": {"to": "owasp-llm@2026:LLM01", "unconfirmed": "yes"},
    "nothing": {},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_mapping_that_is_refused(name):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(HOSTILE[name], Mapping)


BROKEN = {
    "a tier of its own": {"tier": "average"},
    "a surface of its own": {"surfaces": ["dream"]},
    "a scorer of its own": {"scorers": ["coin"]},
    "a slug in capitals": {"slug": "Jailbreak"},
    "a description of two lines": {"description": {"en": "one\ntwo", "fr": "un"}},
    "an empty title": {"title": {"en": "", "fr": ""}},
    "a number in place of a mapping": {"maps_to": ["LLM01"]},
    "an unknown field": {"severity": 9},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_hazard_that_is_refused(name):
    row = next(row for row in yaml.safe_load(TEXT)["hazards"] if row["slug"] == "jailbreak")
    assert msgspec.convert(row, Hazard) == hazard("jailbreak")
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**row, **BROKEN[name]}, Hazard)


@pytest.mark.parametrize("key", ["edition", "source", "checked_on", "licence"])
def test_a_catalogue_without_its_origin_is_refused(key):
    told = yaml.safe_load(TEXT)
    told.pop(key)
    with pytest.raises(msgspec.ValidationError, match=key):
        msgspec.convert(told, HazardPack)


def test_an_unknown_hazard_offers_the_nearest():
    with pytest.raises(UnknownName) as caught:
        hazard("indirect-injecton")
    assert str(caught.value.facts["nearest"]).startswith("indirect-injection")
