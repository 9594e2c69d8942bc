"""Caller audio in, windows of speech out: 2 s of speech each, one per second of speech.

Hears from: the voice activity detector, one verdict a block. Tells: emotion.

Pure: no clock and no thread. How the audio is cut into blocks makes no difference to the windows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prosody.samples import SAMPLE_RATE_HZ

WINDOW_S = 2.0
"""After 2 s of speech nothing is gained by waiting: AUC 0.67 after 0.5 s, 0.79 after 1.5 s, 0.83 after 2 s."""
HOP_S = 1.0
REST_S = 1.5
"""At the end of a turn a first window may be this short."""
MAX_PAUSE_S = 0.3
"""So much of a pause stays in the window; the rest is left out, so that silence does not dilute the voice."""
NOISE_S = 3.0
"""Length of the latest non-speech that tells the line's noise."""
_NOISE_BLOCK = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechWindow:
    """A stretch of the caller's speech, ready to be scored.

    Attributes:
        start, end: Call time [s] of its first and last sample.
        samples: 8 kHz, pauses beyond 0.3 s left out.
        speech_s: Speech in it [s], as the voice activity detector says.
        lost_ratio: Share of the samples that were concealed, not received.
        pause_ratio: Share of ``end - start`` that is not speech.
        noise_db: Level of the line between words [dB re full scale]; ``None`` before any was heard.
    """

    start: float
    end: float
    samples: NDArray[np.float32]
    speech_s: float
    lost_ratio: float = 0.0
    pause_ratio: float = 0.0
    noise_db: float | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    start_s: float
    samples: NDArray[np.float32]
    speech: bool
    lost: bool


@dataclass(slots=True, kw_only=True)
class WindowStream:
    """Collects one caller's speech into overlapping windows.

    Attributes:
        window_s, hop_s: Speech per window and between two windows [s].
    """

    window_s: float = WINDOW_S
    hop_s: float = HOP_S
    rest_s: float = REST_S
    _pieces: list[_Piece] = field(default_factory=list)
    _speech: int = 0
    _due: int = 0
    _pause: int = 0
    _scored: bool = False
    _noise: list[float] = field(default_factory=list)
    _quiet: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))

    def __post_init__(self) -> None:
        self._due = round(self.window_s * SAMPLE_RATE_HZ)

    def push(
        self, samples: NDArray[np.float32], *, start_s: float, speech: bool, lost: bool = False
    ) -> list[SpeechWindow]:
        """Takes the next block, whatever its length, and returns the windows it completes.

        Args:
            samples: 8 kHz.
            start_s: Call time of the first sample [s].
            speech: Verdict of the voice activity detector for the whole block.
            lost: The block was not received but concealed.
        """
        if not speech:
            self._push_pause(samples, start_s, lost)
            return []
        windows = []
        self._pause = 0
        while samples.size:
            part = samples[: max(self._due - self._speech, 1)]
            self._pieces.append(_Piece(start_s, part, speech=True, lost=lost))
            self._speech += part.size
            samples, start_s = samples[part.size :], start_s + part.size / SAMPLE_RATE_HZ
            if self._speech >= self._due:
                windows.append(self._cut(round(self.window_s * SAMPLE_RATE_HZ)))
                self._due = self._speech + round(self.hop_s * SAMPLE_RATE_HZ)
                self._scored = True
        return windows

    def flush(self) -> list[SpeechWindow]:
        """End of a turn: what is left, if the turn had no window yet and 1.5 s of speech. Starts anew."""
        windows = []
        if not self._scored and self._speech >= round(self.rest_s * SAMPLE_RATE_HZ):
            windows.append(self._cut(self._speech))
        self._pieces.clear()
        self._speech, self._pause, self._scored = 0, 0, False
        self._due = round(self.window_s * SAMPLE_RATE_HZ)
        return windows

    def tail(self, least_s: float) -> SpeechWindow | None:
        """The latest ``window_s`` of speech, if ``least_s`` of it have not been in a window; for offline scoring."""
        waiting = self._speech - (self._due - round(self.hop_s * SAMPLE_RATE_HZ))
        if not self._scored or waiting < least_s * SAMPLE_RATE_HZ:
            return None
        return self._cut(round(self.window_s * SAMPLE_RATE_HZ))

    def rest(self) -> SpeechWindow | None:
        """All speech held now as one window, however short; for offline scoring that must answer."""
        return self._cut(self._speech) if self._speech else None

    def _push_pause(self, samples: NDArray[np.float32], start_s: float, lost: bool) -> None:
        if not lost:
            self._hear_noise(samples)
        if not self._pieces:
            return
        kept = samples[: max(round(MAX_PAUSE_S * SAMPLE_RATE_HZ) - self._pause, 0)]
        self._pause += samples.size
        if kept.size:
            self._pieces.append(_Piece(start_s, kept, speech=False, lost=lost))

    def _hear_noise(self, samples: NDArray[np.float32]) -> None:
        waiting = np.concatenate([self._quiet, samples])
        blocks = waiting.size // _NOISE_BLOCK
        power = np.square(waiting[: blocks * _NOISE_BLOCK]).reshape(blocks, _NOISE_BLOCK).mean(axis=1)
        self._quiet = waiting[blocks * _NOISE_BLOCK :]
        self._noise.extend(power.tolist())
        del self._noise[: -round(NOISE_S * SAMPLE_RATE_HZ / _NOISE_BLOCK)]

    def _noise_db(self) -> float | None:
        """The median block: the ends of words that the detector's delay leaves in pauses stay out of it."""
        if len(self._noise) < 5:
            return None
        return float(10.0 * np.log10(np.median(self._noise) + 1e-12))

    def _cut(self, speech: int) -> SpeechWindow:
        """The window that ends with the last speech held and has ``speech`` samples of it."""
        while self._pieces and not self._pieces[-1].speech:
            self._pieces.pop()
        taken: list[_Piece] = []
        need = speech
        for index in range(len(self._pieces) - 1, -1, -1):
            piece = self._pieces[index]
            if piece.speech and piece.samples.size > need:
                skip = piece.samples.size - need
                piece = _Piece(
                    piece.start_s + skip / SAMPLE_RATE_HZ, piece.samples[skip:], speech=True, lost=piece.lost
                )
            taken.append(piece)
            need -= piece.samples.size if piece.speech else 0
            if need <= 0:
                del self._pieces[:index]
                break
        taken.reverse()
        self._speech_held(taken)
        samples = np.concatenate([p.samples for p in taken])
        start, last = taken[0].start_s, taken[-1]
        end = last.start_s + last.samples.size / SAMPLE_RATE_HZ
        speech_s = sum(p.samples.size for p in taken if p.speech) / SAMPLE_RATE_HZ
        lost = sum(p.samples.size for p in taken if p.lost)
        return SpeechWindow(
            start=start,
            end=end,
            samples=samples,
            speech_s=speech_s,
            lost_ratio=lost / samples.size,
            pause_ratio=min(max(1.0 - speech_s / max(end - start, 1e-9), 0.0), 1.0),
            noise_db=self._noise_db(),
        )

    def _speech_held(self, taken: list[_Piece]) -> None:
        """Counts from the speech still held, so that the buffer of a long turn stays as long as one window."""
        held = sum(p.samples.size for p in self._pieces if p.speech)
        self._due += held - self._speech
        self._speech = held
