"""A whole call in virtual time: the gateway's call with its log and recorder, and the pipeline with its models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from telephony import call_worker
from telephony.commands import Command
from telephony.facts import Decision, Fact
from telephony.link_codec import CONCEALED, FRAME_BYTES, HUMAN_LEG, LAST_OF_TURN, AudioRecord
from telephony.messages import stamped_from_json, to_json
from tests.call.virtual_call import VirtualCall
from voice import playbooks
from voice.pipeline.call import CallPipeline
from voice.pipeline.engines import Engines
from voice.store.memory import Memories

TICK_S = 0.02


class JoinedCall:
    """A `VirtualCall` whose worker is a real pipeline. The port of that pipeline is this."""

    def __init__(self, tmp_path: Path, engines: Engines, playbook: str, privacy: dict[str, Any]) -> None:
        self.gateway = VirtualCall(tmp_path, privacy=privacy)
        self._engines = engines
        settings = self.gateway.settings
        memory = settings.privacy
        self.memories = Memories.open(self.gateway.store, memory.remember_days) if memory.remember else None
        self._pipeline = CallPipeline(
            settings=settings,
            playbook=playbooks.load(playbook),
            engines=engines,
            port=self,
            memories=self.memories,
            monotonic=lambda: self.gateway.call.t,
        )
        self._given = 0
        self._mouth = bytearray()
        self._noise = np.random.default_rng(0)

    # --- CallPort -------------------------------------------------------------------------------

    def emit(self, fact: Fact, decision: Decision | None = None) -> None:
        why = {"decision": _plain(decision)} if decision is not None else {}
        call_worker.hear(self.gateway.call, {"call": 1, **to_json(fact), **why})

    def command(self, command: Command) -> None:
        call_worker.hear(self.gateway.call, {"call": 1, **to_json(command)})

    def audio(self, *, turn: int, sample: int, pcm: bytes, last: bool) -> None:
        record = AudioRecord(call=1, turn=turn, tick=0, pcm=pcm, flags=LAST_OF_TURN if last else 0)
        call_worker.hear_audio(self.gateway.call, record)

    # --- what a test does -------------------------------------------------------------------------

    async def start(self) -> JoinedCall:
        await self._pipeline.start()
        await self.until(lambda: bool(self.gateway.facts("Said", prompt="")))
        return self

    async def say(self, text: str) -> None:
        """The caller lets the agent finish, then speaks, in a synthetic voice, until the agent has answered."""
        await self.until(self._quiet)
        answers = len(self.gateway.facts("Said", prompt=""))
        self._mouth += await self._engines.synthesizer.render(text, 165)
        await self.until(lambda: len(self.gateway.facts("Said", prompt="")) > answers)

    async def until(self, done: Callable[[], bool], *, at_most_s: float = 40.0) -> None:
        end = self.gateway.call.t + at_most_s
        while not done():
            names = self.gateway.names()[-8:]
            assert self.gateway.call.t < end, f"not within {at_most_s} s of call time; log: {names}"
            await self._tick()

    def _quiet(self) -> bool:
        """The agent's last sentence ended a second ago."""
        said = self.gateway.facts("Said")[-1]["t"]
        return not self.gateway.call.caller.playout.busy and self.gateway.call.t > float(said) + 1.0

    async def leave(self) -> None:
        """The caller hangs up; everything is stored."""
        self.gateway.caller_leaves()
        await self.until(lambda: self.gateway.call.ended)
        await self._settle()
        await self._pipeline.close()
        self.gateway.store_away()
        self.gateway.close()
        if self.memories is not None:
            self.memories.close()

    async def _tick(self) -> None:
        pcm = bytes(self._mouth[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\0")
        del self._mouth[:FRAME_BYTES]
        noise = self._noise.integers(-8, 8, FRAME_BYTES // 2)
        self.gateway.speech = (np.frombuffer(pcm, "<i2") + noise).clip(-32768, 32767).astype("<i2").tobytes()
        self.gateway.run(TICK_S)
        frames, self.gateway.call.out = self.gateway.call.out, []
        for frame in frames:
            leg = "human" if frame.flags & HUMAN_LEG else "caller"
            lost = bool(frame.flags & CONCEALED)
            await self._pipeline.sound(leg=leg, tick=frame.tick, pcm=frame.pcm, lost=lost)  # type: ignore[arg-type]
        await self._settle()

    async def _settle(self) -> None:
        """Until every model has answered and every fact has arrived: call time does not depend on this machine."""
        idle = 0
        while idle < 8:
            for message in self.gateway.worker.sent[self._given :]:
                self._given += 1
                if "seq" in message:
                    await self._pipeline.fact(stamped_from_json(message))
                    idle = 0
            busy = self._engines.pool.unfinished > 0
            idle = 0 if busy else idle + 1
            await asyncio.sleep(0.0005 if busy else 0)


def _plain(decision: Decision) -> dict[str, Any]:
    return {
        "rule": decision.rule, "inputs": decision.inputs, "threshold": decision.threshold,
        "versions": decision.versions,
    }  # fmt: skip
