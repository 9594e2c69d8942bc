"""A human is rung, briefed and joined, by real telephones; and every way in which that goes wrong."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telephony.commands import UploadBriefing
from telephony.facts import BriefingBuilt, HandoffRequested, Transcribed
from telephony.phone_driver import DrivenPhone
from telephony.recovery import verify
from tests.call.scripted_worker import ScriptedWorker, tone
from tests.interop.rig import Rig, facts
from tests.interop.sound import level_db, read, seconds_of, span, write_tone

BRIEFING_HZ = 2300
WHY = {"rule": "test", "inputs": {"x": 1}}


@pytest.fixture
async def two_humans(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path, targets=2)
    yield rig
    await rig.stop()


async def ring_human(rig: Rig, worker: ScriptedWorker, caller: DrivenPhone) -> int:
    """A call whose worker asks for a human and sends a briefing. Returns the call's number."""
    caller.send(do="dial", uri=rig.uri)
    call = int((await worker.attached())["call"])
    await worker.fact("Disclosed")
    await worker.state(call, HandoffRequested(reason="distress"), WHY)
    fields = {"need": {"value": "billing", "evidence": [1.0, 2.0]}}
    pcm = base64.b64encode(tone(BRIEFING_HZ, 1.0)).decode()
    await worker.state(call, BriefingBuilt(text="Anna, billing.", fields=fields))
    await worker.order(call, UploadBriefing(pcm_base64=pcm, text="Anna, billing.", fields=fields))
    return call


async def reach(state: str, worker: ScriptedWorker, human: DrivenPhone) -> None:
    """Brings the handoff to ``state`` by what the human does."""
    assert await human.wait("ringing") is not None
    if state == "DIALLING":
        return
    human.send(do="answer")
    await worker.fact("Said", leg="human", prompt="screening")
    if state == "SCREENING":
        return
    human.send(do="key", digits="1")
    await worker.fact("HandoffState", state="BRIEFING")
    if state == "BRIEFING":
        return
    await worker.fact("Said", leg="human", prompt="briefing")
    await worker.fact("HandoffState", state="DECIDING")
    if state == "DECIDING":
        return
    human.send(do="key", digits="1")
    await worker.fact("HandoffState", state="BRIDGED")


async def test_briefing_is_for_the_human_alone_and_then_both_hear_each_other(rig: Rig) -> None:
    worker = await rig.up()
    human = await rig.phone("h1", rig.human_ports[0])
    caller = await rig.phone("anna", record=rig.folder / "caller.wav")
    call = await ring_human(rig, worker, caller)
    await reach("DECIDING", worker, human)
    await worker.state(call, Transcribed(leg="human", start=1, end=2, text="yes"))
    human.send(do="key", digits="1")
    bridged = await worker.fact("LegsBridged", human="h1")
    await worker.fact("Said", leg="human", prompt="intro_human")
    frames = len(worker.audio[call, "caller"])
    human.send(do="play", file=write_tone(rig.folder / "h.wav", 700, 3.0))
    caller.send(do="play", file=write_tone(rig.folder / "c.wav", 1900, 3.0))
    human.send(do="key", digits="4")
    await asyncio.gather(human.wait("played"), caller.wait("played"))
    assert await caller.wait("key_heard", timeout_s=5) is not None, "keys are passed on"
    assert len(worker.audio[call, "caller"]) - frames <= 5, "after the bridge nothing is heard by a worker"
    caller.send(do="hangup")
    assert await human.wait("closed") is not None
    await worker.fact("CallEnded")
    assert await caller.wait("closed") is not None
    await caller.stop()
    folder = await rig.folder_of()
    states = [f["state"] for f in facts(folder, "HandoffState")]
    assert states[:9] == [
        "HOLDING", "DIALLING", "ANSWERED", "SCREENING", "BRIEFING", "DECIDING", "BRIDGING", "BRIDGED", "RELEASED",
    ]  # fmt: skip
    times = {f["state"]: f["t"] for f in reversed(facts(folder, "HandoffState"))}
    to_caller, to_human = read(folder / "caller.flac", 1), read(folder / "human.flac", 1)
    assert len(to_caller) == len(to_human)
    assert seconds_of(span(to_human, times["BRIEFING"], times["DECIDING"]), BRIEFING_HZ) > 0.7
    assert seconds_of(to_caller, BRIEFING_HZ) == 0
    assert seconds_of(read(rig.folder / "caller.wav", 1), BRIEFING_HZ) == 0
    assert seconds_of(to_caller[int(bridged["t"] * 8000) :], 700) > 2.4
    assert seconds_of(to_human[int(bridged["t"] * 8000) :], 1900) > 2.4
    hold = span(to_caller, times["ANSWERED"], times["BRIDGING"])
    quietest = min(level_db(hold[i : i + 4000]) for i in range(0, len(hold) - 4000, 800))
    assert quietest > -50
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["fields"]["need"]["evidence"] == [1.0, 2.0]
    assert verify(rig.store) == []


