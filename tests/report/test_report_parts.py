"""Figures, scales and letters."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from report_stories import ACCEPTED, TRIED

from aloi.assurance.report.changes import hazard_chart
from aloi.assurance.report.figures import Figures
from aloi.assurance.report.labels import LETTER, LINE, PLOT, place
from aloi.assurance.report.outcomes import outcomes
from aloi.assurance.report.scale import Multiples, Scale
from aloi.assurance.report.speech import Speech
from aloi.assurance.report.tried import front, tries
from aloi.evidence.decoding import visible

EN, FR = Figures("en"), Figures("fr")
SPEECH = Speech(
    "en",
    titles=lambda _, key, __: key,
    framework=lambda key, _: key,
    hazard=lambda key, _: key,
    remedy=lambda key, _: key,
)
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
    story = replace(ACCEPTED, tried=(*TRIED, twin))
    rated = tries(story)
    assert rated.all[0].set.chosen
    assert [one.letter for one in rated.all] == list("ABCDEFGHIJ")
    points = front(rated, story, SPEECH).points
    assert len(points) == 9
    assert points[-1].chosen
    assert any("," in point.letters for point in points)


def test_more_sets_than_letters():
    story = replace(ACCEPTED, tried=tuple(replace(TRIED[0], remedies=(f"r{i:02}",)) for i in range(30)))
    rated = tries(story)
    assert [one.letter for one in rated.all][25:28] == ["Z", "AA", "AB"]
    assert front(rated, story, SPEECH).points[0].letters == "A, B, C, D…"


class TestTheFront:
    def test_a_dot_stands_at_its_worst_hazard_and_its_loss(self):
        rated = tries(ACCEPTED)
        chosen = rated.all[0]
        assert (chosen.risk, round(chosen.loss, 4)) == (0.5, 0.0667)
        drawn = front(rated, ACCEPTED, SPEECH)
        point = drawn.points[-1]
        assert point.y == drawn.aim
        assert point.x > drawn.allowed
        assert drawn.limit < drawn.aim

    def test_what_was_not_tried_stands_at_the_top_and_has_no_multiple(self):
        untried = replace(TRIED[0], remedies=("x",), failures={"data-disclosure": (0.0, 0)}, on_front=False)
        unplanned = replace(untried, failures={"elsewhere": (1.0, 20)})
        for odd in (untried, unplanned):
            story = replace(ACCEPTED, tried=(TRIED[0], odd))
            rated = tries(story)
            assert [one.risk and round(one.risk, 6) for one in rated.all] == [7, None]
            assert front(rated, story, SPEECH).points[0].y == 0

    def test_no_trial_of_ordinary_requests_and_no_set_at_all(self):
        story = replace(ACCEPTED, tried=(replace(TRIED[0], benign=0), TRIED[1]))
        assert front(tries(story), story, SPEECH).points
        assert front(tries(replace(ACCEPTED, tried=())), ACCEPTED, SPEECH) is None

    def test_the_rest_is_filed_by_why_it_was_not_chosen(self):
        groups = tries(ACCEPTED).groups
        assert [group.code for group in groups] == ["risk", "a-code-of-tomorrow"]
        assert sum(len(group.sets) for group in groups) == len(tries(ACCEPTED).rest)

    def test_of_very_many_sets_the_first_of_each_group_are_listed(self):
        many = tuple(replace(TRIED[2], remedies=(f"r{place:03}",)) for place in range(100))
        (group,) = tries(replace(ACCEPTED, tried=(TRIED[6], *many))).groups
        assert (len(group.sets), len(group.shown), group.more) == (100, 30, 70)

    def test_tokens_are_told_where_they_are_counted(self):
        assert not tries(ACCEPTED).counts_tokens
        story = replace(ACCEPTED, tried=(*TRIED[:-1], replace(TRIED[-1], added_tokens=31.5, on_front=True)))
        rated = tries(story)
        assert rated.counts_tokens
        assert any(point.more.endswith("+31.5 tokens") for point in front(rated, story, SPEECH).points)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=40))
def test_no_label_covers_a_dot_or_another_label(dots):
    labels = place(dots, [(at, ("AB", "12 ms")) for at in dots])
    boxes = []
    for (x, y), label in zip(dots, labels, strict=True):
        if label:
            width = LETTER * len("AB 12 ms" if label.whole else "AB")
            left = x * PLOT[0] / 100 + label.dx - {"start": 0, "middle": width / 2, "end": width}[label.anchor]
            bottom = y * PLOT[1] / 100 + label.dy + 4
            boxes.append((left, bottom - LINE, left + width, bottom))
    centres = [(x * PLOT[0] / 100, y * PLOT[1] / 100) for x, y in dots]
    assert all(left >= 0 and right <= PLOT[0] and top >= 0 and bottom <= PLOT[1] for left, top, right, bottom in boxes)
    for place_, (left, top, right, bottom) in enumerate(boxes):
        for others in boxes[:place_]:
            assert not (left < others[2] and others[0] < right and top < others[3] and others[1] < bottom)
        for x, y in centres:
            assert not (left < x < right and top < y < bottom)


@given(st.lists(st.floats(0, 1e6), max_size=8))
def test_multiples_hold_every_value_and_their_ticks_stand_apart(values):
    scale = Multiples.over(values)
    assert scale.top >= max([*values, 2])
    assert {0.0, 1.0, scale.top} <= {*scale.steps}
    assert list(scale.steps) == sorted({*scale.steps})
    places = [scale.at(step) for step in scale.steps if step not in (0.0, 1.0)]
    assert all(later - earlier > 5 for earlier, later in pairwise(places))
    assert len(scale.steps) < 14
