"""What the telephones and the saboteur do in one call of the chaos run.

Hears from: `voice.evaluation.handoff_calls`, the call's log. Tells: the telephones.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from telephony.phone_driver import DrivenPhone
from voice.demo.scenario import clips
from voice.evaluation.handoff_faults import Fault
from voice.evaluation.handoff_lane import Lane, Log

CALLER_HZ, HUMAN_HZ = 1900.0, 700.0
TALK_S = 10.6
"""A bridge that breaks within 10 s has not been one: a caller who stays is talked to longer."""
CALL_MOST_S = 75.0


@dataclass(slots=True)
class Stage:
    """What happens while one call is up."""

    lane: Lane
    fault: Fault
    n: int
    caller: DrivenPhone
    log: Log
    humans: dict[str, DrivenPhone] = field(default_factory=dict)
    rang_t: float | None = None
    accept_t: float | None = None
    accepted_by: str = ""
    caller_leaves: bool = False

    async def state(self, state: str, target: str = "") -> bool:
        where: dict[str, Any] = {"state": state} | ({"target": target} if target else {})
        return await self.log.fact("HandoffState", **where) is not None

    def rang(self) -> None:
        self.rang_t = self.rang_t or time.monotonic()


def tone(folder: Path, hz: float) -> Path:
    path = folder / f"tone-{hz:.0f}.wav"
    if not path.exists():
        t = np.arange(8000 * 6) / 8000
        sf.write(str(path), 0.2 * np.sin(2 * np.pi * hz * t), 8000, subtype="PCM_16")
    return path


async def answer(stage: Stage, name: str, behaviour: str) -> None:
    """One human's telephone, from its ringing on."""
    human, fault = stage.humans[name], stage.fault
    if await human.wait("ringing", timeout_s=CALL_MOST_S) is None:
        return
    stage.rang()
    await asyncio.sleep(0.3)
    human.send(do="answer")
    if fault.strikes == "crossing":
        stage.caller_leaves = True
        stage.caller.send(do="hangup")
        return
    if not await stage.state("SCREENING", name):
        return
    if behaviour == "machine":
        human.send(do="play", file=str(clips()["human_hello"].path))
        return
    if behaviour == "mute":
        return
    if behaviour == "drop" and fault.at == "SCREENING":
        human.send(do="hangup")
        return
    human.send(do="key", digits="1")
    if not await stage.state("BRIEFING", name):
        return
    if behaviour == "decline":
        human.send(do="key", digits="2")
        return
    if behaviour == "drop" and fault.at == "BRIEFING":
        human.send(do="hangup")
        return
    if fault.at == "DECIDING" and not await stage.state("DECIDING", name):
        return
    if behaviour == "drop" and fault.at == "DECIDING":
        human.send(do="hangup")
        return
    await _take(stage, name, behaviour)


async def _take(stage: Stage, name: str, behaviour: str) -> None:
    """Accepts, and talks: a tone each way, so that both far ends can tell when they were joined."""
    human, fault = stage.humans[name], stage.fault
    await asyncio.sleep(0.5)
    stage.caller.send(do="play", file=str(tone(stage.lane.folder, CALLER_HZ)))
    human.send(do="play", file=str(tone(stage.lane.folder, HUMAN_HZ)))
    await asyncio.sleep(0.3)
    since = len(human.events)
    human.send(do="key", digits="1")
    sent = await human.wait("key_sent", since=since, timeout_s=5.0)
    if await stage.log.fact("LegsBridged", human=name) is None:
        return
    stage.accept_t, stage.accepted_by = (sent["t"] if sent else None), name
    if behaviour == "drop" and fault.at == "BRIDGED":
        await asyncio.sleep(1.0)
        human.send(do="hangup")
        return
    if behaviour == "holds":
        await asyncio.sleep(2.0)
        human.send(do="hold", on=True)
        await asyncio.sleep(2.0)
        human.send(do="hold", on=False)
    await asyncio.sleep(TALK_S)
    human.send(do="hangup")


async def strike(stage: Stage) -> None:
    """What goes wrong besides the humans."""
    fault, lane = stage.fault, stage.lane
    if fault.strikes == "webhooks-down":
        lane.receiver.down = True
        return
    if fault.strikes in ("", "crossing") or not await stage.state(fault.at):
        return
    work: Coroutine[Any, Any, None] | None = None
    match fault.strikes:
        case "caller-leaves":
            await asyncio.sleep(0.3)
            stage.caller_leaves = True
            stage.caller.send(do="hangup")
        case "worker-killed":
            lane.kill_worker()
        case "store-fails":
            work = lane.fail_store(2.0)
        case "rtp-stops":
            stage.caller_leaves = True
            os.kill(stage.caller.pid, signal.SIGSTOP)
            work = _wake(stage)
    if work is not None:
        await work


async def _wake(stage: Stage) -> None:
    try:
        await stage.log.fact("CallEnded")
    finally:
        os.kill(stage.caller.pid, signal.SIGCONT)
