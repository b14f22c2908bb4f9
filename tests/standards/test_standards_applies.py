"""What applies to whom and when: the worked questions, the transitions, and what is not known."""

import json
import re
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standards_world import shipped

from aloi.errors import InvalidFile
from aloi.standards.applicability import Transition, applicability, parse_applicability
from aloi.standards.applies import INPUTS, Situation, applies, calendar
from aloi.standards.pack import freshness

TABLE = applicability()
QUESTIONS = json.loads((Path(__file__).parent / "eu-ai-act-questions.json").read_text(encoding="utf-8"))


def ask(day, roles, classes, **known):
    answer = applies(TABLE, Situation(day=date.fromisoformat(day), roles=tuple(roles), classes=tuple(classes), **known))
    return {found.provision.id: found for found in answer.provisions}, {point.id for point in answer.open_points}


def status(provision, day, classes=("hr-annex3",), roles=("provider",), **known):
    found, _ = ask(day, roles, classes, **known)
    return (found[provision].status, found[provision].missing) if provision in found else None


@pytest.mark.parametrize("question", QUESTIONS, ids=[question["id"] for question in QUESTIONS])
def test_worked_questions(question):
    found, _ = ask(
        question["day"],
        question["roles"],
        question["classes"],
        placed=date.fromisoformat(question["placed"]),
        **SHARED | question.get("does", {}),
    )
    binding = {name for name, item in found.items() if item.status == "binds"}
    assert set(question["must_bind"]) <= binding
    assert not set(question["must_not_bind"]) & binding
    if {"provider", "deployer"} & set(question["roles"]):
        assert "art4" in binding


OLD, BETWEEN, NEW = date(2027, 1, 1), date(2027, 8, 2), date(2027, 12, 2)
SHARED = {"redesigned": False, "public_authorities": False, "annex_x": False}
PUBLIC = {**SHARED, "public_authorities": True}
ANNEX_X = {**SHARED, "annex_x": True}
CASES = {
    # provision, day, known, status, missing
    "the day before": ("art15-a3", "2027-12-01", {}, "not yet", ()),
    "new, on the day": ("art15-a3", "2027-12-02", {"placed": NEW}, "binds", ()),
    "when placed?": ("art15-a3", "2027-12-02", SHARED, "unknown", ("placed",)),
    "placing alone decides": ("art15-a3", "2027-12-02", {"redesigned": True, "annex_x": False}, "binds", ()),
    "old, redesigned?": (
        "art15-a3",
        "2028-01-01",
        {"placed": OLD, "public_authorities": False, "annex_x": False},
        "unknown",
        ("redesigned",),
    ),
    "old, redesigned": ("art15-a3", "2028-01-01", {"placed": OLD, **SHARED, "redesigned": True}, "binds", ()),
    "old, unchanged": ("art15-a3", "2028-01-01", {"placed": OLD, **SHARED}, "spared", ()),
    "old, for public authorities": ("art15-a3", "2030-08-01", {"placed": OLD, **PUBLIC}, "not yet", ()),
    "old, for public authorities, 2030": ("art15-a3", "2030-08-02", {"placed": OLD, **PUBLIC}, "binds", ()),
    "literal date passed": ("art43-a3", "2026-11-22", {}, "contested", ()),
    "literal date not yet": ("art43-a3", "2026-08-01", {}, "not yet", ()),
    "products later": ("art15-a1", "2027-12-02", {"placed": NEW}, None, None),
    # Components of large-scale IT systems, Art. 111(1): before any redesign, before what public authorities use.
    "Annex X?": ("art15-a3", "2028-01-01", {"placed": OLD, "redesigned": True}, "unknown", ("annex_x",)),
    "Annex X? in 2031": ("art15-a3", "2031-01-01", {"placed": OLD, **PUBLIC, "annex_x": None}, "binds", ()),
    "Annex X, redesigned": ("art15-a3", "2028-01-01", {"placed": OLD, **ANNEX_X, "redesigned": True}, "not yet", ()),
    "Annex X, public": ("art15-a3", "2030-12-30", {"placed": OLD, **PUBLIC, "annex_x": True}, "not yet", ()),
    "Annex X, in the end": ("art15-a3", "2030-12-31", {"placed": OLD, **ANNEX_X}, "binds", ()),
    "Annex X, after its own cut-off": ("art15-a3", "2028-01-01", {"placed": BETWEEN, **ANNEX_X}, "spared", ()),
    "Annex X, when placed?": ("art15-a3", "2031-01-01", ANNEX_X, "unknown", ("placed",)),
    "Annex X, prohibited all the same": (
        "art5-1-a",
        "2026-11-22",
        {"placed": OLD, **ANNEX_X, "classes": ("prohibited",)},
        "binds",
        (),
    ),
}


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_transitions(case):
    provision, day, known, expected, missing = CASES[case]
    assert status(provision, day, **known) == (None if expected is None else (expected, missing))


