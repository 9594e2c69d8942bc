"""The table of prosodic features, and one window of speech turned into them.

Hears from: the measurement modules. Tells: emotion, training.

`TABLE` is the order of the model's prosody inputs; ``model.yaml`` repeats the names, and a model with other names is
refused. A feature that cannot be measured is NaN; the model puts its training mean there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prosody.f0 import HOP_S, F0Track, semitones, track_f0
from prosody.perturbation import Perturbation, measure_perturbation, voiced_runs
from prosody.rhythm import Rhythm, measure_rhythm
from prosody.samples import Samples, frame_levels_db, front_end, level_db, phone_band
from prosody.spectrum import CEPSTRA, Spectra, measure_spectra


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    name: str
    unit: str
    definition: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What a person can read of one window; ``None`` where it cannot be measured.

    Attributes:
        f0_hz: Median F0 of voiced frames [Hz].
        f0_range_st: 5th to 95th percentile of F0 [semitones].
        loudness_db: Level of the voice against the call's own start [dB].
        rate_syl_s: Syllable nuclei per second of the window [1/s].
        pause_ratio: Share of the window that is not speech.
        jitter_ratio, shimmer_db, hnr_db: See `prosody.perturbation`.
        snr_db: Level of the voice against the line's noise [dB].
    """

    f0_hz: float | None = None
    f0_range_st: float | None = None
    loudness_db: float | None = None
    rate_syl_s: float | None = None
    pause_ratio: float | None = None
    jitter_ratio: float | None = None
    shimmer_db: float | None = None
    hnr_db: float | None = None
    snr_db: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One window, analysed once.

    Attributes:
        vector: ``[len(TABLE)]``, in the order of `TABLE`, NaN where not measurable.
        band_samples: The window in the telephone band at nominal level, 8 kHz: what the encoder hears too.
        band_levels_db: ``[n]`` 20 ms levels of the telephone band before levelling [dB re full scale].
    """

    vector: NDArray[np.float32]
    track: F0Track
    perturbation: Perturbation
    rhythm: Rhythm
    band_samples: Samples
    band_levels_db: NDArray[np.float64]
    band_level_db: float


_GEMAPS = "Eyben et al. 2016 (GeMAPS), band edges moved to 300-3400 Hz"
_OURS = "this package"
_SPECTRAL = (
    ("alpha", "dB", "level of 300-1000 Hz over 1000-3400 Hz", _GEMAPS),
    ("hammarberg", "dB", "strongest peak below 2 kHz over strongest above", _GEMAPS),
    ("slope_low", "dB/oct", "spectral slope 300-1000 Hz", _GEMAPS),
    ("slope_high", "dB/oct", "spectral slope 1000-3400 Hz", _GEMAPS),
    ("centroid", "Hz", "centre of gravity of the power spectrum", "Peeters 2004"),
)

TABLE: tuple[Feature, ...] = tuple(
    Feature(name=name, unit=unit, definition=definition, source=source)
    for name, unit, definition, source in (
        ("f0_median", "st re 100 Hz", "median F0 of voiced frames", "Boersma 1993"),
        ("f0_range", "st", "95th minus 5th percentile of F0", "Boersma 1993"),
        ("f0_std", "st", "standard deviation of F0", "Boersma 1993"),
        ("f0_p90", "st re 100 Hz", "90th percentile of F0", "Boersma 1993"),
        ("f0_speed", "st/s", "mean absolute F0 change inside voiced runs", _OURS),
        ("f0_rise", "ratio", "share of voiced frames with rising F0", _OURS),
        ("f0_trend", "st/s", "regression slope of F0 over the window", _OURS),
        ("strength_mean", "ratio", "normalised autocorrelation of voiced frames", "Boersma 1993"),
        ("strength_std", "ratio", "its standard deviation", "Boersma 1993"),
        ("jitter", "ratio", "jitter (local)", "Praat manual"),
        ("shimmer", "dB", "shimmer (local, dB)", "Praat manual"),
        ("hnr", "dB", "harmonics-to-noise ratio", "Boersma 1993"),
        ("level_std", "dB", "standard deviation of 20 ms levels within 40 dB of the loudest", _OURS),
        ("level_range", "dB", "95th minus 20th percentile of levels", _OURS),
        ("level_skew", "ratio", "skewness of levels", _OURS),
        ("level_rise", "dB/s", "mean rise of level where it rises", _OURS),
        ("level_fall", "dB/s", "mean fall of level where it falls", _OURS),
        ("rate", "1/s", "syllable nuclei per second", "de Jong and Wempe 2009"),
        ("voiced_ratio", "ratio", "share of voiced frames", _OURS),
        ("voiced_run", "s", "mean length of a voiced run", _OURS),
        ("voiced_runs", "1/s", "voiced runs per second", _OURS),
        ("quiet_ratio", "ratio", "share of frames 25 dB under the loudest", _OURS),
        ("flux_mean", "ratio", "change of the normalised spectrum per 10 ms", "Peeters 2004"),
        ("flux_std", "ratio", "its standard deviation", "Peeters 2004"),
        ("unvoiced_alpha", "dB", "alpha ratio of unvoiced frames", _GEMAPS),
        *((f"{n}_mean", u, f"{d}, voiced frames, mean", s) for n, u, d, s in _SPECTRAL),
        *((f"{n}_std", u, f"{d}, voiced frames, standard deviation", s) for n, u, d, s in _SPECTRAL),
        *((f"cep{k}_mean", "dB", f"cepstrum {k} of 18 mel bands, voiced frames", _OURS) for k in range(1, CEPSTRA + 1)),
        *((f"cep{k}_std", "dB", f"its standard deviation ({k})", _OURS) for k in range(1, CEPSTRA + 1)),
        *(
            (f"cep{k}_speed", "dB", f"mean absolute change per 10 ms of cepstrum {k}", _OURS)
            for k in range(1, CEPSTRA + 1)
        ),
    )
)
NAMES: tuple[str, ...] = tuple(f.name for f in TABLE)


def analyse(samples: Samples) -> Analysis:
    """Analyses one window of caller audio, 8 kHz as received."""
    band = phone_band(samples)
    ready = front_end(samples)
    track = track_f0(ready)
    levels = frame_levels_db(ready)
    rhythm = measure_rhythm(levels, track.voiced)
    perturbation = measure_perturbation(ready, track)
    spectra = measure_spectra(ready)
    values = [
        *_f0(track),
        _or_nan(perturbation.jitter_ratio),
        _or_nan(perturbation.shimmer_db),
        _or_nan(perturbation.hnr_db),
        *_levels(levels),
        rhythm.rate_syl_s,
        rhythm.voiced_ratio,
        rhythm.voiced_run_s,
        rhythm.voiced_runs_s,
        rhythm.quiet_ratio,
        *_spectral(spectra, track.voiced, levels),
    ]
    return Analysis(
        vector=np.asarray(values, np.float32),
        track=track,
        perturbation=perturbation,
        rhythm=rhythm,
        band_samples=ready,
        band_levels_db=frame_levels_db(band),
        band_level_db=level_db(band),
    )


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _f0(track: F0Track) -> list[float]:
    voiced = track.voiced
    if voiced.sum() < 5:
        return [float("nan")] * 9
    st = semitones(track.f0_hz[voiced])
    steps = [np.diff(semitones(track.f0_hz[a:b])) for a, b in voiced_runs(voiced) if b - a > 1]
    step = np.concatenate(steps) if steps else np.zeros(1)
    time = np.flatnonzero(voiced) * HOP_S
    centred = time - time.mean()
    strength = track.strength[voiced]
    low, high, p90 = np.percentile(st, [5, 95, 90])
    return [
        float(np.median(st)),
        float(high - low),
        float(st.std()),
        float(p90),
        float(np.abs(step).mean() / HOP_S),
        float((step > 0.0).mean()),
        float(centred @ st / max(centred @ centred, 1e-6)),
        float(strength.mean()),
        float(strength.std()),
    ]


def _levels(levels: NDArray[np.float64]) -> list[float]:
    if levels.size < 10:
        return [float("nan")] * 5
    heard = np.maximum(levels, levels.max() - 40.0)
    low, high = np.percentile(heard, [20, 95])
    change = np.diff(heard) / HOP_S
    spread = float(heard.std())
    rise, fall = change[change > 0.0], change[change < 0.0]
    return [
        spread,
        float(high - low),
        float(np.mean((heard - heard.mean()) ** 3) / max(spread, 1e-3) ** 3),
        float(rise.mean()) if rise.size else 0.0,
        float(-fall.mean()) if fall.size else 0.0,
    ]


def _spectral(spectra: Spectra, voiced: NDArray[np.bool_], levels: NDArray[np.float64]) -> list[float]:
    """Means over voiced frames; frames of 25 ms start 7.5 ms after the F0 frame of the same index is entered."""
    count = len(spectra.alpha_db)
    mask = np.zeros(count, bool)
    last = min(count, len(voiced) + 1)
    mask[1:last] = voiced[: last - 1]
    balance = (spectra.alpha_db, spectra.hammarberg_db, spectra.slope_low_db_oct, spectra.slope_high_db_oct)
    columns = (*balance, spectra.centroid_hz)
    if mask.sum() < 5:
        return [float("nan")] * (3 + 2 * len(columns) + 3 * CEPSTRA)
    loud = levels[:count] > levels.max() - BELOW_LOUDEST_DB
    quiet = ~mask
    quiet[: len(loud)] &= loud
    moving = mask[1:] & mask[:-1]
    speed = np.abs(np.diff(spectra.cepstra, axis=0))[moving] if moving.any() else np.zeros((1, CEPSTRA))
    flux = spectra.flux[moving] if moving.any() else np.zeros(1)
    return [
        float(flux.mean()),
        float(flux.std()),
        float(spectra.alpha_db[quiet].mean()) if quiet.sum() >= 3 else float("nan"),
        *(float(c[mask].mean()) for c in columns),
        *(float(c[mask].std()) for c in columns),
        *spectra.cepstra[mask].mean(axis=0).tolist(),
        *spectra.cepstra[mask].std(axis=0).tolist(),
        *speed.mean(axis=0).tolist(),
    ]


BELOW_LOUDEST_DB = 30.0
"""Frames quieter than this under the loudest are pause, not unvoiced speech."""
