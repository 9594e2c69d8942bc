"""Remakes the demo's callers: flite speaks a sentence, the WORLD vocoder renders it calm or strained.

    python -m voice.demo.render            # clips that are missing
    python -m voice.demo.render --all      # every clip of clips/manifest.csv

Needs the program ``flite`` and the package ``pyworld``, which is not a dependency of ours: it comes as source, needs a
C++ compiler, and 0.3.5 imports ``pkg_resources``, gone from present setuptools (``pip install 'setuptools<81' cython
numpy``, then ``pip install --no-build-isolation pyworld``). So the clips are shipped, not the vocoder.

``style`` and ``level`` (0 calm to 1 upset) are rendering settings, not emotion labels: nobody has rated these voices,
they were chosen with models like the one that the demo runs, and they must never train or judge a model. Sources:
M. Morise et al., WORLD, IEICE Trans. E99-D (2016); direction of each change: Juslin & Laukka, Psychol. Bull. 129
(2003), table 7 (anger, fear: higher F0, faster, more energy above 500 Hz).
"""

from __future__ import annotations

import argparse
import csv
import importlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile as sf
from scipy.signal import resample_poly

Floats = npt.NDArray[np.float64]

CLIPS = Path(__file__).parent / "clips"
COLUMNS = (
    "path", "text", "voice", "style", "level", "words", "duration_s", "rms_dbfs", "licence", "origin",
)  # fmt: skip
RATE_HZ = 16000
FRAME_S = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Strain:
    """How a sentence is re-rendered, relative to what the voice does by itself."""

    f0_shift_st: float
    f0_range: float
    tempo: float
    tilt_db_octave: float
    """Spectral tilt about 500 Hz."""
    contrast: float
    """Factor on the energy differences between sounds."""
    formant: float
    aperiodicity: float
    tremor_st: float = 0.0
    f0_noise_st: float = 0.0
    tremor_db: float = 0.0


CALM = Strain(
    f0_shift_st=-2, f0_range=1.0, tempo=0.92, tilt_db_octave=-3.5, contrast=1.0, formant=1.0, aperiodicity=1.15
)
UPSET = {
    "angry": Strain(
        f0_shift_st=10.5, f0_range=2.1, tempo=1.24, tilt_db_octave=8.4, contrast=1.4, formant=1.085, aperiodicity=0.52
    ),
    "afraid": Strain(
        f0_shift_st=9.2, f0_range=1.56, tempo=1.24, tilt_db_octave=8.4, contrast=1.14, formant=1.04, aperiodicity=0.94,
        tremor_st=0.5, f0_noise_st=0.08, tremor_db=1.1,
    ),
}  # fmt: skip
TREMOR_HZ = 6.5


def strain(style: str, level: float) -> Strain:
    """Linear between calm (0) and the style (1)."""
    if style == "calm":
        return CALM
    upset = UPSET[style]
    names = [f.name for f in fields(Strain)]
    return Strain(**{n: getattr(CALM, n) + (getattr(upset, n) - getattr(CALM, n)) * level for n in names})


def normalise(samples: Floats, db: float = -26.0) -> Floats:
    """To ``db`` [dBFS RMS] over the frames that hold speech."""
    n = len(samples) // 160
    energy = (samples[: n * 160].reshape(n, 160) ** 2).mean(1)
    out: Floats = samples * 10 ** (db / 20) / np.sqrt(energy[energy > energy.max() * 1e-3].mean())
    return out


def rerender(samples: Floats, s: Strain, seed: int = 0) -> Floats:
    """Analyses with WORLD (5 ms frames), changes what `Strain` says, synthesises. ``samples``: 16 kHz."""
    world: Any = importlib.import_module("pyworld")
    f0, times = world.harvest(samples, RATE_HZ, f0_floor=60, f0_ceil=450, frame_period=1000 * FRAME_S)
    envelope = world.cheaptrick(samples, f0, times, RATE_HZ)
    noise = world.d4c(samples, f0, times, RATE_HZ)
    rng = np.random.default_rng(seed)

    f0, envelope, noise = _stretch(f0, envelope, noise, s.tempo)
    voiced = f0 > 0
    if voiced.sum() > 3:
        f0 = _bend(f0, voiced, s, rng)
    envelope, noise = _shift_formants(envelope, noise, s.formant)
    envelope = _weight(envelope, voiced, s)
    if s.aperiodicity <= 1:
        noise = np.clip(noise * s.aperiodicity, 0.001, 1.0)
    else:
        noise = np.clip(1 - (1 - noise) / s.aperiodicity, 0.001, 1)
    out: Floats = world.synthesize(
        np.ascontiguousarray(f0), np.ascontiguousarray(envelope), np.ascontiguousarray(noise), RATE_HZ, 1000 * FRAME_S
    )
    return out


def _stretch(f0: Floats, envelope: Floats, noise: Floats, tempo: float) -> tuple[Floats, Floats, Floats]:
    n = len(f0)
    at = np.linspace(0, n - 1, round(n / tempo))
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, n - 1)
    part = (at - low)[:, None]
    envelope = np.exp((1 - part) * np.log(envelope[low] + 1e-12) + part * np.log(envelope[high] + 1e-12))
    # F0 is not interpolated: a mean of voiced and unvoiced would be neither.
    return f0[np.round(at).astype(int)], envelope, (1 - part) * noise[low] + part * noise[high]


