"""Peaks of a recording, made once on the server: an hour of sound is drawn without being decoded in the browser.

The base resolution is 10 ms, kept as int8 pairs (minimum, maximum) per channel; a page asks for any span in any
number of points. The JSON is the one of BBC's ``audiowaveform``, version 2, which peaks.js and wavesurfer also read.

Hears from: ``*.flac`` of a call folder. Tells: `voice.qa`.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile as sf

from voice.store.calls import Json, audio_of, folder_of

BASE_S = 0.01
"""One peak per 10 ms: at 5 px a peak still finer than the eye follows a playhead."""
_BLOCK_S = 20

Peaks = npt.NDArray[np.int8]
"""Shape (peaks, channels, 2): minimum and maximum, full scale = 127."""


def cache_folder(store: Path, call_id: str) -> Path:
    """Outside the call folder, whose only writer is the gateway."""
    return store / "cache" / call_id


def base_peaks(store: Path, call_id: str, leg: str) -> tuple[Peaks, int] | None:
    """Peaks at `BASE_S` and the sample rate, from the cache if it is as new as the recording; ``None`` without one.

    Raises:
        soundfile.LibsndfileError: The recording can't be decoded.
        NoSuchCall: There is no such folder.
    """
    source = audio_of(folder_of(store, call_id), leg)
    if source is None:
        return None
    cached = cache_folder(store, call_id) / f"{leg}.peaks.npy"
    rate_hz = int(sf.info(source).samplerate)
    if cached.is_file() and cached.stat().st_mtime_ns >= source.stat().st_mtime_ns:
        return np.load(cached, mmap_mode="r"), rate_hz
    peaks = measure(source)
    cached.parent.mkdir(parents=True, exist_ok=True)
    part = cached.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as f:
        np.save(f, peaks)
    part.replace(cached)
    return peaks, rate_hz


def measure(path: Path) -> Peaks:
    """Minimum and maximum of every 10 ms. Reads 20 s at a time: memory does not grow with the call."""
    parts = []
    with sf.SoundFile(path) as f:
        hop = round(f.samplerate * BASE_S)
        for block in f.blocks(blocksize=hop * round(_BLOCK_S / BASE_S), dtype="int16", always_2d=True):
            padding = -len(block) % hop
            frames = np.pad(block, ((0, padding), (0, 0))).reshape(-1, hop, block.shape[1])
            parts.append(np.stack([_eight_bits(frames.min(axis=1)), _eight_bits(frames.max(axis=1))], axis=-1))
        return np.concatenate(parts) if parts else np.zeros((0, f.channels, 2), np.int8)


def _eight_bits(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int8]:
    """Rounded, not floored: line noise around zero must not become a line of -1."""
    eight: Peaks = np.clip((samples.astype(np.int32) + 128) >> 8, -127, 127).astype(np.int8)
    return eight


def reduced(peaks: Peaks, points: int) -> tuple[Peaks, int]:
    """At most ``points`` peaks covering the same time, and how many base peaks each of them holds."""
    factor = max(1, -(-len(peaks) // max(1, points)))
    if factor == 1 or not len(peaks):
        return peaks, 1
    starts = np.arange(0, len(peaks), factor)
    low = np.minimum.reduceat(peaks[..., 0], starts, axis=0)
    high = np.maximum.reduceat(peaks[..., 1], starts, axis=0)
    return np.stack([low, high], axis=-1), factor


def to_json(peaks: Peaks, rate_hz: int, start_s: float, end_s: float, points: int) -> Json:
    """``audiowaveform`` JSON of a span [s], plus the span really covered."""
    first = max(0, int(start_s / BASE_S))
    last = min(len(peaks), -int(-end_s // BASE_S)) if end_s > 0 else len(peaks)
    chosen, factor = reduced(peaks[first : max(first, last)], points)
    return {
        "version": 2,
        "channels": int(peaks.shape[1]),
        "sample_rate": rate_hz,
        "samples_per_pixel": round(rate_hz * BASE_S) * factor,
        "bits": 8,
        "length": len(chosen),
        "start": round(first * BASE_S, 3),
        "duration": round(len(peaks) * BASE_S, 3),
        "data": np.asarray(chosen).reshape(-1).tolist(),
    }
