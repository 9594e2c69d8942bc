"""The websocket between gateway and workers, the gateway's end: who is there, who is alive, what goes to and fro.

The media beat never waits for a worker: everything sent goes through a queue and one sender per worker. A
worker that does not read loses audio, never facts.

Hears from: workers. Tells: the gateway.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from telephony.admission import smoothed
from telephony.errors import ConfigError, LinkError
from telephony.link_codec import BEAT_S, AudioMessage, AudioRecord, Hello, decode_audio, encode_audio
from telephony.settings import is_loopback, split_host_port

log = logging.getLogger(__name__)

SUSPECT_S = 0.25
DEAD_S = 0.9
"""Silence after which a worker is given up; noticed on the next beat of the gateway, so within 1.0 s."""
STEP_MOST_S = 0.1
"""The most silence one look may add: when this process itself was held up, nobody else is to blame."""
AUDIO_QUEUE = 50
"""[messages] About 0.5–1 s of audio: what a worker has not read by then it does not get."""
HELLO_S = 10.0
MAX_MESSAGE_BYTES = 8 << 20
"""A briefing of 15 s as base64 has 320 kB."""


class Worker:
    """One connected worker."""

    def __init__(self, hello: Hello, socket: ServerConnection) -> None:
        self.hello, self._socket = hello, socket
        self.silent_s = 0.0
        self.lag_s = 0.0
        """How long urgent work waits there, as its beats say, smoothed."""
        self.suspect = False
        self.lost = False
        self.calls: set[int] = set()
        self.audio_dropped = 0
        self._queue: deque[str | bytes] = deque()
        self._audio_queued = 0
        self._wake = asyncio.Event()
        self._seq = 0
        self.acked = 0

    @property
    def name(self) -> str:
        return self.hello.worker

    def send(self, message: dict[str, Any]) -> None:
        """A fact or command: always arrives, in order, while the worker lives."""
        self._queue.append(json.dumps(message, ensure_ascii=False, separators=(",", ":")))
        self._wake.set()

    def send_audio(self, records: list[AudioRecord]) -> None:
        """The frames of this beat, in one message."""
        self._seq += 1
        message = AudioMessage(seq=self._seq, ack=self.acked, sent_ns=time.monotonic_ns(), records=tuple(records))
        self._queue.append(encode_audio(message))
        self._audio_queued += 1
        if self._audio_queued > AUDIO_QUEUE:
            oldest = next(i for i, m in enumerate(self._queue) if isinstance(m, bytes))
            del self._queue[oldest]
            self._audio_queued -= 1
            self.audio_dropped += 1
        self._wake.set()

    async def pump(self) -> None:
        """Sends what is queued, until the connection is gone."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                while self._queue:
                    message = self._queue.popleft()
                    self._audio_queued -= isinstance(message, bytes)
                    await self._socket.send(message)
                self._wake.clear()
                await self._wake.wait()

    def abort(self) -> None:
        """Cuts the connection at once: a worker that was given up must not wake up and talk."""
        self._socket.transport.abort()


class LinkListener(Protocol):
    """Who hears from workers."""

    def worker_ready(self, worker: Worker) -> None: ...
    def worker_said(self, worker: Worker, message: dict[str, Any]) -> None: ...
    def worker_audio(self, worker: Worker, record: AudioRecord) -> None: ...
    def worker_gone(self, worker: Worker, cause: str) -> None: ...
    def control(self, message: dict[str, Any]) -> dict[str, Any]: ...


class LinkServer:
    """Listens for workers and keeps the list of those alive."""

    def __init__(self, bind: str, listener: LinkListener, clock: Callable[[], float] = time.monotonic) -> None:
        self._bind, self._listener, self._clock = bind, listener, clock
        self._server: Server | None = None
        self._looked = clock()
        self.workers: list[Worker] = []

    async def start(self) -> None:
        """Listens.

        Raises:
            ConfigError: Not a loopback address, or in use.
        """
        host, port = split_host_port(self._bind)
        if not is_loopback(host):
            raise ConfigError("worker.link", self._bind, "workers speak without a password: use a loopback address")
        try:
            self._server = await serve(
                self._serve, host, port, compression=None, ping_interval=None, max_size=MAX_MESSAGE_BYTES
            )
        except OSError as exc:
            raise ConfigError("worker.link", self._bind, f"{exc.strerror or exc}; choose another") from exc

    async def close(self) -> None:
        if self._server is not None:
            self._server.close(close_connections=True)
            await self._server.wait_closed()

    def look(self) -> None:
        """Once a beat: counts silence, gives up whom it has lasted too long."""
        now = self._clock()
        step, self._looked = min(now - self._looked, STEP_MOST_S), now
        for worker in list(self.workers):
            worker.silent_s += step
            if worker.silent_s > DEAD_S:
                self._lose(worker, f"silent for {DEAD_S} s")
                worker.abort()
            elif worker.silent_s > SUSPECT_S and not worker.suspect:
                worker.suspect = True
                log.warning("worker %s is silent", worker.name)

    async def _serve(self, socket: ServerConnection) -> None:
        try:
            first = await asyncio.wait_for(socket.recv(), HELLO_S)
            if (order := _order(first)) is not None:
                await socket.send(json.dumps(self._listener.control(order)))
                return
            hello = _hello(first)
        except (TimeoutError, ConnectionClosed):
            return
        except LinkError as exc:
            log.warning("refused a worker: %s", exc)
            return
        worker = Worker(hello, socket)
        self.workers.append(worker)
        pump = asyncio.create_task(worker.pump())
        try:
            self._listener.worker_ready(worker)
            async for message in socket:
                silent_s, worker.silent_s, worker.suspect = worker.silent_s, 0.0, False
                if not worker.lost:
                    self._hear(worker, message, silent_s)
        except ConnectionClosed:
            pass
        finally:
            pump.cancel()
            self._lose(worker, "connection closed")

    def _hear(self, worker: Worker, message: str | bytes, silent_s: float) -> None:
        try:
            if isinstance(message, bytes):
                audio = decode_audio(message)
                worker.acked = audio.seq
                for record in audio.records:
                    self._listener.worker_audio(worker, record)
                return
            obj = json.loads(message)
            if not isinstance(obj, dict):
                raise LinkError("not a JSON object")
            if "beat" in obj:
                # The beat that comes late says itself how long the loop behind it hung.
                worker.lag_s = smoothed(worker.lag_s, float(obj.get("lag_s", 0.0)), max(BEAT_S, silent_s))
            else:
                self._listener.worker_said(worker, obj)
        except (LinkError, ValueError, TypeError, KeyError) as exc:
            log.error("worker %s: a message that cannot be read: %s", worker.name, exc)

    def _lose(self, worker: Worker, cause: str) -> None:
        if not worker.lost:
            worker.lost = True
            self.workers.remove(worker)
            log.warning("worker %s is gone: %s", worker.name, cause)
            self._listener.worker_gone(worker, cause)


def _order(message: str | bytes) -> dict[str, Any] | None:
    """Not a worker but the web page, with one order (`telephony.control`)."""
    try:
        obj = json.loads(message)
    except ValueError:
        return None
    return obj if isinstance(obj, dict) and "control" in obj else None


def _hello(message: str | bytes) -> Hello:
    try:
        obj = json.loads(message)
        return Hello(**obj["hello"])
    except (ValueError, KeyError, TypeError) as exc:
        raise LinkError(f"the first message is no hello: {exc}") from exc
