"""Other regimes: a list of facts with their dates, in both languages, that nothing computes with."""

from datetime import date

import pytest

from aloi.errors import InvalidFile
from aloi.standards.pack import freshness
from aloi.standards.regimes import events, parse_regimes, regimes

HEAD = "checked_on: 2026-11-22\nhorizon: 30\nlicence: CC0-1.0\nregimes:\n"
ROW = """\
  - id: here
    jurisdiction: {en: Here, fr: Ici}
    instrument: {en: An act, fr: Une loi}
    status: {en: in force, fr: en vigueur}
    key_date: 2026-01-01
    starts: {en: duties, fr: obligations}
    next_date: 2027-01-01
    next_event: {en: fines, fr: amendes}
    seen_as_of: "2026-11"
    certainty: one secondary
    sources: a page
"""


def test_every_regime_is_told_in_both_languages_with_what_was_read():
    listed = regimes()
    assert len(listed.regimes) == 33
    assert [row.id for row in listed.regimes if not row.sources] == []
    for row in listed.regimes:
        for told in (row.status, row.instrument, row.note):
            assert told is None or told.en != told.fr, row.id
        assert (row.next_date is None) or row.next_event


def test_what_comes_next_is_in_the_order_of_days():
    found = events(regimes(), date(2026, 11, 26))
    assert [event.day for event in found] == sorted(event.day for event in found)
    assert {"eu-pld", "us-co", "kr-basic-act"} <= {event.regime for event in found}
    assert all(event.day > date(2026, 11, 26) for event in found)
    assert events(parse_regimes((HEAD + ROW).encode(), "r.yaml"), date(2026, 6, 1))[0].what.fr == "amendes"


def test_the_list_grows_stale():
    assert not freshness(regimes(), date(2026, 12, 22)).stale
    assert freshness(regimes(), date(2026, 12, 23)).stale


WRONG = {
    "twice": (ROW + ROW, "stands twice"),
    "no French": (ROW.replace("{en: fines, fr: amendes}", "{en: fines}"), "regimes[0].next_event.fr"),
    "a day that is none": (ROW.replace("2027-01-01", "2027-02-30"), "2027-02-30"),
    "next before now": (ROW.replace("2027-01-01", "2025-01-01"), "2025-01-01"),
    "a day without an event": (ROW.replace("    next_event: {en: fines, fr: amendes}\n", ""), "next_event"),
    "rumour": (ROW.replace("one secondary", "rumour"), "rumour"),
    "unknown key": (ROW + "    colour: red\n", "colour"),
    "empty": ("  []\n", "empty"),
}


@pytest.mark.parametrize("case", WRONG, ids=list(WRONG))
def test_a_wrong_list_is_told_with_its_row(case):
    rows, told = WRONG[case]
    text = HEAD.replace("regimes:\n", "regimes: []\n") if case == "empty" else HEAD + rows
    with pytest.raises(InvalidFile) as caught:
        parse_regimes(text.encode(), "regimes.yaml")
    faults = [(fault.message.format(**fault.facts), fault) for fault in caught.value.faults]
    assert any(told in message or told in fault.remedy for message, fault in faults), faults
    assert all(fault.line and fault.remedy for _, fault in faults)
