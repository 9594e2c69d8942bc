"""What the telephones and the saboteur do in one call of the chaos run.

Hears from: `voice.evaluation.handoff_calls`, the call's log. Tells: the telephones.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from voice.evaluation.handoff_clips import Clip
from voice.evaluation.handoff_faults import Fault
from voice.evaluation.handoff_lane import Lane, Log
from voice.evaluation.handoff_phones import Handset

TALK_S = 10.4
"""A bridge that breaks within 10 s has not been one: a caller who stays is talked to longer."""
CALL_MOST_S = 90.0
ANSWERS_AFTER_S = 0.8
KEY_AFTER_S = 0.8
"""Nobody presses 1 before having heard a word."""
HOLD_S = 2.0
STRIKES_AFTER_S = 0.4
"""Into the state; by then the first tone has been heard at both ends."""
RINGS_S = 75.0


@dataclass(slots=True, kw_only=True)
class Stage:
    """What happens while one call is up. Times ``_t``: monotonic clock [s]."""

    lane: Lane
    fault: Fault
    clips: dict[str, Clip]
    caller: Handset
    log: Log
    humans: dict[str, Handset] = field(default_factory=dict)
    asked_t: float | None = None
    """The caller's key was released, or the words that bring a human were sent to the line."""
    rang_t: float | None = None
    accept_t: float | None = None
    """The human's key was released, or the spoken yes was sent to the line."""
    accepted_by: str = ""
    caller_leaves: bool = False
    human_hung_up: bool = False
    """After a talk."""

    async def state(self, state: str, target: str = "") -> bool:
        where: dict[str, Any] = {"state": state} | ({"target": target} if target else {})
        return await self.log.fact("HandoffState", **where) is not None

    def rang(self) -> None:
        self.rang_t = self.rang_t or time.monotonic()

    def play(self, phone: Handset, name: str) -> float:
        """The moment it was asked for."""
        phone.send(do="play", file=str(self.clips[name].path))
        return time.monotonic()

    async def key(self, phone: Handset, digit: str) -> float | None:
        """The moment of its release; None if the line went first."""
        before = len(phone.events)
        phone.send(do="key", digits=digit)
        sent = await phone.wait("key_sent", after=before, timeout_s=5.0)
        return float(sent["t"]) if sent else None

    def hang_up(self, phone: Handset) -> None:
        self.caller_leaves = self.caller_leaves or phone is self.caller
        phone.send(do="hangup")


async def ask(stage: Stage) -> None:
    """The caller brings the handoff about."""
    caller, log, opens = stage.caller, stage.log, stage.fault.opens
    await asyncio.sleep(0.6)
    if opens == "key":
        stage.asked_t = await stage.key(caller, "0")
        return
    await stage.key(caller, "#")  # cuts the disclosure
    if await log.fact("Said", leg="caller", prompt="") is None:
        return
    if opens == "crisis":
        stage.asked_t = stage.play(caller, "danger")
        return
    stage.play(caller, "gas")
    if await log.fact("HandoffOffered") is None or stage.fault.at == "OFFERED":
        return
    offered_t = log.facts("HandoffOffered")[0]["t"]
    await log.fact("Said", where=lambda f: f["leg"] == "caller" and f["start"] > offered_t and f["text"].endswith("?"))
    stage.asked_t = stage.play(caller, "agree")


async def answer(stage: Stage, name: str, behaviour: str) -> None:
    """One human's telephone, from its ringing on."""
    human, at = stage.humans[name], stage.fault.at
    if await human.wait("ringing", timeout_s=RINGS_S) is None:
        return
    stage.rang()
    await asyncio.sleep(ANSWERS_AFTER_S)
    human.send(do="answer")
    if stage.fault.strikes == "crossing":
        stage.hang_up(stage.caller)
        return
    if not await stage.state("SCREENING", name) or behaviour == "mute":
        return
    if behaviour == "machine":
        stage.play(human, "mailbox")
        return
    if behaviour == "drop" and at == "SCREENING":
        human.send(do="hangup")
        return
    await asyncio.sleep(KEY_AFTER_S)
    await stage.key(human, "1")
    if not await stage.state("BRIEFING", name):
        return
    if behaviour == "decline":
        await stage.key(human, "2")
        return
    if behaviour == "drop" and at == "BRIEFING":
        human.send(do="hangup")
        return
    if at in ("BRIEFING", "DECIDING") or stage.fault.accepts_by == "voice":
        # A spoken yes while the briefing plays answers too, but then echo and overlap are what is measured.
        if at != "BRIEFING" and not await stage.state("DECIDING", name):
            return
        await asyncio.sleep(1.0)
    if behaviour == "drop" and at == "DECIDING":
        human.send(do="hangup")
        return
    await _take(stage, name, behaviour)


async def _take(stage: Stage, name: str, behaviour: str) -> None:
    """Accepts, and talks: a tone each way, so that both far ends can tell when they were joined."""
    human, fault = stage.humans[name], stage.fault
    accepted_t: float | None
    if fault.accepts_by == "voice":
        # The tones last 8 s: they begin when the question has been asked.
        await stage.log.fact("Said", leg="human", prompt="decide")
        stage.play(stage.caller, "caller_tone")
        accepted_t = stage.play(human, "yes")
    else:
        stage.play(stage.caller, "caller_tone")
        stage.play(human, "human_tone")
        await asyncio.sleep(0.4)
        accepted_t = await stage.key(human, "1")
    if await stage.log.fact("LegsBridged", human=name) is None:
        return
    stage.accept_t, stage.accepted_by = accepted_t, name
    if behaviour == "drop" and fault.at == "BRIDGED":
        await asyncio.sleep(1.0)
        human.send(do="hangup")
        return
    if behaviour == "holds":
        await asyncio.sleep(1.0)
        await _hold(human)
    await asyncio.sleep(TALK_S)
    if not human.frozen and not stage.caller_leaves:
        stage.human_hung_up = True
        human.send(do="hangup")


async def strike(stage: Stage) -> None:
    """What goes wrong besides the humans."""
    fault, lane = stage.fault, stage.lane
    if fault.strikes == "webhooks-down":
        lane.receiver.down = True
        return
    if fault.strikes in ("", "crossing") or not await stage.state(fault.at):
        return
    await asyncio.sleep(STRIKES_AFTER_S)
    human = stage.humans.get("h0")
    match fault.strikes:
        case "caller-leaves":
            stage.hang_up(stage.caller)
        case "worker-killed":
            lane.kill_worker()
        case "store-fails":
            await lane.fail_store(2.0)
        case "caller-holds":
            await _hold(stage.caller)
        case "both-hold" if human is not None:
            await asyncio.gather(_hold(stage.caller), _hold(human))
        case "caller-rtp-stops":
            stage.caller_leaves = True
            await _freeze(stage, stage.caller)
        case "human-rtp-stops" if human is not None:
            await _freeze(stage, human)


async def _hold(phone: Handset) -> None:
    phone.send(do="hold", on=True)
    await asyncio.sleep(HOLD_S)
    phone.send(do="hold", on=False)


async def _freeze(stage: Stage, phone: Handset) -> None:
    """Until the call is over."""
    phone.freeze(True)
    try:
        await stage.log.fact("CallEnded", timeout_s=CALL_MOST_S)
    finally:
        phone.freeze(False)
