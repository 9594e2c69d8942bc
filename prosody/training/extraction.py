"""Clips to features, once: every copy of every corpus is cached and never computed again.

Hears from: corpora, degrade. Tells: fit, evaluation.

One copy is one corpus through one kind of line: ``matched`` (mu-law, every window), ``varied-k`` (a random line and
window length each, for training only), or a named condition of the evaluation.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from prosody.activity import speech_blocks, windows_of
from prosody.channel import abstention, measure_channel
from prosody.encoder import ENCODER_RATE_HZ, WhisperEncoder, pool
from prosody.features import NAMES, analyse
from prosody.samples import SAMPLE_RATE_HZ, Samples, resample
from prosody.streaming import SpeechWindow
from prosody.training.corpora import Clip, data_folder, load_audio, read_manifest
from prosody.training.degrade import MATCHED, Line, degrade, random_line

CACHE_VERSION = "2"
WINDOWS_S = (1.5, 2.0, 2.0, 3.0)
BABBLE_VOICES = 5
BABBLE_BEDS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Features of many windows.

    Attributes:
        clip: ``[n]`` index into the list of clips.
        prosody: ``[n, len(NAMES)]``.
        states: ``[n, 768]`` pooled encoder states.
        abstained: ``[n]`` whether the window must not be scored.
    """

    clip: NDArray[np.intp]
    prosody: NDArray[np.float32]
    states: NDArray[np.float32]
    abstained: NDArray[np.bool_]

    @property
    def inputs(self) -> NDArray[np.float32]:
        return np.concatenate([self.prosody, self.states], axis=1)


def describe(samples: Samples, encoder: WhisperEncoder) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Prosody and pooled states of a window's samples: the very code of a call."""
    analysis = analyse(samples)
    states = encoder.encode(resample(analysis.band_samples, SAMPLE_RATE_HZ, ENCODER_RATE_HZ))
    return analysis.vector, pool(states)


def noises(*, free_only: bool, split: str) -> tuple[list[Samples], list[Samples]]:
    """(background noises, room responses) at 8 kHz. ``free_only``: nothing with a non-commercial clause."""
    import csv

    folder = data_folder() / "noise"
    ambient: list[Samples] = []
    rooms: list[Samples] = []
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] != split or (free_only and row["commercial_ok"] != "1") or row["kind"] == "event":
                continue
            audio, rate = soundfile.read(folder / row["path"], dtype="float32", always_2d=True)
            (rooms if row["kind"] == "rir" else ambient).append(resample(audio.mean(axis=1), rate, SAMPLE_RATE_HZ))
    return ambient, rooms


def synthetic_noise(rng: np.random.Generator) -> Samples:
    """Ten seconds of coloured noise, white to red, with a slow swell: licence-free line and room noise."""
    count = 10 * SAMPLE_RATE_HZ
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.maximum(np.fft.rfftfreq(count, 1.0 / SAMPLE_RATE_HZ), 20.0)
    shaped = np.fft.irfft(spectrum * frequency ** -rng.uniform(0.0, 1.0), count)
    swell = 1.0 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.1, 1.0) * np.arange(count) / SAMPLE_RATE_HZ)
    return np.asarray(0.1 * shaped * swell / np.abs(shaped).max(), np.float32)


def babble(clips: list[Clip], seed: int) -> list[Samples]:
    """Twelve beds of ten seconds, each of five voices of ``split = train`` at once; empty if there are too few."""
    pool = [c for c in clips if c.split == "train"]
    if len(pool) < BABBLE_VOICES:
        return []
    rng = np.random.default_rng(seed)
    beds = []
    for _ in range(BABBLE_BEDS):
        bed = np.zeros(10 * SAMPLE_RATE_HZ, np.float32)
        for index in rng.choice(len(pool), BABBLE_VOICES, replace=False).tolist():
            voice = load_audio(pool[index].path)
            bed += np.resize(voice / (np.abs(voice).max() + 1e-9), bed.size)
        beds.append(np.asarray(bed / BABBLE_VOICES, np.float32))
    return beds