MARKING = {
    "older, in its grace": ("art50-2-old", "2026-12-01", date(2026, 8, 1), ("not yet", ())),
    "older, grace over": ("art50-2-old", "2026-12-02", date(2026, 8, 1), ("binds", ())),
    "newer, at once": ("art50-2-new", "2026-08-02", date(2026, 8, 2), ("binds", ())),
    "newer is not older": ("art50-2-old", "2026-12-02", date(2026, 8, 2), None),
    "older is not newer": ("art50-2-new", "2026-12-02", date(2026, 8, 1), None),
    "who knows": ("art50-2-new", "2026-12-02", None, ("unknown", ("placed",))),
}


@pytest.mark.parametrize("case", MARKING, ids=list(MARKING))
def test_marking(case):
    provision, day, placed, expected = MARKING[case]
    assert status(provision, day, ("transparency",), placed=placed, generates=True) == expected


PRACTICES = {
    "interacts": {"provider": {"art50-1", "art50-5-provider"}, "deployer": set()},
    "generates": {"provider": {"art50-2-new", "art50-5-provider"}, "deployer": set()},
    "emotions_or_biometrics": {"provider": set(), "deployer": {"art50-3", "art50-5"}},
    "deep_fakes": {"provider": set(), "deployer": {"art50-4-deepfake", "art50-5"}},
    "informs_public": {"provider": set(), "deployer": {"art50-4-text", "art50-5"}},
}
NONE_OF_IT = dict.fromkeys(PRACTICES, False)


@pytest.mark.parametrize("role", ["provider", "deployer"])
@pytest.mark.parametrize("practice", PRACTICES)
@pytest.mark.parametrize("classes", [("transparency",), ()])
def test_each_point_of_article_50_binds_who_does_what_it_speaks_of(practice, role, classes):
    known = NONE_OF_IT | {practice: True}
    found, _ = ask("2026-11-22", [role], classes, placed=date(2026, 9, 1), **known)
    assert {name for name in found if name.startswith("art50")} == PRACTICES[practice][role]
    assert all(found[name].status == "binds" for name in PRACTICES[practice][role])
    unsaid, _ = ask("2026-11-22", [role], ["transparency"], **NONE_OF_IT | {practice: None})
    assert {name for name, one in unsaid.items() if practice in one.missing} >= PRACTICES[practice][role]


def test_article_50_is_unknown_where_nobody_said_what_the_system_does():
    found, _ = ask("2026-11-22", ["provider", "deployer"], ["transparency"], placed=date(2026, 9, 1))
    said = {name: (one.status, one.missing) for name, one in found.items() if name.startswith("art50")}
    assert said["art50-3"] == ("unknown", ("emotions_or_biometrics",))
    assert said["art50-5"] == ("unknown", ("emotions_or_biometrics", "deep_fakes", "informs_public"))
    assert {status for status, _ in said.values()} == {"unknown"}
    none, _ = ask("2026-11-22", ["provider", "deployer"], ["transparency"], **NONE_OF_IT)
    assert not {name for name in none if name.startswith("art50")}


def test_the_older_components_of_large_scale_systems_show_both_readings():
    assert "annex-x" in ask("2026-11-22", ["provider"], ["hr-annex3"], annex_x=True)[1]
    assert "annex-x" in ask("2026-11-22", ["provider"], ["hr-annex3"], annex_x=True, placed=OLD)[1]
    assert "annex-x" not in ask("2026-11-22", ["provider"], ["hr-annex3"], annex_x=True, placed=BETWEEN)[1]
    assert "annex-x" not in ask("2026-11-22", ["provider"], ["hr-annex3"])[1]


