"""The real pipeline with real models against a gateway that is only its playout and its log, tick by tick.

A tick ends when every model has answered: call time then does not depend on how fast this machine is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from telephony.commands import ClearTurn, Command, ContinueTurn, PauseTurn, StartTurn
from telephony.facts import BargedIn, CallAnswered, Decision, Disclosed, Fact, Said, WorkerAttached
from telephony.link_codec import FRAME_BYTES, FRAME_S
from telephony.messages import Stamped, from_json, to_json
from telephony.playout import Playout
from telephony.settings import Settings
from voice import playbooks
from voice.pipeline.call import CallPipeline
from voice.pipeline.engines import Engines, load_engines


class Gateway:
    """One call: the port its pipeline speaks to, and the ticks it hears."""

    def __init__(self, engines: Engines, settings: Settings) -> None:
        self.engines, self.settings = engines, settings
        self.log: list[Stamped] = []
        self.decisions: list[tuple[Fact, Decision]] = []
        self.commands: list[tuple[float, Command]] = []
        self.tick = 0
        self.sent = bytearray()
        """What the caller was played."""
        self._playout = Playout()
        self._mouth = bytearray()
        self._human = bytearray()
        self._noise = np.random.default_rng(0)
        self._inbox: list[Stamped] = []
        self._pipeline = self._new_pipeline(1)

    @property
    def t(self) -> float:
        return self.tick * FRAME_S

    # --- CallPort -------------------------------------------------------------------------------

    def emit(self, fact: Fact, decision: Decision | None = None) -> None:
        if decision is not None:
            self.decisions.append((fact, decision))
        # Over the wire and back: what cannot be written cannot be committed.
        same = from_json(to_json(fact))
        assert isinstance(same, Fact)
        stamped = Stamped(seq=len(self.log) + 1, t=self.t, fact=same)
        self.log.append(stamped)
        self._inbox.append(stamped)

    def command(self, command: Command) -> None:
        self.commands.append((self.t, command))
        match command:
            case StartTurn():
                self._playout.start_turn(command.turn, command.text, command.rate_wpm, keep=command.keep)
            case ContinueTurn(turn=turn, text=text, sample=sample):
                self._playout.continue_turn(turn, text, sample)
            case ClearTurn(turn=turn, onset=onset):
                self._playout.cut_turns(self.tick, up_to=turn)
                if onset is not None:
                    self.emit(BargedIn(heard_text="", stopped_after_ms=1000 * (self.t - onset)))
            case PauseTurn(on=on):
                self._playout.pause(on)

    def audio(self, *, turn: int, sample: int, pcm: bytes, last: bool) -> None:
        self._playout.feed(turn, pcm, last=last)

    # --- what a test does -------------------------------------------------------------------------

    async def answer(self, *, disclosed: bool = True) -> Gateway:
        await self._pipeline.start()
        self.emit(CallAnswered(from_="sip:a@b", to="sip:c@d", codec="pcmu", at="2026-01-01T00:00:00Z"))
        self.emit(WorkerAttached(worker="w"))
        if disclosed:
            self.emit(Disclosed(text="…", start=0.0, end=0.0))
        return self

    async def take_over(self, *, next_turn: int) -> None:
        """Another worker goes on with this call."""
        await self._pipeline.close()
        self._playout.cut_turns(self.tick)
        self._playout.pause(False)
        self._pipeline = self._new_pipeline(next_turn)
        await self._pipeline.start(list(self.log), resumed=True)

    def prompt(self, seconds: float) -> None:
        """The gateway says something of its own first."""
        self._playout.say("worker_lost", "...", bytes(round(seconds * 50) * FRAME_BYTES))

    async def say(self, text: str) -> None:
        """The caller speaks, in a synthetic voice."""
        self._mouth += await self.engines.synthesizer.render(text, 165)

    async def human_says(self, text: str) -> None:
        self._human += bytes(8000) + await self.engines.synthesizer.render(text, 165) + bytes(16000)

    def hear_caller(self, pcm: bytes) -> None:
        """Sound from the caller's line [8 kHz, 16-bit]."""
        self._mouth += pcm

    def hear_human(self, pcm: bytes) -> None:
        self._human += pcm

    async def listen_to_human(self, on: bool) -> None:
        await self._pipeline.listen_to_human(on)

    async def until(self, done: Callable[[], bool], *, at_most_s: float = 30.0) -> None:
        """Ticks until ``done``."""
        end = self.t + at_most_s
        while not done():
            assert self.t < end, f"not within {at_most_s} s of call time; log: {[s.fact for s in self.log[-8:]]}"
            await self.one_tick()

    async def run(self, seconds: float) -> None:
        end = self.t + seconds
        while self.t < end - 1e-9:
            await self.one_tick()

    async def one_tick(self) -> None:
        tick = self.tick
        self.sent += self._playout.frame(tick) or bytes(FRAME_BYTES)
        self.tick += 1
        ended, self._playout.ended = self._playout.ended, []
        for item in ended:
            start = item.end_tick if item.start_tick is None else item.start_tick
            said = Said(leg="caller", start=start * FRAME_S, end=item.end_tick * FRAME_S, text=item.text,
                        rate_wpm=item.rate_wpm, turn=item.turn, prompt=item.prompt, cut=item.cut)  # fmt: skip
            self.emit(said)
        await self._pipeline.sound(leg="caller", tick=tick, pcm=self._frame(self._mouth), lost=False)
        if self._human:
            await self._pipeline.sound(leg="human", tick=tick, pcm=self._frame(self._human), lost=False)
        await self._settle()

    async def close(self) -> None:
        await self._pipeline.close()

    def of(self, kind: type[Fact]) -> list[Fact]:
        return [s.fact for s in self.log if isinstance(s.fact, kind)]

    def texts(self) -> list[str]:
        return [c.text for _, c in self.commands if isinstance(c, StartTurn)]

    @property
    def quiet(self) -> bool:
        """Nobody has anything left to say."""
        return not self._mouth and not self._playout.busy

    def _frame(self, source: bytearray) -> bytes:
        pcm = bytes(source[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\0")
        del source[:FRAME_BYTES]
        noise: NDArray[np.int64] = self._noise.integers(-8, 8, FRAME_BYTES // 2)
        return bytes((np.frombuffer(pcm, "<i2") + noise).clip(-32768, 32767).astype("<i2").tobytes())

    async def _settle(self) -> None:
        idle = 0
        while idle < 8:
            while self._inbox:
                await self._pipeline.fact(self._inbox.pop(0))
                idle = 0
            busy = self.engines.pool.unfinished > 0
            idle = 0 if busy else idle + 1
            await asyncio.sleep(0.0005 if busy else 0)

    def _new_pipeline(self, next_turn: int) -> CallPipeline:
        return CallPipeline(
            settings=self.settings,
            playbook=playbooks.load("default"),
            engines=self.engines,
            port=self,
            next_turn=next_turn,
            monotonic=lambda: self.t,
        )


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(store={"dir": tmp_path_factory.mktemp("store")})  # type: ignore[arg-type]


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def engines(settings: Settings) -> AsyncIterator[Engines]:
    engines = await load_engines(settings)
    yield engines
    engines.pool.close()


Call = Callable[..., Awaitable[Gateway]]


@pytest_asyncio.fixture(loop_scope="session")
async def call(engines: Engines, settings: Settings) -> AsyncIterator[Call]:
    """Makes answered calls, and ends them all: a pipeline that is left running never lets the loop close."""
    made: list[Gateway] = []

    async def answer(*, disclosed: bool = True, settings: Settings = settings, engines: Engines = engines) -> Gateway:
        gateway = Gateway(engines, settings)
        made.append(gateway)
        return await gateway.answer(disclosed=disclosed)

    yield answer
    for gateway in made:
        await gateway.close()


@pytest_asyncio.fixture(loop_scope="session")
async def gateway(call: Call) -> Gateway:
    return await call()
