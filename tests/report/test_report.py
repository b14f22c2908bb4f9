"""The report says what the story says, in both languages, and foreign text stays text."""

import re
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace
from report_stories import (
    ACCEPTED,
    EFFECT,
    NAMES,
    NONE_GOOD_ENOUGH,
    NOTHING_TO_REMEDY,
    REFUSED,
    STORIES,
    TRANSCRIPTS,
    TRIED,
)

from aloi.assurance.report.page import render
from aloi.assurance.report.words import NOT_CLAIMED, REASONS
from aloi.evidence.predicates import NonClaim
from aloi.evidence.records import Reason

NARROW = "\u202f"
VOID = {"meta", "link", "br", "img", "input", "hr"}
DRAWN = {"path", "circle", "rect", "line"}


class Page(HTMLParser):
    """The elements and the text of a page; says whether every element is closed where it should be."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.text, self.faults = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)

    @property
    def words(self):
        return re.sub(r"[ \n]+", " ", "".join(self.text))


def page(story, language="en"):
    return Page(render(story, language, **NAMES))


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", STORIES)
def test_every_story_is_one_whole_page_that_loads_nothing(name, language):
    read = page(STORIES[name], language)
    assert (read.open, read.faults) == ([], [])
    assert ("html", {"lang": language}) in read.elements
    tags = {tag for tag, _ in read.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    loaded = [
        (name, value)
        for _, attributes in read.elements
        for name, value in attributes.items()
        if name in {"src", "srcset", "style"} or name.startswith("on") or (name == "href" and not value.startswith("#"))
    ]
    assert loaded == []
    targets = {attributes.get("id") for _, attributes in read.elements}
    assert {attributes["href"][1:] for tag, attributes in read.elements if tag == "a"} <= targets
    identifiers = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", STORIES)
def test_words_that_are_never_said(name, language):
    words = page(replace(STORIES[name], transcripts=()), language).words.lower()
    forbidden = r"\bsafe\b|\bsafely\b|\bcomplian(t|ce)\b|\bsûre?s?\b|\bconformes?\b|\bconformité\b|\btu\b|\bton\b"
    assert re.findall(forbidden, words) == []


def test_the_answer_says_what_was_found_fixed_and_paid():
    words = page(ACCEPTED).words
    assert "Assistant of Banque Azur, answered by SmolLM2-135M-Instruct (Q4_1), was measured on 5 hazards" in words
    assert "Hidden context exposed (70.0% failed, threshold 10%)" in words
    assert "3 remedies were confirmed together on fresh items and accepted: Secret filter, " in words
    assert "Hidden context exposed from 68.8% to 0.0%" in words
    assert "96.7% of their requests were answered before, and 95.0% after." in words


def test_verdicts_are_told_for_every_hazard_of_the_plan_even_unmeasured_ones():
    words = page(STORIES["nothing measured"]).words
    assert words.count("not tested") >= len(ACCEPTED.plan.hazards)
    assert "Nothing was measured." in words
    assert "the system gave no usable answer any more" in words


def test_a_refusal_is_told_on_top_and_with_its_reasons():
    words = page(REFUSED).words
    assert "were refused at confirmation: up to 35.7% of ordinary requests are lost, more than the 5% allowed" in words
    assert "The system therefore stands as it was measured." in words
    assert "Refused by the policy of the plan" in words
    assert "With the refused remedies" in words
    assert "accepted:" not in words


def test_nothing_to_remedy_and_nothing_good_enough_are_told_apart():
    assert "Nothing called for a remedy, so none was tried." in page(NOTHING_TO_REMEDY).words
    assert "9 sets of remedies were tried and none met the policy" in page(NONE_GOOD_ENOUGH).words


def test_an_effect_without_latency_says_that_it_was_not_measured():
    words = page(replace(ACCEPTED, effect=replace(EFFECT, latency=None))).words
    assert "Added delay, median of requests not measured" in re.sub(r"\s+", " ", words.replace("requests", "requests "))
    assert "The remedies add" not in words


def test_french_figures_and_spaces():
    words = page(replace(ACCEPTED, transcripts=()), "fr").words
    assert f"68,8{NARROW}%" in words
    assert f"6{NARROW}180" in words
    assert f"verdict était «{NARROW}non atteint{NARROW}» au seuil énoncé" in words
    assert f"0,4{NARROW}ms" in words
    assert "22 novembre 2026, 14:06 UTC" in words
    assert not re.search(r"[ \u00a0][;!?%»]", words)


@pytest.mark.parametrize("code", [*REASONS, "a-code-of-tomorrow"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_reason_is_a_sentence_and_an_unknown_one_is_shown(code, language):
    reason = Reason(code=code, about="data-disclosure", got=Decimal("0.25"), limit=Decimal("0.1"))
    words = page(replace(ACCEPTED, effect=replace(EFFECT, accepted=False, reasons=(reason,))), language).words
    assert ("a-code-of-tomorrow: data-disclosure, 0.25, 0.1" in words) == (code not in REASONS)
    assert ("data-disclosure, 0.25" in words) == (code not in REASONS)


def test_a_reason_without_figures_still_reads():
    reasons = (Reason(code="benign-loss-unknown", about="benign", limit=Decimal("0.05")), Reason(code="bare", about=""))
    words = page(replace(ACCEPTED, effect=replace(EFFECT, accepted=False, reasons=reasons))).words
    assert "the loss of ordinary requests was not shown to stay within 5%; bare." in words


def test_every_non_claim_has_its_sentence():
    assert set(NOT_CLAIMED) == set(NonClaim)
    assert "the law: whether it is satisfied, only an authority or a court can say." in page(ACCEPTED).words


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "handler": '<img src=x onerror="alert(1)">',
    "end of a quote": "</blockquote></details><h1>owned</h1>",
    "attribute": '" onmouseover="alert(1)" x="',
    "style": "</style><style>body{display:none}</style>",
    "comment": "<!-- --!> <![CDATA[ ]]>",
    "vector image": "<svg onload=alert(1)><title>",
    "template": "{{ 7 * 7 }}{% raw %}{0}{name}%(x)s%s",
    "entity": "&lt;b&gt; &#x3c;script&#x3e;",
    "link": '[x](javascript:alert(1)) <a href="https://example.org/?leak">x</a>',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_markup_in_foreign_text_is_inert(name):
    text = HOSTILE[name]
    trial = replace(
        TRANSCRIPTS[2],
        question=text,
        documents=(text,),
        before=text,
        after=text,
        language=text,
        attack=text,
        decisions=(replace(TRANSCRIPTS[2].decisions[0], reason=text, document=text, guard=text),),
    )
    reason = Reason(code=text, about=text)
    story = replace(
        ACCEPTED,
        title=text,
        purpose=text,
        owner=text,
        model=text,
        verify_command=text,
        transcripts=(trial,),
        tried=(replace(TRIED[0], remedies=(text,), reasons=(reason,)), *TRIED[1:]),
        effect=replace(EFFECT, accepted=False, reasons=(reason,)),
    )
    quiet = page(replace(story, **dict.fromkeys(("title", "purpose", "owner", "model", "verify_command"), "x")))
    hostile = page(story)
    assert (hostile.open, hostile.faults) == ([], [])
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in quiet.elements]
    names = {name for _, attributes in hostile.elements for name in attributes}
    assert not any(name.startswith("on") for name in names)
    assert "".join(hostile.text).count(text) >= 8
    plain = page(replace(ACCEPTED, effect=story.effect, tried=story.tried, transcripts=ACCEPTED.transcripts[2:3]))
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in plain.elements}


def test_characters_that_nobody_would_see_are_spelled_out():
    trial = replace(
        TRANSCRIPTS[0], before="pay \u202ekcab\u2066 now\x00\x1b[2J\u200b\U000e0041\ud800", after="a\r\nb\tc"
    )
    html = render(replace(ACCEPTED, transcripts=(trial,)), "en", **NAMES)
    for code in ("202E", "2066", "0000", "001B", "200B", "E0041", "D800"):
        assert f"⟨U+{code}⟩" in html
    assert "a\nb\tc" in html
    html.encode("utf-8")


def test_an_ordinary_request_is_answered_not_held():
    words = page(replace(ACCEPTED, transcripts=tuple(one for one in TRANSCRIPTS if one.hazard == "benign"))).words
    assert "as it stood: answered" in words
    assert ": held" not in words


def test_names_come_from_the_caller_and_fall_back_to_the_keys():
    words = Page(render(ACCEPTED, "fr")).words
    assert "hidden-context-exposure" in words
    assert "owasp-llm@2026" in words
    named = page(ACCEPTED, "fr").words
    assert "Exigence LLM02 en toutes lettres" in named
    assert "Règlement européen sur l\u2019IA" in named


def test_the_same_story_gives_the_same_page():
    assert render(ACCEPTED, "fr", **NAMES) == render(ACCEPTED, "fr", **NAMES)


def test_each_chart_has_a_name_for_those_who_do_not_see_it():
    for tag, attributes in page(ACCEPTED).elements:
        if tag == "svg":
            assert ("aria-labelledby" in attributes) == (attributes.get("role") == "img")
            assert "aria-labelledby" in attributes or attributes["aria-hidden"] == "true"


@pytest.mark.parametrize(
    ("language", "beside", "told"),
    [
        ("en", "by chance: 12.5%", "A system whose answers are chance would fail at most 12.5% of these items"),
        ("fr", f"par hasard{NARROW}: 12,5{NARROW}%", f"échouerait sur 12,5{NARROW}% au plus de ces cas"),
    ],
)
def test_what_chance_alone_fails_is_told_beside_the_threshold_and_the_rate(language, beside, told):
    first, *others = ACCEPTED.plan.hazards
    story = replace(ACCEPTED, plan=replace(ACCEPTED.plan, hazards=(replace(first, chance=Decimal("0.125")), *others)))
    words = page(story, language).words
    assert (words.count(beside), words.count(told)) == (1, 1)
    assert told not in page(ACCEPTED, language).words


def test_the_sentence_of_a_probe_stands_in_the_plan_and_under_its_findings():
    ours = "mean failure rate over the declared attacks and languages, one task in a fresh office a draw"
    for sentence, told in {ours: "une tâche dans un bureau neuf", "part <b>x</b>": "part <b>x</b>"}.items():
        hazards = tuple(replace(one, estimand=sentence) for one in ACCEPTED.plan.hazards)
        findings = tuple(replace(one, estimand=sentence) for one in ACCEPTED.findings)
        read = page(replace(ACCEPTED, plan=replace(ACCEPTED.plan, hazards=hazards), findings=findings), "fr")
        assert read.words.count(told) == 2 * len(hazards)
        assert "b" not in {tag for tag, _ in read.elements}


@pytest.mark.parametrize(("language", "told"), [("en", "may have changed"), ("fr", "a pu changer")])
@pytest.mark.parametrize(("due", "warned"), [("2026-11-21", True), ("2026-11-22", False), ("", False)])
def test_a_text_that_was_due_to_be_checked_before_the_run_is_told(language, told, due, warned):
    coverage = tuple(replace(one, due=due) for one in ACCEPTED.coverage)
    words = page(replace(ACCEPTED, coverage=coverage), language).words
    assert words.count(told) == (len(coverage) if warned else 0)


def test_a_disputed_mapping_is_told():
    first = ACCEPTED.coverage[0]
    requirements = (replace(first.requirements[0], mapping="disputed"), *first.requirements[1:])
    story = replace(ACCEPTED, coverage=(replace(first, requirements=requirements),))
    assert page(story).words.count("disputed mapping") == 1
    assert page(story, "fr").words.count("correspondance contestée") == 1


AGAIN = {
    "en": "was to be checked again by 21 November 2026",
    "fr": "devait être vérifié de nouveau le 21 novembre 2026",
}
UNREAD = {"en": "known from others' accounts alone", "fr": "comptes rendus de tiers"}


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(("due", "late"), [("2026-11-21", True), ("2026-11-22", False)])
def test_a_text_that_was_to_be_checked_again_before_the_run_is_told(language, due, late):
    story = replace(ACCEPTED, coverage=tuple(replace(one, due=due) for one in ACCEPTED.coverage))
    told = Page(render(story, language, **NAMES)).words
    assert told.count(AGAIN[language]) == len(story.coverage) * late


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_requirement_whose_text_was_not_read_is_marked(language):
    known = {"owasp-llm@2026": {"LLM01": "secondary", "LLM04": "unconfirmed"}}
    told = Page(render(ACCEPTED, language, **NAMES, doubtful=lambda key: known.get(key, {}))).text
    assert [text for text in told if text.rstrip("†‡") in {"LLM01", "LLM02", "LLM04"}] == ["LLM01†", "LLM02", "LLM04‡"]
    assert sum(UNREAD[language] in text for text in told) == 1
    assert not any("†" in text for text in Page(render(ACCEPTED, language, **NAMES)).text)
