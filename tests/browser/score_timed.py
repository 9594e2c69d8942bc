"""``python -m tests.browser.score_timed``: scores a 3-minute call by keyboard alone in real time; prints the figure.

Every key costs what it costs a person by the keystroke-level model (Card, Moran and Newell 1980): 0.28 s a key of an
average typist, 1.35 s of thought before each judgement. The call is heard to its end at 1.5 × speed; questions are
answered while it plays, which is what the number keys are for. Exit 1 if it took more than 1.3 × the listening time.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser import make_call
from tests.browser.conftest import FLAGS, open_call, served

CALL = "20261122-080000-3m0000"
MINUTES, SPEED, TARGET = 3, 1.5, 1.3
KEY_S, THOUGHT_S = 0.28, 1.35
COMMENT = "The offer of a human came late."


class Hands:
    """Presses keys no faster than a person."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.keys = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self._page.wait_for_timeout(1000 * KEY_S)
            self._page.keyboard.press(key)
            self.keys += 1

    def judge(self, key: str) -> None:
        self._page.wait_for_timeout(1000 * THOUGHT_S)
        self.press(key)

    def type(self, text: str) -> None:
        self.press(*text)


def score(page: Page) -> tuple[float, float, int]:
    """Seconds from the first key to the saved review, seconds of listening at that speed, keys pressed."""
    open_call(page, CALL)
    duration_s = float(page.locator("#call").get_attribute("data-duration") or 0)
    hands, began = Hands(page), time.monotonic()
    hands.press("s", "s", "Space")
    hands.press("r")
    hands.type("Kim")
    hands.press("Tab")
    # heard half: the first judgements, a range that shall be remembered, then the rest as the call goes on
    page.wait_for_timeout(1000 * 0.4 * duration_s / SPEED)
    hands.judge("4")
    hands.judge("[")
    page.wait_for_timeout(3000)
    hands.press("]")
    hands.judge("3")
    hands.judge("4")
    expect(page.locator("#play")).to_have_text("Play", timeout=2000 * duration_s)
    for key in ("a", "4", "5", "m", "c"):
        hands.judge(key)
    hands.type(COMMENT)
    hands.press("Control+Enter")
    expect(page.locator("#review-status")).to_contain_text("Saved as version")
    return time.monotonic() - began, duration_s / SPEED, hands.keys


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        make_call.hour(Path(folder), CALL, MINUTES)
        with served(Path(folder)) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(base_url=address, viewport={"width": 1440, "height": 900})
            took_s, listening_s, keys = score(page)
            browser.close()
    ratio = took_s / listening_s
    print(f"{took_s:.1f} s with {keys} keys = {ratio:.2f} x {listening_s:.1f} s of listening (target {TARGET})")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
