"""What the small telephone does with samples: reads recordings, gates speech, times the turns. No socket, no clock.

Sound is 8 kHz, 16-bit, mono; positions are seconds since answer on a 20 ms grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr

from telephony.errors import ConfigError

Pcm = npt.NDArray[np.int16]

RATE_HZ = 8000
FRAME = 160
FRAME_S = FRAME / RATE_HZ

FAR_SPEECH_DB = -32.0
"""A synthesised voice is sent at about -20 dBFS, hold sound at about -38 dBFS: this lies between."""

NEAR_SPEECH_DB = -45.0
"""What we play is clean, so the faint end of a word still belongs to the turn."""


def read_recording(path: Path, key: str = "--play") -> Pcm:
    """Any file libsndfile reads, as 8 kHz mono.

    Raises:
        ConfigError: No such file, or not sound.
    """
    try:
        samples, rate_hz = sf.read(str(path), dtype="float32", always_2d=True)
    except (OSError, sf.LibsndfileError) as exc:
        if not path.is_file():
            raise ConfigError(key, str(path), "no such file; give a WAV or FLAC recording") from exc
        raise ConfigError(key, str(path), "not readable as sound; give a WAV or FLAC recording") from exc
    mono = samples.mean(axis=1)
    if rate_hz != RATE_HZ:
        mono = soxr.resample(mono, rate_hz, RATE_HZ, quality="HQ")
    pcm: Pcm = np.clip(np.round(mono * 32767.0), -32768, 32767).astype(np.int16)
    return pcm


def level_db(pcm: Pcm) -> float:
    """RMS relative to full scale [dBFS]; silence is -180."""
    if not len(pcm):
        return -180.0
    rms = float(np.sqrt(np.mean(np.square(pcm.astype(np.float64)))))
    return 20.0 * float(np.log10(rms / 32768.0)) if rms else -180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Speech began or ended at ``at_s``. An end is known only ``hang_s`` later."""

    kind: Literal["start", "end"]
    at_s: float


class SpeechGate:
    """Energy gate over 20 ms frames: speech starts with two loud frames and ends after ``hang_s`` without one.

    Two frames, so that the click of a switched line is not a word; 0.3 s, so that a stop consonant is not an end.
    """

    def __init__(self, threshold_db: float = FAR_SPEECH_DB, hang_s: float = 0.3) -> None:
        self._threshold_db = threshold_db
        self._hang = round(hang_s / FRAME_S)
        self._frames = 0
        self._loud_run = 0
        self._last_loud = 0
        self.speaking = False

    def push(self, frame: Pcm) -> Edge | None:
        self._frames += 1
        if level_db(frame) > self._threshold_db:
            self._loud_run += 1
            self._last_loud = self._frames
            if not self.speaking and self._loud_run == 2:
                self.speaking = True
                return Edge(kind="start", at_s=(self._frames - 2) * FRAME_S)
            return None
        self._loud_run = 0
        if self.speaking and self._frames - self._last_loud >= self._hang:
            return self._end()
        return None

    def finish(self) -> Edge | None:
        """The sound is over: an open stretch of speech ends with its last loud frame."""
        return self._end() if self.speaking else None

    def _end(self) -> Edge:
        self.speaking = False
        return Edge(kind="end", at_s=self._last_loud * FRAME_S)


def speech_spans(pcm: Pcm, threshold_db: float) -> list[tuple[float, float]]:
    """Start and end [s] of every stretch of speech."""
    gate = SpeechGate(threshold_db)
    edges = [gate.push(pcm[i : i + FRAME]) for i in range(0, len(pcm) - FRAME + 1, FRAME)]
    edges.append(gate.finish())
    times = [e.at_s for e in edges if e is not None]
    return list(zip(times[::2], times[1::2], strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """We stopped speaking at ``said_end_s``, the far end answered at ``heard_s``: voice to voice, at this ear."""

    said_end_s: float
    heard_s: float

    @property
    def voice_to_voice_ms(self) -> float:
        return round((self.heard_s - self.said_end_s) * 1000.0, 1)


def turns(near: Sequence[tuple[float, float]], far: Sequence[tuple[float, float]]) -> list[Turn]:
    """Each end of our speech with the first far-end speech after it, before we spoke again.

    A stretch during whose end the far end was talking is no turn: nobody was waiting for an answer.
    """
    found = []
    for i, (_, end_s) in enumerate(near):
        next_s = near[i + 1][0] if i + 1 < len(near) else float("inf")
        if any(a <= end_s < b for a, b in far):
            continue
        answers = [a for a, _ in far if end_s < a < next_s]
        if answers:
            found.append(Turn(said_end_s=end_s, heard_s=answers[0]))
    return found


class Tracks:
    """Both directions of one call on the 20 ms grid, near (sent) and far (received), sample for sample.

    Received sound is laid by sample count and corrected by the clock (more than 50 ms behind: a silent frame is
    inserted, 70 ms ahead: one is dropped), because a sound card's or a far end's clock drifts and packets get lost.
    """

    def __init__(self) -> None:
        self._near = bytearray()
        self._far = bytearray()
        self._base: int | None = None

    @property
    def far_samples(self) -> int:
        return len(self._far) // 2

    def put_far(self, pcm: bytes, now_samples: int) -> None:
        """Lays received sound, or nothing, at call position ``now_samples``."""
        if pcm and self._base is None:
            self._fill(self._far, now_samples - FRAME)
            self._base = now_samples - self.far_samples
        if self._base is None:
            return
        self._far += pcm
        late = now_samples - self.far_samples - self._base
        while late >= 400:
            self._far += bytes(2 * FRAME)
            late -= FRAME
        if late <= -560:
            del self._far[-2 * FRAME :]

    def put_near(self, pcm: bytes, at_samples: int) -> None:
        """Lays sent sound where it goes on the wire; before the end of what lies there it follows on."""
        self._fill(self._near, at_samples)
        self._near += pcm

    def far_from(self, position: int) -> Pcm:
        return np.frombuffer(bytes(self._far[2 * position :]), dtype=np.int16)

    def stereo(self, length: int) -> Pcm:
        """Shape (samples, 2): near, far; filled with silence to ``length`` and cut there."""
        out = np.zeros((max(length, 0), 2), dtype=np.int16)
        for channel, track in enumerate((self._near, self._far)):
            samples = np.frombuffer(bytes(track), dtype=np.int16)[:length]
            out[: len(samples), channel] = samples
        return out

    @staticmethod
    def _fill(track: bytearray, samples: int) -> None:
        missing = 2 * samples - len(track)
        if missing > 0:
            track += bytes(missing)
