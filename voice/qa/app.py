"""The web application: replay pages, the API, figures for Prometheus.

Reads the store; is never in the way of a call. ``create_app`` builds it, `voice.qa.server.run_web` serves it.

Hears from: call folders, people. Tells: people, programs.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from telephony.settings import Settings, web_token
from voice import __version__
from voice.qa import api, health, live, pages, problems, sound
from voice.qa.access import Access, Gate
from voice.qa.context import Web
from voice.qa.tail import Tail
from voice.store.index import Index
from voice.store.scanner import Scanner


def create_app(settings: Settings) -> FastAPI:
    """The application over ``settings.store.dir``; its index is opened, and migrated, at once.

    The thread that reads the store and the task that follows live calls run while the application's lifespan does.
    """
    store = settings.store.dir
    store.mkdir(parents=True, exist_ok=True)
    web = Web(settings=settings, index=Index.open(store), tail=Tail(store), gate=Gate(web_token(settings)))

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        scanner = Scanner(web.index, retain_days=settings.privacy.retain_days)
        scanner.start()
        following = asyncio.create_task(web.tail.run())
        yield
        web.tail.close()
        await following
        await asyncio.to_thread(scanner.stop)
        web.index.close()

    app = FastAPI(
        title="Warmline",
        version=__version__,
        summary="Calls with their scores and reasons.",
        lifespan=lifespan,
        # the interactive pages load scripts from elsewhere
        docs_url=None,
        redoc_url=None,
    )
    app.state.web = web
    problems.install(app)
    app.add_middleware(Access, gate=web.gate)
    for router in (health.router, api.router, sound.router, live.router, pages.router):
        app.include_router(router)
    return app
