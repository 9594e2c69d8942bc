"""One call of the chaos run: real telephones do what the fault says, until five seconds after its end.

Hears from: `voice.evaluation.handoff`. Tells: `voice.evaluation.handoff_reading` (what was heard).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from telephony.phone_refuse import refuse
from voice.demo.system import HOST
from voice.evaluation.handoff_clips import Clip
from voice.evaluation.handoff_faults import REFUSALS, Fault
from voice.evaluation.handoff_lane import Lane, Log
from voice.evaluation.handoff_people import CALL_MOST_S, Stage, answer, ask, strike
from voice.evaluation.handoff_reading import Result, read_result

AFTER_S = 5.0
"""What is left of a call by then is an orphan."""
EVENTS_S = 20.0
"""Of a receiver that was down for a call: attempts come 2 s apart, doubling, so the next is up to 16 s away."""


async def place(lane: Lane, fault: Fault, clips: dict[str, Clip]) -> Result:
    """One call from dialling to five seconds after its end."""
    await lane.ready()
    behaviours = {"h0": fault.first, "h1": fault.second}
    refusing = [name for name, b in behaviours.items() if b in REFUSALS]
    await lane.phones.put_away(*refusing)
    caller = await lane.phones.take("caller")
    humans = {name: await lane.phones.take(name) for name in behaviours if name not in refusing}
    stage = Stage(lane=lane, fault=fault, clips=clips, caller=caller, log=Log(lane.folder / "none"), humans=humans)
    tasks: list[asyncio.Task[Any]] = []
    async with contextlib.AsyncExitStack() as stack:
        for name in refusing:
            rings_s = fault.rings_s if name == "h0" else 0.0
            status, port = REFUSALS[behaviours[name]], lane.port_of(name)
            transport = await refuse(HOST, port, status, stage.rang, rings_s=rings_s)
            stack.callback(transport.close)
        caller.send(do="dial", uri=lane.system.uri)
        if await caller.wait("answered", timeout_s=10.0) is None:
            await lane.phones.put_away("caller")
            return Result(fault=fault.name, ending="not answered")
        stage.log = await lane.new_call()
        tasks += [asyncio.create_task(answer(stage, name, behaviours[name])) for name in humans]
        tasks += [asyncio.create_task(ask(stage)), asyncio.create_task(strike(stage))]
        try:
            ended = await stage.log.fact("CallEnded", timeout_s=CALL_MOST_S)
            ended_t = time.monotonic()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            lane.receiver.down = False
        orphans = await _orphans(stage, ended_t)
    await lane.phones.put_away(*(p.name for p in (caller, *humans.values()) if p.is_up))
    lost = await _events_lost(lane, stage.log)
    return await asyncio.to_thread(read_result, stage, str(ended["ending"]) if ended else "none", orphans, lost)


async def _orphans(stage: Stage, ended_t: float) -> tuple[str, ...]:
    """What is still there 5 s after the end; looks until nothing is, so a clean end is known sooner."""
    while True:
        left = [f"{p.name} is still on the line" for p in (stage.caller, *stage.humans.values()) if p.is_up]
        if ports := stage.lane.open_ports():
            left.append(f"{ports} RTP ports")
        if calls := stage.lane.state().get("calls"):
            left.append(f"{calls} calls")
        if parts := [p.name for p in stage.log.folder.glob("*.part")]:
            left.append(f"unfinished {', '.join(parts)}")
        left += [f"{name} is still open" for name in stage.lane.open_files(stage.log.folder)]
        if not left or time.monotonic() - ended_t > AFTER_S:
            return tuple(left)
        await asyncio.sleep(0.1)


async def _events_lost(lane: Lane, log: Log) -> int:
    """Outcomes and the end that the receiver has not got 20 s after it could."""
    wanted = ["handoff.outcome"] * sum(bool(f["outcome"]) for f in log.facts("HandoffState")) + ["call.ended"]
    missing = len(wanted)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(EVENTS_S):
            while missing:
                got = [kind for call, kind in lane.receiver.types if call == log.folder.name]
                missing = sum(max(0, wanted.count(k) - got.count(k)) for k in set(wanted))
                await asyncio.sleep(0.05)
    return missing
