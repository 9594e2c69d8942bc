"""When each word of a known text was said: the sound held against the same words spoken by a synthesiser.

Every word is spoken alone by ``espeak-ng``, so its length in that reference is known. Cepstra of the reference and of
the recording are matched by dynamic time warping, with silence allowed between any two words. Figures on
speech with known word times, beside shares of letters and the recogniser's own cross-attention, which both do worse:
`docs/benchmarks/replay.md`. 1 s of speech costs about 25 ms. No weights are needed, so that a page can ask for it.

Hears from: `voice.qa.word_times`. Tells: the same. Pure but for ``espeak-ng``, run as a program.
"""

from __future__ import annotations

import html
import io
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from voice.engines.errors import EngineMissing
from voice.engines.phonemes import require_program
from voice.errors import EngineError

RATE_HZ = 8000
HOP, WINDOW, FFT = 80, 160, 256
BANDS, CEPSTRA = 24, 13
LOW_HZ, HIGH_HZ = 250.0, 3500.0
LOUD_DB = 30.0
"""Frames this far under the loudest are not speech."""
STAY_COST, SKIP_COST = 0.1, 0.1
"""Of saying one reference frame twice, or leaving one out: less lets words melt, more can't follow a slow speaker."""
LEVEL_COST = 0.04
"""Per dB by which a frame's level differs, each against the loudest of its own recording."""
PACES_WPM = (160, 200, 250, 310)
DRAWL = 1.5
"""Words spoken alone are longer than in a sentence; of the paces, the one whose words together come nearest to this."""
BREAK_MS = 400
LONGEST_S = 40.0
_TIMEOUT_S = 5.0

Floats = NDArray[np.float64]
Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sound:
    """Cepstra ``[frames, 12]`` and level [dB] of each 10 ms."""

    cepstra: Floats
    level_db: Floats

    @property
    def loud(self) -> NDArray[np.bool_]:
        return np.asarray(self.level_db > np.percentile(self.level_db, 97) - LOUD_DB)


def word_times(samples: NDArray[np.float32], words: Sequence[str], *, voice: str = "en-us") -> list[Span] | None:
    """Start and end [s from the first sample] of each word.

    Args:
        samples: ``[n]``, 8 kHz, the words and a little silence around them.
        words: In order, as written.
        voice: Of ``espeak-ng``: the language.

    Returns:
        ``None`` where nothing of the text is spoken, or the sound is too short or long.

    Raises:
        EngineMissing, EngineError: ``espeak-ng`` is not there, or fails.
    """
    if not words or not RATE_HZ // 5 <= len(samples) <= LONGEST_S * RATE_HZ:
        return None
    heard = _analysed(samples.astype(np.float64))
    _, spans = min(
        (_matched(heard, _at_its_pace(forms, heard, voice)) for forms in _readings(words)), key=lambda x: x[0]
    )
    return spans or None


def _readings(words: Sequence[str]) -> list[list[str]]:
    """How the words may have been read: numbers whole, or digit by digit."""
    plain = [re.sub(r"[^\w'.,:-]", "", w).strip(".,:-") for w in words]
    digits = [" ".join(w) if re.fullmatch(r"\d{2,}", w) else w for w in plain]
    return [plain] if digits == plain else [plain, digits]


def _at_its_pace(forms: Sequence[str], heard: _Sound, voice: str) -> list[_Sound | None]:
    """The words one by one, about as fast as they were said."""
    middle = PACES_WPM[1]
    references = _spoken(forms, voice, middle)
    length = sum(len(r.level_db) for r in references if r is not None)
    ratio = max(length, 1) / max(DRAWL * int(heard.loud.sum()), 1.0)
    pace = min(PACES_WPM, key=lambda wpm: abs(np.log(ratio * middle / wpm)))
    return references if pace == middle else _spoken(forms, voice, pace)


def _spoken(forms: Sequence[str], voice: str, pace_wpm: int) -> list[_Sound | None]:
    """Each word spoken alone, without the silence around it; ``None`` where nothing is spoken.

    All in one run of the program, told apart by the breaks between them: starting it costs more than a word does.
    """
    said = [w for w in forms if re.search(r"\w", w)]
    if not said:
        return [None] * len(forms)
    text = "".join(f"<s>{html.escape(w)}</s><break time='{BREAK_MS}ms'/>" for w in said)
    command = [require_program(), "-m", "-v", voice, "-s", str(pace_wpm), "--stdout", "--stdin"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=True, timeout=_TIMEOUT_S)
        sound, rate_hz = sf.read(io.BytesIO(done.stdout), dtype="float64")
    except (subprocess.SubprocessError, OSError, sf.LibsndfileError) as exc:
        raise EngineError("espeak-ng", f"no sound of a word ({type(exc).__name__})") from exc
    parts = _parted(soxr.resample(sound, rate_hz, RATE_HZ))
    if len(parts) != len(said):
        # a word with a pause of its own: none can be told from its neighbours
        return [r for w in forms for r in _spoken([w], voice, pace_wpm)] if len(forms) > 1 else [None]
    found = iter(parts)
    return [_analysed(next(found)) if re.search(r"\w", w) else None for w in forms]


