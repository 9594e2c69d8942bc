from __future__ import annotations

from playwright.sync_api import Page, expect


def test_a_call_is_judged_by_keyboard_alone(replay: Page) -> None:
    """From the page's top to a saved review without a pointer, by what the visible key map names."""
    press = replay.keyboard.press
    for key in ("d", "d", "[", "ArrowRight", "]"):
        press(key)
    expect(replay.locator("details.why[open]")).to_contain_text("distress.voice-and-words")
    expect(replay.locator("#range-now")).to_contain_text("marked")
    press("r")
    expect(replay.locator("#reviewer")).to_be_focused()
    replay.keyboard.type("Kim")
    press("Tab")
    press("Space")
    press("ArrowRight")
    assert replay.get_by_label("mixed").is_checked()
    for _ in range(40):
        if replay.evaluate("document.activeElement.id") == "range-add":
            press("Enter")
            break
        press("Tab")
    expect(replay.locator("#ranges li")).to_have_count(1)
    for _ in range(10):
        if replay.evaluate("document.activeElement.textContent") == "Save review":
            press("Enter")
            break
        press("Tab")
    expect(replay.locator("#review-status")).to_contain_text("Saved as version")


def test_questions_are_answered_while_listening(replay: Page) -> None:
    """Number keys answer the next open question; one of a low answer opens another; one key takes back."""
    press = replay.keyboard.press
    for key in ("5", "4", "3", "2"):
        press(key)
    checked = "nodes => nodes.map(n => n.name + n.value)"
    assert replay.eval_on_selector_all(".scale input:checked", checked) == [
        "q-understood5", "q-tone4", "q-interrupted3", "q-handoff2",
    ]  # fmt: skip
    expect(replay.locator("fieldset[data-key=too_late]")).to_be_visible()
    expect(replay.locator("#review-status")).to_contain_text("Next: The briefing")
    press("u")
    expect(replay.locator("fieldset[data-key=too_late]")).to_be_hidden()
    for key in ("5", "5", "1", "b", "[", "ArrowRight", "]", "a"):
        press(key)
    expect(replay.locator("#ranges li")).to_have_count(1)
    press("r")
    replay.keyboard.type("Lee")
    press("Control+Enter")
    expect(replay.locator("#review-status")).to_contain_text("fails the whole review; say why")
    expect(replay.locator("#comment")).to_be_focused()
    replay.keyboard.type("Made up a date.")
    press("Control+Enter")
    expect(replay.locator("#review-status")).to_contain_text("0 of 100")
    expect(replay.locator("#reviews")).to_contain_text("failed: truthful")


def test_a_review_is_released_and_disputed(replay: Page) -> None:
    replay.keyboard.press("r")
    replay.keyboard.type("Ann")
    replay.keyboard.press("Tab")
    replay.keyboard.press("g")
    replay.keyboard.press("Control+Enter")
    first = replay.locator("#reviews > li").first
    first.get_by_role("button", name="Release").click()
    expect(first).to_contain_text("released by Ann")
    replay.reload()
    replay.wait_for_selector("#call[data-ready=yes]")
    replay.locator("#reviewer").fill("Bo")
    replay.locator("#others summary").click()
    first = replay.locator("#reviews > li", has_text="Ann").first
    first.get_by_role("button", name="Dispute").click()
    expect(first).to_contain_text("say why it is disputed")
    first.get_by_role("textbox").fill("It was in time. <b>")
    first.get_by_role("button", name="Dispute").click()
    expect(first).to_contain_text("disputed by Bo, just now: It was in time. <b>")


def test_what_has_the_focus_is_seen(replay: Page) -> None:
    """WCAG 2.4.7 and 2.4.11: an outline, and nothing that covers it."""
    for _ in range(45):
        replay.keyboard.press("Tab")
        seen = replay.evaluate(
            """() => {
              const e = document.activeElement, box = e.getBoundingClientRect();
              if (e === document.body || !box.width) return "";
              const shown = e.matches(".scale input") ? e.nextElementSibling : e;
              const style = getComputedStyle(shown);
              const name = e.outerHTML.slice(0, 80);
              if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return "no outline: " + name;
              const top = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 10));
              if (top && !e.contains(top) && !top.contains(e)) return "covered: " + name;
              return "";
            }"""
        )
        assert seen == ""


def test_markers_are_one_stop_and_arrows_walk_them(replay: Page) -> None:
    first = replay.locator(".mark").first
    first.focus()
    replay.keyboard.press("ArrowRight")
    expect(replay.locator(".mark").nth(1)).to_be_focused()
    expect(replay.locator("#overview")).to_have_attribute("aria-valuenow", "0.0")
    replay.keyboard.press("Enter")
    expect(replay.locator("#overview")).not_to_have_attribute("aria-valuenow", "0.0")
    assert replay.locator(".mark[tabindex='0']").count() == 1
