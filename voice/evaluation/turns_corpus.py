"""Turns with pauses in them, built from recorded and synthetic speech: where a person is only taking breath.

A pause is put where the speaker made one: the longest quiet stretch inside a sentence is stretched to 0.3–1.2 s, filled
with the recording's own noise. What is said before it was therefore said by somebody who went on, with the pitch and
length that has. Everything is seeded. Speakers are halved: one half to choose by, the other only to report.

Hears from: ``$WARMLINE_DATA/asr-eval``, ``fsdd``; flite. Tells: `voice.evaluation.turns`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from telephony.link_codec import RATE_HZ
from voice.conversation.patience import Expectation
from voice.errors import UserError
from voice.evaluation.spoken import speak
from voice.evaluation.transcription import DIGITS, Utterance, phone_band, with_babble

Kind = Literal["whole", "paused", "join", "digits", "spelled", "date", "call"]
Sound = NDArray[np.float32]

PAUSE_S = (0.3, 1.2)
JOIN_S = (0.2, 0.6)
SNRS_DB: tuple[float | None, ...] = (None, 20.0, 10.0)
BEFORE_S, AFTER_S = 0.5, 2.0
_FRAME = RATE_HZ // 100
_QUIET_DB = 26.0
"""Below the loudest 10 ms by this much is a pause."""
_PAUSE_LEAST = 6
"""[frames of 10 ms] A closure of "p" or "t" is shorter."""
_NAMES = ("SMITH", "JONES", "OKAFOR", "LINDQVIST", "BROWN", "GARCIA", "MURPHY", "KOWALSKI", "CHEN", "DUBOIS")
_DATES = (
    ("the fourteenth of", "March", "nineteen eighty two"), ("the third of", "November", "two thousand and one"),
    ("It was on", "the twenty second", "of June"), ("August the", "ninth", "nineteen seventy five"),
    ("my date of birth is", "the first of May", "nineteen ninety"), ("I ordered it on", "the sixth of", "October"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a caller. ``samples``: [n] at 8 kHz; ``end_s``: of the last sound; ``speaks``: in each 10 ms."""

    kind: Kind
    samples: Sound
    speaks: NDArray[np.bool_]
    end_s: float
    text: str
    held_out: bool
    snr_db: float | None = None
    expectation: Expectation = Expectation()
    source: str = ""


def sentences(data: Sequence[Utterance]) -> list[Utterance]:
    """Those that are one sentence, so that a pause inside is inside a sentence."""
    return [u for u in data if u.source not in DIGITS and not re.search(r"[.?!]\s+\S", u.text)]


def levels_db(samples: Sound) -> NDArray[np.float64]:
    """Of every 10 ms [dBFS]."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    return np.asarray(10 * np.log10(np.mean(frames**2, axis=1) + 1e-10))


def span(samples: Sound) -> tuple[int, int]:
    """First and last sample of speech."""
    loud = np.flatnonzero(levels_db(samples) > levels_db(samples).max() - _QUIET_DB)
    return int(loud[0]) * _FRAME, int(loud[-1] + 1) * _FRAME


def pause_inside(samples: Sound) -> int | None:
    """Sample in the middle of the longest quiet stretch between a fifth and four fifths of the speech."""
    return next(iter(quiet_stretches(samples, margin=0.2)), None)


def quiet_stretches(samples: Sound, margin: float = 0.1) -> list[int]:
    """Samples in the middle of stretches of quiet, longest first; ``margin``: share left out at either end."""
    first, last = (x // _FRAME for x in span(samples))
    level = levels_db(samples)
    quiet = level < level.max() - _QUIET_DB
    low, high = first + int(margin * (last - first)), first + int((1 - margin) * (last - first))
    found: list[tuple[int, int]] = []
    run = 0
    for k in range(low, high + 1):
        if k < high and quiet[k]:
            run += 1
            continue
        if run >= _PAUSE_LEAST:
            found.append((run, k - 1 - run // 2))
        run = 0
    return [at * _FRAME for _, at in sorted(found, key=lambda stretch: -stretch[0])]


def line_noise(samples: Sound, n: int) -> Sound:
    """The recording's own quietest 50 ms, to and fro, ``n`` samples long: it goes on where speech is not."""
    k = 5 * _FRAME
    energy = np.convolve(samples.astype(np.float64) ** 2, np.ones(k), "valid")
    at = int(energy[::_FRAME].argmin()) * _FRAME
    piece = samples[at : at + k]
    return np.resize(np.concatenate([piece, piece[::-1]]), n).astype(np.float32)


def with_pause(samples: Sound, at: int, pause_s: float) -> Sound:
    """``pause_s`` more of quiet at sample ``at``."""
    return np.concatenate([samples[:at], line_noise(samples, round(pause_s * RATE_HZ)), samples[at:]])


def framed(
    kind: Kind, parts: Sequence[Sound], gaps_s: Sequence[float], text: str, *,
    held_out: bool, expectation: Expectation | None = None, source: str = "",
) -> Turn:  # fmt: skip
    """Stretches of speech with gaps between, quiet before and after."""
    sound = np.zeros(0, np.float32)
    for k, part in enumerate(parts):
        first, last = span(part)
        gap = line_noise(parts[0], round(gaps_s[k - 1] * RATE_HZ)) if k else sound
        sound = np.concatenate([sound, gap, part[first:last]]) if k else part[first:last]
    return padded(kind, sound, text, held_out=held_out, expectation=expectation, source=source)


