"""``python -m tests.browser.serve STORE HOST:PORT``: prints "serving" once it answers, ends when stdin closes."""

from __future__ import annotations

import asyncio
import sys
import urllib.error
import urllib.request

from telephony.settings import Settings
from voice.qa.app import run_web

LIMIT_S = 900


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=5):
            return True
    except urllib.error.URLError:
        return False


async def serve(store: str, address: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.call_later(LIMIT_S, stop.set)
    settings = Settings(store={"dir": store}, web={"bind": address}, privacy={"retain_days": 0})  # type: ignore[arg-type]
    web = asyncio.create_task(run_web(settings, stop))
    while not await asyncio.to_thread(_answers, address):
        if web.done():
            await web
        await asyncio.sleep(0.05)
    print("serving", flush=True)
    closed = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait({closed, web}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await web


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
