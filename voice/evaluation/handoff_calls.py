"""One call of the chaos run: real telephones do what the fault says, and are asked afterwards what they heard.

Hears from: `voice.evaluation.handoff`. Tells: the same, one `Result` a call.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from telephony.facts import ENDINGS
from telephony.phone_driver import DrivenPhone
from telephony.phone_refuse import refuse
from voice.demo.system import HOST
from voice.evaluation.handoff_faults import REFUSALS, Fault
from voice.evaluation.handoff_lane import Lane, Log
from voice.evaluation.handoff_people import CALL_MOST_S, CALLER_HZ, HUMAN_HZ, Stage, answer, strike
from voice.evaluation.handoff_sound import first_tone_s, longest_silence_s, resemblance

AFTER_S = 5.0
ALIKE = 0.4
"""Over 220 pairs a briefing resembled other callers' recordings by 0.24 at most, its own human's by 0.54 at least."""
BRIEFED_S = 0.8
"""Shorter pieces resemble anything."""
NUMBER = "5550100"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """``orphans``: what outlived the call by 5 s. ``untold``: the caller was left without a word."""

    fault: str
    call: str
    ending: str
    outcomes: tuple[str, ...]
    silence_s: float | None
    ringing_ms: float | None
    """From the release of the caller's key 0 to the first human's telephone."""
    human_s: float | None
    """From the same to two-way audio."""
    two_way_ms: float | None
    """From the release of the human's key to each hearing the other, the later of both."""
    orphans: tuple[str, ...] = ()
    untold: bool = False
    briefed_machine: bool = False
    leaked: bool = False
    """The briefing's sound is in what the caller's telephone heard."""
    events_lost: int = 0

    @property
    def defined(self) -> bool:
        return self.ending in ENDINGS and self.ending != "interrupted" and not self.untold


async def place(lane: Lane, fault: Fault, n: int) -> Result:
    """One call from dialling to five seconds after its end."""
    await lane.ready()
    folder = lane.folder / f"call-{n}"
    caller = await DrivenPhone.start(
        name=NUMBER, listen=f"{HOST}:{lane.ports.caller}", rtp_ports=lane.ports.rtp(1), record=folder / "caller.wav"
    )
    closing: list[Any] = []
    tasks: list[asyncio.Task[Any]] = []
    humans: dict[str, DrivenPhone] = {}
    try:
        stage = Stage(lane=lane, fault=fault, n=n, caller=caller, log=Log(folder), humans=humans)
        for k, behaviour in enumerate((fault.first, fault.second)):
            if behaviour in REFUSALS:
                rings_s = fault.rings_s if k == 0 else 0.0
                port = lane.ports.human(k)
                closing.append(await refuse(HOST, port, REFUSALS[behaviour], stage.rang, rings_s=rings_s))
                continue
            humans[f"h{k}"] = await DrivenPhone.start(
                name=f"h{k}", listen=f"{HOST}:{lane.ports.human(k)}", rtp_ports=lane.ports.rtp(2 + k),
                record=folder / f"h{k}.wav",
            )  # fmt: skip
        caller.send(do="dial", uri=lane.system.uri)
        if await caller.wait("answered", timeout_s=10.0) is None:
            return _nothing(fault, "not answered")
        stage.log = await lane.new_call()
        await asyncio.sleep(0.6)
        caller.send(do="key", digits="0")
        asked = await caller.wait("key_sent", timeout_s=5.0)
        for k, behaviour in enumerate((fault.first, fault.second)):
            if f"h{k}" in humans:
                tasks.append(asyncio.create_task(answer(stage, f"h{k}", behaviour)))
        tasks.append(asyncio.create_task(strike(stage)))
        ended = await stage.log.fact("CallEnded", timeout_s=CALL_MOST_S)
        ended_t = time.monotonic()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        lane.receiver.down = False
        orphans = await _orphans(stage, ended_t)
    finally:
        for task in tasks:
            task.cancel()
        for phone in (caller, *humans.values()):
            await phone.stop()
        for transport in closing:
            transport.close()
    lost = await _events_lost(lane, stage.log)
    return _result(stage, ended, asked["t"] if asked else 0.0, orphans, lost, folder)


async def _orphans(stage: Stage, ended_t: float) -> tuple[str, ...]:
    """What is still there 5 s after the end; looks until nothing is, so a clean end is known sooner."""
    while True:
        left = [f"{p.name} is still on the line" for p in (stage.caller, *stage.humans.values()) if _is_up(p)]
        if ports := stage.lane.open_ports():
            left.append(f"{ports} RTP ports")
        if calls := stage.lane.state().get("calls"):
            left.append(f"{calls} calls")
        if not left or time.monotonic() - ended_t > AFTER_S:
            return tuple(left)
        await asyncio.sleep(0.1)


