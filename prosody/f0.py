"""Fundamental frequency by autocorrelation, octaves settled by a small Viterbi search.

Hears from: `prosody.samples`. Tells: perturbation, rhythm, features.

After P. Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
sampled sound", IFA Proceedings 17 (1993): autocorrelation of the windowed frame divided by that of the window. It needs
no fundamental in the band, which the telephone removes. Lags are searched in the generalised autocorrelation (magnitude
instead of power spectrum; Tolonen and Karjalainen, IEEE Trans. Speech and Audio Processing 8, 2000), which
flattens the formants: on 42 acted sentences through the telephone band, gross errors against pYIN on the wide band
fell from 8-12 % to 2 %. Strength and HNR are read from the ordinary autocorrelation at the lag that was found.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prosody.samples import SAMPLE_RATE_HZ, Samples, frame

FRAME_S = 0.040
HOP_S = 0.010
FLOOR_HZ = 65.0
CEILING_HZ = 500.0
_CANDIDATES = 5
_VOICING_THRESHOLD = 0.2
_SILENCE_THRESHOLD = 0.03
_OCTAVE_COST = -0.02
_OCTAVE_JUMP_COST = 0.35
_VOICING_COST = 0.14
_FFT = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class F0Track:
    """One value per 10 ms; frame ``i`` is centred at ``i * HOP_S + FRAME_S / 2``.

    Attributes:
        f0_hz: ``[n]``, 0 where unvoiced.
        strength: ``[n]``, normalised autocorrelation at the chosen lag (0..1), 0 where unvoiced.
    """

    f0_hz: NDArray[np.float64]
    strength: NDArray[np.float64]

    @property
    def voiced(self) -> NDArray[np.bool_]:
        return self.f0_hz > 0.0


@functools.cache
def _window() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    length = round(FRAME_S * SAMPLE_RATE_HZ)
    window = np.hanning(length + 2)[1:-1].astype(np.float32)
    own = np.fft.irfft(np.abs(np.fft.rfft(window, _FFT)) ** 2)
    return window, (own / own[0]).astype(np.float32)


def _autocorrelations(frames: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Generalised and ordinary autocorrelation of frames ``[n, length]``, both ``[n, lags]``, 1 at lag 0."""
    window, own = _window()
    centred = (frames - frames.mean(axis=1, keepdims=True)) * window
    magnitude = np.abs(np.fft.rfft(centred, _FFT))
    lags = round(SAMPLE_RATE_HZ / FLOOR_HZ) + 2

    def normal(spectrum: NDArray[np.float32]) -> NDArray[np.float32]:
        acf = np.fft.irfft(spectrum)[:, :lags]
        return np.asarray(acf / (acf[:, :1] + 1e-12) / own[:lags], np.float32)

    return normal(magnitude), normal(magnitude**2)