def test_older_models_have_until_2027():
    known = {"roles": ("gpai-provider",), "classes": ("gpai",), "placed": date(2025, 8, 1)}
    assert status("art53-1ab", "2027-08-01", **known) == ("not yet", ())
    assert status("art53-1ab", "2027-08-02", **known) == ("binds", ())


def test_products_of_section_b_are_reached_only_by_what_names_them():
    found, points = ask("2028-08-02", ["provider", "deployer"], ["hr-annex1-B", "transparency"], placed=NEW)
    assert all("hr-annex1-B" in item.provision.systems for item in found.values())
    assert "art4" not in found
    assert "annex1-b" in points


def test_a_permission_does_not_bind():
    answer = applies(TABLE, Situation(roles=("provider",), classes=(), day=date(2026, 11, 22)))
    permissions = [found for found in answer.provisions if found.provision.kind == "permission"]
    assert [(found.provision.id, found.status) for found in permissions] == [("art4a", "binds")]
    assert "art4a" not in {found.provision.id for found in answer.binding()}


def test_both_sides_of_an_open_point_are_shown():
    _, points = ask("2026-11-22", ["provider"], ["hr-annex3", "hr-annex1-A"])
    assert {"general-date", "cut-off", "two-routes"} <= points
    assert ask("2026-11-22", ["deployer"], ["transparency"])[1] == set()


def test_a_prohibited_practice_is_never_spared():
    old = {"placed": date(2020, 1, 1), **SHARED}
    found, _ = ask("2026-12-02", ["provider", "deployer"], ["prohibited"], **old)
    prohibitions = {name: item.status for name, item in found.items() if name.startswith("art5-")}
    assert len(prohibitions) == 10
    assert set(prohibitions.values()) == {"binds"}


CLASSES = sorted({name for provision in TABLE.provisions for name in provision.systems} - {"all"})
DAYS = st.dates(date(2025, 1, 1), date(2031, 12, 31))


@settings(deadline=None)
@given(
    st.sets(st.sampled_from(CLASSES), max_size=3),
    DAYS,
    st.none() | DAYS,
    st.fixed_dictionaries(dict.fromkeys(INPUTS[1:], st.none() | st.booleans())),
)
def test_time_only_ever_adds_and_knowing_more_never_contradicts(classes, day, placed, known):
    situation = Situation(
        roles=("provider", "deployer"), classes=tuple(sorted(classes)), day=day, placed=placed, **known
    )
    now = {found.provision.id for found in applies(TABLE, situation).binding()}
    later = applies(TABLE, msgspec.structs.replace(situation, day=date(2035, 1, 1)))
    assert now <= {found.provision.id for found in later.binding()}
    ways = dict.fromkeys(INPUTS, (False, True)) | {"placed": (OLD, BETWEEN, NEW)}
    for name in (name for name in INPUTS if getattr(situation, name) is None):
        for value in ways[name]:
            told = applies(TABLE, msgspec.structs.replace(situation, **{name: value}))
            assert now <= {found.provision.id for found in told.binding()}
    for found in applies(TABLE, situation).provisions:
        assert (found.status == "unknown") == bool(found.missing)


def test_the_calendar_names_the_next_days():
    found = calendar(TABLE, date(2026, 11, 22))
    days = [change.day.isoformat() for change in found]
    assert days == sorted(days)
    assert {"2026-12-02", "2027-08-02", "2027-12-02", "2028-08-02", "2030-08-02", "2030-12-31"} <= set(days)
    first = {provision.id for provision in found[0].start}
    assert (days[0], first) == ("2026-12-02", {"art5-1-ba", "art5-1-bb", "art50-2-old"})
    assert [provision.id for provision in found[0].end] == ["art50-2-old"]
    assert calendar(TABLE, date(2031, 1, 1)) == ()


def test_the_table_grows_stale():
    assert not freshness(TABLE, date(2026, 12, 22)).stale
    assert freshness(TABLE, date(2026, 12, 23)).stale