def cache_folder() -> Path:
    return Path(os.environ.get("WARMLINE_CACHE", str(Path.home() / ".cache" / "warmline" / "ear")))


def extract(
    name: str,
    clips: list[Clip],
    encoder: WhisperEncoder,
    *,
    line: Callable[[np.random.Generator], Line] | Line = MATCHED,
    seed: int = 0,
    free_only: bool = False,
    noise_split: str = "train",
    window_s: float | None = None,
    report: Callable[[str], None] = print,
) -> Windows:
    """Features of all windows of ``clips`` through ``line``, from the cache if they are there."""
    key = hashlib.sha256(
        "\n".join(
            [CACHE_VERSION, name, str(seed), str(free_only), noise_split, *NAMES, *(str(c.path.name) for c in clips)]
        ).encode()
    ).hexdigest()[:16]
    path = cache_folder() / f"{name}-{key}.npz"
    if path.is_file():
        with np.load(path) as stored:
            return Windows(**{k: stored[k] for k in ("clip", "prosody", "states", "abstained")})
    beds, rooms = noises(free_only=free_only, split=noise_split)
    crowds = babble(clips, seed) if callable(line) else []
    rows: list[tuple[int, NDArray[np.float32], NDArray[np.float32], bool]] = []
    for index, clip in enumerate(clips):
        rng = np.random.default_rng([seed, index])
        chosen = line(rng) if callable(line) else line
        # A quarter of the training noise is other people talking: what a voice detector lets through.
        around = crowds if crowds and rng.random() < 0.25 else beds
        for window in _windows(load_audio(clip.path), chosen, rng, around, rooms, callable(line), window_s):
            analysis = analyse(window.samples)
            states = encoder.encode(resample(analysis.band_samples, SAMPLE_RATE_HZ, ENCODER_RATE_HZ))
            silent = abstention(window, analysis, measure_channel(window, analysis)) != ""
            rows.append((index, analysis.vector, pool(states), silent))
        if index % 500 == 499:
            report(f"  {name}: {index + 1} of {len(clips)} clips")
    windows = Windows(
        clip=np.asarray([r[0] for r in rows], np.intp),
        prosody=np.stack([r[1] for r in rows]),
        states=np.stack([r[2] for r in rows]),
        abstained=np.asarray([r[3] for r in rows], bool),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, clip=windows.clip, prosody=windows.prosody, states=windows.states, abstained=windows.abstained)
    part.replace(path)
    report(f"  {name}: {len(rows)} windows of {len(clips)} clips")
    return windows


def _windows(
    samples: Samples,
    line: Line,
    rng: np.random.Generator,
    beds: list[Samples],
    rooms: list[Samples],
    augmented: bool,
    window_s: float | None,
) -> Iterable[SpeechWindow]:
    bed = beds[int(rng.integers(len(beds)))] if beds and rng.random() < 0.75 else synthetic_noise(rng)
    room = rooms[int(rng.integers(len(rooms)))] if rooms else None
    heard, lost = degrade(samples, line, rng, bed, room)
    clean = samples if line.speed == 1.0 else resample(samples, SAMPLE_RATE_HZ * line.speed, SAMPLE_RATE_HZ)
    # Where speech is, is taken from the clean clip: noise must not move the window, only fill it.
    speech = speech_blocks(clean)
    if not augmented:
        return windows_of(heard, speech=speech, lost=lost, window_s=window_s)
    windows = windows_of(heard, speech=speech, lost=lost, window_s=float(rng.choice(WINDOWS_S)))
    return [windows[int(rng.integers(len(windows)))]] if windows else []


def clips_of(corpora: Iterable[str]) -> dict[str, list[Clip]]:
    return {name: read_manifest(data_folder() / name / "manifest.csv") for name in corpora}


def augmented(copy: int) -> tuple[str, Callable[[np.random.Generator], Line], int]:
    """Name, line and seed of the ``copy``-th augmented copy."""
    return f"varied-{copy}", random_line, 1000 + copy
