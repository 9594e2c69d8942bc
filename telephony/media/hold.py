"""The sound a caller hears while waiting: generated, so it needs no licence and no file.

Four soft notes of a major chord swell and sink one after another over 8 s; the loop joins without a click because
every partial has a whole number of periods in it. Never below −50 dBFS for half a second: that would be dead air.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from telephony.link_codec import RATE_HZ

LOOP_S = 8.0
LEVEL_DB = -38.0
"""RMS [dBFS]: some 18 dB under speech, so that news spoken over it need not be turned up."""
_NOTES_HZ = (261.625, 329.625, 392.0, 523.25)


@cache
def hold_loop() -> bytes:
    """One loop of hold sound, 8 kHz 16-bit mono."""
    t = np.arange(int(LOOP_S * RATE_HZ)) / RATE_HZ
    total = np.zeros_like(t)
    for i, hz in enumerate(_NOTES_HZ):
        swell = 0.35 + 0.65 * (0.5 - 0.5 * np.cos(2 * np.pi * (2 * t / LOOP_S - i / len(_NOTES_HZ)))) ** 2
        tone = np.sin(2 * np.pi * hz * t) + 0.2 * np.sin(4 * np.pi * hz * t)
        total += swell * tone / (1 + 0.3 * i)
    total *= 10 ** (LEVEL_DB / 20) / np.sqrt(np.mean(np.square(total)))
    return (total * 32767).astype("<i2").tobytes()