@pytest.mark.parametrize("state", ["DIALLING", "SCREENING", "BRIEFING", "DECIDING", "BRIDGED"])
async def test_caller_hangs_up(rig: Rig, state: str) -> None:
    worker = await rig.up()
    human = await rig.phone("h1", rig.human_ports[0])
    caller = await rig.phone("anna")
    await ring_human(rig, worker, caller)
    await reach(state, worker, human)
    before = len(human.events)
    caller.send(do="hangup")
    left = await caller.wait("closed")
    gone = await human.wait("closed", since=before)
    end = await worker.fact("CallEnded")
    assert left is not None
    assert gone is not None
    assert end["ending"] == "caller-left"
    limit_s = 0.3 if state == "DIALLING" else 3.5
    assert gone["t"] - left["t"] < limit_s, "an unanswered human is cancelled at once, an answered one told first"
    await rig.folder_of()
    assert verify(rig.store) == []


@pytest.mark.parametrize("state", ["SCREENING", "BRIEFING", "DECIDING", "BRIDGED"])
async def test_human_hangs_up_and_nobody_else_is_there(rig: Rig, state: str) -> None:
    worker = await rig.up()
    human = await rig.phone("h1", rig.human_ports[0])
    caller = await rig.phone("anna")
    await ring_human(rig, worker, caller)
    await reach(state, worker, human)
    human.send(do="hangup")
    ticket = await worker.fact("CallbackTicketed")
    said = await worker.fact("Said", prompt="nobody_callback")
    assert said["seq"] > ticket["seq"], "the promise is on disk before it is made"
    end = await worker.fact("CallEnded")
    assert end["ending"] == "told-and-callback"
    assert await caller.wait("closed") is not None
    written = json.loads((rig.store / "callbacks" / f"{ticket['ref']}.json").read_text())
    assert written["number"] == "anna"
    assert written["fields"] == {"need": {"value": "billing", "evidence": [1.0, 2.0]}}
    await rig.folder_of()
    assert verify(rig.store) == []


async def test_the_first_human_is_busy_the_second_takes_the_call(two_humans: Rig) -> None:
    rig = two_humans
    worker = await rig.up()
    await rig.phone("h1", rig.human_ports[0], answer="busy")
    human = await rig.phone("h2", rig.human_ports[1])
    caller = await rig.phone("anna")
    await ring_human(rig, worker, caller)
    await reach("BRIDGED", worker, human)
    outcomes = [f["outcome"] for f in worker.facts("HandoffState") if f["outcome"]]
    assert outcomes == ["busy", "accepted"]
    ringing = await human.wait("ringing")
    assert ringing is not None
    headers = json.dumps(ringing)
    assert "Anna" not in headers
    assert "billing" not in headers
    await worker.fact("Said", prompt="intro_caller")
    human.send(do="hold", on=True)
    await worker.fact("HoldChanged", leg="human", on=True)
    caller.send(do="play", file=write_tone(rig.folder / "held.wav", 620, 1.0))
    await caller.wait("played")
    human.send(do="hold", on=False)
    await worker.fact("HoldChanged", leg="human", on=False)
    t = worker.facts("HoldChanged")[0]["t"]
    caller.send(do="hangup")
    await worker.fact("CallEnded")
    folder = await rig.folder_of()
    held = span(read(folder / "caller.flac", 1), t + 0.3, t + 0.9)
    assert -44 < level_db(held) < -32, "while the human holds, the caller hears hold sound"


async def test_zero_brings_a_human_without_any_worker_word(rig: Rig) -> None:
    worker = await rig.up()
    human = await rig.phone("h1", rig.human_ports[0], answer="after:0.1")
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    await worker.attached()
    caller.send(do="play", file=write_tone(rig.folder / "x.wav", 500, 0.3))
    await caller.wait("played")
    caller.send(do="key", digits="0")
    await worker.fact("HandoffRequested", reason="request")
    await human.wait("answered")
    await worker.fact("Said", leg="human", prompt="screening")
    human.send(do="key", digits="2")
    await worker.fact("HandoffState", outcome="declined")
    await worker.fact("Said", leg="human", prompt="declined_bye")
    assert (await worker.fact("CallEnded"))["ending"] == "told-and-callback"
    decided = [json.loads(line)["rule"] for line in (rig.calls()[0] / "decisions.jsonl").read_text().splitlines()]
    assert decided[0] == "key-0"
