"""Which pitch tracker: real sentences, resynthesised with an F0 that is known because it was put there.

    python -m prosody.evaluation.pitch [--clips 60] [--seed 0]

Hears from: a corpus. Tells: a table (decision 0024). What is not installed is left out: librosa (pYIN) is in the
``dev`` extra; ``swift-f0`` (MIT) and ``praat-parselmouth`` (GPL-3.0: never a dependency) are the reader's to install.

A sentence is taken apart by linear prediction (order 18, 16 kHz) and put together again from pulses at the imposed F0
where it was voiced, noise where it was not; then it goes through a telephone line.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy import signal
from scipy.linalg import solve_toeplitz

from prosody.f0 import FRAME_S, HOP_S, track_f0
from prosody.samples import SAMPLE_RATE_HZ, Samples, phone_band, resample
from prosody.training.corpora import Clip, data_folder, read_manifest
from prosody.training.degrade import Line, degrade
from prosody.training.extraction import synthetic_noise

Floats = NDArray[np.float64]
Tracker = Callable[[Samples], tuple[Floats, Floats]]
"""8 kHz samples to frame times [s] and F0 [Hz], 0 where unvoiced."""
RATE_HZ = 16000
STEP = 80
"""5 ms."""
ORDER = 18
GROSS = 0.2
"""A voiced frame is grossly wrong by more than this share (L. Rabiner et al., IEEE Trans. ASSP 24, 1976)."""
LINES = {"mu-law": Line(), "mu-law, 10 dB": Line(snr_db=10.0), "GSM": Line(codec="gsm"), "5 % loss": Line(loss=0.05)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A sentence at 8 kHz and its F0 [Hz] every 5 ms from 0 s on, 0 where unvoiced."""

    samples: Samples
    f0_hz: Floats

    def at(self, times_s: Floats) -> Floats:
        index = np.clip(np.rint(times_s * RATE_HZ / STEP).astype(int), 0, self.f0_hz.size - 1)
        return np.asarray(self.f0_hz[index])


