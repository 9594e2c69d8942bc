"""The human's context page in a real browser: captions come by themselves; it says when the caller is there."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from telephony.context_page import address, load_key
from telephony.facts import Fact, HandoffState, LegsBridged, Transcribed
from telephony.messages import Stamped, to_line
from tests.browser.conftest import served
from tests.unit.voice.qa.test_handoff import BEGUN, CALL, REF, write


def append(store: Path, seq: int, *facts: Fact) -> None:
    with (store / "calls" / CALL / "facts.jsonl").open("ab") as f:
        for n, fact in enumerate(facts, seq):
            f.write(to_line(Stamped(seq=n, t=float(n), fact=fact)))


def test_captions_and_states_come_by_themselves(browser: Browser, tmp_path: Path) -> None:
    write(tmp_path, BEGUN)
    with served(tmp_path) as base:
        context = browser.new_context(viewport={"width": 420, "height": 900}, base_url=base)
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.goto(address(base, load_key(tmp_path), REF, 1))
        page.wait_for_selector("#handoff[data-ready=yes]")
        expect(page.get_by_role("heading", level=1)).to_have_text("+15550100")
        expect(page.locator("#accept")).to_be_disabled()
        append(tmp_path, 6, HandoffState(state="SCREENING", target="care"), Transcribed(
            leg="caller", start=6, end=7, text="is <i>anybody</i> there"))  # fmt: skip
        expect(page.locator("#lines")).to_contain_text("is <i>anybody</i> there")
        expect(page.locator("#accept")).to_be_enabled()
        expect(page.locator("#accept")).to_have_text("Hear the summary")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out on a telephone"
        assert complaints == []
        page.locator("#accept").click()
        expect(page.locator("#told")).to_contain_text("gateway does not answer")
        append(tmp_path, 8, LegsBridged(human="care"), HandoffState(state="BRIDGED", target="care", outcome="accepted"))
        expect(page.locator("#told")).to_have_text("The caller is on the line with you.")
        context.close()
