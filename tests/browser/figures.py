"""``python -m tests.browser.figures [FILE]``: every target of the replay pages, measured; a Markdown table.

Real server, real Chromium, in real time: about eight minutes on a machine that does nothing else. Exit 1 where a target
is missed. ``WARMLINE_DATA``: recordings of spoken digits for the row about real speakers, left out without.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import make_call, score_timed, test_hostile
from tests.browser.conftest import FLAGS, get, open_call, served, until
from tests.browser.many_calls import many_calls, page_times_s
from tests.browser.test_pages import AXE, PATHS
from tests.browser.word_truth import joined_digits, joined_words
from voice.engines.word_times import word_times

RULES = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']"
SHAPES = {"light": (1280, "light"), "dark": (1280, "dark"), "200 %": (640, "light")}
HOUR, DISTRESS = "20261122-080000-1h0000", "20261124-091203-4f2a9c"
OPENINGS = 5
FRAME_MS = 1000 / 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    name: str
    value: str
    target: str
    met: bool


def timed(browser: Browser, root: Path) -> Iterator[Figure]:
    """Figures that a busy machine spoils."""
    make_call.hour(root / "hour")
    with served(root / "hour") as address:
        yield from _hour(browser, address)
    make_call.everything(root / "every")
    with served(root / "every") as address:
        yield _highlight(browser, address)
    make_call.hour(root / "score", score_timed.CALL, score_timed.MINUTES)
    with served(root / "score") as address:
        yield _keyboard(browser, address)
    many_calls(root / "many", 100_000)
    with served(root / "many") as address:
        times = sorted(page_times_s(address, repeats=10))
    p50, p95 = (1000 * times[int(q * len(times))] for q in (0.5, 0.95))
    shown = f"{p95:.0f} ms (median {p50:.0f} ms, {len(times)} pages)"
    yield Figure(name="page of 100,000 calls over HTTP, p95", value=shown, target="≤ 200 ms", met=p95 <= 200)


def counted(browser: Browser, root: Path) -> Iterator[Figure]:
    """Figures that are the same on any machine."""
    yield from _words()
    make_call.everything(root / "every")
    with served(root / "every") as address:
        yield _axe(browser, address)
        yield _script(address)
    yield _hostile(browser, root / "hostile")


PARTS = {"timed": timed, "counted": counted}


def _hour(browser: Browser, address: str) -> Iterator[Figure]:
    paints, starts = [], []
    for _ in range(OPENINGS):
        page = _page(browser, address)
        open_call(page, HOUR)
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        until(page, "document.getElementById('audio').readyState >= 2")
        page.locator("#overview").focus()
        page.evaluate(
            """() => {
              const audio = document.getElementById("audio");
              addEventListener("keydown", () => { window.pressed = performance.now(); }, { capture: true, once: true });
              audio.addEventListener("playing", () => { window.playing = performance.now(); }, { once: true });
            }"""
        )
        page.keyboard.press("Space")
        until(page, "window.playing !== undefined && document.getElementById('audio').currentTime > 0")
        starts.append(page.evaluate("window.playing - window.pressed"))
        frames = _frames(page) if not paints[1:] else None
        page.context.close()
        if frames is not None:
            late = sum(x > 1.5 * FRAME_MS for x in frames)
            shown = f"{late} of {len(frames)} (longest {max(frames):.0f} ms)"
            name = "frames dropped in 10 s of seeks, zooms and scrolling"
            yield Figure(name=name, value=shown, target="0", met=not late)
    worst_paint, worst_start = max(paints) / 1000, max(starts) / 1000
    yield Figure(
        name=f"60-minute call: first paint, worst of {OPENINGS}",
        value=f"{worst_paint:.2f} s", target="≤ 1.0 s", met=worst_paint <= 1.0,
    )  # fmt: skip
    yield Figure(
        name=f"60-minute call: playing after the key, worst of {OPENINGS}",
        value=f"{worst_start:.3f} s", target="≤ 0.3 s", met=worst_start <= 0.3,
    )  # fmt: skip


def _frames(page: Page) -> list[float]:
    """Milliseconds between frames while the keys seek and zoom four times a second and the transcript scrolls."""
    found: list[float] = page.evaluate(
        """async () => {
          const keys = ["ArrowRight", "+", "PageDown", "-", "j", "k", "n", "0"], out = [];
          const turns = document.getElementById("turns");
          const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
          const end = performance.now() + 10000;
          let last = performance.now(), next = last, n = 0;
          while (last < end) {
            await new Promise(requestAnimationFrame);
            const now = performance.now();
            out.push(now - last);
            last = now;
            turns.scrollTop += 7;
            if (now >= next) {
              press(keys[n++ % keys.length]);
              next += 250;
            }
          }
          return out.slice(3);
        }"""
    )
    return found


def _highlight(browser: Browser, address: str) -> Figure:
    page = _page(browser, address)
    open_call(page, DISTRESS)
    samples = page.evaluate(
        """async () => {
          const audio = document.getElementById("audio"), out = [];
          audio.currentTime = 10;
          await new Promise((done) => audio.addEventListener("seeked", done, { once: true }));
          document.getElementById("play").click();
          const words = [...document.querySelectorAll(".w")].map((n) => [n, Number(n.dataset.s), Number(n.dataset.e)]);
          while (audio.currentTime < 40) {
            await new Promise(requestAnimationFrame);
            const t = audio.currentTime, lit = document.querySelector(".w.now");
            const due = words.filter(([, s, e]) => t >= s && t < e).map(([n]) => n);
            const off = (n) => { const [, s, e] = words.find(([x]) => x === n); return Math.max(s - t, t - e, 0); };
            if (lit) out.push(1000 * off(lit));
            else if (due.length) out.push(Math.min(...due.map((n) => 1000 * (t - words.find(([x]) => x === n)[1]))));
          }
          audio.pause();
          return out;
        }"""
    )
    page.context.close()
    within = float(np.mean(np.asarray(samples) <= 50.0))
    shown = f"{100 * within:.1f} % of {len(samples)} frames within 50 ms, worst {max(samples):.0f} ms"
    return Figure(
        name="lit word against the audio's clock, 30 s", value=shown, target="all within 50 ms", met=within == 1.0
    )


def _words() -> Iterator[Figure]:
    """Times of words against words whose place is known."""
    kinds = (
        ("synthetic speech, words laid end to end", joined_words()),
        ("spoken digits, real speakers", joined_digits()),
    )
    for kind, truth in kinds:
        late: list[float] = []
        for samples, words, starts in truth:
            found = word_times(samples, words)
            late += [1000 * abs(f[0] - s) for f, s in zip(found or [], starts, strict=False)]
        if not late:
            continue
        p50, p90 = np.percentile(late, [50, 90])
        within = 100 * float(np.mean(np.asarray(late) <= 50.0))
        shown = f"median {p50:.0f} ms, p90 {p90:.0f} ms, {within:.0f} % within 50 ms"
        name = f"start of a word, {kind} ({len(late)} words)"
        yield Figure(name=name, value=shown, target="p90 within 50 ms", met=p90 <= 50.0)


def _axe(browser: Browser, address: str) -> Figure:
    counts = dict.fromkeys(SHAPES, 0)
    for shape, (width, scheme) in SHAPES.items():
        for path in PATHS:
            page = _page(browser, address, width=width, scheme=scheme)
            page.goto(path)
            if "/calls/" in path and "table" not in path:
                page.wait_for_selector("#call[data-ready=yes]")
            found = page.evaluate(AXE + f"; axe.run(document, {{ runOnly: {RULES} }})")
            counts[shape] += len(found["violations"])
            page.context.close()
    shown = ", ".join(f"{k}: {v}" for k, v in counts.items())
    return Figure(
        name=f"axe violations, {len(PATHS)} pages", value=shown, target="0", met=not any(counts.values())
    )  # fmt: skip


def _script(address: str) -> Figure:
    modules, todo, total = set[str](), ["/static/replay.js", "/static/list.js", "/static/live.js"], 0
    while todo:
        path = todo.pop()
        if path not in modules:
            modules.add(path)
            text = get(address + path).decode()
            total += len(text)
            todo += [f"/static/{name}" for name in re.findall(r'from "\./(\w+\.js)"', text)]
    return Figure(
        name="script of all pages together", value=f"{total / 1000:.0f} kB", target="≤ 300 kB", met=total <= 300_000
    )


def _hostile(browser: Browser, store: Path) -> Figure:
    calls = test_hostile.write(store)
    ran = 0
    with served(store) as address:
        page = _page(browser, address)
        page.on("dialog", lambda d: d.dismiss())
        for call_id in calls:
            open_call(page, call_id)
            page.evaluate("document.querySelectorAll('.mark').forEach((m) => m.click())")
            ran += page.evaluate("window.pwned") is not None
            for path in (f"/calls/{call_id}/table",):
                page.goto(path)
                ran += page.evaluate("window.pwned") is not None
        page.goto("/figures")
        ran += page.evaluate("window.pwned") is not None
        page.context.close()
    return Figure(
        name=f"scripts run by {len(test_hostile.PAYLOADS)} hostile payloads in every field, each its own call",
        value=str(ran), target="0", met=not ran,
    )  # fmt: skip


def _keyboard(browser: Browser, address: str) -> Figure:
    page = _page(browser, address)
    took_s, listening_s, keys = score_timed.score(page)
    page.context.close()
    ratio = took_s / listening_s
    return Figure(
        name="3-minute call scored by keyboard alone, against its listening time at 1.5 ×",
        value=f"{ratio:.2f} × ({took_s:.0f} s, {keys} keys)", target="≤ 1.3 ×", met=ratio <= 1.3,
    )  # fmt: skip


def _page(browser: Browser, address: str, *, width: int = 1440, scheme: str = "light") -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900}, base_url=address, color_scheme=scheme)  # type: ignore[arg-type]
    return context.new_page()


def table(rows: list[str]) -> str:
    about = (
        "`python -m tests.browser.figures docs/benchmarks/replay.md`, Chromium without a GPU, server and browser on "
        f"one machine: {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}."
    )
    head = "| figure | measured | target | met | on, at commit |\n|---|---|---|---|---|"
    return "\n".join(("# Replay: figures", "", about, "", head, *rows, ""))


def row(figure: Figure) -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    when = f"{datetime.now(UTC):%d %b %Y}, {commit.stdout.strip()}"
    return f"| {figure.name} | {figure.value} | {figure.target} | {'yes' if figure.met else '**no**'} | {when} |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.figures", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="Markdown to write; rows not measured now stay in it")
    parser.add_argument("--part", choices=PARTS, action="append", help="only these (default: all)")
    options = parser.parse_args()
    met, rows = True, {}
    if options.file and options.file.is_file():
        old = [x for x in options.file.read_text("utf-8").splitlines() if x.startswith("| ")][1:]
        rows = {x.split("|")[1].strip(): x for x in old}
    for part in options.part or PARTS:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            for figure in PARTS[part](browser, Path(folder)):
                print(f"{figure.name}: {figure.value} (target {figure.target})", flush=True)
                met, rows[figure.name] = met and figure.met, row(figure)
                if options.file:
                    options.file.write_text(table(list(rows.values())), "utf-8")
            browser.close()
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
