"""Bad files: each fault has its row and its remedy, and all are told at once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aloi.errors import AskerError, InvalidFile
from aloi.standards.frameworks import FrameworkFiles, read_framework
from aloi.standards.hub import hub, parse_hub
from aloi.standards.mapping import parse_mapping
from aloi.standards.pack import parse_pack

HEAD = """\
id: acme
edition: "1"
title: {en: Acme rules, fr: Règles Acme}
publisher: Acme
status: published
in_force_from: 2026-01-01
checked_on: 2026-11-22
horizon: 30
source: {document: Rules, place: "https://acme.example/rules"}
licence: CC0-1.0
text_policy: full
binds: [adopter]
requirements:
"""
GOOD = "  - {id: A.1, title: {en: One, fr: Un}, takes: [measurement]}\n"
ROW = "  - {{subject: {s}, object: {o}, relation: {r}, rationale: {{en: Why, fr: Pourquoi}}, date: 2026-11-22}}\n"
MAP = "framework: acme@1\nlicence: CC0-1.0\nauthor: Acme\nrows:\n"


def faults(read, *arguments):
    with pytest.raises(InvalidFile) as caught:
        read(*arguments)
    for fault in caught.value.faults:
        assert str(fault)
        fault.remedy.format(**fault.facts)
    return [(fault.line, fault.path, fault.remedy != "") for fault in caught.value.faults]


PACKS = {
    "missing translation": (
        HEAD + "  - {id: A.1, title: {en: One}, takes: [document]}\n",
        [(14, "requirements[0].title.fr", True)],
    ),
    "empty translation": (
        HEAD + "  - {id: A.1, title: {en: One, fr: ''}, takes: [document]}\n",
        [(14, "requirements[0].title.fr", True)],
    ),
    "unknown key": (
        HEAD + "  - {id: A.1, title: {en: One, fr: Un}, taks: [document]}\n",
        [(14, "requirements[0].taks", True), (14, "requirements[0].takes", True)],
    ),
    "unknown evidence": (
        HEAD + "  - {id: A.1, title: {en: One, fr: Un}, takes: [belief]}\n",
        [(14, "requirements[0].takes[0]", True)],
    ),
    "no evidence": (
        HEAD + "  - {id: A.1, title: {en: One, fr: Un}, takes: []}\n",
        [(14, "requirements[0].takes", True)],
    ),
    "id twice": (HEAD + GOOD + GOOD, [(15, "requirements[1].id", True)]),
    "prose as id": (HEAD + GOOD.replace("A.1", "'see the <table>'"), [(14, "requirements[0].id", True)]),
    "no requirement": (HEAD.replace("requirements:", "requirements: []"), [(13, "requirements", True)]),
    "unknown heading": (HEAD + GOOD.replace("takes", "group: B, takes"), [(14, "requirements[0].group", True)]),
    "unconfirmed without a word": (
        HEAD + GOOD.replace("takes", "certainty: unconfirmed, takes"),
        [(14, "requirements[0]", True)],
    ),
    "period before its systems": (
        HEAD
        + GOOD.replace(
            "takes", "periods: [{systems: all, applies_from: 2026-01-01, placed_before: 2027-01-01}], takes"
        ),
        [(14, "requirements[0].periods[0]", True)],
    ),
    "no such day": (HEAD.replace("2026-11-22", "2026-02-30") + GOOD, [(7, "checked_on", True)]),
    "horizon in words": (HEAD.replace("horizon: 30", "horizon: soon") + GOOD, [(8, "horizon", True)]),
    "several at once": (
        HEAD.replace("status: published", "status: valid").replace('edition: "1"', "edition: a b")
        + GOOD.replace("fr: Un", "de: Eins"),
        [
            (2, "edition", True),
            (5, "status", True),
            (14, "requirements[0].title.de", True),
            (14, "requirements[0].title.fr", True),
        ],
    ),
    "a list": ("- 1\n", [(1, "$", True)]),
    "a scalar for a table": (HEAD + "  - A.1\n", [(14, "requirements[0]", True)]),
    "a scalar for a list": (HEAD.replace("requirements:", "requirements: A.1"), [(13, "requirements", True)]),
    "key twice": (HEAD + GOOD + "horizon: 31\n", [(15, "horizon", True)]),
    "alias": (
        HEAD.replace("title: {en", "title: &t {en") + "  - {id: A.1, title: *t, takes: [document]}\n",
        [(14, "requirements[0].title", True)],
    ),
    "two documents": (HEAD + GOOD + "---\na: 1\n", [(1, "$", True)]),
    "not YAML": ("id: [\n", [(2, "$", True)]),
    "empty": ("", [(None, "$", True)]),
    "deep": ("id: " + "[" * 40 + "]" * 40 + "\n", [(1, "id" + "[0]" * 12, True)]),
    "too long": ("#" * (4 * 1024 * 1024 + 1), [(None, "$", True)]),
}


@pytest.mark.parametrize("case", PACKS, ids=list(PACKS))
def test_faults_of_a_pack(case):
    text, expected = PACKS[case]
    assert faults(parse_pack, text.encode(), "acme.yaml") == expected


def test_bytes_that_are_no_text():
    assert faults(parse_pack, b"\xff\xfe\x00", "acme.yaml")[0][1] == "$"


PACK = parse_pack((HEAD + GOOD).encode(), "acme.yaml")
MAPPINGS = {
    "unknown control": (MAP + ROW.format(s="magic", o="A.1", r="equal"), [(5, "rows[0].subject", True)]),
    "dangling id": (MAP + ROW.format(s="robustness", o="A.9", r="equal"), [(5, "rows[0].object", True)]),
    "unknown relation": (MAP + ROW.format(s="robustness", o="A.1", r="similar"), [(5, "rows[0].relation", True)]),
    "same pair twice": (
        MAP + ROW.format(s="robustness", o="A.1", r="equal") + ROW.format(s="robustness", o="A.1", r="none"),
        [(6, "rows[1]", True)],
    ),
    "another edition": (
        MAP.replace("@1", "@2") + ROW.format(s="robustness", o="A.1", r="equal"),
        [(1, "framework", True)],
    ),
    "an endorsement written by hand": (
        MAP + ROW.format(s="robustness", o="A.1", r="equal").replace("date:", "endorsements: [me], date:"),
        [(5, "rows[0].endorsements", True)],
    ),
}


@pytest.mark.parametrize("case", MAPPINGS, ids=list(MAPPINGS))
def test_faults_of_a_mapping(case):
    text, expected = MAPPINGS[case]
    assert faults(parse_mapping, text.encode(), "acme.yaml", PACK, hub()) == expected


HUB = """\
checked_on: 2026-11-22
licence: CC0-1.0
source: us
hazards: [{id: h, tier: visible, scorer: exact}]
remedies: [r]
controls:
"""
HUBS = {
    "unknown hazard": (
        "  - {id: c, title: {en: a, fr: b}, hazards: [x], proof: findings}\n",
        [(7, "controls[0].hazards[0]", True)],
    ),
    "nothing to find": ("  - {id: c, title: {en: a, fr: b}, proof: findings}\n", [(7, "controls[0]", True)]),
    "control twice": ("  - {id: c, title: {en: a, fr: b}, proof: plan}\n" * 2, [(8, "controls[1].id", True)]),
}


@pytest.mark.parametrize("case", HUBS, ids=list(HUBS))
def test_faults_of_a_hub(case):
    text, expected = HUBS[case]
    assert faults(parse_hub, (HUB + text).encode(), "controls.yaml") == expected


def test_a_hazard_with_an_unknown_remedy():
    text = (
        HUB.replace("scorer: exact", "scorer: exact, remedies: [r, x]")
        + "  - {id: c, title: {en: a, fr: b}, proof: plan}\n"
    )
    assert faults(parse_hub, text.encode(), "controls.yaml") == [(4, "hazards[0].remedies[1]", True)]


def test_a_file_that_is_not_there():
    with pytest.raises(AskerError, match=r"cannot read gone\.yaml"):
        read_framework(FrameworkFiles(pack=Path("gone.yaml")))


def test_scalars_stay_what_they_were_written():
    text = HEAD.replace('edition: "1"', "edition: 1.10").replace("Acme rules", "no") + GOOD
    pack = parse_pack(text.encode(), "acme.yaml")
    assert (pack.key, pack.title.en) == ("acme@1.10", "no")


@given(st.binary(max_size=200))
def test_noise_is_refused_and_never_crashes(noise):
    with pytest.raises(InvalidFile):
        parse_pack(noise, "noise.yaml")


@given(st.integers(0, len(HEAD + GOOD) - 1), st.characters(codec="utf-8"))
def test_one_changed_character_is_read_or_refused_with_a_line(place, character):
    text = HEAD + GOOD
    try:
        parse_pack((text[:place] + character + text[place + 1 :]).encode(), "acme.yaml")
    except InvalidFile as error:
        assert error.faults  # noqa: PT017 - both outcomes are right; what is checked is that a refusal tells its faults
