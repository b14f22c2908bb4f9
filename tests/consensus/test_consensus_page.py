"""The page of a consensus: an answer, a picture with a table twin, and why; nothing foreign is ever markup."""

import html
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from markupsafe import Markup
from msgspec.structs import replace

from aloi.assurance.consensus.account import Word
from aloi.assurance.consensus.certainty import Fact
from aloi.assurance.report.consensus import render_consensus
from aloi.assurance.report.consensus_words import FACTS, fact_sentence
from aloi.assurance.report.figures import Figures
from aloi.assurance.report.forest import LABEL, LEFT, RIGHT, Axis, fitted, forest
from aloi.assurance.report.speech import Speech
from aloi.science.hazards import hazard_title
from aloi.translation import translate
from consensus.laboratory import main_pool, together

HOSTILE = '<img src=x onerror=alert(1)>"\u202eevil\u0007'


def page(found, language="en"):
    return render_consensus(found, language, day="2026-11-26", hazard_title=hazard_title)


def speech(language="en"):
    plain = {"titles": lambda _f, r, _l: r, "framework": lambda k, _l: k, "remedy": lambda n, _l: n}
    return Speech(language, hazard=hazard_title, **plain)


@pytest.fixture(scope="module")
def settled(four):
    return together(*four)


@pytest.fixture(scope="module")
def everything(four, failing, copying, other_version, other_attacks, rated):
    return together(*four, failing, copying, other_version, other_attacks, rated)


def text(markup):
    return html.unescape(re.sub(r"<[^>]+>", " ", markup))


def test_the_answer_stands_first(settled):
    told = " ".join(text(page(settled)).split())
    assert "4 independent clusters together put the rate at 5.9%" in told
    assert "settled below the threshold at the stated threshold of 30%" in told
    assert told.index("In short") < told.index("Forest plot") < told.index("The same as a table")


def test_every_figure_of_the_picture_stands_in_its_table(settled):
    made = page(settled)
    picture = re.search(r"<svg class=\"plot\".*?</svg>", made, re.DOTALL)[0]
    table = text(re.search(r'<table class="twin">.*?</table>', made, re.DOTALL)[0])
    shown = re.findall(r'<text class="figures[^"]*"[^>]*>([^<]+)</text>', picture)
    assert len(shown) == 6
    for each in shown:
        for figure in re.findall(r"[\d.]+%", each):
            assert figure in table


def test_the_picture_is_told_to_who_does_not_see_it(settled):
    svg = ET.fromstring(re.search(r"<svg class=\"plot\".*?</svg>", page(settled), re.DOTALL)[0])
    assert svg.get("role") == "img"
    named = svg.get("aria-labelledby").split()
    told = {each.get("id"): each.text for each in svg if each.get("id")}
    assert set(named) == set(told)
    assert "4 results, in 4 independent clusters, pooled 5.9%" in told[named[1]]


def test_no_pooled_number_is_drawn_below_three_clusters(four):
    made = page(together(*four[:2]))
    assert "Range only" in made
    assert 'class="diamond"' not in made
    assert 'class="prediction"' not in made
    assert "Two independent clusters are too few" in made


def test_all_that_was_set_aside_is_there_with_why(everything):
    told = " ".join(text(page(everything)).split())
    assert "another version of the system: indirect evidence" in told
    assert "Beside it, not pooled with it" in told
    assert "judge-rated failures" in told
    assert "the same seed, which draws the same items" in told
    assert "Certainty: very low" in told
    assert "lies outside what the other clusters predict" in told
    assert "Verdicts contradict each other at one threshold" in told


def test_in_french(everything):
    made = page(everything, "fr")
    assert '<html lang="fr">' in made
    assert "grappes indépendantes" in made
    assert re.search(r"\d,\d\u202f%", made)


def test_a_hazard_of_which_nothing_can_be_shown(four):
    found = together(*four)
    view = replace(
        found.hazards[0], pools=(), evidence=tuple(replace(each, aside="void") for each in found.hazards[0].evidence)
    )
    assert "void: no key that signed it stood then" in page(replace(found, hazards=(view,)))