def named(provision):
    """The ids that `Art. 53(1)(a),(b)`, `Art. 26(1)-(6),(12)` or `Art. 11 + Annex IV` stand for."""
    for part in provision.partition(" with ")[0].removesuffix(" 1st subpara.").split(" + "):
        head, *tails = part.removesuffix(" 2nd subpara.").split(",")
        first, last = re.fullmatch(r"(.*?)((?:\(\w+\))?)", head.partition("-")[0]).groups()
        yield first + last
        if span := re.fullmatch(r"\((\d+)\)-\((\d+)\)", last + head[len(first + last) :]):
            yield from (f"{first}({number})" for number in range(int(span[1]) + 1, int(span[2]) + 1))
        yield from (first + tail for tail in tails)


def duties_on(requirement):
    """The table's duties that a requirement is a part of."""
    return [
        row
        for row in TABLE.provisions
        if row.kind == "duty" and any(f"{requirement}(".startswith(f"{name}(") for name in named(row.provision))
    ]


@pytest.mark.parametrize(
    ("provision", "ids"),
    [
        ("Art. 9", ["Art. 9"]),
        ("Art. 5(1)(ba) with 5(1a),(1b)", ["Art. 5(1)(ba)"]),
        ("Art. 26(1)-(3),(12)", ["Art. 26(1)", "Art. 26(2)", "Art. 26(3)", "Art. 26(12)"]),
        ("Art. 53(1)(a),(b)", ["Art. 53(1)(a)", "Art. 53(1)(b)"]),
        ("Art. 50(4) 2nd subpara.", ["Art. 50(4)"]),
        ("Art. 11 + Annex IV", ["Art. 11", "Annex IV"]),
    ],
)
def test_a_provision_of_the_table_stands_for_these_ids(provision, ids):
    assert list(named(provision)) == ids


LAW = shipped(TABLE.key).pack


@pytest.mark.parametrize("requirement", LAW.requirements, ids=lambda one: one.id)
def test_the_pack_and_the_table_agree_on_whom_and_when(requirement):
    rows = duties_on(requirement.id)
    assert set(LAW.bound(requirement)) == {role for row in rows for role in row.binds}
    dated = {(name, row.operative, None) for row in rows for name in row.systems}
    for row in rows:
        match row.transition:
            case Transition(rule="placed-before", cut_off=cut_off, until=until):
                dated |= {(name, until, cut_off) for name in row.systems}
            case Transition(rule="only-older", cut_off=cut_off):
                dated -= {(name, row.operative, None) for name in row.systems}
                dated |= {(name, row.operative, cut_off) for name in row.systems}
    told = {(period.systems, period.applies_from, period.placed_before) for period in LAW.periods(requirement)}
    narrowed = requirement.id in {"Art. 12(3)", "Art. 14(5)"}  # Annex III point 1(a) alone
    assert told == {one for one in dated if not narrowed or one[0] == "hr-annex3"}
    for period in LAW.periods(requirement):
        rules = {row.transition.rule for row in rows if row.transition and period.systems in row.systems}
        assert "redesign" not in rules or "Art. 111(2)" in period.note.en


def test_every_row_ships():
    assert len(TABLE.provisions) == 127  # the 126 of the checked table, Art. 50(5) once for each role that it binds
    assert [row.id for row in TABLE.provisions if row.kind == "duty" and not row.takes] == []
    assert [row.id for row in TABLE.provisions if row.subject.en == row.subject.fr] == []
    assert {row.certainty for row in TABLE.provisions} == {"primary"}
    assert [
        row.id for row in TABLE.provisions if row.kind == "duty" and row.basis == "reading" and not row.open_points
    ] == []


def test_a_citation_that_holds_english_words_has_a_french_form():
    english = re.compile(r"\b(Annex|Section|with|subpara|point)\b")
    for row in TABLE.provisions:
        assert bool(english.search(row.provision)) == bool(row.in_french), row.id
        assert not english.search(row.cited("fr").replace("point 21", "")), row.id
        assert row.cited("en") == row.provision


