"""150 payloads in everything that a stranger can choose: none runs, none breaks the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from telephony.facts import (
    Because,
    BriefingBuilt,
    CallAnswered,
    CallEnded,
    DistressChanged,
    Fact,
    HandoffState,
    IntentRecognised,
    KeyPressed,
    Said,
    SlotFilled,
    Transcribed,
)
from telephony.messages import Stamped, to_line
from tests.browser.conftest import open_call, served

RUN = "window.pwned=1"
WAYS = (
    '<script>{}</script>', '<img src=x onerror={}>', '<svg onload={}>', '<body onload={}>',
    "<iframe srcdoc='<script>{}</script>'>", '"><script>{}</script>', "'><script>{}</script>",
    '</script><script>{}</script>', '</textarea><script>{}</script>', '</title><script>{}</script>',
    '<!--><script>{}</script>', ']]><script>{}</script>', '<a href=javascript:{}>x</a>', 'javascript:{}',
    'data:text/html,<script>{}</script>', '<details open ontoggle={}>', '<input autofocus onfocus={}>',
    "<math><mi xlink:href='javascript:{}'>", "<style>@import 'javascript:{}'</style>",
    '<link rel=stylesheet href=javascript:{}>', '<base href=javascript:{}//>', '<object data=javascript:{}>',
    '<embed src=javascript:{}>', '<form action=javascript:{}><input type=submit autofocus>',
    '<template><script>{}</script></template>',
)  # fmt: skip
COATS = ("{}", "\u202e{}", "{}\x00", "\r\n\r\ndata: {}\r\n", "${{{}}}{{{{{}}}}}", "%3Cscript%3E{}")
PAYLOADS = [coat.replace("{}", way.format(RUN)) for coat in COATS for way in WAYS]
ALL_IN_ONE = "20260101-000000-allin1"


def _folder(store: Path, call_id: str, facts: list[Fact]) -> None:
    folder = store / "calls" / call_id
    folder.mkdir(parents=True)
    lines = (to_line(Stamped(seq=n, t=float(n), fact=f)) for n, f in enumerate(facts, 1))
    (folder / "facts.jsonl").write_bytes(b"".join(lines))
    (folder / "decisions.jsonl").write_bytes(b"")


def _said_by(text: str) -> list[Fact]:
    reason = Because(kind="words", start=1.0, end=2.0, name=text, value=text, unit=text, reference=text)
    anything: dict[str, Any] = {text: {"text": text, "evidence": [{"start": 1.0, "end": 2.0, "text": text}]}}
    return [
        Transcribed(leg="caller", start=1.0, end=2.0, text=text, words=((1.0, 2.0, text),)),
        Said(leg="caller", start=2.0, end=3.0, text=text),
        DistressChanged(level="attend", score=0.5, because=(reason,)),
        IntentRecognised(intent=text, confidence=1.0, start=1.0, end=2.0),
        SlotFilled(name=text, value=text, confidence=1.0, start=1.0, end=2.0),
        KeyPressed(leg="caller", key=text),
        BriefingBuilt(text=text, fields=anything),
        HandoffState(state="FAILED", target=text, reason=text, outcome=text),
    ]


def write(store: Path) -> list[str]:
    """A call for each payload, and one with all of them; their ids."""
    ids = [f"20260101-000000-{n:06x}" for n in range(len(PAYLOADS))]
    for call_id, text in zip(ids, PAYLOADS, strict=True):
        answered = CallAnswered(from_=text, to=text, codec=text, at="2026-01-01T00:00:00Z", versions={text: text})
        _folder(store, call_id, [answered, *_said_by(text), CallEnded(cause=text, ending="resolved")])
    everything = [f for text in PAYLOADS for f in _said_by(text)]
    answered = CallAnswered(from_=PAYLOADS[0], to="x", codec="x", at="2026-01-02T00:00:00Z")
    _folder(store, ALL_IN_ONE, [answered, *everything, CallEnded(cause="x", ending="resolved")])
    return [*ids, ALL_IN_ONE]


@pytest.fixture(scope="module")
def hostile(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    store = tmp_path_factory.mktemp("hostile")
    write(store)
    with served(store) as address:
        context = browser.new_context(base_url=address)
        page = context.new_page()
        page.on("dialog", lambda d: pytest.fail(f"a dialog: {d.message}"))
        yield page
        context.close()


def test_there_are_150() -> None:
    assert len(set(PAYLOADS)) == 150


def test_none_runs_in_the_list(hostile: Page) -> None:
    hostile.goto("/")
    expect(hostile.locator("table.calls tbody tr")).to_have_count(50)
    pages = 0
    while True:
        pages += 1
        assert hostile.evaluate("window.pwned") is None
        assert hostile.locator("main img, main svg, main iframe, main object, main embed, main math").count() == 0
        older = hostile.locator("a[rel=next]")
        if not older.count():
            break
        older.click()
        hostile.wait_for_load_state()
    assert pages == 4


@pytest.mark.parametrize("call_id", [ALL_IN_ONE, *(f"20260101-000000-{n:06x}" for n in range(0, 150, 15))])
def test_none_runs_in_a_replay(hostile: Page, call_id: str) -> None:
    open_call(hostile, call_id)
    hostile.evaluate(
        "document.querySelectorAll('details').forEach((d) => { d.removeAttribute('name'); d.open = true; })"
    )
    hostile.evaluate("document.querySelectorAll('.mark').forEach((m) => m.click())")
    assert hostile.evaluate("window.pwned") is None
    assert hostile.locator("main img, main svg, main iframe, main object, main embed, main math").count() == 0
    hostile.goto(f"/calls/{call_id}/table")
    assert hostile.evaluate("window.pwned") is None
