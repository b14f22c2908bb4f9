"""Pages in a real browser: import the marks and fixtures that a test of pages needs."""

import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install the package chromium"),
]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def opened_page(browser, tmp_path):
    """Open a page's text; the requests that it makes beyond itself are kept in `page.loaded`, its words in `said`."""

    def open_(text, **options):
        path = tmp_path / "page.html"
        path.write_text(text, encoding="utf-8")
        page = browser.new_context(**options).new_page()
        page.loaded, page.said = [], []
        page.on("request", lambda request: page.loaded.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.goto(path.as_uri())
        return page

    yield open_
    for context in browser.contexts:
        context.close()


def violations(page):
    """What axe finds: each fault with the element that has it."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [(fault["id"], node["html"]) for fault in found for node in fault["nodes"]]