def _is_up(phone: DrivenPhone) -> bool:
    names = [e["event"] for e in phone.events if e["event"] in ("ringing", "answered", "closed")]
    return bool(names) and names[-1] != "closed"


async def _events_lost(lane: Lane, log: Log) -> int:
    """Outcomes and the end that the receiver has not got 10 s after it could."""
    wanted = [("handoff.outcome")] * sum(bool(f["outcome"]) for f in log.facts("HandoffState")) + ["call.ended"]
    missing = len(wanted)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10.0):
            while missing:
                got = [kind for call, kind in lane.receiver.types if call == log.folder.name]
                missing = sum(max(0, wanted.count(k) - got.count(k)) for k in set(wanted))
                await asyncio.sleep(0.05)
    return missing


def _nothing(fault: Fault, why: str) -> Result:
    return Result(fault=fault.name, call="", ending=why, outcomes=(), silence_s=None, ringing_ms=None, human_s=None,
                  two_way_ms=None)  # fmt: skip


def _result(
    stage: Stage, ended: dict[str, Any] | None, asked_t: float, orphans: tuple[str, ...], lost: int, folder: Path
) -> Result:
    log = stage.log
    ending = str(ended["ending"]) if ended else "none"
    untold = ending == "caller-left" and not stage.caller_leaves
    if ending == "told-and-callback":
        untold = not log.facts("Said", leg="caller", prompt="nobody_callback")
    machine = stage.fault.first == "machine" and bool(log.facts("HandoffState", state="BRIEFING", target="h0"))
    joined_t = _two_way_t(stage, folder)
    return Result(
        fault=stage.fault.name,
        call=log.folder.name,
        ending=ending,
        outcomes=tuple(str(f["outcome"]) for f in log.facts("HandoffState") if f["outcome"]),
        silence_s=_silence_s(stage, folder, asked_t, joined_t),
        ringing_ms=None if stage.rang_t is None else (stage.rang_t - asked_t) * 1000,
        human_s=None if joined_t is None else joined_t - asked_t,
        two_way_ms=None if joined_t is None or stage.accept_t is None else (joined_t - stage.accept_t) * 1000,
        orphans=orphans,
        untold=untold,
        briefed_machine=machine,
        leaked=_leaked(log, folder),
        events_lost=lost,
    )


def _read(path: Path) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    try:
        samples, _ = sf.read(str(path), dtype="float64", always_2d=True)
    except (OSError, sf.LibsndfileError):
        return None
    return np.asarray(samples, dtype=np.float64)


def _answered_t(phone: DrivenPhone) -> float:
    """Moment of a recording's first sample on the monotonic clock, which both processes share."""
    return next((float(e["t"]) for e in phone.events if e["event"] == "answered"), 0.0)


def _two_way_t(stage: Stage, folder: Path) -> float | None:
    """When the later of both far ends first heard the other's tone, on the monotonic clock."""
    if stage.accept_t is None:
        return None
    human = stage.humans[stage.accepted_by]
    heard = []
    for phone, file, hz in ((stage.caller, "caller", HUMAN_HZ), (human, stage.accepted_by, CALLER_HZ)):
        stereo, zero = _read(folder / f"{file}.wav"), _answered_t(phone)
        found = None if stereo is None else first_tone_s(stereo[:, 1], hz, max(0.0, stage.accept_t - 0.5 - zero))
        if found is None:
            return None
        heard.append(zero + found)
    return max(heard)


def _silence_s(stage: Stage, folder: Path, asked_t: float, joined_t: float | None) -> float | None:
    """From the caller's key to two-way audio with the last human, or to the end: all that time the caller waits."""
    stereo = _read(folder / "caller.wav")
    if stereo is None or stage.fault.strikes == "rtp-stops":
        return None
    zero = _answered_t(stage.caller)
    end_s = len(stereo) / 8000 if joined_t is None else joined_t - zero
    return longest_silence_s(stereo, max(0.0, asked_t - zero), end_s)


def _leaked(log: Log, folder: Path) -> bool:
    """Whether what the human was told in private can be found in the caller's own recording."""
    caller, human = _read(folder / "caller.wav"), _read(log.folder / "human.flac")
    if caller is None or human is None:
        return False
    for said in log.facts("Said", leg="human", prompt="briefing"):
        told = human[int(said["start"] * 8000) : int(said["end"] * 8000), 1]
        if len(told) >= BRIEFED_S * 8000 and resemblance(told, caller[:, 1]) > ALIKE:
            return True
    return False
