"""The worker's end of the link: one websocket to the gateway, everything sent through one queue, in order.

Hears from: the gateway. Tells: `voice.worker`; from there, audio, facts and commands of every call.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from telephony.commands import Command
from telephony.facts import Decision, Fact
from telephony.link_codec import BEAT_S, LAST_OF_TURN, AudioMessage, AudioRecord, Hello, decode_audio, encode_audio
from telephony.messages import to_json
from telephony.settings import split_host_port

log = structlog.get_logger(__name__)

RETRY_FIRST_S, RETRY_MOST_S = 0.1, 2.0
_MAX_MESSAGE_BYTES = 8 << 20


class LinkHandler(Protocol):
    """What arrives, in the order of the wire."""

    async def message(self, obj: dict[str, Any]) -> None: ...
    async def audio(self, record: AudioRecord) -> None: ...
    async def lost(self) -> None:
        """The gateway is gone: so are its calls."""
        ...


class LinkClient:
    """Keeps a connection, with retries that back off, until stopped."""

    def __init__(
        self, address: str, hello: Hello, handler: LinkHandler, *, lag_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        """``lag_s``: how long the most urgent work has waited."""
        self._host, self._port = split_host_port(address)
        self._hello, self._handler, self._lag_s = hello, handler, lag_s
        self._queue: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._seq = self._ack = 0

    def send(self, obj: dict[str, Any]) -> None:
        self._queue.put_nowait(json.dumps(obj, ensure_ascii=False, separators=(",", ":")))

    def send_audio(self, record: AudioRecord) -> None:
        self._seq += 1
        message = AudioMessage(seq=self._seq, ack=self._ack, sent_ns=time.monotonic_ns(), records=(record,))
        self._queue.put_nowait(encode_audio(message))

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``."""
        async with _racing(stop) as stopped:
            delay_s = RETRY_FIRST_S
            while not stop.is_set():
                try:
                    async with connect(
                        f"ws://{self._host}:{self._port}",
                        compression=None,
                        ping_interval=None,
                        proxy=None,
                        max_size=_MAX_MESSAGE_BYTES,
                    ) as socket:
                        delay_s = RETRY_FIRST_S
                        await self._serve(socket, stopped)
                except (OSError, InvalidHandshake, TimeoutError) as exc:
                    log.debug("no gateway yet", error=type(exc).__name__)
                if stop.is_set():
                    return
                # Two workers must not knock in step.
                pause_s = delay_s * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret
                await asyncio.wait({stopped}, timeout=pause_s)
                delay_s = min(2 * delay_s, RETRY_MOST_S)

    async def _serve(self, socket: ClientConnection, stopped: asyncio.Task[Any]) -> None:
        self._queue = asyncio.Queue()
        self._seq = self._ack = 0
        with contextlib.suppress(ConnectionClosed):
            await socket.send(json.dumps(self._hello.to_json()))
        tasks = {asyncio.create_task(work) for work in (self._read(socket), self._write(socket), self._beat())}
        try:
            await asyncio.wait(tasks | {stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            await self._handler.lost()
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, ConnectionClosed):
                raise result

    async def _read(self, socket: ClientConnection) -> None:
        async for data in socket:
            if isinstance(data, bytes):
                message = decode_audio(data)
                self._ack = message.seq
                for record in message.records:
                    await self._handler.audio(record)
            else:
                await self._handler.message(json.loads(data))

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            await socket.send(await self._queue.get())

    async def _beat(self) -> None:
        """From the loop that does the work: a loop that hangs does not beat, and says so when it beats again."""
        n, due = 0, time.monotonic()
        while True:
            now = time.monotonic()
            self.send({"beat": n, "lag_s": round(max(now - due, self._lag_s()), 3)})
            n, due = n + 1, now + BEAT_S
            await asyncio.sleep(BEAT_S)


class LinkPort:
    """One call's way out."""

    def __init__(self, client: LinkClient, call: int) -> None:
        self._client, self._call = client, call

    def emit(self, fact: Fact, decision: Decision | None = None) -> None:
        obj: dict[str, Any] = {"call": self._call, **to_json(fact)}
        if decision is not None:
            obj["decision"] = {
                "rule": decision.rule,
                "inputs": decision.inputs,
                "threshold": decision.threshold,
                "versions": decision.versions,
            }
        self._client.send(obj)

    def command(self, command: Command) -> None:
        self._client.send({"call": self._call, **to_json(command)})

    def audio(self, *, turn: int, sample: int, pcm: bytes, last: bool) -> None:
        # A record's length field has 16 bits.
        step = 0xFFFE
        parts = [pcm[i : i + step] for i in range(0, len(pcm), step)] or [b""]
        for n, part in enumerate(parts):
            flags = LAST_OF_TURN if last and n == len(parts) - 1 else 0
            self._client.send_audio(AudioRecord(call=self._call, turn=turn, tick=sample, pcm=part, flags=flags))
            sample += len(part) // 2


@contextlib.asynccontextmanager
async def _racing(stop: asyncio.Event) -> AsyncIterator[asyncio.Task[Any]]:
    task = asyncio.create_task(stop.wait())
    try:
        yield task
    finally:
        task.cancel()
