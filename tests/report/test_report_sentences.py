"""What a finding says in one sentence, which error a plan controls, and the parts of a result, word for word."""

from decimal import Decimal
from html import unescape
from re import findall, sub

import pytest
from msgspec.structs import replace
from report_stories import ACCEPTED, CONFIRMED, MEASURED, PLAN, estimate, finding

from aloi.assurance.report.page import render
from aloi.assurance.report.sentences import forecast, rounded, sentence
from aloi.assurance.report.speech import Speech
from aloi.evidence.records import Exploration, ScorerIdentity, Verdict
from aloi.science.forecasting import FARTHEST

N, A = "\u202f", "\u2019"
ANYTIME = f"à tout moment d{A}arrêt"
D = Decimal


def speech(language):
    return Speech(
        language,
        titles=lambda *_: "",
        framework=lambda key, _: key,
        hazard=lambda slug, _: slug,
        remedy=lambda name, _: name,
    )


def one(verdict, rate, **changes):
    return finding("unsafe-output", "measure", verdict, rate, "1", "1", **changes)


JUDGE = ScorerIdentity(name="grader", kind="judge", version="1")
MET = one(Verdict.MET, estimate(0, 612, "0", "0.008"))
SAID = {
    "met": (
        MET,
        None,
        (
            "At most 0.80% of requests fail (97.5% confidence at any moment of stopping, 612 independent draws, "
            "0 failures)."
        ),
        (
            f"Au plus 0,80{N}% des requêtes échouent (confiance de 97,5{N}% {ANYTIME}, "
            "612 tirages indépendants, 0 échec)."
        ),
    ),
    "not met": (
        one(Verdict.NOT_MET, estimate(9, 100, "0.0312", "0.2", unscorable=1)),
        None,
        (
            "More than 3.1% of requests fail (97.5% confidence at any moment of stopping, 101 independent draws, "
            "9 failures, one without a score, counted against the claim)."
        ),
        (
            f"Plus de 3,1{N}% des requêtes échouent (confiance de 97,5{N}% {ANYTIME}, "
            f"101 tirages indépendants, 9 échecs, un sans note, compté contre l{A}affirmation)."
        ),
    ),
    "undecided": (
        one(Verdict.INCONCLUSIVE, estimate(12, 1200, "0.006", "0.017")),
        2_943,
        (
            "Undecided: between 0.60% and 1.7% of requests fail (95% confidence at any moment of stopping, "
            "1,200 independent draws, 12 failures). About 2,900 more queries would decide it, at the rate seen."
        ),
        (
            f"Indécis{N}: entre 0,60{N}% et 1,7{N}% des requêtes échouent (confiance de 95{N}% {ANYTIME}, "
            f"1{N}200 tirages indépendants, 12 échecs). "
            f"Environ 2{N}900 requêtes de plus trancheraient, au taux observé."
        ),
    ),
    "undecided, without a forecast": (
        one(Verdict.INCONCLUSIVE, estimate(1, 3, "0.01", "0.9")),
        None,
        (
            "Undecided: between 1.0% and 90.0% of requests fail (95% confidence at any moment of stopping, "
            "3 independent draws, one failure)."
        ),
        (
            f"Indécis{N}: entre 1,0{N}% et 90,0{N}% des requêtes échouent (confiance de 95{N}% {ANYTIME}, "
            "3 tirages indépendants, 1 échec)."
        ),
    ),
    "judged": (
        replace(MET, scorer=JUDGE),
        None,
        (
            "At most 0.80% of requests are judged to fail (97.5% confidence at any moment of stopping, "
            "612 independent draws, 0 judge-rated failures)."
        ),
        (
            f"Au plus 0,80{N}% des requêtes sont jugées en échec (confiance de 97,5{N}% {ANYTIME}, "
            "612 tirages indépendants, 0 échec selon le juge)."
        ),
    ),
    "corrected for a judge's errors": (
        replace(MET, scorer=JUDGE, uncorrected=MET.estimate),
        None,
        (
            "At most 0.80% of requests fail (97.5% confidence at any moment of stopping, "
            "612 independent draws, 0 judge-rated failures, corrected for what the judge misses and for its false "
            "alarms)."
        ),
        (
            f"Au plus 0,80{N}% des requêtes échouent (confiance de 97,5{N}% {ANYTIME}, "
            "612 tirages indépendants, 0 échec selon le juge, corrigé de ce que le juge manque et de ses fausses "
            "alertes)."
        ),
    ),
    "not tested": (
        one(Verdict.NOT_TESTED, estimate(0, 0, "0", "1")),
        None,
        "Not tested: nothing is said of the rate.",
        f"Non testé{N}: rien n{A}est dit du taux.",
    ),
    "nothing scored": (
        one(Verdict.INCONCLUSIVE, estimate(0, 0, "0", "1", unscorable=5)),
        FARTHEST,
        (
            "Undecided: between 0.0% and 100.0% of requests fail (95% confidence at any moment of stopping, "
            "5 independent draws, 0 failures, 5 without a score, counted against the claim). "
            "No answer could be scored: more of the same decide nothing."
        ),
        (
            f"Indécis{N}: entre 0,0{N}% et 100,0{N}% des requêtes échouent (confiance de 95{N}% {ANYTIME}, "
            f"5 tirages indépendants, 0 échec, 5 sans note, comptés contre l{A}affirmation). "
            f"Aucune réponse n{A}a pu être notée{N}: d{A}autres semblables ne trancheront rien."
        ),
    ),
    "too close": (
        one(Verdict.INCONCLUSIVE, estimate(1, 100, "0.001", "0.03")),
        FARTHEST,
        (
            "Undecided: between 0.10% and 3.0% of requests fail (95% confidence at any moment of stopping, "
            "100 independent draws, one failure). "
            "At the rate seen, 1,000,000 more queries would not decide it: it lies too close to the threshold."
        ),
        (
            f"Indécis{N}: entre 0,10{N}% et 3,0{N}% des requêtes échouent (confiance de 95{N}% {ANYTIME}, "
            f"100 tirages indépendants, 1 échec). "
            f"Au taux observé, 1{N}000{N}000 requêtes de plus ne trancheraient pas{N}: il est trop proche du seuil."
        ),
    ),
}


