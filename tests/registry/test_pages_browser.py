"""The pages in a real browser: nobody is shut out, one sheet is loaded, paper and small screens hold them."""

import pytest
from log_room import SYSTEM
from server_room import serving, settle

from browsing import needs_browser, violations
from registry.test_pages import EVERY, SETTINGS

pytestmark = needs_browser
PATHS = (
    "/pages",
    f"/pages/subject/{SYSTEM.fingerprint}",
    "/pages/entry/1",
    "/pages/entry/99",
    "/pages/subject?digest=x",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with serving(settle(tmp_path_factory.mktemp("seen"), SETTINGS.replace("    per_hour: 6\n", ""))) as registry:
        assert registry.publish(*EVERY).status == 200
        yield registry.url


@pytest.fixture
def visited(browser, url):
    def visit(path, **options):
        page = browser.new_context(**options).new_page()
        page.loaded, page.said = [], []
        page.on("request", lambda request: page.loaded.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.goto(url + path)
        return page

    yield visit
    for context in browser.contexts:
        context.close()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("fr", "dark")])
def test_no_accessibility_violation(visited, url, path, language, scheme):
    page = visited(path, color_scheme=scheme, locale=language)
    assert page.get_attribute("html", "lang") == language
    loaded = [each.removeprefix(url) for each in page.loaded]
    assert [each for each in loaded if each not in {path, "/favicon.ico"}] == ["/pages/style.css"]
    assert [each for each in page.said if "status of 4" not in each] == []
    assert page.evaluate("getComputedStyle(document.querySelector('.bar')).display") == "flex"
    assert violations(page) == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("width", [320, 768])
def test_no_page_is_wider_than_the_window(visited, path, width):
    page = visited(path, viewport={"width": width, "height": 900}, locale="fr")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("path", PATHS[:3])
def test_it_prints(visited, path):
    page = visited(path)
    page.emulate_media(media="print")
    assert not page.locator(".bar form").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_a_digest_is_looked_up_with_the_keyboard_alone(visited):
    page = visited("/pages")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.type(SYSTEM.fingerprint)
    page.keyboard.press("Enter")
    page.wait_for_url("**/pages/subject?digest=*")
    assert SYSTEM.name in page.inner_text("h1")
    page.get_by_role("link", name="Français").click()
    assert page.get_attribute("html", "lang") == "fr"
    assert SYSTEM.name in page.inner_text("h1")


def test_a_browser_that_opens_the_address_sees_the_page(visited):
    assert visited("/").inner_text("h1") == "registry.example.org/log"
