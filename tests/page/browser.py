"""A real Chromium that opens pages: one that is installed, without a network."""

import os
import shutil
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE = "NTKNAS_CHROMIUM"
WAIT = 60_000
"""Milliseconds: machines that test are busy."""


def chromium() -> str:
    """The program; the test is skipped where there is none."""
    named = os.environ.get(VARIABLE)
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip(f"no Chromium here: apt-get install chromium, or {VARIABLE} names one")
    return found


class Opened:
    """A page in a browser, with all that it complained of."""

    def __init__(self, page):
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.set_default_timeout(WAIT)
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path):
        self.page.goto(path.absolute().as_uri())
        self.page.wait_for_selector("html[data-ready], #failure:not([hidden])", state="attached")
        return self

    def show(self, part):
        """Scroll to a part of the page, at once."""
        self.page.eval_on_selector(
            f'[data-part="{part}"]', "place => place.scrollIntoView({ block: 'center', behavior: 'instant' })"
        )

    def choose(self, part, place):
        self.page.select_option(f'[data-part="{part}"]', index=place)

    def texts(self, selector):
        return self.page.eval_on_selector_all(selector, "found => found.map((one) => one.textContent)")

    @property
    def network(self):
        """What was asked of anything but the page itself."""
        return [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))]


@contextmanager
def opened(width=1280, scheme="light"):
    """Give a browser's page; all of the browser ends with the context."""
    program = chromium()
    driver = pytest.importorskip("playwright.sync_api")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=WAIT)
        try:
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            yield Opened(context.new_page())
        finally:
            browser.close()
