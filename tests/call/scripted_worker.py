"""A worker without models: speaks the real link, and says and states what a test tells it to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from telephony.commands import Command, StartTurn
from telephony.facts import Fact
from telephony.link_codec import (
    CONCEALED,
    HUMAN_LEG,
    LAST_OF_TURN,
    AudioMessage,
    AudioRecord,
    Hello,
    decode_audio,
    encode_audio,
)
from telephony.messages import to_json
from telephony.prompts import NAMES

BEAT_S = 0.05


def tone(hz: float, seconds: float, level: float = 0.2) -> bytes:
    """8 kHz 16-bit."""
    t = np.arange(int(8000 * seconds)) / 8000
    return (level * 32767 * np.sin(2 * np.pi * hz * t)).astype("<i2").tobytes()


def write_prompts(folder: Path, seconds: float = 0.4, names: tuple[str, ...] = NAMES) -> dict[str, list[str]]:
    """Every prompt as a short tone of its own pitch."""
    folder.mkdir(parents=True, exist_ok=True)
    out = {}
    for n, name in enumerate(names):
        path = folder / f"{name}.wav"
        with wave.open(str(path), "wb") as f:
            f.setnchannels(1)
            f.setsampwidth(2)
            f.setframerate(8000)
            f.writeframes(tone(400 + 50 * n, seconds))
        out[name] = [f"This is {name}.", str(path)]
    return out


class ScriptedWorker:
    """``messages``: every JSON message heard, in order. ``audio``: every frame, by (call, leg)."""

    def __init__(self, socket: ClientConnection, name: str) -> None:
        self.name = name
        self.messages: list[dict[str, Any]] = []
        self.audio: dict[tuple[int, str], list[AudioRecord]] = {}
        self.concealed = 0
        self.beating = True
        self.lag_s: Callable[[], float] = lambda: 0.0
        self._socket = socket
        self._seq = 0
        self._changed = asyncio.Condition()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._beat())]

    @classmethod
    async def start(cls, link: str, prompts: dict[str, list[str]], name: str = "w1") -> ScriptedWorker:
        """``link`` takes connections already: the gateway says so in its state (`tests.interop.rig.Rig.worker`)."""
        socket = await connect(f"ws://{link}", compression=None, ping_interval=None, max_size=None)
        hello = Hello(worker=name, pid=os.getpid(), version="test", models={"test": "1"}, prompts=prompts)
        await socket.send(json.dumps(hello.to_json()))
        return cls(socket, name)

    async def _beat(self) -> None:
        n = 0
        with contextlib.suppress(ConnectionClosed):
            while True:
                if self.beating:
                    n += 1
                    await self._socket.send(json.dumps({"beat": n, "lag_s": self.lag_s()}))
                await asyncio.sleep(BEAT_S)

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for data in self._socket:
                if isinstance(data, bytes):
                    for r in decode_audio(data).records:
                        leg = "human" if r.flags & HUMAN_LEG else "caller"
                        self.concealed += bool(r.flags & CONCEALED)
                        self.audio.setdefault((r.call, leg), []).append(r)
                else:
                    self.messages.append(json.loads(data))
                async with self._changed:
                    self._changed.notify_all()
        async with self._changed:
            self._changed.notify_all()

    async def until(self, found: Callable[[], Any], timeout_s: float = 20.0) -> Any:
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(lambda: bool(found()))
        return found()

    def facts(self, name: str, call: int | None = None, **fields: Any) -> list[dict[str, Any]]:
        return [
            m
            for m in self.messages
            if m.get("fact") == name and call in (None, m["call"]) and all(m.get(k) == v for k, v in fields.items())
        ]

    def commands(self, name: str) -> list[dict[str, Any]]:
        return [m for m in self.messages if m.get("command") == name]

    async def fact(self, name: str, *, nth: int = 1, timeout_s: float = 20.0, **fields: Any) -> dict[str, Any]:
        try:
            found = await self.until(lambda: self.facts(name, **fields)[nth - 1 :], timeout_s)
        except TimeoutError:
            raise AssertionError(
                f"no {name} {fields}; heard {[m.get('fact', m.get('command')) for m in self.messages]}"
            ) from None
        return found[0]

    async def hear(self, call: int, seconds: float) -> None:
        """Until the gateway has passed on so much more of the caller's line: its own media clock, not ours."""
        heard = self.audio.setdefault((call, "caller"), [])
        due = len(heard) + round(50 * seconds)
        await self.until(lambda: len(heard) >= due)

    async def attached(self, nth: int = 1) -> dict[str, Any]:
        found = await self.until(lambda: self.commands("Attach")[nth - 1 :])
        return found[0]

    async def state(self, call: int, fact: Fact, decision: dict[str, Any] | None = None) -> None:
        await self._socket.send(
            json.dumps({"call": call, **to_json(fact), **({"decision": decision} if decision else {})})
        )

    async def order(self, call: int, command: Command) -> None:
        await self._socket.send(json.dumps({"call": call, **to_json(command)}))

    async def send_audio(self, call: int, turn: int, pcm: bytes, *, last: bool = True, at: int = 0) -> None:
        self._seq += 1
        record = AudioRecord(call=call, turn=turn, tick=at, pcm=pcm, flags=LAST_OF_TURN if last else 0)
        await self._socket.send(encode_audio(AudioMessage(seq=self._seq, ack=0, sent_ns=0, records=(record,))))

    async def say(self, call: int, turn: int, text: str, pcm: bytes, *, keep: bool = False) -> None:
        """One turn; a record holds at most 64 kB, so a long one goes in pieces."""
        await self.order(call, StartTurn(turn=turn, text=text, rate_wpm=150, keep=keep))
        for at in range(0, max(1, len(pcm)), 32000):
            await self.send_audio(call, turn, pcm[at : at + 32000], last=at + 32000 >= len(pcm), at=at // 2)

    def kill(self) -> None:
        """As if the process were killed: the socket closes without a word."""
        self._socket.transport.abort()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.kill()
        await asyncio.gather(*self._tasks, return_exceptions=True)
