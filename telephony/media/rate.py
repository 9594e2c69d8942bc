"""Rate conversion between a codec's clock (8, 16, 48 kHz, one or two channels) and the product's 8 kHz mono.

A short linear-phase filter at a whole-number ratio: about 2 ms of delay and exact sample counts. Stream
resamplers of higher quality prime 24–105 ms (``docs/decisions/0004``), which would be heard as slow turns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telephony.link_codec import RATE_HZ
from telephony.media.pcm import samples


def _taps(ratio: int) -> NDArray[np.float32]:
    """Low-pass at 3.6 kHz for a rate of ``ratio`` × 8 kHz, Blackman window, unity gain at DC."""
    n = 16 * ratio + 1
    k = np.arange(n) - (n - 1) / 2
    cutoff = 3600 / (RATE_HZ * ratio)
    h = 2 * cutoff * np.sinc(2 * cutoff * k) * np.blackman(n)
    return np.asarray(h / h.sum(), dtype=np.float32)


def _ratio(rate_hz: int) -> int:
    if rate_hz < RATE_HZ or rate_hz % RATE_HZ:
        raise ValueError(f"codec rate {rate_hz} Hz is not a multiple of {RATE_HZ} Hz")
    return rate_hz // RATE_HZ


class ToProduct:
    """Codec → product. Keeps its filter's state: one object per stream."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._ratio, self._channels = _ratio(rate_hz), channels
        self._h = _taps(self._ratio)
        self._history = np.zeros(len(self._h) - 1, dtype=np.float32)
        self._phase = 0

    def __call__(self, pcm: bytes) -> bytes:
        if self._ratio == 1 and self._channels == 1:
            return pcm
        x = samples(pcm).astype(np.float32)
        if self._channels > 1:
            x = x.reshape(-1, self._channels).mean(axis=1)
        if self._ratio == 1 or not x.size:
            return x.astype("<i2").tobytes()
        joined = np.concatenate([self._history, x])
        y = np.convolve(joined, self._h, "valid")[self._phase :: self._ratio]
        self._phase = (self._phase - len(x)) % self._ratio
        self._history = joined[len(joined) - len(self._history) :]
        return np.clip(np.rint(y), -32768, 32767).astype("<i2").tobytes()


class FromProduct:
    """Product → codec."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._ratio, self._channels = _ratio(rate_hz), channels
        self._h = _taps(self._ratio) * self._ratio
        self._history = np.zeros(len(self._h) - 1, dtype=np.float32)

    def __call__(self, pcm: bytes) -> bytes:
        if self._ratio == 1 and self._channels == 1:
            return pcm
        x = samples(pcm).astype(np.float32)
        if self._ratio > 1:
            stuffed = np.zeros(len(x) * self._ratio, dtype=np.float32)
            stuffed[:: self._ratio] = x
            joined = np.concatenate([self._history, stuffed])
            x = np.convolve(joined, self._h, "valid")
            self._history = joined[len(joined) - len(self._history) :]
        y = np.clip(np.rint(x), -32768, 32767).astype("<i2")
        return np.repeat(y, self._channels).tobytes()
