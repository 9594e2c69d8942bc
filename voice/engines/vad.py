"""Is somebody speaking? Silero on 8 kHz windows of 32 ms, with hysteresis and a level gate.

Fed at 8 kHz directly: it behaves the same as upsampled, and no resampler is needed. One loaded model serves
every leg; the recurrent state belongs to a leg.

Hears from: hearing. Tells: hearing, one `Window` per 32 ms.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from voice.engines.errors import EngineMissing
from voice.engines.piper import session

RATE_HZ = 8000
WINDOW = 256
WINDOW_S = WINDOW / RATE_HZ
_CONTEXT = 32
_STATE = (2, 1, 128)

ON, OFF = 0.45, 0.3
"""Probabilities that begin and end speech. The gap keeps soft ends of words inside."""

FLOOR_DB = -55.0
"""Quieter windows are never speech: G.711 idle noise lies under -60 dBFS, a quiet caller above -45."""

_RESET_AFTER = 62
_RESET_QUIET = 5
_RESET_BELOW = 0.1
"""Long non-speech (hold music, line noise) leaves the recurrent state deaf to the speech after it: after about
2 s without a reset the state is cleared, once five windows in a row were clearly not speech."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Verdict on 32 ms. ``end_s``: time of its last sample on the clock of the one who pushed."""

    start_s: float
    end_s: float
    probability: float
    level_db: float
    speech: bool


class SpeechDetector(Protocol):
    """State of one leg."""

    def push(self, samples: NDArray[np.float32], start_s: float) -> list[Window]: ...


class SileroModel:
    """The loaded network; stateless between calls."""

    def __init__(self, path: Path | None = None) -> None:
        self._session = session(str(path or bundled("audio/vad/data/silero_vad.onnx")))
        self._rate = np.array(RATE_HZ, np.int64)

    def probability(self, window: NDArray[np.float32], state: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        """Of one window [288: 32 of context, 256 new] and the state [2, 1, 128] before it; and the state after."""
        out, after = self._session.run(None, {"input": window[None], "state": state, "sr": self._rate})
        return float(out[0, 0]), after


class SileroDetector:
    """Voice activity of one leg. Cheap enough (0.2 ms a window) to run where the sound arrives."""

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self._rest: NDArray[np.float32] = np.zeros(0, np.float32)
        self._rest_start_s = 0.0
        self._speech = False
        self._state: NDArray[np.float32] = np.zeros(_STATE, np.float32)
        self._context: NDArray[np.float32] = np.zeros(_CONTEXT, np.float32)
        self._since_reset = self._quiet = 0

    def push(self, samples: NDArray[np.float32], start_s: float) -> list[Window]:
        """Verdicts on every window that is now complete. ``samples``: float32 [n], ±1; ``start_s``: of the first."""
        if not len(self._rest):
            # Windows lie on multiples of 32 ms of the clock, whenever listening begins: a call and its recording are
            # cut alike, and so are scored alike.
            skipped = -round(start_s * RATE_HZ) % WINDOW
            samples, start_s = samples[skipped:], start_s + skipped / RATE_HZ
            self._rest_start_s = start_s
        self._rest = np.concatenate([self._rest, samples])
        out: list[Window] = []
        while len(self._rest) >= WINDOW:
            out.append(self._judge(self._rest[:WINDOW], self._rest_start_s))
            self._rest = self._rest[WINDOW:]
            self._rest_start_s += WINDOW_S
        return out

    def _judge(self, window: NDArray[np.float32], start_s: float) -> Window:
        p, self._state = self._model.probability(np.concatenate([self._context, window]), self._state)
        self._context = window[-_CONTEXT:]
        level_db = float(10 * np.log10(np.mean(np.square(window, dtype=np.float64)) + 1e-12))
        self._speech = p >= (OFF if self._speech else ON) and level_db > FLOOR_DB
        self._quiet = self._quiet + 1 if p < _RESET_BELOW else 0
        self._since_reset += 1
        if self._since_reset >= _RESET_AFTER and self._quiet >= _RESET_QUIET and not self._speech:
            self._clear()
        return Window(start_s=start_s, end_s=start_s + WINDOW_S, probability=p, level_db=level_db, speech=self._speech)

    def _clear(self) -> None:
        self._state = np.zeros(_STATE, np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)
        self._since_reset = self._quiet = 0


def bundled(path: str) -> Path:
    """A model that ships inside the pipecat package, found without importing it (0.8 s).

    Raises:
        EngineMissing: Not there.
    """
    spec = importlib.util.find_spec("pipecat")
    for root in (spec.submodule_search_locations if spec else None) or []:
        if (found := Path(root) / path).is_file():
            return found
    raise EngineMissing(f"pipecat's {path} is missing", "install pipecat-ai==1.14.0")