def test_nothing_foreign_is_markup(settled):
    view = settled.hazards[0]
    word = Word(by=(HOSTILE,), at=HOSTILE, text=HOSTILE, replies=(Word(by=(HOSTILE,), at="2026", text=HOSTILE),))
    evidence = tuple(
        replace(
            one,
            evaluator=replace(one.evaluator, name=HOSTILE, relation=HOSTILE),
            account=replace(
                one.account, disputes=(word,), withdrawals=(replace(word, reason=HOSTILE),), state="disputed"
            ),
            estimand=HOSTILE,
            registered_at=HOSTILE,
            seed=HOSTILE,
            scorer=replace(one.scorer, name=HOSTILE),
        )
        for one in view.evidence
    )
    pool = view.pools[0]
    links = tuple(replace(one, links=(one_link(HOSTILE),)) for one in pool.clusters)
    view = replace(view, hazard="x" + HOSTILE, evidence=evidence, pools=(replace(pool, clusters=links),))
    system = replace(settled.system, name=HOSTILE)
    for language in ("en", "fr"):
        made = page(replace(settled, hazards=(view,), system=system, owner=HOSTILE), language)
        assert "<img" not in made
        assert "\u202e" not in made
        assert "\u0007" not in made


def one_link(value):
    from aloi.assurance.consensus.records import NamedLink

    return NamedLink(why="seed", value=value, numbers=(1,))


def test_it_is_one_file_without_script(everything):
    made = page(everything)
    assert "<script" not in made
    assert not re.search(r"(?:src|href)=\"(?!#)", made)
    assert " style=" not in made


def test_ids_are_said_once(everything):
    ids = re.findall(r' id="([^"]+)"', page(everything))
    assert len(ids) == len(set(ids))
    targets = re.findall(r'href="#([^"]+)"', page(everything))
    assert set(targets) <= set(ids)


@pytest.mark.parametrize("values", [[0.0], [0.003], [0.0299], [0.4, 0.84], [1.0], [2.0]])
def test_an_axis_holds_its_values_and_its_ticks_stand_apart(values):
    axis = Axis.over(values)
    places = [axis.at(step) for step in axis.ticks()]
    assert (places[0], places[-1]) == (LEFT, RIGHT)
    assert all(other - one >= 40 for one, other in pairwise(places))
    assert LEFT <= axis.at(min(values)) <= axis.at(max(values)) <= RIGHT


@pytest.mark.parametrize("name", ["short", "A" * 30, "A" * 31, "評" * 40, "", "é" * 200])
def test_a_label_fits(name):
    import unicodedata

    told = fitted(name)
    room = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in told)
    assert room <= LABEL
    assert told == name or told.endswith("…")


def test_a_cluster_is_drawn_beside_all_its_rows(everything):
    view, pool = everything.hazards[0], main_pool(everything)
    plot = forest(view, pool, "x", speech())
    assert [one.name for one in plot.brackets] == ["A", "B", "C", "D", "E"]
    wide = next(one for one in plot.brackets if one.bottom > one.top)
    rows = [row for row in plot.rows if wide.top <= row.y <= wide.bottom]
    assert {row.label for row in rows} == {"north", "copying"}
    assert {row.mark for row in forest(view, view.pools[1], "x", speech()).rows} | {
        row.mark for row in forest(view, view.pools[2], "x", speech()).rows
    } == {"exact", "rated"}


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("code", FACTS)
def test_every_fact_has_a_sentence_with_its_figures(code, language):
    names = re.findall(r"{(\w+)}", FACTS[code])

    def say(message, **facts):
        return Markup.escape(translate(message, language)).format(**facts)

    told = fact_sentence(Fact(code=code, figures=dict.fromkeys(names, 3.0)), Figures(language), say)
    assert "{" not in told
    assert told.count("3") >= len(names)
