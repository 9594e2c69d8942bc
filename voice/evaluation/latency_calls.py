"""Calls that measure a voice agent from outside: N telephones at once, recorded turns, timed at the caller's ear.

Hears from: `voice.evaluation.latency`. Tells: the agent at a SIP address, whichever it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import soundfile as sf

from telephony import phone_audio as audio
from telephony.phone_driver import DrivenPhone, Event
from voice.demo.people import MUTE_S, Ear
from voice.demo.scenario import clips
from voice.demo.system import HOST, Ports

TURNS = ("where_is_my_order", "order_4519", "yes_right", "opening_hours", "no_thanks")
"""One calm errand; both agents answer each sentence."""
GREETING_QUIET_S = 1.3
"""The rests inside the first words of a call are shorter; a caller who waits so long has heard the greeting out."""
QUIET_S = 0.9
CALL_MOST_S = 120.0
LAST_S = 8.0


@dataclass(slots=True)
class Talker:
    """Says its sentences one after another, each once the agent has spoken and is quiet. Reads no facts."""

    ear: Ear = field(default_factory=Ear)
    said: int = 0
    bursts_seen: int = 0

    def step(self, now: float) -> str | None:
        """The clip to play now, if it is our turn."""
        if self.ear.closed or self.said == len(TURNS):
            return None
        quiet_s = self.ear.quiet_s(now)
        wanted_s = QUIET_S if self.said else GREETING_QUIET_S
        if self.ear.bursts == self.bursts_seen:
            wanted_s = MUTE_S
        if quiet_s < wanted_s:
            return None
        self.said += 1
        self.bursts_seen = self.ear.bursts
        self.ear.playing = True
        return TURNS[self.said - 1]

    def over(self, now: float) -> bool:
        """Nothing more is to come: the far end hung up, or has been quiet long after our last sentence."""
        return self.ear.closed or (self.said == len(TURNS) and self.ear.quiet_s(now) > LAST_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one caller's ear measured. ``cut``: sentences into which the agent spoke."""

    voice_to_voice_ms: tuple[float, ...]
    said: int
    cut: int


async def place_calls(uri: str, calls: int, ports: Ports, folder: Path) -> list[Heard]:
    """Dials ``calls`` times at once and talks until every call is over."""
    return list(await asyncio.gather(*(_one(uri, n, ports, folder) for n in range(calls))))


async def _one(uri: str, n: int, ports: Ports, folder: Path) -> Heard:
    talker = Talker()
    record = folder / f"caller-{n}-{time.monotonic_ns()}.wav"

    def heard(event: Event) -> None:
        talker.ear.phone(event)

    phone = await DrivenPhone.start(
        name=f"caller-{n}",
        listen=f"{HOST}:{ports.caller + 2 * n}",
        rtp_ports=ports.rtp(2 + n),
        record=record,
        on_event=heard,
    )
    try:
        phone.send(do="dial", uri=uri)
        deadline = time.monotonic() + CALL_MOST_S
        while (now := time.monotonic()) < deadline and not talker.over(now):
            if (clip := talker.step(now)) is not None:
                phone.send(do="play", file=str(clips()[clip].path))
            await asyncio.sleep(0.02)
    finally:
        await phone.stop()
    return (
        measure(sf.read(str(record), dtype="int16", always_2d=True)[0])
        if record.exists()
        else Heard(voice_to_voice_ms=(), said=0, cut=0)
    )


def measure(sound: audio.Pcm) -> Heard:
    """Voice to voice of every sentence that was waited for, from a recording of shape (samples, 2): sent, heard."""
    near = _sentences(audio.speech_spans(sound[:, 0], audio.NEAR_SPEECH_DB))
    far = audio.speech_spans(sound[:, 1], audio.FAR_SPEECH_DB)
    # Our sentences are seconds apart: a far end that begins inside one has taken its own end of turn.
    cut = sum(any(start < a < end for a, _ in far) for start, end in near)
    return Heard(voice_to_voice_ms=tuple(t.voice_to_voice_ms for t in audio.turns(near, far)), said=len(near), cut=cut)


def _sentences(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Stretches of our speech less than 0.6 s apart belong to one recorded sentence."""
    joined: list[tuple[float, float]] = []
    for start, end in spans:
        if joined and start - joined[-1][1] < 0.6:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
