"""The page of a consensus in a real browser: nobody is shut out, nothing is loaded, paper and small screens hold it."""

import pytest
from msgspec.structs import replace

from aloi.evidence.vouching import Dispute
from browsing import needs_browser, violations
from consensus.laboratory import AT, about, together
from consensus.test_consensus_page import page as page_text

pytestmark = needs_browser


@pytest.fixture(scope="module")
def found(four, failing, copying, other_version, other_attacks, rated):
    dispute = Dispute(organisation="x", at=AT, reason="The planted strings are known.")
    said = four[1].says(dispute, about(four[0].envelope()))
    return together(*four, failing, copying, other_version, other_attacks, rated, statements=[said])


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("fr", "dark")])
def test_no_accessibility_violation(opened_page, found, language, scheme):
    page = opened_page(page_text(found, language), color_scheme=scheme)
    assert violations(page) == []
    assert [url for url in page.loaded if not url.startswith("file:")] == []
    assert page.said == []
    assert page.evaluate("getComputedStyle(document.querySelector('.sheet')).display") == "grid"


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_the_page_is_never_wider_than_the_window(opened_page, found, width):
    page = opened_page(page_text(found, "fr"), viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_no_text_of_the_picture_covers_another_or_leaves_it(opened_page, found):
    view = found.hazards[0]
    long_names = tuple(
        replace(one, evaluator=replace(one.evaluator, name="Institut national de recherche en sûreté"))
        for one in view.evidence
    )
    page = opened_page(page_text(replace(found, hazards=(replace(view, evidence=long_names),)), "fr"))
    boxes = page.evaluate(
        """Array.from(document.querySelectorAll('svg.plot'), plot => {
            const whole = plot.getBoundingClientRect();
            return Array.from(plot.querySelectorAll('text'), each => {
                const box = each.getBoundingClientRect();
                return {text: each.textContent, left: box.left - whole.left, right: box.right - whole.left,
                        top: box.top, bottom: box.bottom, room: whole.width};
            });
        })"""
    )
    assert len(boxes) == 3
    for texts in boxes:
        for place, one in enumerate(texts):
            assert one["left"] >= -1, one["text"]
            assert one["right"] <= one["room"] + 1, one["text"]
            for other in texts[:place]:
                across = one["left"] < other["right"] - 1 and other["left"] < one["right"] - 1
                down = one["top"] < other["bottom"] - 3 and other["top"] < one["bottom"] - 3
                assert not (across and down), (one["text"], other["text"])


def test_the_picture_stays_readable_on_a_small_screen(opened_page, found):
    page = opened_page(page_text(found), viewport={"width": 320, "height": 900})
    size = page.evaluate("document.querySelector('svg.plot .label').getBoundingClientRect().height")
    assert size >= 11


def test_it_prints(opened_page, found):
    page = opened_page(page_text(found))
    page.emulate_media(media="print")
    assert not page.locator(".contents").is_visible()
    wide = page.evaluate(
        "Array.from(document.querySelectorAll('svg.plot, table'), each => each.getBoundingClientRect().right)"
    )
    assert max(wide) <= page.evaluate("document.documentElement.clientWidth") + 1
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_marks_differ_by_more_than_colour(opened_page, found):
    page = opened_page(page_text(found), forced_colors="active")
    marks = page.evaluate(
        """['exact', 'rated'].map(name => {
            const style = getComputedStyle(document.querySelector('svg.plot .mark.' + name));
            return style.fill === style.stroke;
        })"""
    )
    assert marks == [True, False]