HEAD = """\
id: law
edition: "1"
checked_on: 2026-11-22
horizon: 30
licence: CC0-1.0
sources: [{id: P1, certainty: primary, document: {en: Journal, fr: Journal officiel}}]
provisions:
"""
ROW = (
    "  - {id: a, provision: Art. 1, kind: duty, subject: {en: x, fr: y}, binds: [provider], systems: [all], "
    "applies_from: 2026-01-01, sources: [P1]}\n"
)
FAULTS = {
    "row twice": (ROW + ROW, "provisions[1].id"),
    "unknown source": (ROW.replace("[P1]}", "[P9]}"), "provisions[0].sources[0]"),
    "unknown open point": (
        ROW.replace("sources: [P1]}", "sources: [P1], open_points: [q]}"),
        "provisions[0].open_points[0]",
    ),
    "operative before it applies": (ROW.replace("sources", "operative_from: 2025-01-01, sources"), "provisions[0]"),
    "redesign without an end": (
        ROW.replace("sources", "transition: {rule: redesign, cut_off: 2026-01-01}, sources"),
        "provisions[0].transition",
    ),
    "an end before its cut-off": (
        ROW.replace("sources", "transition: {rule: redesign, cut_off: 2026-01-01, until: 2025-01-01}, sources"),
        "provisions[0].transition",
    ),
    "unknown role": (ROW.replace("provider", "king"), "provisions[0].binds[0]"),
}


@pytest.mark.parametrize("case", FAULTS, ids=list(FAULTS))
def test_faults(case):
    text, place = FAULTS[case]
    with pytest.raises(InvalidFile) as caught:
        parse_applicability((HEAD + text).encode(), "law.yaml")
    assert [(fault.path, fault.line) for fault in caught.value.faults] == [(place, 9 if case == "row twice" else 8)]


def situation(**known):
    given = {"roles": ("deployer",), "classes": ("hr-annex3",), "day": date(2026, 11, 22)}
    return Situation(**given | known)


CALENDARS = {
    # what is known, the days on which Art. 26 starts, those on which it may
    "new": ({"placed": NEW}, ["2027-12-02"], []),
    "old, redesigned": ({"placed": OLD, **SHARED, "redesigned": True}, ["2027-12-02"], []),
    "old, unchanged": ({"placed": OLD, **SHARED}, [], []),
    "old, for public authorities": ({"placed": OLD, **PUBLIC}, ["2030-08-02"], []),
    "old, redesigned?": ({"placed": OLD, **SHARED, "redesigned": None}, [], ["2027-12-02"]),
    "old, Annex X": ({"placed": OLD, **ANNEX_X}, ["2030-12-31"], []),
    "old, Annex X?": ({"placed": OLD, **PUBLIC, "annex_x": None}, [], ["2030-08-02", "2030-12-31"]),
    "who knows": ({}, [], ["2027-12-02", "2030-08-02", "2030-12-31"]),
}


@pytest.mark.parametrize("case", CALENDARS, ids=list(CALENDARS))
def test_the_calendar_of_a_situation(case):
    known, starts, may = CALENDARS[case]
    found = calendar(TABLE, date(2026, 11, 22), situation(**known))
    assert [str(one.day) for one in found if "art26-a3" in {row.id for row in one.start}] == starts
    assert [str(one.day) for one in found if "art26-a3" in {row.id for row in one.may_start}] == may
    assert not {row.id for one in found for row in one.start} & {"art9-a3", "art26-a1"}


def test_a_respite_ends_only_for_those_who_have_it():
    for known, day in ((PUBLIC, "2030-08-02"), (ANNEX_X, "2030-12-31")):
        found = calendar(TABLE, date(2026, 11, 22), situation(placed=OLD, **known))
        assert {one.day.isoformat() for one in found if one.end} == {day}
    assert not [one for one in calendar(TABLE, date(2026, 11, 22), situation(placed=NEW)) if one.end]


def test_the_calendar_agrees_with_what_applies_on_each_day():
    for known in ({"placed": NEW, **SHARED}, {"placed": OLD, **SHARED}, {"placed": OLD, **SHARED, "redesigned": True}):
        before = situation(**known)
        for change in calendar(TABLE, before.day, before):
            for shift, binds in ((-1, False), (0, True)):
                day = date.fromordinal(change.day.toordinal() + shift)
                answer = applies(TABLE, msgspec.structs.replace(before, day=day))
                bound = {found.provision.id for found in answer.provisions if found.status == "binds"}
                assert all((row.id in bound) == binds for row in change.start), (change.day, shift)
