"""The whole system under faults: a caller is never left alone, and what was said is never lost.

One running system for all calls of this file: its models take the most time to load.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soundfile as sf
import yaml

from prosody.emotion import model_folder
from telephony.phone_driver import DrivenPhone
from telephony.recovery import verify
from tests.interop.system_rig import LiveCall, World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

AUDIBLE_DBFS = -45.0
NOTICED_S = 1.0
SENTENCE_S = 1.0
HEARD_LATE_S = 0.2
"""Jitter buffer and network of the phone at whose ear it is measured."""


def broken_ear(folder: Path) -> Path:
    """A model that loads and then raises at every window: its calibration is empty."""
    shutil.copytree(model_folder("open"), folder)
    card = yaml.safe_load((folder / "model.yaml").read_text("utf-8"))
    card["calibration"]["distress"] = {}
    (folder / "model.yaml").write_text(yaml.safe_dump(card, allow_unicode=True), "utf-8")
    return folder


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("faults")
    world = await World.start(folder, workers=2, ear=str(broken_ear(folder / "ear")))
    yield world
    await world.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def human(world: World) -> DrivenPhone:
    return await world.phone("human", human=0, answer="after:0.2")


def answered_at(phone: DrivenPhone) -> float:
    return next(float(e["t"]) for e in phone.events if e["event"] == "answered")


async def accepts(human: DrivenPhone, call: LiveCall) -> None:
    """The human hears the screening, the briefing and the question, and takes the call."""
    await call.fact("Said", leg="human", prompt="screening")
    human.send(do="key", digits="1")
    await call.state("BRIEFING")
    human.send(do="key", digits="1")
    await call.state("RELEASED")


async def hang_up(phone: DrivenPhone, call: LiveCall) -> str:
    phone.send(do="hangup")
    await phone.wait("closed")
    return str((await call.settled())["ending"])


def sounds_between(recording: Path, start_s: float, end_s: float) -> bool:
    """Whether the phone heard anything in between."""
    sound, rate = sf.read(recording, always_2d=True)
    heard = sound[int(start_s * rate) : int(end_s * rate), 1]
    frames = heard[: len(heard) // 160 * 160].reshape(-1, 160)
    return bool(np.max(10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)) > AUDIBLE_DBFS)


async def test_a_killed_worker_is_noticed_and_another_goes_on(world: World) -> None:
    caller = await world.phone("anna")
    call = await world.call(caller)
    await call.fact("Disclosed")
    await call.fact("Said", prompt="")
    world.say(caller, "where_is_my_order")
    await call.fact("Transcribed")
    asked = await call.fact("IntentRecognised")
    first = call.all("WorkerAttached")[0]["worker"]
    killed_s = world.signal(first) - answered_at(caller)
    lost = await call.fact("WorkerLost")
    second = await call.fact("WorkerAttached", n=2)
    told = await call.fact("Said", prompt="worker_lost")
    again = await call.fact("Said", prompt="", cut=False, n=2)
    assert await hang_up(caller, call) == "caller-left"
    assert lost["t"] - killed_s < NOTICED_S
    assert told["start"] - lost["t"] < SENTENCE_S
    assert sounds_between(world.folder / "anna.wav", lost["t"], lost["t"] + SENTENCE_S + HEARD_LATE_S)
    assert second["worker"] != first
    assert second["resumed"]
    assert "order number" in again["text"]
    assert again["start"] >= told["end"] - 0.1
    assert asked["seq"] < lost["seq"]


async def test_a_worker_that_freezes_on_hold_takes_no_briefing_with_it(world: World, human: DrivenPhone) -> None:
    await world.workers(2)
    caller = await world.phone("bert")
    call = await world.call(caller)
    await call.fact("CallAnswered")
    caller.send(do="key", digits="0")
    # Its words are in the log, its sound is still being made.
    await call.fact("BriefingBuilt")
    worker = call.all("WorkerAttached")[0]["worker"]
    frozen_s = world.signal(worker, signal.SIGSTOP) - answered_at(caller)
    try:
        lost = await call.fact("WorkerLost")
        await call.fact("Said", leg="human", prompt="screening")
        human.send(do="key", digits="1")
        briefing = await call.fact("Said", leg="human", prompt="briefing")
        human.send(do="key", digits="1")
        await call.state("RELEASED")
    finally:
        world.signal(worker, signal.SIGCONT)
    await hang_up(caller, call)
    assert lost["t"] - frozen_s < NOTICED_S + 0.1
    assert "talk to a person" in briefing["text"]
    assert call.all("Disclosed")
    assert not [f for f in call.all("Said", leg="caller") if f["prompt"] == "briefing"]


async def test_a_failing_ear_is_unknown_and_words_still_reach_a_human(world: World, human: DrivenPhone) -> None:
    caller = await world.phone("cleo")
    call = await world.call(caller)
    await call.fact("Said", prompt="")
    world.say(caller, "want_person")
    await call.fact("HandoffRequested", reason="request")
    await accepts(human, call)
    await hang_up(caller, call)
    scored = call.all("EmotionScored")
    assert scored
    assert {(f["p_distress"], f["arousal"], f["abstained"]) for f in scored} == {(None, None, True)}
    assert all("failed" in f["reason"] for f in scored)
    assert call.all("BriefingBuilt")[-1]["fields"]["state"]["level"] == "unknown"
    bridged = call.all("LegsBridged")[0]["t"]
    assert not [f for f in call.facts if f["fact"] in ("Transcribed", "EmotionScored") and f["t"] > bridged]


async def test_a_killed_gateway_keeps_every_turn_and_promises_a_callback(world: World) -> None:
    await world.workers(2)
    caller = await world.phone("dora")
    call = await world.call(caller)
    await call.fact("Said", prompt="")
    world.say(caller, "where_is_my_order")
    await call.fact("IntentRecognised")
    before = call.facts
    killed = world.signal("gateway")
    end = await call.settled()
    took_s = time.monotonic() - killed
    assert call.facts[: len(before)] == before
    assert (end["cause"], end["ending"]) == ("gateway-lost", "interrupted")
    assert killed - answered_at(caller) - end["t"] < 0.2 + HEARD_LATE_S
    ticket = call.all("CallbackTicketed")[0]["ref"]
    assert (world.store / "callbacks" / f"{ticket}.json").exists()
    # The restart loads a Python and the SIP stack; recovery itself is a matter of milliseconds.
    assert took_s < 5.0 + 5.0
    caller.send(do="hangup")
    await world.workers(2)
    assert verify(world.store) == []
