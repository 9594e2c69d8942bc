"""Where speech is in a recording, by level alone: for offline scoring and training on single clips.

Hears from: recordings. Tells: `prosody.streaming`. A call uses the worker's voice activity detector instead.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from prosody.samples import SAMPLE_RATE_HZ, Samples, frame_levels_db, phone_band
from prosody.streaming import SpeechWindow, WindowStream

BLOCK = 160
"""20 ms, the telephone's packet."""
BELOW_PEAK_DB = 32.0
ABOVE_NOISE_DB = 6.0
TAIL_S = 0.3
"""So much speech at a clip's end that no window has seen is worth one more, overlapping, window."""
HANGOVER_BLOCKS = 10
"""A detector holds on for 0.2 s; so does this one, so that windows resemble those of a call."""


def speech_blocks(samples: Samples) -> NDArray[np.bool_]:
    """Verdict per 20 ms block: near the loudest blocks and above the recording's own noise."""
    levels = frame_levels_db(phone_band(samples), BLOCK, BLOCK)
    if not levels.size:
        return np.zeros(0, bool)
    loud, noise = np.percentile(levels, [97, 8])
    floor = max(loud - BELOW_PEAK_DB, min(noise + ABOVE_NOISE_DB, loud - 8.0))
    heard = levels > floor
    held = np.convolve(heard, np.ones(HANGOVER_BLOCKS + 1), mode="full")[: heard.size] > 0
    return np.asarray(held, bool)


def blocks_of(
    samples: Samples, speech: NDArray[np.bool_], lost: NDArray[np.bool_] | None = None
) -> Iterator[tuple[float, Samples, bool, bool]]:
    """(start [s], samples, speech, lost) of each 20 ms block."""
    for i, verdict in enumerate(speech.tolist()):
        missing = bool(lost[i]) if lost is not None and i < lost.size else False
        yield i * BLOCK / SAMPLE_RATE_HZ, samples[i * BLOCK : (i + 1) * BLOCK], verdict, missing


def windows_of(
    samples: Samples,
    *,
    speech: NDArray[np.bool_] | None = None,
    lost: NDArray[np.bool_] | None = None,
    window_s: float | None = None,
) -> list[SpeechWindow]:
    """The windows of one clip (8 kHz): as a call would cut them, and one for its end, and one if it is shorter.

    Args:
        samples: 8 kHz.
        speech: Verdict per 20 ms block; ``None``: by level.
        lost: Which blocks were concealed.
        window_s: Speech per window [s]; ``None``: as in a call.
    """
    stream = WindowStream() if window_s is None else WindowStream(window_s=window_s)
    verdicts = speech_blocks(samples) if speech is None else speech
    windows: list[SpeechWindow] = []
    for start_s, block, verdict, missing in blocks_of(samples, verdicts, lost):
        windows += stream.push(block, start_s=start_s, speech=verdict, lost=missing)
    last = stream.tail(TAIL_S) if windows else stream.rest()
    return windows if last is None else [*windows, last]
