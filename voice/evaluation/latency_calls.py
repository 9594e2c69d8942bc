"""Calls that measure a voice agent from outside: N telephones at once, recorded turns, timed at the caller's ear.

Hears from: `voice.evaluation.latency`. Tells: the agent at a SIP address, whichever it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile as sf

from telephony import phone_audio as audio
from telephony.phone_driver import DrivenPhone, Event
from voice.demo.people import MUTE_S, Ear
from voice.demo.scenario import clips
from voice.demo.system import HOST, Ports
from voice.evaluation.latency_cost import cpu_s

TURNS = ("where_is_my_order", "order_4519", "yes_right", "opening_hours", "no_thanks")
"""One calm errand; both agents answer each sentence."""
GREETING_QUIET_S = (1.3, 2.4)
"""The rests inside the first words of a call are shorter; a caller who waits so long has heard the greeting out."""
QUIET_S = (0.9, 2.0)
"""A caller's own gap before the next sentence, drawn anew each time: people do not speak in step."""
CALL_MOST_S = 120.0
LAST_S = 8.0


@dataclass(slots=True)
class Talker:
    """Says its sentences one after another, each once the agent has spoken and is quiet. Reads no facts."""

    rng: np.random.Generator
    ear: Ear = field(default_factory=Ear)
    said: int = 0
    bursts_seen: int = 0
    gap_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.gap_s = float(self.rng.uniform(*GREETING_QUIET_S))

    def step(self, now: float) -> str | None:
        """The clip to play now, if it is our turn."""
        if self.ear.closed or self.said == len(TURNS):
            return None
        wanted_s = MUTE_S if self.ear.bursts == self.bursts_seen else self.gap_s
        if self.ear.quiet_s(now) < wanted_s:
            return None
        self.said += 1
        self.bursts_seen = self.ear.bursts
        self.ear.playing = True
        self.gap_s = float(self.rng.uniform(*QUIET_S))
        return TURNS[self.said - 1]

    def over(self, now: float) -> bool:
        """Nothing more is to come: the far end hung up, or has been quiet long after our last sentence."""
        return self.ear.closed or (self.said == len(TURNS) and self.ear.quiet_s(now) > LAST_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one caller's ear measured in one call. ``answers``: (heard at [s since answer], delay [ms]) of each turn.

    ``cut``: sentences into which the agent spoke. ``caller``: its user name.
    """

    answers: tuple[tuple[float, float], ...]
    said: int
    cut: int
    caller: str = ""

    @property
    def voice_to_voice_ms(self) -> tuple[float, ...]:
        return tuple(ms for _, ms in self.answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Every call of one level. ``callers_cpu_s``: of the telephones alone, which share the machine."""

    heard: tuple[Heard, ...]
    wall_s: float
    callers_cpu_s: float


async def place_calls(
    uri: str, calls: int, ports: Ports, folder: Path, *, rounds: int, most_s: float, seed: int
) -> Run:
    """Dials ``calls`` times at once; each caller calls again ``rounds`` times in all, but not after ``most_s``.

    A telephone costs a second of processor time before it rings, so all of them are there before the first dials.
    """
    started = await asyncio.gather(
        *(Line.open(n, ports, folder, np.random.default_rng([seed, n])) for n in range(calls)), return_exceptions=True
    )
    lines = [line for line in started if isinstance(line, Line)]
    try:
        for failure in started:
            if isinstance(failure, BaseException):
                raise failure
        began, spent_s = time.monotonic(), sum(cpu_s(line.phone.pid) for line in lines)
        until = began + most_s if most_s else float("inf")
        await asyncio.gather(*(line.talk(uri, rounds, until) for line in lines))
        wall_s = time.monotonic() - began
        spent_s = sum(cpu_s(line.phone.pid) for line in lines) - spent_s
    finally:
        await asyncio.gather(*(line.phone.stop() for line in lines))
    heard = tuple(h for line in lines for h in line.heard)
    return Run(heard=heard, wall_s=wall_s, callers_cpu_s=spent_s)


@dataclass(slots=True, kw_only=True)
class Line:
    """One telephone and the calls made with it."""

    name: str
    rng: np.random.Generator
    phone: DrivenPhone = field(init=False)
    heard: list[Heard] = field(default_factory=list)
    _talker: Talker | None = None

    @classmethod
    async def open(cls, n: int, ports: Ports, folder: Path, rng: np.random.Generator) -> Line:
        line = cls(name=f"caller-{n}", rng=rng)
        line.phone = await DrivenPhone.start(
            name=line.name,
            listen=f"{HOST}:{ports.caller + 2 * n}",
            rtp_ports=ports.rtp(2 + n),
            record=folder / f"{line.name}.wav",
            on_event=line.event,
        )
        return line

    def event(self, event: Event) -> None:
        if self._talker is not None:
            self._talker.ear.phone(event)

    async def talk(self, uri: str, rounds: int, until: float) -> None:
        for k in range(rounds):
            if k and time.monotonic() > until:
                return
            self.heard.append(await self._call(uri))

    async def _call(self, uri: str) -> Heard:
        talker = self._talker = Talker(self.rng)
        since = len(self.phone.events)
        self.phone.send(do="dial", uri=uri)
        deadline = time.monotonic() + CALL_MOST_S
        while (now := time.monotonic()) < deadline and not talker.over(now):
            if (clip := talker.step(now)) is not None:
                self.phone.send(do="play", file=str(clips()[clip].path))
            await asyncio.sleep(0.02)
        self.phone.send(do="hangup")
        closed = await self.phone.wait("closed", "failed", since=since, timeout_s=10.0)
        record = Path(closed["record"]) if closed is not None and "record" in closed else None
        if record is None:
            return Heard(answers=(), said=0, cut=0, caller=self.name)
        return measure(sf.read(str(record), dtype="int16", always_2d=True)[0], caller=self.name)


def measure(sound: audio.Pcm, *, caller: str = "") -> Heard:
    """Voice to voice of every sentence that was waited for, from a recording of shape (samples, 2): sent, heard."""
    near = _sentences(audio.speech_spans(sound[:, 0], audio.NEAR_SPEECH_DB))
    far = audio.speech_spans(sound[:, 1], audio.FAR_SPEECH_DB)
    # Our sentences are seconds apart: a far end that begins inside one has taken its own end of turn.
    cut = sum(any(start < a < end for a, _ in far) for start, end in near)
    answers = tuple((t.heard_s, t.voice_to_voice_ms) for t in audio.turns(near, far))
    return Heard(answers=answers, said=len(near), cut=cut, caller=caller)


def _sentences(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Stretches of our speech less than 0.6 s apart belong to one recorded sentence."""
    joined: list[tuple[float, float]] = []
    for start, end in spans:
        if joined and start - joined[-1][1] < 0.6:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