def padded(
    kind: Kind, speech: Sound, text: str, *, held_out: bool, expectation: Expectation | None = None, source: str = ""
) -> Turn:
    """``speech`` begins and ends with sound."""
    before, after = (line_noise(speech, round(s * RATE_HZ)) for s in (BEFORE_S, AFTER_S))
    samples = np.concatenate([before, speech, after])
    level = levels_db(samples)
    return Turn(
        kind=kind, samples=samples, speaks=level > level.max() - _QUIET_DB, end_s=BEFORE_S + len(speech) / RATE_HZ,
        text=text, held_out=held_out, expectation=expectation or Expectation(), source=source,
    )  # fmt: skip


def build(data: Sequence[Utterance], babble: Sound, digits: Path, seed: int) -> list[Turn]:
    """The whole corpus."""
    rng = np.random.default_rng(seed)
    spoken = sentences(data)
    turns = [*_sentences(spoken, rng), *_joins(spoken, rng)]
    turns = [noisy(t, SNRS_DB[k % len(SNRS_DB)], babble, k) for k, t in enumerate(turns)]
    return [*turns, *_numbers(digits, seed), *_spelled(rng)]


def _numbers(digits: Path, seed: int) -> Iterator[Turn]:
    """Those that rules were chosen by, and a list that nobody looked at: only its figures are told."""
    yield from dictated(digits, np.random.default_rng(seed), each=30, longest_s=1.2, held_out=False)
    yield from dictated(digits, np.random.default_rng([seed, 1]), each=40, longest_s=1.2, held_out=True)


def noisy(turn: Turn, snr_db: float | None, babble: Sound, seed: int) -> Turn:
    if snr_db is None:
        return turn
    return replace(turn, samples=with_babble(turn.samples, babble, snr_db, seed), snr_db=snr_db)


def _sentences(spoken: Sequence[Utterance], rng: np.random.Generator) -> Iterator[Turn]:
    """As they are, and, every other one, with a pause where it has room for one."""
    for k, u in enumerate(spoken):
        first, last = span(u.samples)
        whole = u.samples[first:last]
        at = pause_inside(whole) if k % 2 else None
        if at is None:
            yield padded("whole", whole, u.text, held_out=u.held_out, source=u.source)
        else:
            sound = with_pause(whole, at, float(rng.uniform(*PAUSE_S)))
            yield padded("paused", sound, u.text, held_out=u.held_out, source=u.source)


def _joins(spoken: Sequence[Utterance], rng: np.random.Generator) -> Iterator[Turn]:
    """Two sentences of one speaker, one after the other."""
    by_speaker: dict[str, list[Utterance]] = {}
    for u in spoken:
        by_speaker.setdefault(u.speaker, []).append(u)
    for told in by_speaker.values():
        for a, b in zip(told[::4], told[1::4], strict=False):
            gap_s = float(rng.uniform(*JOIN_S))
            yield framed("join", [a.samples, b.samples], [gap_s], f"{a.text} {b.text}", held_out=a.held_out)


def dictated(
    manifest: Path, rng: np.random.Generator, *, each: int, longest_s: float, held_out: bool
) -> Iterator[Turn]:
    """Numbers of 4 to 10 digits in groups, ``each`` of every speaker of a half.

    Speakers of split ``train`` are those to choose by, the others only to report. Between groups 0.4 s to ``longest_s``
    of quiet.
    """
    try:
        rows = list(csv.DictReader(manifest.open(encoding="utf-8")))
    except OSError as exc:
        raise UserError(f"{manifest}: {exc.strerror}; set WARMLINE_DATA") from exc
    by_speaker: dict[str, dict[str, list[Path]]] = {}
    for row in rows:
        if (row["split"] != "train") == held_out:
            clips = by_speaker.setdefault(row["speaker"], {})
            clips.setdefault(row["sentence"], []).append(manifest.parent / row["path"])
    for _, clips in sorted(by_speaker.items()):
        for k in range(each):
            digits = [str(d) for d in rng.integers(0, 10, rng.integers(4, 11))]
            parts = [
                phone_band(*soundfile.read(clips[d][int(rng.integers(len(clips[d])))], dtype="float32")) for d in digits
            ]
            gaps_s, left = [], 0
            for _ in digits[1:]:
                left = left - 1 if left else int(rng.integers(1, 4))
                gaps_s.append(float(rng.uniform(0.05, 0.25) if left else rng.uniform(0.4, longest_s)))
            # Every other number is one of several lengths: more digits would be believed than come.
            wanted = len(digits) + 2 * (k % 2)
            yield framed("digits", parts, gaps_s, "".join(digits), held_out=held_out,
                         expectation=Expectation(expects="digits", digits=wanted))  # fmt: skip


def _spelled(rng: np.random.Generator) -> Iterator[Turn]:
    """Names letter by letter, and dates in parts, by synthetic voices that are not the agent's."""
    for k, name in enumerate(_NAMES):
        letters = [phone_band(*speak(f"{c}.", ("slt", "rms")[k % 2])) for c in name]
        gaps_s = [float(rng.uniform(0.1, 0.7)) for _ in letters[1:]]
        yield framed("spelled", letters, gaps_s, name, held_out=k % 4 > 1, expectation=Expectation(expects="name"))
    for k, parts in enumerate(_DATES * 2):
        sound = [phone_band(*speak(p, ("slt", "rms", "awb")[k % 3])) for p in parts]
        yield framed("date", sound, [float(rng.uniform(0.3, 0.8)) for _ in parts[1:]], " ".join(parts),
                     held_out=k % 2 == 1)  # fmt: skip