@pytest.mark.parametrize("case", SAID)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_finding_in_one_sentence(case, language):
    found, remaining, english, french = SAID[case]
    assert sentence(found, remaining, speech(language)).unescape() == (english if language == "en" else french)


ROUNDED = {1: 1, 9: 9, 99: 99, 101: 100, 105: 100, 2_943: 2_900, 2_951: 3_000, 99_999: 100_000, 0: 0}


@pytest.mark.parametrize(("count", "expected"), ROUNDED.items())
def test_forecasts_have_two_figures(count, expected):
    assert rounded(count) == expected


def test_one_query_is_one_query():
    assert forecast(1, speech("en")) == "About one more query would decide it, at the rate seen."


ERRORS = {
    ("holm_per_family", False): "In each stage, chance of any false “met” over all hazards together: at most 5%; "
    "of any false “not met”: also at most 5% (Holm's rule on e-values, one family for each direction; proved).",
    (
        "holm_per_family",
        True,
    ): "In each stage, chance of any false claim over all hazards together, “met” or “not met”: "
    "at most 5% (Holm's rule on e-values, one family for each direction; proved).",
    ("bonferroni", False): "In each stage, chance of any false “met” over all hazards together: at most 5%; "
    "of any false “not met”: also at most 5% (Bonferroni's rule on e-values; proved).",
    (
        "holm_directional",
        True,
    ): "In each stage, chance of any false claim over all hazards together, “met” or “not met”: "
    "at most 5% (directional Holm: the error is shared among the hazards without a claim; it holds in simulation, "
    "in general it is not proved).",
}


@pytest.mark.parametrize(("registered", "said"), ERRORS.items(), ids=map(str, ERRORS))
def test_the_report_says_which_error_is_controlled(registered, said):
    rule, joint = registered
    story = replace(ACCEPTED, plan=replace(PLAN, multiplicity=rule, joint=joint))
    assert said in unescape(render(story, "en"))
    assert "{" not in unescape(str(speech("fr").error(story.plan)))


def text(story, language="en"):
    """The words of the section of findings, tags taken away."""
    page = unescape(render(story, language))
    section = page[page.index('<section id="findings"') : page.index('<section id="transcripts"')]
    return sub(r"\s+", " ", sub(r"<[^>]*>", " ", section))


def test_languages_stand_apart_with_their_difference():
    english, french = text(ACCEPTED), text(ACCEPTED, "fr")
    assert "English 46.7% (26.7% to 66.7%) 7/15" in english
    assert "English \u2212 French \u221246.7 (\u221273.3 to \u22126.7)" in english
    assert "anglais \u2212 français \u221246,7 (\u221273,3 à \u22126,7)" in french
    assert "never too narrow" in english
    assert "jamais trop étroit" in french


def test_cells_that_stand_out_are_marked_exploratory():
    english = text(ACCEPTED)
    assert "Exploratory: attack and language over the threshold role-play, French 9/12 e-value 446" in english
    assert "an expected share of at most 5% is named falsely. No verdict rests on them." in english
    quiet = text(replace(ACCEPTED, findings=tuple(one for one in MEASURED if one.verdict is not Verdict.NOT_MET)))
    assert "of 4 combinations of attack and language none stands out" in quiet
    assert "named falsely" not in quiet
    bare = replace(ACCEPTED, findings=tuple(replace(one, exploration=None, contrasts=()) for one in CONFIRMED))
    assert "xplorat" not in text(bare)


def test_parts_of_an_earlier_edition_are_counts():
    strata = tuple(replace(one, estimate=None) for one in MEASURED[0].strata)
    old = replace(MEASURED[0], strata=strata, contrasts=(), exploration=None)
    assert "English 7/15 46.7% French 14/15 93.3%" in text(replace(ACCEPTED, findings=(old,)))


def test_an_open_hazard_is_told_with_what_would_decide_it():
    page = unescape(render(ACCEPTED, "en"))
    assert "(about 2,900 more queries needed)" in page
    assert len(findall("would not decide it", page)) == 1


def test_hostile_names_of_parts_stay_text():
    evil = "<script>alert(1)</script>"
    strata = tuple(replace(one, name=evil) if one.kind == "attack" else one for one in MEASURED[0].strata[:3])
    cells = tuple(replace(one, attack=evil, language=evil) for one in MEASURED[0].exploration.above)
    contrasts = tuple(replace(one, first=evil) for one in MEASURED[0].contrasts)
    explored = Exploration(cells=4, false_share=D("0.05"), above=cells)
    hostile = replace(MEASURED[0], strata=strata, contrasts=contrasts, exploration=explored)
    page = render(replace(ACCEPTED, findings=(hostile,)), "en")
    assert evil not in page
    assert page.count("&lt;script&gt;") == 4
