"""A real server in a subprocess, a real Chromium, a store with one call of each kind."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import make_call
from voice.store.index import Index

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required"
).split()
PORTS = range(28000, 29000)
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"

expect.set_options(timeout=15_000)


@pytest.fixture(scope="package")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser-store")
    make_call.everything(folder)
    return folder


@pytest.fixture(scope="package")
def server(store: Path) -> Iterator[str]:
    with served(store) as address:
        yield address


@contextlib.contextmanager
def served(store: Path) -> Iterator[str]:
    """The replay pages over a store, in a process of their own; their address."""
    # the first page must not depend on how soon the server's own scan comes
    index = Index.open(store)
    index.scan(everything=True)
    index.close()
    port = _free_port()
    command = [sys.executable, "-m", "tests.browser.serve", str(store), f"127.0.0.1:{port}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline().strip() == "serving"
        yield f"http://127.0.0.1:{port}"
        process.stdin.close()
        assert process.wait(20) == 0


def _free_port() -> int:
    # two suites at once begin at different ports: between finding one free and binding it lies a second
    begin = os.getpid() % len(PORTS)
    for port in (*PORTS[begin:], *PORTS[:begin]):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port between 28000 and 28999")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ends with this folder's tests: playwright's own event loop is in the way of asynchronous tests elsewhere."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("chromium is missing; apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A page whose scripts must not fail and which must not be refused anything."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=server)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    yield opened
    context.close()
    assert complaints == []


@pytest.fixture
def replay(page: Page) -> Page:
    """The replay page of the call that went to a human."""
    return open_call(page, "20261124-091203-4f2a9c")


def open_call(page: Page, call_id: str) -> Page:
    page.goto(f"/calls/{call_id}")
    # word times come a moment later; a test must not see them change under its hands
    page.wait_for_selector("#call[data-words=measured]")
    return page


def until(page: Page, condition: str) -> None:
    """Waits for a condition, looked at once a frame. Playwright's own waiting needs eval, which our pages forbid."""
    page.evaluate(
        f"""async () => {{
          const end = performance.now() + 15000;
          while (!({condition})) {{
            if (performance.now() > end) throw new Error("never came true");
            await new Promise(requestAnimationFrame);
          }}
        }}"""
    )


def get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=20) as reply:
        body: bytes = reply.read()
    return body