def _candidates(acf: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The strongest peaks of each frame: frequency [Hz] and height, both ``[n, candidates]``; 0: fewer."""
    first = int(SAMPLE_RATE_HZ / CEILING_HZ)
    mid = acf[:, first:-1]
    peak = (mid > acf[:, first - 1 : -2]) & (mid >= acf[:, first + 1 :])
    height = np.where(peak, mid, 0.0)
    best = np.argpartition(-height, _CANDIDATES, axis=1)[:, :_CANDIDATES]
    rows = np.arange(len(acf))[:, None]
    lag = best + first
    left, here, right = acf[rows, lag - 1], acf[rows, lag], acf[rows, lag + 1]
    bend = left - 2.0 * here + right
    shift = np.where(np.abs(bend) > 1e-9, 0.5 * (left - right) / np.where(np.abs(bend) > 1e-9, bend, 1.0), 0.0)
    shift = np.clip(shift, -0.5, 0.5)
    top = np.clip(here - 0.25 * (left - right) * shift, 0.0, 1.0)
    found = height[rows, best] > 0.0
    frequency = np.where(found, SAMPLE_RATE_HZ / (lag + shift), 0.0)
    return frequency.astype(np.float64), np.where(found, top, 0.0).astype(np.float64)


def _best_path(cost: NDArray[np.float64], log_f0: NDArray[np.float64], voiced: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Cheapest path ``[n]`` through states ``[n, k]``."""
    count, states = cost.shape
    back = np.zeros((count, states), np.intp)
    total = cost[0]
    jump = np.abs(log_f0[1:, None, :] - log_f0[:-1, :, None]) * _OCTAVE_JUMP_COST
    both = voiced[1:, None, :] & voiced[:-1, :, None]
    differ = voiced[1:, None, :] != voiced[:-1, :, None]
    move = np.where(both, jump, 0.0) + np.where(differ, _VOICING_COST, 0.0)
    columns = np.arange(states)
    for i in range(1, count):
        arrive = total[:, None] + move[i - 1]
        back[i] = arrive.argmin(axis=0)
        total = arrive[back[i], columns] + cost[i]
    path = np.zeros(count, np.intp)
    path[-1] = int(total.argmin())
    for i in range(count - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    return path


def track_f0(samples: Samples) -> F0Track:
    """F0 of a window of speech in the telephone band, 8 kHz."""
    length, hop = round(FRAME_S * SAMPLE_RATE_HZ), round(HOP_S * SAMPLE_RATE_HZ)
    frames = frame(samples, length, hop)
    if not len(frames):
        return F0Track(f0_hz=np.zeros(0), strength=np.zeros(0))
    search, plain = _autocorrelations(frames)
    frequency, height = _candidates(search)
    peak = np.abs(frames).max(axis=1) / (np.abs(samples).max() + 1e-12)
    unvoiced = _VOICING_THRESHOLD + np.maximum(0.0, 2.0 - peak / _SILENCE_THRESHOLD * (1.0 + _VOICING_THRESHOLD))
    octaves = np.log2(np.maximum(frequency, FLOOR_HZ) / FLOOR_HZ)
    usable = frequency >= FLOOR_HZ
    merit = np.where(usable, height + _OCTAVE_COST * octaves, -10.0)
    cost = -np.concatenate([merit, unvoiced[:, None]], axis=1)
    log_f0 = np.concatenate([octaves, np.zeros((len(frames), 1))], axis=1)
    voiced = np.concatenate([usable, np.zeros((len(frames), 1), bool)], axis=1)
    path = _best_path(cost, log_f0, voiced)
    rows = np.arange(len(frames))
    f0 = np.concatenate([frequency, np.zeros((len(frames), 1))], axis=1)[rows, path]
    return F0Track(f0_hz=f0, strength=_strength(plain, f0))


def _strength(acf: NDArray[np.float32], f0_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ordinary autocorrelation ``[n]`` at the period found: the best lag within two samples, refined by a parabola."""
    voiced = f0_hz > 0.0
    lag = np.rint(SAMPLE_RATE_HZ / np.where(voiced, f0_hz, 100.0)).astype(np.intp)
    rows = np.arange(len(acf))
    around = np.clip(lag[:, None] + np.arange(-2, 3), 1, acf.shape[1] - 2)
    best = around[rows, acf[rows[:, None], around].argmax(axis=1)]
    left, here, right = acf[rows, best - 1], acf[rows, best], acf[rows, best + 1]
    bend = left - 2.0 * here + right
    top = np.where(bend < -1e-9, here - 0.125 * (left - right) ** 2 / np.where(bend < -1e-9, bend, -1.0), here)
    return np.where(voiced, np.clip(top, 0.0, 1.0), 0.0).astype(np.float64)


def semitones(f0_hz: NDArray[np.float64], reference_hz: float = 100.0) -> NDArray[np.float64]:
    """F0 in semitones above ``reference_hz``."""
    return np.asarray(12.0 * np.log2(f0_hz / reference_hz))
