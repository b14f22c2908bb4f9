"""The page of what was monitored: its figures are those that are signed, and nobody is shut out."""

import re

import numpy as np
import pytest
from msgspec.structs import replace

from aloi.assurance.monitoring.findings import monitored
from aloi.assurance.monitoring.traffic import read_traffic
from aloi.assurance.report.monitoring import LEFT, WIDTH, Signed, chart, render_monitoring
from aloi.evidence.records import RemedyIdentity
from assurance.served import BEGAN, decided, guards, minute, sampled, simulated, write
from browsing import needs_browser, violations

SIGNED = Signed(
    bundle="bundle.json", digest="sha256:" + "b" * 64, signer="ed25519:" + "c" * 64, command="aloi verify b"
)
HOSTILE = (RemedyIdentity(name="<script>alert(1)</script>", version="\u202e1", digest="sha256:" + "d" * 64),)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("traffic")
    lines = simulated([0.05] * 120 + [0.12] * 60, np.random.default_rng(41), changed=0.02)
    second = guards(remedies=HOSTILE, at=BEGAN + 20_000)
    later = [
        decided("x", BEGAN + 20_000, of=second.guard_set, decisions=()),
        sampled("s", BEGAN + 20_000),
        minute(400, {"blocked": 1, "answered": 40}, of=second.guard_set),
    ]
    write(folder, lines, later, guards_of=(guards(), second))
    return monitored(read_traffic(folder, "banque-azur", {"b3-0": "ordinary", "b4-0": "harmful"}), 0.05)


def page(found, language="en"):
    return render_monitoring(found, SIGNED, language, remedy_title=lambda name, _: name)


def test_it_tells_the_figures_that_are_signed(found):
    text = page(found)
    first = found[0].finding
    assert f"{first.exchanges.screened:,} exchanges were screened" in text
    assert f"{first.shift.reference.blocked} of {first.shift.reference.screened:,} exchanges blocked" in text
    assert "Alarm of 26 October 2026" in text
    assert first.guard_set in text
    assert first.record.last in text
    assert "There is no watch on the share of blocks yet" in text  # of the second set
    assert "nobody judged what was answered" in text
    assert "the law: whether it is satisfied" in text


def test_it_speaks_french(found):
    text = page(found, "fr")
    assert "Alerte du 26 octobre 2026" in text
    assert '<html lang="fr">' in text
    assert not re.search(r"\bexchanges\b", re.sub(r"<[^>]*>", " ", text))


def test_what_others_wrote_is_shown_and_not_obeyed(found):
    text = page(found)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "\u202e" not in text
    assert "http" not in re.sub(r'http-equiv="[^"]*"', "", text)


def test_the_chart_holds_every_batch_and_its_marks_stay_inside(found):
    drawn = chart(found[0].path, found[0].finding.shift)
    assert sum(slot.screened for slot in drawn.slots) == found[0].finding.shift.screened
    assert sum(slot.blocked for slot in drawn.slots) == found[0].finding.shift.blocked
    assert all(LEFT <= slot.x <= WIDTH for slot in drawn.slots)
    assert drawn.band[0] < drawn.band[1]
    assert LEFT <= drawn.rang_x <= WIDTH
    heights = [slot.y for slot in drawn.slots]
    assert heights[-1] < heights[0]  # the share rose, and up is less


def test_a_watch_that_has_seen_nothing_is_not_drawn(found):
    assert chart((), found[0].finding.shift) is None
    one = replace(found[0], path=found[0].path[:1])
    assert len(chart(one.path, one.finding.shift).slots) == 1
    assert "<svg" not in page([replace(found[0], path=())])


class TestInABrowser:
    pytestmark = needs_browser

    @pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("fr", "dark")])
    def test_no_accessibility_violation(self, opened_page, found, language, scheme):
        shown = opened_page(page(found, language), color_scheme=scheme)
        shown.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert violations(shown) == []
        assert [url for url in shown.loaded if not url.startswith("file:")] == []
        assert shown.said == []

    @pytest.mark.parametrize("width", [320, 768, 1280])
    def test_the_page_is_never_wider_than_the_window(self, opened_page, found, width):
        shown = opened_page(page(found, "fr"), viewport={"width": width, "height": 900})
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