def resynthesise(samples: Samples, seed: int) -> Known:
    """The sentence with a falling, moving F0 of a random voice (80 to 350 Hz), and where it is."""
    rng = np.random.default_rng(seed)
    voice = np.asarray(samples, np.float64)
    count = voice.size // STEP
    width = 4 * STEP
    window = np.hanning(width)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(voice, (width // 2, width)), width)[::STEP][:count]
    level = 10.0 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
    crossings = np.mean(np.diff(np.signbit(frames), axis=1), axis=1)
    voiced = signal.medfilt(((level > np.percentile(level, 90) - 25.0) & (crossings < 0.15)).astype(float), 9) > 0
    base = 80.0 * (350.0 / 80.0) ** rng.random()
    walk = np.cumsum(rng.normal(0.0, 0.12, count))
    semitones = np.clip(signal.lfilter([0.05], [1.0, -0.95], walk * 6.0) - np.linspace(0, 3, count), -6.0, 8.0)
    f0 = np.where(voiced, np.clip(base * 2.0 ** (semitones / 12.0), FLOOR_HZ, CEILING_HZ), 0.0)
    source = rng.standard_normal(count * STEP) * 0.3
    phase = 0.0
    for i in np.flatnonzero(voiced).tolist():
        source[i * STEP : (i + 1) * STEP] *= 0.05
        for n in range(i * STEP, (i + 1) * STEP):
            phase += f0[i] / RATE_HZ
            if phase >= 1.0:
                phase -= 1.0
                source[n] += np.sqrt(RATE_HZ / f0[i])
    out = np.zeros(count * STEP + width)
    for i in range(int(count)):
        windowed = frames[i] * window
        correlation = np.correlate(windowed, windowed, "full")[width - 1 : width + ORDER]
        correlation[0] = correlation[0] * 1.0001 + 1e-9
        poles = np.concatenate([[1.0], -solve_toeplitz(correlation[:-1], correlation[1:])])
        start = max(i * STEP - width // 2, 0)
        piece = np.zeros(width)
        excitation = source[start : start + width]
        piece[: excitation.size] = signal.lfilter([1.0], poles, excitation)
        loud = np.sqrt(np.mean(piece**2)) + 1e-9
        out[start : start + width] += piece / loud * np.sqrt(np.mean(frames[i] ** 2)) * window
    mono = np.asarray(out[: count * STEP], np.float32)
    return Known(samples=resample(mono * (0.3 / (np.abs(mono).max() + 1e-9)), RATE_HZ, SAMPLE_RATE_HZ), f0_hz=f0)


FLOOR_HZ, CEILING_HZ = 65.0, 450.0


def _ours(samples: Samples) -> tuple[Floats, Floats]:
    track = track_f0(samples)
    return np.asarray(np.arange(track.f0_hz.size) * HOP_S + FRAME_S / 2, np.float64), track.f0_hz


def trackers() -> Iterator[tuple[str, Tracker]]:
    """Ours and every other one that is installed."""
    yield "autocorrelation and Viterbi (ours)", _ours
    for name, make in (("pYIN (librosa)", _pyin), ("SwiftF0", _swift), ("Praat", _praat)):
        try:
            yield name, make()
        except ImportError:
            print(f"{name}: not installed, left out")


def _pyin() -> Tracker:
    librosa = importlib.import_module("librosa")

    def track(samples: Samples) -> tuple[Floats, Floats]:
        f0, _, _ = librosa.pyin(samples, fmin=FLOOR_HZ, fmax=500.0, sr=SAMPLE_RATE_HZ, frame_length=512, hop_length=80)
        return np.arange(f0.size) * 0.01, np.nan_to_num(f0)

    return track


def _swift() -> Tracker:
    detector = importlib.import_module("swift_f0").SwiftF0()

    def track(samples: Samples) -> tuple[Floats, Floats]:
        found = detector.detect(resample(samples, SAMPLE_RATE_HZ, RATE_HZ), RATE_HZ, fmin=FLOOR_HZ, fmax=500.0)
        return found.timestamps, np.where(found.confidence >= 0.5, found.pitch_hz, 0.0)

    return track


def _praat() -> Tracker:
    parselmouth = importlib.import_module("parselmouth")

    def track(samples: Samples) -> tuple[Floats, Floats]:
        sound = parselmouth.Sound(np.asarray(samples, np.float64), SAMPLE_RATE_HZ)
        pitch = sound.to_pitch_ac(time_step=0.01, pitch_floor=FLOOR_HZ, pitch_ceiling=500.0)
        return np.asarray(pitch.xs()), np.asarray(pitch.selected_array["frequency"])

    return track


def errors(known: Known, heard: Samples, track: Tracker) -> tuple[Floats, float]:
    """(gross errors, missed, falsely voiced, fine error [cents]) of one sentence; processor time per second [ms]."""
    begin = time.process_time()
    times, f0 = track(heard)
    spent = 1000.0 * (time.process_time() - begin) / (heard.size / SAMPLE_RATE_HZ)
    truth = known.at(times)
    # A window at the edge of voicing has no one right answer.
    steady = np.minimum(known.at(times - 0.02) > 0, known.at(times + 0.02) > 0) == (truth > 0)
    both = steady & (truth > 0) & (f0 > 0)
    ratio = np.divide(f0, truth, out=np.ones_like(truth), where=truth > 0)
    gross = both & (np.abs(ratio - 1.0) > GROSS)
    cents = 1200.0 * np.abs(np.log2(ratio[both & ~gross]))
    voiced, unvoiced = steady & (truth > 0), steady & (truth == 0)
    rows = [
        gross.sum() / max(both.sum(), 1),
        (voiced & (f0 == 0)).sum() / max(voiced.sum(), 1),
        (unvoiced & (f0 > 0)).sum() / max(unvoiced.sum(), 1),
        float(np.median(cents)) if cents.size else np.nan,
    ]
    return np.asarray(rows), spent


def measure(clips: list[Clip], seed: int) -> Iterator[str]:
    """A Markdown table, a row for each tracker and line."""
    sentences = [resynthesise(_wide(c), seed + i) for i, c in enumerate(clips)]
    yield "| tracker | line | gross errors, % | voiced missed, % | falsely voiced, % | fine error, cents | ms per s |"
    yield "|---|---|---|---|---|---|---|"
    for name, track in trackers():
        for label, line in LINES.items():
            rows, spent = [], []
            for i, known in enumerate(sentences):
                rng = np.random.default_rng([seed, i])
                heard = degrade(known.samples, line, rng, synthetic_noise(rng))[0]
                row, ms = errors(known, phone_band(heard), track)
                rows.append(row)
                spent.append(ms)
            gross, missed, false, cents = np.nanmean(rows, axis=0)
            yield (
                f"| {name} | {label} | {100 * gross:.1f} | {100 * missed:.1f} | {100 * false:.1f} | {cents:.0f} "
                f"| {np.median(spent):.1f} |"
            )


def _wide(clip: Clip) -> Samples:
    samples, rate = soundfile.read(clip.path, dtype="float32", always_2d=True)
    return resample(samples.mean(axis=1), rate, RATE_HZ)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--clips", type=int, default=60)
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    chosen = [c for c in read_manifest(data_folder() / "emodb" / "manifest.csv") if c.split == "train"]
    for row in measure(chosen[:: max(len(chosen) // asked.clips, 1)][: asked.clips], asked.seed):
        print(row, flush=True)
