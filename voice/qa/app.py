"""The web application: replay pages, the API, figures for Prometheus.

Reads the store; is never in the way of a call. ``create_app`` builds it, ``run_web`` serves it.

Hears from: call folders, people. Tells: people, programs.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI

from telephony.errors import ConfigError
from telephony.settings import Settings, is_loopback, split_host_port, web_token
from voice import __version__
from voice.qa import (
    api,
    commenting,
    handoff,
    health,
    insight,
    live,
    outcome,
    pages,
    problems,
    reviewing,
    signin,
    sound,
    word_times,
)
from voice.qa.access import Access, Gate
from voice.qa.context import Web
from voice.qa.tail import Tail
from voice.qa.users import read_users
from voice.store.index import Index
from voice.store.scanner import Scanner

GOODBYE_S = 3
"""Open event streams end at once, downloads get this long."""


def create_app(settings: Settings) -> FastAPI:
    """The application over ``settings.store.dir``; its index is opened, and migrated, at once.

    The thread that reads the store and the task that follows live calls run while the application's lifespan does.
    """
    store = settings.store.dir
    store.mkdir(parents=True, exist_ok=True)
    users = read_users(settings.web.users_file) if settings.web.users_file else {}
    gate = Gate(web_token(settings), users)
    web = Web(settings=settings, index=Index.open(store), tail=Tail(store), gate=gate)

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
    app.add_middleware(Access, gate=web.gate, has_signature=handoff.has_signature)
    for router in (
        health.router,
        api.router,
        sound.router,
        word_times.router,
        live.router,
        insight.router,
        handoff.router,
        reviewing.router,
        commenting.router,
        outcome.router,
        signin.router,
        pages.router,
    ):
        app.include_router(router)
    return app


async def run_web(settings: Settings, stop: asyncio.Event, answering: asyncio.Event | None = None) -> None:
    """Serves on ``web.bind`` until ``stop`` is set; sets ``answering`` once it answers.

    Raises:
        ConfigError: The address can't be bound, or isn't loopback while there is no token.
    """
    host, port = split_host_port(settings.web.bind)
    if not is_loopback(host) and not (web_token(settings) or settings.web.users_file):
        raise ConfigError("web.bind", settings.web.bind, "set web.token before binding anything but loopback")
    app = create_app(settings)
    with _bound(settings.web.bind, host, port) as listening:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=GOODBYE_S
        )
        server = _Server(config, answering or asyncio.Event())
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        # streams never end by themselves, and uvicorn waits for them before it ends the lifespan
        app.state.web.tail.close()
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Signals belong to whoever runs the process, who is told when it answers."""

    def __init__(self, config: uvicorn.Config, answering: asyncio.Event) -> None:
        super().__init__(config)
        self._answering = answering

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._answering.set()

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        return contextlib.nullcontext()


def _bound(bind: str, host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as exc:
        listening.close()
        raise ConfigError("web.bind", bind, f"{exc.strerror}; free the port or set another") from exc
    return listening
