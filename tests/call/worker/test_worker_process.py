"""The worker over a real websocket: hello when ready, beats, answers, survives a gateway that goes and comes."""

from __future__ import annotations

import asyncio
import json
import wave
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.server import ServerConnection, serve

from telephony.commands import Attach, Detach
from telephony.facts import CallAnswered, Disclosed, Fact, WorkerAttached
from telephony.link_codec import LAST_OF_TURN, AudioMessage, AudioRecord, decode_audio, encode_audio
from telephony.messages import Stamped, to_json
from telephony.prompts import NAMES
from telephony.settings import Settings
from voice.engines.phrases import PhraseCache
from voice.pipeline.engines import Engines
from voice.pipeline.prewarm import fixed, prewarm
from voice.worker import run_worker

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Gateway:
    """Takes one connection at a time and keeps what it hears."""

    def __init__(self) -> None:
        self.hellos: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sound: asyncio.Queue[AudioRecord] = asyncio.Queue()
        self.beats = 0
        self.socket: ServerConnection | None = None

    async def serve(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.hellos.put_nowait(json.loads(await socket.recv())["hello"])
        async for data in socket:
            if isinstance(data, bytes):
                for record in decode_audio(data).records:
                    self.sound.put_nowait(record)
            elif "beat" in (obj := json.loads(data)):
                self.beats += 1
            else:
                self.heard.put_nowait(obj)

    async def send(self, obj: dict[str, Any]) -> None:
        assert self.socket is not None
        await self.socket.send(json.dumps(obj))

    async def commit(self, seq: int, fact: Fact) -> None:
        await self.send({"call": 7, **Stamped(seq=seq, t=0.0, fact=fact).to_json()})


@pytest_asyncio.fixture(loop_scope="session")
async def gateway() -> Any:
    gateway = Gateway()
    async with serve(gateway.serve, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        gateway.port = next(iter(server.sockets)).getsockname()[1]  # type: ignore[attr-defined]
        yield gateway


async def test_a_worker_says_hello_speaks_and_comes_back(gateway: Gateway, settings: Settings) -> None:
    worker = {"link": f"127.0.0.1:{gateway.port}"}  # type: ignore[attr-defined]
    settings = Settings(store={"dir": settings.store.dir}, worker=worker)  # type: ignore[arg-type]
    stop = asyncio.Event()
    async with asyncio.timeout(240):
        running = asyncio.create_task(run_worker(settings, name="w", stop=stop))
        hello = await gateway.hellos.get()
        assert hello["worker"] == "w"
        assert set(hello["models"]) >= {"transcriber", "voice"}
        assert set(NAMES) <= set(hello["prompts"])
        for _, path in hello["prompts"].values():
            with wave.open(path) as file:
                assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        text, path = hello["prompts"]["disclosure"]
        with wave.open(path) as file:
            assert file.getnframes() / 8000 <= 8.0
        assert "automated" in text.lower()

        await gateway.send({"call": 7, **to_json(Attach(caller="sip:a@b"))})
        await gateway.commit(1, CallAnswered(from_="sip:a@b", to="sip:c@d", codec="pcmu", at="2026-01-01T00:00:00Z"))
        await gateway.commit(2, WorkerAttached(worker="w"))
        await gateway.commit(3, Disclosed(text="…", start=0.0, end=0.0))
        command = await gateway.heard.get()
        assert command["call"] == 7
        assert command["command"] == "StartTurn"
        samples = 0
        while True:
            record = await gateway.sound.get()
            assert (record.call, record.turn, record.tick) == (7, command["turn"], samples)
            samples += len(record.pcm) // 2
            if record.flags & LAST_OF_TURN:
                break
        assert 0.8 < samples / 8000 < 3.0
        assert gateway.beats > 0

        # What a newer gateway might say costs that message, not the calls.
        await gateway.send({"call": 7, "command": "Unheard"})
        message = AudioMessage(seq=1, ack=0, sent_ns=0, records=(AudioRecord(call=7, turn=0, tick=0, pcm=bytes(320)),))
        assert gateway.socket is not None
        await gateway.socket.send(encode_audio(message))
        await gateway.send({"call": 7, **to_json(Detach())})
        await gateway.socket.close()
        assert (await gateway.hellos.get())["worker"] == "w"
        stop.set()
        await running


async def test_fixed_sentences_are_made_ahead_only_while_no_call_is_up(engines: Engines, tmp_path: Path) -> None:
    phrases = fixed(["How can I help? Please say it.", "I have {value} here.", "Help?"])
    said = [(p.part, p.rate_wpm) for p in phrases]
    assert said[:3] == [("How can I help?", 165.0), ("Please say it.", 165.0), ("Help?", 165.0)]
    assert ("Help?", 180.0) in said
    assert ("Please say it.", 180.0) not in said
    synthesizer = engines.synthesizer
    synthesizer._cache = PhraseCache(tmp_path)
    quiet = asyncio.Event()
    making = asyncio.create_task(prewarm(phrases[:4], synthesizer, quiet))
    await asyncio.sleep(0)
    assert PhraseCache(tmp_path).load() == 0
    quiet.set()
    await making
    assert PhraseCache(tmp_path).load() == 4
