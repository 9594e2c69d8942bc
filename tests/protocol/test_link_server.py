"""The gateway's end of the link, over real websockets: who is let in, who is given up, what may get lost."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from telephony.errors import ConfigError
from telephony.link import AUDIO_QUEUE, LinkServer, Worker
from telephony.link_codec import AudioMessage, AudioRecord, Hello, decode_audio, encode_audio

HELLO = Hello(worker="w1", pid=1, version="0").to_json()
FRAME = AudioRecord(call=1, turn=0, tick=0, pcm=bytes(320))


class Heard:
    """Notes everything the link tells."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()

    def worker_ready(self, worker: Worker) -> None:
        self.events.put_nowait(("ready", worker))

    def worker_said(self, worker: Worker, message: dict[str, Any]) -> None:
        self.events.put_nowait(("said", message))

    def worker_audio(self, worker: Worker, record: AudioRecord) -> None:
        self.events.put_nowait(("audio", record))

    def worker_gone(self, worker: Worker, cause: str) -> None:
        self.events.put_nowait(("gone", cause))

    async def next(self) -> tuple[Any, ...]:
        return await asyncio.wait_for(self.events.get(), 5)


class Link:
    """A server on a free port, with a clock that a test turns."""

    def __init__(self) -> None:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.bind = f"127.0.0.1:{s.getsockname()[1]}"
        self.now = 0.0
        self.heard = Heard()
        self.server = LinkServer(self.bind, self.heard, lambda: self.now)

    async def join(self) -> tuple[ClientConnection, Worker]:
        client = await connect(f"ws://{self.bind}", compression=None, ping_interval=None)
        await client.send(json.dumps(HELLO))
        kind, worker = await self.heard.next()
        assert kind == "ready"
        return client, worker

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds * 100)):
            self.now += 0.01
            self.server.look()


@pytest.fixture
async def link() -> AsyncIterator[Link]:
    link = Link()
    await link.server.start()
    yield link
    await link.server.close()


async def test_facts_commands_and_sound_arrive_in_order(link: Link) -> None:
    client, _ = await link.join()
    await client.send(json.dumps({"call": 1, "fact": "X"}))
    await client.send(encode_audio(AudioMessage(seq=9, ack=0, sent_ns=0, records=(FRAME,))))
    await client.send(json.dumps({"call": 1, "command": "Y"}))
    assert [await link.heard.next() for _ in range(3)] == [
        ("said", {"call": 1, "fact": "X"}), ("audio", FRAME), ("said", {"call": 1, "command": "Y"}),
    ]  # fmt: skip
    await client.close()


async def test_silence_of_900_ms_is_the_end_of_a_worker(link: Link) -> None:
    client, worker = await link.join()
    link.pass_time(0.3)
    assert worker.suspect
    await client.send(json.dumps({"beat": 1}))
    await client.send(json.dumps({"call": 1, "fact": "X"}))
    await link.heard.next()
    assert not worker.suspect
    link.pass_time(0.89)
    assert link.server.workers == [worker]
    link.pass_time(0.03)
    assert await link.heard.next() == ("gone", "silent for 0.9 s")
    assert link.server.workers == []
    with pytest.raises(ConnectionClosed):
        await client.recv()


async def test_a_stall_of_this_process_is_nobody_elses_silence(link: Link) -> None:
    client, worker = await link.join()
    link.now += 5.0
    link.server.look()
    assert link.server.workers == [worker]
    await client.close()


async def test_a_closed_socket_is_noticed_at_once(link: Link) -> None:
    client, _ = await link.join()
    client.transport.abort()
    assert await link.heard.next() == ("gone", "connection closed")


@pytest.mark.parametrize("first", ["no json", "{}", '{"hello": {"worker": 1}}', b"\x01\x02"])
async def test_who_does_not_say_hello_is_not_let_in(link: Link, first: str | bytes) -> None:
    client = await connect(f"ws://{link.bind}", compression=None)
    await client.send(first)
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(client.recv(), 5)
    assert link.server.workers == []


@pytest.mark.parametrize("junk", ["no json", "[1]", "{", b"\x01", b"\x02" * 40])
async def test_junk_of_a_worker_costs_it_nothing_but_the_message(link: Link, junk: str | bytes) -> None:
    client, _ = await link.join()
    await client.send(junk)
    await client.send(json.dumps({"call": 1, "fact": "X"}))
    assert await link.heard.next() == ("said", {"call": 1, "fact": "X"})
    await client.close()


async def test_a_worker_that_does_not_read_loses_sound_but_no_fact(link: Link) -> None:
    client, worker = await link.join()
    for n in range(3 * AUDIO_QUEUE):
        worker.send_audio([FRAME])
        if n % 50 == 0:
            worker.send({"call": 1, "seq": n})
    assert worker.audio_dropped > 0
    facts: list[int] = []
    sound = 0
    while len(facts) < 3:
        message = await asyncio.wait_for(client.recv(), 5)
        if isinstance(message, bytes):
            sound += len(decode_audio(message).records)
        else:
            facts.append(json.loads(message)["seq"])
    assert facts == [0, 50, 100]
    assert sound <= AUDIO_QUEUE
    await client.close()


async def test_the_link_is_for_this_machine_only() -> None:
    with pytest.raises(ConfigError, match="loopback"):
        await LinkServer("0.0.0.0:25998", Heard()).start()


async def test_a_link_port_in_use_is_named(link: Link) -> None:
    with pytest.raises(ConfigError, match="worker.link"):
        await LinkServer(link.bind, Heard()).start()


async def test_a_worker_says_how_far_it_lags(link: Link) -> None:
    client, worker = await link.join()
    for n in range(40):
        await client.send(json.dumps({"beat": n, "lag_s": 0.5}))
    # What follows a message in order has been read after it.
    await client.send(json.dumps({"call": 1, "fact": "X"}))
    await link.heard.next()
    assert 0.05 < worker.lag_s < 0.2
    await client.send(json.dumps({"beat": 41}))
    await client.send(json.dumps({"call": 1, "fact": "X"}))
    lagged_s = worker.lag_s
    await link.heard.next()
    assert worker.lag_s < lagged_s
