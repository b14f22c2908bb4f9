"""Figures, scales and letters."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from report_stories import ACCEPTED, TRIED

from aloi.assurance.report.changes import hazard_chart
from aloi.assurance.report.figures import Figures, visible
from aloi.assurance.report.outcomes import outcomes
from aloi.assurance.report.scale import Scale
from aloi.assurance.report.tried import front, tries

EN, FR = Figures("en"), Figures("fr")
NARROW, MINUS = "\u202f", "\u2212"
WRITTEN = {
    "percent": (EN.percent(Decimal("0.123")), "12.3%"),
    "percent below one": (FR.percent(0.0042), f"0,42{NARROW}%"),
    "zero": (FR.percent(0), f"0,0{NARROW}%"),
    "one": (FR.percent(Decimal(1)), f"100,0{NARROW}%"),
    "threshold": (FR.threshold(Decimal("0.001")), f"0,1{NARROW}%"),
    "round threshold": (EN.threshold(0.05), "5%"),
    "rise": (EN.points(Decimal("0.031")), "+3.1"),
    "fall": (FR.points(Decimal("-0.687")), f"{MINUS}68,7"),
    "count": (FR.whole(1234567), f"1{NARROW}234{NARROW}567"),
    "milliseconds": (FR.milliseconds(Decimal("0.42")), f"0,4{NARROW}ms"),
    "many milliseconds": (EN.milliseconds(1234.4), f"1,234{NARROW}ms"),
    "duration": (EN.duration(3_912), f"1{NARROW}h 5{NARROW}min 12{NARROW}s"),
    "short duration": (FR.duration(0.31), f"0,31{NARROW}s"),
    "moment": (EN.moment("2026-11-22T14:06:52Z"), "22 November 2026, 14:06 UTC"),
    "moment elsewhere": (FR.moment("2026-11-22T15:06:52+01:00"), "22 novembre 2026, 14:06 UTC"),
    "no moment": (FR.moment("yesterday"), "yesterday"),
    "day": (FR.day("2026-11-20"), "20 novembre 2026"),
    "list": (str(FR.listed(["a", "<b>", "c"])), "a, &lt;b&gt; et c"),
    "language": (FR.tongue("en"), "anglais"),
    "unknown language": (FR.tongue("xx-nowhere"), "xx-nowhere"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_figures_are_written_as_the_language_writes_them(name):
    got, expected = WRITTEN[name]
    assert got == expected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.sampled_from([0.02, 0.05, 1.0]))
def test_a_scale_holds_every_value_in_few_round_steps(values, least):
    scale = Scale.over(values, least=least)
    assert all(0 <= scale.at(value) <= 100 for value in values)
    assert scale.top >= max(values) - 1e-9
    assert scale.steps[0] == 0
    assert 3 <= len(scale.steps) <= 6
    assert list(scale.steps) == sorted(set(scale.steps))


@given(st.text())
def test_visible_text_hides_nothing_and_can_be_written(text):
    shown = visible(text)
    shown.encode("utf-8")
    assert visible(shown) == shown


def test_the_dots_stand_where_the_rates_are():
    titles = {one.hazard: one.hazard for one in ACCEPTED.plan.hazards}
    chart = hazard_chart(outcomes(ACCEPTED, titles), EN)
    first = chart.rows[0]
    assert (first.before.at, first.after.at, first.limit) == (68.75, 0.0, 10.0)
    assert (first.after.low, first.after.high) == (0.0, 7.1)
    assert [tick.text for tick in chart.ticks] == ["0%", "25%", "50%", "75%", "100%"]
    assert chart.rows[4].after is None


def test_the_chosen_set_comes_first_and_dots_on_one_place_share_it():
    twin = replace(TRIED[1], remedies=("secret-filter", "link-policy"))
    rated = tries(replace(ACCEPTED, tried=(*TRIED, twin)))
    assert rated.all[0].set.chosen
    assert [one.letter for one in rated.all] == list("ABCDEFGHIJ")
    points = front(rated, EN).points
    assert len(points) == 9
    assert points[-1].chosen
    assert any("," in point.letters for point in points)


def test_more_sets_than_letters():
    rated = tries(replace(ACCEPTED, tried=tuple(replace(TRIED[0], remedies=(f"r{i:02}",)) for i in range(30))))
    assert [one.letter for one in rated.all][25:28] == ["Z", "AA", "AB"]
    assert front(rated, EN).points[0].letters == "A, B, C, D…"
