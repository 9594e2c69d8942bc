"""Serves the application until it is told to stop.

Hears from: the command line. Tells: uvicorn.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket

import uvicorn

from telephony.errors import ConfigError
from telephony.settings import Settings, is_loopback, split_host_port, web_token
from voice.qa.app import create_app

GOODBYE_S = 3
"""Open event streams end at once, downloads get this long."""


async def run_web(settings: Settings, stop: asyncio.Event) -> None:
    """Serves on ``web.bind`` until ``stop`` is set.

    Raises:
        ConfigError: The address can't be bound, or isn't loopback while there is no token.
    """
    host, port = split_host_port(settings.web.bind)
    if not is_loopback(host) and not web_token(settings):
        raise ConfigError("web.bind", settings.web.bind, "set web.token before binding anything but loopback")
    app = create_app(settings)
    with _bound(settings.web.bind, host, port) as listening:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=GOODBYE_S
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        # streams never end by themselves, and uvicorn waits for them before it ends the lifespan
        app.state.web.tail.close()
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Signals belong to whoever runs the process."""

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