def _bend(f0: Floats, voiced: npt.NDArray[np.bool_], s: Strain, rng: np.random.Generator) -> Floats:
    n = len(f0)
    semitones = 12 * np.log2(f0[voiced] / 55)
    middle = np.median(semitones)
    out = middle + s.f0_shift_st + (semitones - middle) * s.f0_range
    if s.tremor_st:
        phase = 2 * np.pi * TREMOR_HZ * np.arange(n) * FRAME_S + 0.6 * np.cumsum(rng.normal(0, 0.08, n))
        out = out + s.tremor_st * np.sin(phase)[voiced]
    if s.f0_noise_st:
        out = out + rng.normal(0, s.f0_noise_st, n)[voiced]
    cap = 12 * np.log2(480 / 55)
    out = np.where(out > cap - 3, cap - 3 + 3 * np.tanh((out - cap + 3) / 3), out)
    bent = f0.copy()
    bent[voiced] = 55 * 2 ** (np.maximum(out, middle - 4) / 12)
    return bent


def _shift_formants(envelope: Floats, noise: Floats, factor: float) -> tuple[Floats, Floats]:
    if factor == 1:
        return envelope, noise
    bins = envelope.shape[1]
    at = np.clip(np.arange(bins) / factor, 0, bins - 1)
    low = at.astype(int)
    high = np.minimum(low + 1, bins - 1)
    part = at - low
    shifted = np.exp((1 - part) * np.log(envelope[:, low]) + part * np.log(envelope[:, high]))
    return shifted, (1 - part) * noise[:, low] + part * noise[:, high]


def _weight(envelope: Floats, voiced: npt.NDArray[np.bool_], s: Strain) -> Floats:
    hz = np.linspace(0, RATE_HZ / 2, envelope.shape[1])
    tilt = s.tilt_db_octave * np.clip(np.log2(np.maximum(hz, 1) / 500), -1, 2.6)
    envelope = envelope * 10 ** (np.where(voiced[:, None], tilt[None], 0.3 * tilt[None]) / 10)
    if s.contrast != 1:
        energy = 10 * np.log10(envelope.sum(1) + 1e-12)
        heard = energy > energy.max() - 40
        change = np.clip((energy - energy[heard].mean()) * (s.contrast - 1), -6, 6)
        envelope = envelope * 10 ** (np.where(heard, change, 0) / 10)[:, None]
    if s.tremor_db:
        wave = np.sin(2 * np.pi * TREMOR_HZ * np.arange(len(envelope)) * FRAME_S + 1.0)
        envelope = envelope * 10 ** (s.tremor_db * wave / 10)[:, None]
    return envelope


def close_gaps(samples: Floats, most_s: float = 0.16) -> Floats:
    """Shortens silences inside a sentence to ``most_s`` at 8 kHz: flite rests half a second at a full stop, and in a
    conversation so long a rest is the end of a turn (mean gap between turns 0.2 s: Stivers et al., PNAS 106, 2009).
    """
    n = len(samples) // 80
    frames = samples[: n * 80].reshape(n, 80)
    loud = np.sqrt((frames**2).mean(1)) > 10 ** (-50 / 20)
    heard = np.flatnonzero(loud)
    keep = np.ones(n, dtype=bool)
    run = 0
    for i in range(heard[0], heard[-1]):
        run = 0 if loud[i] else run + 1
        keep[i] = run * 0.01 <= most_s
    out: Floats = frames[keep].reshape(-1)
    return out


def clip(text: str, voice: str, style: str, level: float) -> Floats:
    """One sentence at 8 kHz, -26 dBFS when calm and 8 dB louder when upset, limited by tanh."""
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder, "spoken.wav")
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(spoken)], check=True)
        samples, rate_hz = sf.read(str(spoken), dtype="float64", always_2d=True)
    mono = samples.mean(1)
    if rate_hz != RATE_HZ:
        mono = resample_poly(mono, RATE_HZ, rate_hz)
    effective = level if style != "calm" else 0.0
    rendered = normalise(rerender(normalise(mono), strain(style, level)), -26 + 8 * effective)
    return close_gaps(resample_poly(0.9 * np.tanh(rendered / 0.9), 1, 2))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m voice.demo.render", description="Remakes the demo's clips.")
    parser.add_argument("--all", action="store_true", help="also those that exist")
    args = parser.parse_args()
    manifest = CLIPS / "manifest.csv"
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        path = CLIPS / row["path"]
        if args.all or not path.exists():
            sf.write(
                str(path), clip(row["text"], row["voice"], row["style"], float(row["level"])), 8000, subtype="PCM_16"
            )
            print(row["path"], flush=True)
        samples, _ = sf.read(str(path), dtype="float64")
        loud = samples[np.abs(samples) > 10 ** (-50 / 20)]
        row["duration_s"] = f"{len(samples) / 8000:.2f}"
        row["rms_dbfs"] = f"{20 * np.log10(np.sqrt(np.mean(loud**2))):.1f}"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
