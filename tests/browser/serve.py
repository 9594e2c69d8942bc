"""``python -m tests.browser.serve STORE HOST:PORT``: prints "serving" once it answers, ends when stdin closes."""

from __future__ import annotations

import asyncio
import sys

from telephony.settings import Settings
from voice.qa.app import run_web

LIMIT_S = 900


async def serve(store: str, address: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.call_later(LIMIT_S, stop.set)
    settings = Settings(store={"dir": store}, web={"bind": address}, privacy={"retain_days": 0})  # type: ignore[arg-type]
    answering = asyncio.Event()
    web = asyncio.create_task(run_web(settings, stop, answering))
    up = asyncio.create_task(answering.wait())
    await asyncio.wait({web, up}, return_when=asyncio.FIRST_COMPLETED)
    if web.done():
        await web
    print("serving", flush=True)
    closed = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait({closed, web}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await web


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