def _parted(sound: Floats) -> list[Floats]:
    """What sounds between silences of half a break and more."""
    levels = np.abs(sound[: len(sound) // HOP * HOP]).reshape(-1, HOP).max(axis=1)
    loud = np.flatnonzero(levels > 0.004)
    if not len(loud):
        return []
    cuts = np.flatnonzero(np.diff(loud) > BREAK_MS / 2 / 1000 * RATE_HZ / HOP)
    starts, ends = loud[np.r_[0, cuts + 1]], loud[np.r_[cuts, len(loud) - 1]]
    return [sound[a * HOP : (b + 1) * HOP] for a, b in zip(starts, ends, strict=True)]


def _matched(heard: _Sound, references: Sequence[_Sound | None]) -> tuple[float, list[Span]]:
    """Mean cost of a frame on the best path, and the span of every word on it."""
    spoken = [(i, r) for i, r in enumerate(references) if r is not None]
    if not spoken:
        return np.inf, []
    cost, owner, first = _costs(heard, spoken)
    path, total = _best_path(cost, owner < 0, first)
    at = owner[path]
    spans: list[Span] = []
    for i in range(len(references)):
        frames = np.flatnonzero(at == i)
        # a word that nothing is spoken for lies at the end of the one before
        start = spans[-1][1] if spans else 0.0
        spans.append((frames[0] * HOP / RATE_HZ, (frames[-1] + 1) * HOP / RATE_HZ) if len(frames) else (start, start))
    return total / len(path), spans


def _costs(heard: _Sound, spoken: Sequence[tuple[int, _Sound]]) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    """Cost of each frame in each state, whose word a state is (-1: silence), and the first states of words.

    States: silence, the frames of a word, silence, the frames of the next, …, silence.
    """
    said = _Sound(
        cepstra=np.concatenate([r.cepstra for _, r in spoken]), level_db=np.concatenate([r.level_db for _, r in spoken])
    )
    ours, theirs = _normalised(heard), _normalised(said)
    distance = np.sqrt(
        np.maximum(0.0, (ours**2).sum(1)[:, None] + (theirs**2).sum(1)[None] - 2.0 * ours @ theirs.T) / ours.shape[1]
    )
    below = [np.clip(s.level_db - np.percentile(s.level_db, 97), -35.0, 0.0) for s in (heard, said)]
    distance += LEVEL_COST * np.abs(below[0][:, None] - below[1][None])
    floor_db = max(np.percentile(heard.level_db, 5) + 8.0, np.percentile(heard.level_db, 97) - LOUD_DB - 2.0)
    silent = 0.35 + np.clip((heard.level_db - floor_db) / 6.0, 0.0, 4.0)
    columns, owner, first, at = [silent[:, None]], [-1], [], 0
    for i, reference in spoken:
        first.append(len(owner))
        n = len(reference.level_db)
        columns += [distance[:, at : at + n], silent[:, None]]
        owner += [*[i] * n, -1]
        at += n
    return np.concatenate(columns, axis=1), np.asarray(owner), np.asarray(first)


def _best_path(cost: Floats, silence: NDArray[np.bool_], first: NDArray[np.intp]) -> tuple[NDArray[np.intp], float]:
    """Viterbi: a state goes on, to the next, or over one; over the silence between two words for nothing."""
    frames, states = cost.shape
    stay = np.where(silence, 0.0, STAY_COST)
    skip = np.full(states, SKIP_COST)
    skip[first] = 0.0
    skip[silence] = np.inf
    skip[first[0]] = np.inf
    best = np.full(states, np.inf)
    best[:2] = cost[0, :2]
    back = np.zeros((frames, states), np.int8)
    every = np.arange(states)
    for t in range(1, frames):
        came = np.stack(
            [best + stay, np.concatenate([[np.inf], best[:-1]]), np.concatenate([[np.inf] * 2, best[:-2]]) + skip]
        )
        back[t] = came.argmin(axis=0)
        best = came[back[t], every] + cost[t]
    state = states - 1 if best[-1] <= best[-2] else states - 2
    total = float(best[state])
    path = np.empty(frames, np.intp)
    for t in range(frames - 1, -1, -1):
        path[t] = state
        state -= int(back[t, state])
    return path, total


def _normalised(sound: _Sound) -> Floats:
    """Cepstra and their slopes, of mean 0 and deviation 1 over speech: what is left is hardly the voice's or line's."""
    loud = sound.cepstra[sound.loud]
    c = (sound.cepstra - loud.mean(0)) / (loud.std(0) + 1e-6)
    padded = np.pad(c, ((2, 2), (0, 0)), mode="edge")
    slope = (2 * padded[4:] + padded[3:-1] - padded[1:-3] - 2 * padded[:-4]) / 10.0
    return np.concatenate([c, 2.0 * slope], axis=1)


def _analysed(samples: Floats) -> _Sound:
    padded = np.pad(samples, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * np.hanning(WINDOW)
    bands = np.abs(np.fft.rfft(frames, FFT)) ** 2 @ _mel().T
    angles = np.pi / BANDS * (np.arange(BANDS) + 0.5)[None] * np.arange(1, CEPSTRA)[:, None]
    return _Sound(cepstra=np.log(bands + 1e-7) @ np.cos(angles).T, level_db=10.0 * np.log10(bands.sum(1) + 1e-9))


@lru_cache(maxsize=1)
def _mel() -> Floats:
    """Triangular filters ``[BANDS, bins]``, evenly spaced in mel over the telephone's band."""
    low, high = (2595.0 * np.log10(1.0 + f / 700.0) for f in (LOW_HZ, HIGH_HZ))
    edges = 700.0 * (10.0 ** (np.linspace(low, high, BANDS + 2) / 2595.0) - 1.0)
    bins = np.arange(FFT // 2 + 1) * RATE_HZ / FFT
    up = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.asarray(np.clip(np.minimum(up, down), 0.0, None))


__all__ = ["EngineError", "EngineMissing", "word_times"]
