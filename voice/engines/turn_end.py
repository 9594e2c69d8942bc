"""Has the speaker finished? smart-turn v3.2 on the last 8 s of the turn.

Not to be trusted for digits, names and addresses (38 % of finished digit strings recognised): there
`voice.conversation.endpointing` goes by the grammar. Costs 74 ms of CPU a pause; one session for all calls.

Hears from: hearing. Tells: hearing, a probability.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import soxr
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from voice.engines.piper import session
from voice.engines.pool import EnginePool, Priority
from voice.engines.vad import bundled

RATE_HZ = 8000
MODEL_RATE_HZ = 16000
SPAN_S = 8
_FFT, _HOP = 400, 160


class TurnEnd(Protocol):
    async def p_complete(self, samples: NDArray[np.float32], *, due: bool = False) -> float:
        """Probability that the turn ending with these samples (8 kHz, ±1, at most the last 8 s count) is finished.

        ``due``: the words are known, and the caller waits for this alone.
        """
        ...


class SmartTurn:
    def __init__(self, pool: EnginePool, path: Path | None = None) -> None:
        self._pool = pool
        self._session = session(str(path or bundled("audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx")))

    async def p_complete(self, samples: NDArray[np.float32], *, due: bool = False) -> float:
        priority = Priority.FIRST_AUDIO if due else Priority.RECOGNITION
        return await self._pool.run(priority, lambda: self.judge(samples))

    def judge(self, samples: NDArray[np.float32]) -> float:
        """Blocking form of `p_complete`."""
        wide = soxr.resample(samples[-SPAN_S * RATE_HZ :], RATE_HZ, MODEL_RATE_HZ, quality="HQ")
        out = self._session.run(None, {"input_features": features(wide)[None]})
        return float(np.asarray(out[0]).reshape(-1)[0])


def features(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-mel [80, 800] of the last 8 s at 16 kHz, silence in front, as the model was trained on.

    The waveform is normalised to zero mean and unit variance first. Power spectra and filters in float64, like
    the reference (transformers' ``WhisperFeatureExtractor``): the log of a nearly empty band is sensitive to it.
    """
    n = SPAN_S * MODEL_RATE_HZ
    x = np.asarray(samples, np.float32)[-n:]
    x = np.pad(x, (n - len(x), 0))
    x = (x - x.mean()) / np.sqrt(x.var() + 1e-7)
    padded = np.pad(x.astype(np.float64), _FFT // 2, mode="reflect")
    windows = sliding_window_view(padded, _FFT)[::_HOP][:-1]
    power = np.abs(np.fft.rfft(windows * _HANN, axis=-1)) ** 2
    log = np.log10(np.maximum(1e-10, _FILTERS @ power.T))
    scaled: NDArray[np.float32] = ((np.maximum(log, log.max() - 8.0) + 4.0) / 4.0).astype(np.float32)
    return scaled


_HANN = np.hanning(_FFT + 1)[:-1]
_FILTERS: NDArray[np.float64] = FeatureExtractor.get_mel_filters(MODEL_RATE_HZ, _FFT, n_mels=80).astype(np.float64)
