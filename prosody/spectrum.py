"""How energy lies over frequency: balance, slopes, cepstrum. Telephone band only.

Hears from: `prosody.samples`. Tells: features.

Balance measures after F. Eyben et al., "The Geneva Minimalistic Acoustic Parameter Set (GeMAPS)", IEEE Trans. Affective
Computing 7 (2016), with band edges moved into 300-3400 Hz. Written from the paper; no code of openSMILE is used.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from prosody.samples import BAND_HZ, SAMPLE_RATE_HZ, Samples, frame

_FFT = 256
_FRAME = 200
_HOP = 80
BANDS = 18
CEPSTRA = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectra:
    """Per 10 ms frame (25 ms windows).

    Attributes:
        alpha_db: ``[n]`` level of 300-1000 Hz over that of 1000-3400 Hz [dB].
        hammarberg_db: ``[n]`` strongest peak of 300-2000 Hz over that of 2000-3400 Hz [dB].
        slope_low_db_oct, slope_high_db_oct: ``[n]`` regression slopes of 300-1000 and 1000-3400 Hz [dB/octave].
        centroid_hz: ``[n]`` centre of gravity of the power spectrum [Hz].
        bands_db: ``[n, 18]`` mel band levels [dB].
        cepstra: ``[n, 8]`` DCT-II of the band levels, coefficients 1-8.
        flux: ``[n - 1]`` Euclidean change of the normalised magnitude spectrum.
    """

    alpha_db: NDArray[np.float64]
    hammarberg_db: NDArray[np.float64]
    slope_low_db_oct: NDArray[np.float64]
    slope_high_db_oct: NDArray[np.float64]
    centroid_hz: NDArray[np.float64]
    bands_db: NDArray[np.float64]
    cepstra: NDArray[np.float64]
    flux: NDArray[np.float64]


@functools.cache
def _grid() -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float32]]:
    """Analysis window, bin frequencies [Hz], mel weights ``[bands, bins]``."""
    frequency = np.fft.rfftfreq(_FFT, 1.0 / SAMPLE_RATE_HZ)
    mel = 2595.0 * np.log10(1.0 + frequency / 700.0)
    low, high = (2595.0 * np.log10(1.0 + f / 700.0) for f in BAND_HZ)
    edges = np.linspace(low, high, BANDS + 2)
    rise = (mel - edges[:-2, None]) / (edges[1:-1, None] - edges[:-2, None])
    fall = (edges[2:, None] - mel) / (edges[2:, None] - edges[1:-1, None])
    weights = np.asarray(np.maximum(0.0, np.minimum(rise, fall)), np.float32)
    return np.hanning(_FRAME).astype(np.float32), np.asarray(frequency, np.float64), weights


def _slope(level_db: NDArray[np.float64], octaves: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = octaves - octaves.mean()
    return np.asarray(level_db @ centred / (centred @ centred))


def measure_spectra(samples: Samples) -> Spectra:
    """Spectra of a window of speech (8 kHz, telephone band)."""
    window, frequency, weights = _grid()
    power = np.abs(np.fft.rfft(frame(samples, _FRAME, _HOP) * window, _FFT)).astype(np.float32) ** 2 + 1e-9
    level = (10.0 * np.log10(power)).astype(np.float64)
    low = (frequency >= BAND_HZ[0]) & (frequency < 1000.0)
    high = (frequency >= 1000.0) & (frequency <= BAND_HZ[1])
    front = (frequency >= BAND_HZ[0]) & (frequency < 2000.0)
    back = (frequency >= 2000.0) & (frequency <= BAND_HZ[1])
    inside = low | high
    bands = (10.0 * np.log10(power @ weights.T + 1e-9)).astype(np.float64)
    magnitude = np.sqrt(power[:, inside])
    magnitude /= np.linalg.norm(magnitude, axis=1, keepdims=True)
    return Spectra(
        alpha_db=np.asarray(10.0 * np.log10(power[:, low].sum(1) / power[:, high].sum(1)), np.float64),
        hammarberg_db=level[:, front].max(1) - level[:, back].max(1),
        slope_low_db_oct=_slope(level[:, low], np.log2(frequency[low])),
        slope_high_db_oct=_slope(level[:, high], np.log2(frequency[high])),
        centroid_hz=np.asarray(power[:, inside] @ frequency[inside] / power[:, inside].sum(1), np.float64),
        bands_db=bands,
        cepstra=np.asarray(dct(bands, type=2, norm="ortho", axis=1)[:, 1 : CEPSTRA + 1]),
        flux=np.asarray(np.linalg.norm(np.diff(magnitude, axis=0), axis=1), np.float64),
    )
