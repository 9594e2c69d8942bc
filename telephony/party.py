"""One side of a call: its line, what it hears and what is recorded of both.

Hears from: a leg (sound), a call (what to play). Tells: recorder, a call (frames).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from telephony.bridge import LiveRing
from telephony.leg import CallLeg
from telephony.link_codec import FRAME_BYTES
from telephony.media.framer import Frame, Framer
from telephony.media.hold import hold_loop
from telephony.media.pcm import SILENCE, mix
from telephony.playout import Playout
from telephony.recorder import Recorder

RECEIVED, SENT = 0, 1
"""Channels of a leg's recording."""
LINGER_TICKS = 25
"""0.5 s: a key's own tone may still be in the jitter buffer when its event has ended the entry."""
FLUSH_TICKS = 3
"""The stack carries a flush out within 20 ms; longer, and the line is restarting: nothing is left to wait for."""


class Party:
    """The caller, or the human. ``agent_track``: record beside it what the agent said to this party."""

    def __init__(self, name: Literal["caller", "human"], recorder: Recorder) -> None:
        self.name = name
        self.leg: CallLeg | None = None
        self.playout = Playout()
        self.live: LiveRing | None = None
        self.hold = False
        """Hold sound whenever nothing else plays."""
        self.far_hold = False
        self._deaf_from: int | None = None
        """What is received from this tick on is taken for silence: nobody hears it, nothing records it."""
        self._deaf_to: int | None = None
        self.sent: bytes | None = None
        """What was sent in the last tick; None: nothing but silence."""
        self._recorder = recorder
        self._framer = Framer()
        self._hold_at = 0
        self._flushing: int | None = None
        self._put_back = False

    def connect(self, leg: CallLeg, tick: int) -> None:
        """The line is up from call-time ``tick`` on."""
        self.leg, self._framer = leg, Framer(tick)
        self.far_hold = False
        self._flushing = None

    def disconnect(self) -> None:
        self.leg, self.sent = None, None
        self._flushing = None

    def hold_by_far_end(self, on: bool) -> None:
        self.far_hold = on
        self._framer.hold(on)

    # --- received -----------------------------------------------------------------------------------

    def hear(self, elapsed_s: float) -> list[Frame]:
        """Frames that have become due, recorded."""
        if self.leg is None:
            return []
        pcm = self.leg.read()
        if pcm:
            self._framer.push(pcm)
        return self._taken(self._framer.take(elapsed_s))

    def _taken(self, frames: list[Frame]) -> list[Frame]:
        heard = [replace(f, pcm=SILENCE) if self._deaf(f.tick) else f for f in frames]
        for frame in heard:
            self._recorder.put(self.name, RECEIVED, frame.tick, frame.pcm)
        return heard

    def deafen(self, tick: int, *, on: bool) -> None:
        """Takes what is received for silence from ``tick`` on, or from shortly after ``tick`` on no longer."""
        if on:
            self._deaf_from, self._deaf_to = (tick if self._deaf_from is None else self._deaf_from), None
        elif self._deaf_from is not None and self._deaf_to is None:
            self._deaf_to = tick + LINGER_TICKS

    def _deaf(self, tick: int) -> bool:
        begun = self._deaf_from is not None and tick >= self._deaf_from
        return begun and (self._deaf_to is None or tick < self._deaf_to)

    # --- sent ---------------------------------------------------------------------------------------

    def flush(self, tick: int, *, put_back: bool = False) -> None:
        """Nothing more of what was handed to the line. ``put_back``: what it had not sent is played later."""
        if self.leg is not None:
            self.leg.flush()
            self._flushing, self._put_back = tick, put_back

    def speak(self, tick: int, *, late: bool = False) -> None:
        """20 ms for ``tick``. ``late``: that moment is past (the process was held up), silence went out."""
        self.sent = None
        if late or self._still_flushing(tick) or (self.leg is not None and not self.leg.room()):
            self._recorder.put(self.name, SENT, tick, SILENCE)
            if self.name == "caller":
                self._recorder.put("agent", 0, tick, SILENCE)
            return
        said = self.playout.frame(tick)
        live = self.live.get() if self.live is not None else None
        if said is None and live is None:
            frame = self._hold_frame() if self.hold else SILENCE
        else:
            frame = mix(said, live) if said is not None and live is not None else said or live or SILENCE
        self.sent = None if frame is SILENCE else frame
        if self.leg is not None:
            self.leg.write(frame)
        self._recorder.put(self.name, SENT, tick, frame)
        if self.name == "caller":
            self._recorder.put("agent", 0, tick, said or SILENCE)

    def _still_flushing(self, tick: int) -> bool:
        if self._flushing is None or self.leg is None:
            return False
        thrown = self.leg.flushed()
        if thrown is None and tick - self._flushing < FLUSH_TICKS:
            return True
        if self._put_back and thrown:
            self.playout.put_back(thrown, tick)
        self._flushing = None
        return False

    def _hold_frame(self) -> bytes:
        loop = hold_loop()
        frame = loop[self._hold_at : self._hold_at + FRAME_BYTES]
        self._hold_at = (self._hold_at + FRAME_BYTES) % len(loop)
        return frame

    def finish(self, ticks: int) -> None:
        """Received sound still in the buffer, up to the end of the call."""
        if self.leg is not None:
            self._taken(self._framer.finish(ticks))
