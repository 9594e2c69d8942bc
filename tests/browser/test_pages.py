from __future__ import annotations

import json
import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import make_call
from tests.browser.conftest import get, open_call

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
DISTRESS, HOSTILE, LIVE = "20261124-091203-4f2a9c", "20261123-120000-bad000", "20261124-101500-11fe55"
PATHS = [
    "/", "/figures", "/what-if?voice=false", "/agreement", "/audit", "/sample?seed=3&strategy=stratified",
    "/?since=2026-11-24&until=2026-11-24&reviewer=Kim",
    "/?level=distress", "/?q=nothing+of+the+kind", "/login", "/nowhere", f"/calls/{DISTRESS}",
    f"/calls/{DISTRESS}/table", f"/calls/{HOSTILE}", f"/calls/{LIVE}", "/calls/20261123-110000-broken",
    "/calls/20261123-170402-77aa10",
]  # fmt: skip


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 640)])
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing(browser: Browser, server: str, path: str, scheme: str, width: int) -> None:
    """Light, dark, and at 200 %: 1280 pixels of a screen are then 640 of the page."""
    context = browser.new_context(viewport={"width": width, "height": 900}, base_url=server, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(path)
    if "/calls/" in path and "table" not in path:
        page.wait_for_selector("#call[data-ready=yes]")
        page.evaluate(
            "document.querySelectorAll('details').forEach((d) => { d.removeAttribute('name'); d.open = true; })"
        )
    found = page.evaluate(
        AXE
        + "; axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })"
    )
    context.close()
    told = [
        (v["id"], v["nodes"][0]["html"][:160], v["nodes"][0].get("failureSummary", "")[:300])
        for v in found["violations"]
    ]
    assert told == []


def test_nothing_that_a_stranger_says_runs(page: Page) -> None:
    page.on("dialog", lambda d: pytest.fail(f"a dialog: {d.message}"))
    for path in ("/", f"/calls/{HOSTILE}", f"/calls/{HOSTILE}/table"):
        page.goto(path)
        if path.startswith("/calls") and "table" not in path:
            page.wait_for_selector("#call[data-ready=yes]")
            for mark in page.locator(".mark").all():
                mark.click()
        assert page.evaluate("window.pwned") is None
        expect(page.locator("main")).to_contain_text("<script>window.pwned=1</script>")
        assert page.locator("img").count() == 0


def test_the_list_finds_by_words_and_level(page: Page) -> None:
    page.goto("/")
    expect(page.locator("table.calls tbody tr")).to_have_count(6)
    page.get_by_label("Words said").fill("third time")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("table.calls tbody tr")).to_have_count(1)
    page.locator("a.call").click()
    expect(page).to_have_url(re.compile(DISTRESS))
    expect(page.locator(".w.now")).to_have_text("third")


def test_the_list_finds_by_day(page: Page) -> None:
    """Both days belong to the search; the list fits a laptop's 1360 px."""
    page.set_viewport_size({"width": 1360, "height": 900})
    page.goto("/?since=2026-11-23&until=2026-11-23")
    expect(page.locator("table.calls tbody tr")).to_have_count(2)
    expect(page.get_by_label("From day")).to_have_value("2026-11-23")
    page.goto("/")
    assert page.evaluate(
        "(() => { const s = document.querySelector('.scroll'); return s.scrollWidth <= s.clientWidth; })()"
    )
    lines = page.locator("td.handoff > bdi", has_text="accepted").first.evaluate("(n) => n.getClientRects().length")
    assert lines == 1


def test_a_live_call_is_followed(page: Page, store: Path) -> None:
    call = make_call.live(store, "20261124-111111-abcdef")
    page.goto("/")
    card = page.locator("#live-calls li", has=page.locator(f"a[href$='{call.name}']"))
    expect(card).to_contain_text("Hello, is anybody there?")
    with (call / "facts.jsonl").open("a") as f:
        said = {
            "seq": 90,
            "t": 21.0,
            "fact": "Transcribed",
            "leg": "caller",
            "start": 18.0,
            "end": 20.5,
            "text": "<i>I am waiting</i>",
        }
        level = {
            "seq": 91,
            "t": 21.1,
            "fact": "DistressChanged",
            "level": "attend",
            "score": 0.5,
            "because": [{"kind": "words", "start": 18, "end": 20, "name": "x", "value": "y"}],
        }
        scored = {
            "seq": 92, "t": 21.1, "fact": "EmotionScored", "start": 19.0, "end": 21.0, "arousal": 0.5,
            "p_distress": 0.62, "p_low": 0.41, "p_high": 0.8, "classes": {}, "abstained": False, "reason": "",
            "model": "open:1",
        }  # fmt: skip
        half = {**said, "seq": 93, "start": 22.0, "end": 23.0, "text": "and I am", "final": False}
        f.write("".join(json.dumps(x) + "\n" for x in (said, level, scored)))
    expect(card).to_contain_text("Caller: <i>I am waiting</i>")
    expect(card).to_contain_text("attend")
    expect(card).to_contain_text("P(distress) 0.62 (0.41–0.80)")
    page.goto(f"/calls/{call.name}")
    expect(page.locator("#turns")).to_contain_text("<i>I am waiting</i>")
    expect(page.locator("#live-meter")).to_contain_text("P(distress) 0.62")
    with (call / "facts.jsonl").open("a") as f:
        f.write(json.dumps(half) + "\n")
    expect(page.locator(".turn.unfinished")).to_contain_text("and I am")
    with (call / "facts.jsonl").open("a") as f:
        f.write(
            json.dumps({"seq": 94, "t": 25.0, "fact": "CallEnded", "cause": "hung-up", "ending": "caller-left"}) + "\n"
        )
    expect(page.locator("#play")).to_be_visible()
    page.goto("/")
    expect(page.locator(f"a[href$='{call.name}']")).to_have_count(1)


def test_it_is_usable_at_twice_the_size_and_on_a_tablet(page: Page) -> None:
    for width, height in ((720, 450), (820, 1180), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        open_call(page, DISTRESS)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{width} px: the page is {wider} px too wide"
        page.locator(".w", has_text="twice,").click()
        expect(page.locator(".w.now")).to_have_count(1)


def test_no_page_loads_more_than_300_kb_of_script(server: str) -> None:
    modules, todo = set[str](), ["/static/replay.js", "/static/list.js", "/static/live.js"]
    total = 0
    while todo:
        path = todo.pop()
        if path in modules:
            continue
        modules.add(path)
        text = get(server + path).decode()
        total += len(text)
        todo += [f"/static/{name}" for name in re.findall(r'from "\./(\w+\.js)"', text)]
    assert len(modules) >= 8
    assert total < 300_000


def test_reduced_motion_is_respected(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto("/")
    assert page.evaluate("getComputedStyle(document.querySelector('.tag-live')).animationName") == "none"
