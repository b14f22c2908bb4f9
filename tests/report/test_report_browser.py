"""The page in a real browser: nobody is shut out, nothing is loaded, paper and small screens hold it."""

from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace
from report_stories import ACCEPTED, NAMES, REFUSED, TRIED

from aloi.assurance.report.case import render_case
from aloi.assurance.report.matrix import render_matrix
from aloi.assurance.report.page import render
from aloi.assurance.telling import remedy_title
from aloi.evidence.publickeys import PublicKey
from aloi.evidence.verification import verify_bundle
from aloi.science.hazards import hazard_title
from aloi.standards.case import assurance_case
from aloi.standards.frameworks import framework
from aloi.standards.hub import hub
from aloi.standards.judging import concerned, evidence_of, judge
from browsing import needs_browser, violations

pytestmark = needs_browser


@pytest.fixture
def opened(opened_page):
    """Open a story's report, or a page's text."""

    def open_(story, language, **options):
        return opened_page(story if isinstance(story, str) else render(story, language, **NAMES), **options)

    return open_


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("fr", "dark")])
def test_no_accessibility_violation(opened, language, scheme):
    page = opened(ACCEPTED, language, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert violations(page) == []


GOLDEN = Path(__file__).parents[1] / "evidence" / "golden"


def page_of(name: str, language: str) -> str:
    """A page about the golden bundle that is made beside the report."""
    verification = verify_bundle(
        (GOLDEN / "bundle-v1.json").read_bytes(), [PublicKey.from_pem((GOLDEN / "bundle-v1.pem").read_bytes())]
    )
    evidence, found = evidence_of(verification), framework("owasp-llm@2026")
    if name == "matrix":
        judgements = judge(hub(), evidence)
        return render_matrix(
            [found], hub(), judgements, language, about=concerned(verification), day=date(2026, 11, 26)
        )
    case = assurance_case(found, hub(), evidence, today=date(2026, 11, 26))
    titles = {"hazard": hazard_title, "remedy": remedy_title}
    return render_case(case, found, hub(), verification, (), language, day="2026-11-26", names=titles)


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("fr", "dark")])
@pytest.mark.parametrize("name", ["matrix", "case"])
def test_pages_on_frameworks_shut_nobody_out(opened, name, language, scheme):
    page = opened(page_of(name, language), language, color_scheme=scheme)
    assert violations(page) == []
    assert [url for url in page.loaded if not url.startswith("file:")] == []
    assert page.said == []


@pytest.mark.parametrize("width", [320, 1280])
def test_a_case_is_never_wider_than_the_window(opened, width):
    page = opened(page_of("case", "fr"), "fr", viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_is_loaded_and_the_style_is_allowed(opened):
    page = opened(REFUSED, "en")
    assert [url for url in page.loaded if not url.startswith("file:")] == []
    assert len(page.loaded) == 1
    assert page.said == []
    assert page.evaluate("getComputedStyle(document.querySelector('.sheet')).display") == "grid"


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_the_page_is_never_wider_than_the_window(opened, width):
    page = opened(ACCEPTED, "fr", viewport={"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [640, 1280])
def test_no_label_of_the_picture_covers_another(opened, width):
    many = [
        replace(TRIED[0], remedies=(f"r{place:02}",), failures={"data-disclosure": (float(place % 7), 20)},
                benign_lost=place % 5, added_latency_ms=place / 3, added_tokens=9.0 * place, on_front=place % 2 == 0)
        for place in range(30)
    ]  # fmt: skip
    page = opened(replace(ACCEPTED, tried=(TRIED[6], *many)), "fr", viewport={"width": width, "height": 900})
    boxes = page.evaluate(
        "Array.from(document.querySelectorAll('.front .letter'), each => each.getBoundingClientRect().toJSON())"
    )
    assert len(boxes) > 5
    covered = [
        (one, other)
        for place, one in enumerate(boxes)
        for other in boxes[:place]
        if one["left"] < other["right"] - 1 and other["left"] < one["right"] - 1
        and one["top"] < other["bottom"] - 3 and other["top"] < one["bottom"] - 3
    ]  # fmt: skip
    assert len(covered) <= (0 if width == 1280 else 3)


def test_transcripts_open_by_keyboard(opened):
    page = opened(ACCEPTED, "en")
    assert not page.locator("blockquote").first.is_visible()
    page.locator("details.group > summary").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("blockquote").first.is_visible()


def test_paper_leaves_out_the_contents_and_unfolds_the_tables(opened):
    page = opened(ACCEPTED, "en")
    page.emulate_media(media="print")
    assert not page.locator(".contents").is_visible()
    assert page.locator(".on-paper").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")
