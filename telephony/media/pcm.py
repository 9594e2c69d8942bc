"""Sound as the gateway carries it: 8 kHz, 16-bit, mono, little endian, in frames of 20 ms.

Hears from: prompt files, legs. Tells: framer, playout, recorder.
"""

from __future__ import annotations

import io
import math
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from telephony.errors import RecordError
from telephony.link_codec import FRAME_BYTES, RATE_HZ

SILENCE = bytes(FRAME_BYTES)
FULL_SCALE = 32768.0


def samples(pcm: bytes) -> NDArray[np.int16]:
    """``pcm`` as int16 samples, shape (n,)."""
    return np.frombuffer(pcm, dtype="<i2")


def level_db(pcm: bytes) -> float:
    """RMS level [dBFS]; −120 for digital silence."""
    x = samples(pcm).astype(np.float32)
    rms = float(np.sqrt(np.mean(np.square(x)))) / FULL_SCALE if x.size else 0.0
    return 20 * math.log10(rms) if rms > 1e-6 else -120.0


def mix(a: bytes, b: bytes) -> bytes:
    """Sum of two frames of equal length, clipped at full scale."""
    total = samples(a).astype(np.int32) + samples(b)
    return bytes(np.clip(total, -32768, 32767).astype("<i2").tobytes())


def read_wav(path: Path) -> bytes:
    """PCM of an 8 kHz mono 16-bit WAV.

    Raises:
        RecordError: Unreadable, or another format.
    """
    try:
        with wave.open(str(path), "rb") as f:
            shape = (f.getnchannels(), f.getsampwidth(), f.getframerate())
            if shape != (1, 2, RATE_HZ):
                raise RecordError(
                    f"{path.name}: {shape[0]} channels, {8 * shape[1]} bit, {shape[2]} Hz; need 1, 16, 8000"
                )
            return f.readframes(f.getnframes())
    except (OSError, EOFError, wave.Error) as exc:
        raise RecordError(f"{path.name}: not a readable WAV file ({exc})") from exc


def to_wav(pcm: bytes, rate_hz: int = RATE_HZ) -> bytes:
    """A mono 16-bit WAV file with ``pcm``."""
    out = io.BytesIO()
    with wave.open(out, "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(rate_hz)
        f.writeframes(pcm)
    return out.getvalue()
