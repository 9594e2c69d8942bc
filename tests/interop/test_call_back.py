"""Nobody was free; minutes later the promise is kept: real gateway, real SIP and RTP, two real telephones."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telephony.prompts import CALLBACK_NAMES, NAMES
from telephony.recovery import verify
from tests.call.scripted_worker import write_prompts
from tests.interop.rig import Rig, facts, free_ports
from tests.interop.sound import read, seconds_of, write_tone
from tests.interop.test_gateway_handoff import BRIEFING_HZ, ring_human

NUMBER = "15550100"


@pytest.fixture
async def dialling(tmp_path: Path) -> AsyncIterator[tuple[Rig, int]]:
    [port] = free_ports(1, 25700)
    extra = (
        f'\ncallback = "dial"\ncallback_route = "sip:{{number}}@127.0.0.1:{port}"\ncallback_numbers = ["1555"]\n'
        'callback_hours = "Mo-Su 00:00-24:00"\ncallback_every_minutes = 0.02\n'
    )
    rig = Rig(tmp_path, extra=extra)
    rig.prompts = write_prompts(tmp_path / "prompts", names=(*NAMES, *CALLBACK_NAMES))
    yield rig, port
    await rig.stop()


async def test_a_call_back_is_placed_and_both_hear_each_other(dialling: tuple[Rig, int]) -> None:
    rig, port = dialling
    worker = await rig.up()
    human = await rig.phone("h1", rig.human_ports[0])
    caller = await rig.phone(NUMBER, port, record=rig.folder / "caller.wav")
    await ring_human(rig, worker, caller)
    await human.wait("ringing")
    human.send(do="hangup")
    ticket = (await worker.fact("CallbackTicketed"))["ref"]
    assert (await worker.fact("CallEnded"))["ending"] == "told-and-callback"
    await caller.wait("closed")

    since = len(human.events)
    assert await human.wait("ringing", since=since) is not None, "a free human is rung again"
    before = len(caller.events)
    human.send(do="answer")
    await human.wait("answered", since=since)
    human.send(do="key", digits="1")
    await rig.fact_of(1, "HandoffState", state="BRIEFING")
    human.send(do="key", digits="1")
    assert await caller.wait("ringing", since=before) is not None
    caller.send(do="answer")
    await rig.fact_of(1, "LegsBridged")
    caller.send(do="play", file=write_tone(rig.folder / "c.wav", 1900, 2.0))
    human.send(do="play", file=write_tone(rig.folder / "h.wav", 700, 2.0))
    await human.wait("played", since=since)
    await caller.wait("played", since=before)
    caller.send(do="hangup")
    assert await human.wait("closed", since=since) is not None
    await caller.stop()

    folder = await rig.folder_of(1)
    bridged = facts(folder, "LegsBridged")[0]["t"]
    assert seconds_of(read(folder / "human.flac", 1)[int(bridged * 8000) :], 1900) > 1.2
    assert seconds_of(read(folder / "caller.flac", 1)[int(bridged * 8000) :], 700) > 1.2
    assert seconds_of(read(folder / "caller.flac", 1), BRIEFING_HZ) == 0, "the briefing is for the human alone"
    assert [f["prompt"] for f in facts(folder, "Said") if f["leg"] == "caller"] == ["callback_hello"]
    written = json.loads((rig.store / "callbacks" / f"{ticket}.json").read_text())
    assert written["state"] == "done"
    assert verify(rig.store) == []
