"""An hour-long call works like any other. How fast, and how fast lists are, is measured by `tests.browser.figures`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import make_call
from tests.browser.conftest import open_call, served, until


@pytest.fixture(scope="module")
def long_call(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    store = tmp_path_factory.mktemp("long")
    make_call.hour(store)
    with served(store) as address:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=address)
        yield context.new_page()
        context.close()


def test_an_hour_opens_and_plays(long_call: Page) -> None:
    page = open_call(long_call, "20261122-080000-1h0000")
    until(page, "document.getElementById('audio').readyState >= 2")
    page.locator("#overview").focus()
    page.keyboard.press("Space")
    until(page, "document.getElementById('audio').currentTime > 0")
    page.keyboard.press("Space")


def test_an_hour_seeks_to_its_end_without_loading_it_all(long_call: Page) -> None:
    page = open_call(long_call, "20261122-080000-1h0000")
    page.locator("#overview").focus()
    page.keyboard.press("End")
    page.keyboard.press("PageUp")
    until(page, "Math.abs(document.getElementById('audio').currentTime - 3590) < 1.5")
    until(page, "document.getElementById('audio').seeking === false")
    for _ in range(6):
        page.keyboard.press("+")
    until(page, "document.querySelectorAll('.turn').length > 100")
    expect(page.locator("#time")).to_contain_text("59:")
