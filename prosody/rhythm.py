"""Tempo and pauses.

Hears from: `prosody.f0`, `prosody.samples`. Tells: features.

Syllable nuclei after N. de Jong and T. Wempe, "Praat script to detect syllable nuclei and measure speech rate
automatically", Behavior Research Methods 41 (2009): voiced peaks of intensity with a dip of 2 dB before them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prosody.f0 import FRAME_S, HOP_S
from prosody.perturbation import voiced_runs

DIP_DB = 2.0
BELOW_PEAK_DB = 25.0
_SMOOTH = np.hanning(9)[1:-1] / np.hanning(9)[1:-1].sum()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Attributes:
    syllables: Nuclei found.
    rate_syl_s: Nuclei per second of the window.
    voiced_ratio: Share of frames that are voiced.
    voiced_run_s: Mean length of a voiced run [s].
    voiced_runs_s: Voiced runs per second.
    quiet_ratio: Share of frames more than 25 dB under the loudest.
    """

    syllables: int
    rate_syl_s: float
    voiced_ratio: float
    voiced_run_s: float
    voiced_runs_s: float
    quiet_ratio: float


def measure_rhythm(levels_db: NDArray[np.float64], voiced: NDArray[np.bool_]) -> Rhythm:
    """Measures a window from its 10 ms levels ``[m]`` (20 ms frames) and voicing ``[n]`` (40 ms frames)."""
    if not levels_db.size or not voiced.size:
        return Rhythm(
            syllables=0, rate_syl_s=0.0, voiced_ratio=0.0, voiced_run_s=0.0, voiced_runs_s=0.0, quiet_ratio=1.0
        )
    duration = levels_db.size * HOP_S
    runs = voiced_runs(voiced)
    count = len(nuclei(levels_db, voiced))
    return Rhythm(
        syllables=count,
        rate_syl_s=count / duration,
        voiced_ratio=float(voiced.mean()),
        voiced_run_s=float(np.mean([b - a for a, b in runs]) * HOP_S) if runs else 0.0,
        voiced_runs_s=len(runs) / duration,
        quiet_ratio=float(np.mean(levels_db < levels_db.max() - BELOW_PEAK_DB)),
    )


def nuclei(levels_db: NDArray[np.float64], voiced: NDArray[np.bool_]) -> list[int]:
    """Frames that are syllable nuclei."""
    padded = np.pad(levels_db, len(_SMOOTH) // 2, mode="edge")
    smooth = np.convolve(padded, _SMOOTH, mode="valid")
    shift = round((FRAME_S - 0.020) / 2 / HOP_S)
    heard = np.zeros(len(smooth), bool)
    last = min(len(smooth), len(voiced) + shift)
    heard[shift:last] = voiced[: last - shift]
    peaks = np.flatnonzero((smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:])) + 1
    floor = smooth.max() - BELOW_PEAK_DB
    found: list[int] = []
    valley_from = 0
    for peak in peaks.tolist():
        if smooth[peak] < floor or not heard[peak]:
            continue
        dip = smooth[valley_from : peak + 1].min()
        if smooth[peak] - dip >= DIP_DB:
            found.append(peak)
            valley_from = peak
        elif found and smooth[peak] > smooth[found[-1]]:
            found[-1] = peak
            valley_from = peak
    return found
