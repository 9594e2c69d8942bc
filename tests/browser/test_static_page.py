from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import until
from voice.qa import static_page
from voice.store.calls import open_call


def test_the_page_as_one_file_plays_and_needs_nothing_else(browser: Browser, store: Path, tmp_path: Path) -> None:
    (tmp_path / "call.html").write_text(static_page.render(open_call(store, "20261124-091203-4f2a9c")), "utf-8")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    page = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("request", lambda r: requests.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
    page.goto((tmp_path / "call.html").as_uri())
    page.wait_for_selector("#call[data-ready=yes]")
    page.locator("#play").click()
    until(page, "document.getElementById('audio').currentTime > 0.3")
    page.locator(".w", has_text="twice,").click()
    expect(page.locator(".w.now")).to_have_text("twice,")
    page.locator(".mark-distress").last.click()
    expect(page.locator("details.why[open]")).to_contain_text("distress.voice-and-words")
    context.close()
    assert (complaints, requests) == ([], [])


def test_hostile_words_do_not_run_in_the_file_either(browser: Browser, store: Path, tmp_path: Path) -> None:
    (tmp_path / "call.html").write_text(static_page.render(open_call(store, "20261123-120000-bad000")), "utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "call.html").as_uri())
    page.wait_for_selector("#call[data-ready=yes]")
    assert page.evaluate("window.pwned") is None
    assert page.locator("main img").count() == 0
    page.close()
