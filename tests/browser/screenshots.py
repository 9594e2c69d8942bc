"""Pictures for the documentation: the newest call of a store that reached distress, and the list.

python -m tests.browser.screenshots STORE FOLDER
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import FLAGS, open_call, served, until
from voice.store.index import Index
from voice.store.search import Query, find

WIDTH, HEIGHT = 1440, 1340


def take(store: Path, folder: Path) -> None:
    index = Index.open(store)
    index.scan()
    calls = find(index, Query(level="distress")).calls
    index.close()
    if not calls:
        raise SystemExit(f"{store}: no call reached distress; run warmline demo --store {store} first")
    folder.mkdir(parents=True, exist_ok=True)
    with served(store) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for scheme in ("light", "dark"):
            page = browser.new_page(base_url=address, viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)  # type: ignore[call-overload]
            _replay(page, calls[0]["id"])
            suffix = "" if scheme == "light" else f"-{scheme}"
            page.screenshot(path=folder / f"replay{suffix}.png")
            page.set_viewport_size({"width": WIDTH, "height": 800})
            page.goto("/")
            page.screenshot(path=folder / f"calls{suffix}.png")
            page.close()
        browser.close()


def _replay(page: Page, call_id: str) -> None:
    """At the decision that it is distress, its reasons open, a word lit."""
    open_call(page, call_id)
    until(page, "document.querySelector('[data-lane=caller] canvas').width > 0")
    page.evaluate("document.querySelectorAll('details.why').forEach((d) => { d.open = false; })")
    page.locator("details.why", has=page.locator(".level-distress")).first.evaluate("(d) => { d.open = true; }")
    page.locator(".who-caller .w").last.scroll_into_view_if_needed()
    at = page.locator("details.why[open]").get_attribute("data-start")
    page.locator(f"details.why[open] .seek[data-start='{at}']").first.click()
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.wait_for_timeout(700)


if __name__ == "__main__":
    take(Path(sys.argv[1]), Path(sys.argv[2]))
