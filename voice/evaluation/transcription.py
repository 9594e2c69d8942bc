"""``warmline eval transcription``: word errors and CPU of the live recogniser on phone-band speech.

The sound goes through 300–3400 Hz and µ-law first, then through the very engine that calls use. Normalisation of the
words is Whisper's own (`whisper_normalizer`), counting is `jiwer`.

Hears from: ``$WARMLINE_DATA/asr-eval`` or a manifest. Tells: `voice.evaluation.figures`.
"""

from __future__ import annotations

import csv
import os
import re
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from prosody.evaluation import Figure
from voice.conversation.numbers import digits_in
from voice.engines.pool import EnginePool
from voice.engines.transcription import RATE_HZ, Transcript, WhisperTranscriber, load_transcriber
from voice.errors import UserError

NATIVE = {"lj", "asterisk", "osr", "librivox", "jfk"}
DIGITS = {"fsdd"}
BABBLE_DB = (10.0, 0.0)
"""Speech over babble [dB]. At 10 words must be understood, at 0 the caller must be asked to say it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    source: str
    text: str
    samples: NDArray[np.float32]
    speaker: str = ""

    @property
    def held_out(self) -> bool:
        """Of a speaker by whom nothing was chosen."""
        return zlib.crc32(self.speaker.encode()) % 2 == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """``asked``: with the digit grammar on, where digits were said; elsewhere the same as ``plain``."""

    plain: Transcript
    asked: Transcript
    cpu_ms: float


def phone_band(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """300–3400 Hz at 8 kHz through µ-law and back (ITU-T G.711)."""
    narrow = soxr.resample(samples, rate_hz, RATE_HZ)
    band = butter(4, (300, 3400), "bandpass", fs=RATE_HZ, output="sos")
    y = np.clip(sosfiltfilt(band, narrow), -1, 1)
    code = np.round(np.sign(y) * np.log1p(255 * np.abs(y)) / np.log(256) * 127) / 127
    return np.asarray(np.sign(code) * np.expm1(np.abs(code) * np.log(256)) / 255, dtype=np.float32)


def with_babble(
    samples: NDArray[np.float32], babble: NDArray[np.float32], snr_db: float, seed: int
) -> NDArray[np.float32]:
    at = int(np.random.default_rng(seed).integers(0, max(1, len(babble) - len(samples))))
    noise = np.resize(babble[at:], len(samples))
    gain = np.sqrt(np.mean(samples**2) / (np.mean(noise**2) * 10 ** (snr_db / 10) + 1e-12))
    return np.asarray(samples + gain * noise, dtype=np.float32)


def utterances(manifest: Path) -> list[Utterance]:
    """Rows of a CSV with ``file`` (or ``path``), ``text`` and optionally ``source``.

    Raises:
        UserError: No such manifest, a column missing, a recording unreadable.
    """
    try:
        rows = list(csv.DictReader(manifest.open(encoding="utf-8")))
    except OSError as exc:
        raise UserError(f"{manifest}: {exc.strerror}; give --manifest or set WARMLINE_DATA") from exc
    out = []
    for row in rows:
        name = row.get("file") or row.get("path")
        if not name or "text" not in row:
            raise UserError(f"{manifest}: needs the columns file and text")
        try:
            samples, rate = soundfile.read(manifest.parent / name, dtype="float32", always_2d=True)
        except (OSError, soundfile.LibsndfileError) as exc:
            raise UserError(f"{manifest.parent / name}: cannot be read ({exc})") from exc
        out.append(Utterance(source=row.get("source", ""), text=row["text"], samples=phone_band(samples[:, 0], rate),
                             speaker=row.get("speaker", "")))  # fmt: skip
    return out


def figures(manifest: Path | None) -> list[Figure]:
    path = manifest or Path(os.environ.get("WARMLINE_DATA", "../shared/data")) / "asr-eval" / "transcripts.csv"
    data = utterances(path)
    engine = load_transcriber("default", EnginePool(1))
    clean = [_hear(engine, u, u.samples) for u in data]
    out = [*_clean(data, clean)]
    babble = path.parent / "babble.flac"
    if babble.exists():
        noise, rate = soundfile.read(babble, dtype="float32")
        noise = phone_band(noise, rate)
        for snr_db in BABBLE_DB:
            noisy = [_hear(engine, u, with_babble(u.samples, noise, snr_db, seed=i)) for i, u in enumerate(data)]
            out += _noisy(data, noisy, snr_db)
    return out


def _hear(engine: WhisperTranscriber, u: Utterance, samples: NDArray[np.float32]) -> Heard:
    before = time.process_time()
    asked = engine.recognise(samples, expects="digits" if u.source in DIGITS else None)
    cpu_ms = 1000 * (time.process_time() - before)
    return Heard(plain=engine.recognise(samples) if u.source in DIGITS else asked, asked=asked, cpu_ms=cpu_ms)


def _pair(u: Utterance, heard: str) -> tuple[str, str]:
    """What was said and heard, comparable; of digits only the digits, as the dialogue reads them, one word each."""
    return (_digits(u.text), _digits(heard)) if u.source in DIGITS else (u.text, heard)


def _digits(text: str) -> str:
    return " ".join(digits_in(text))


def _comparable(text: str) -> str:
    """In Whisper's own normal form, without the dot it leaves standing as a word of "Please enter the first ..."."""
    return " ".join(w for w in _normaliser()(text).split() if re.search(r"\w", w))


@cache
def _normaliser() -> Callable[[str], str]:
    from whisper_normalizer.english import EnglishTextNormalizer

    normalise: Callable[[str], str] = EnglishTextNormalizer()
    return normalise


def invented(said: str, heard: str) -> bool:
    """Over half of the words heard were not said, or not in this order."""
    import jiwer

    words = _comparable(heard)
    if not words:
        return False
    found = jiwer.process_words(_comparable(said), words)
    return bool(found.hits < 0.5 * len(words.split()))


def word_errors(pairs: list[tuple[str, str]]) -> tuple[float, tuple[float, float]]:
    """Word error rate and its 95 % bootstrap interval over utterances."""
    import jiwer

    counts = []
    for said, heard in pairs:
        reference = _comparable(said)
        if reference:
            out = jiwer.process_words(reference, _comparable(heard))
            counts.append((out.substitutions + out.deletions + out.insertions, len(reference.split())))
    table = np.array(counts, dtype=float)
    rng = np.random.default_rng(0)
    draws = table[rng.integers(0, len(table), (2000, len(table)))].sum(axis=1)
    low, high = np.percentile(draws[:, 0] / draws[:, 1], (2.5, 97.5))
    return float(table[:, 0].sum() / table[:, 1].sum()), (float(low), float(high))


def _clean(data: list[Utterance], heard: list[Heard]) -> list[Figure]:
    groups: list[tuple[str, Callable[[Utterance], bool], float | None]] = [
        ("wer", lambda u: True, None),
        ("wer_native", lambda u: u.source in NATIVE, 0.045),
        ("wer_digits", lambda u: u.source in DIGITS, 0.06),
        ("wer_digits_held_out", lambda u: u.source in DIGITS and u.held_out, None),
    ]
    out = []
    for name, belongs, target in groups:
        pairs = [_pair(u, h.asked.text) for u, h in zip(data, heard, strict=True) if belongs(u)]
        if pairs:
            value, interval = word_errors(pairs)
            out.append(_figure(name, value, "ratio", interval, len(pairs), target))
    raw = [_pair(u, h.plain.text) for u, h in zip(data, heard, strict=True) if u.source in DIGITS]
    if raw:
        value, interval = word_errors(raw)
        out.append(_figure("wer_digits_unasked", value, "ratio", interval, len(raw), None))
    out.append(
        _figure("accepted", sum(not h.asked.rejected for h in heard) / len(heard), "ratio", None, len(heard), None)
    )
    out.append(
        _figure("cpu_ms_per_utterance", float(np.median([h.cpu_ms for h in heard])), "ms", None, len(heard), 180)
    )
    return out


def _noisy(data: list[Utterance], noisy: list[Heard], snr_db: float) -> list[Figure]:
    """Word errors of what was accepted (the rest is asked for again), and turns of which most words were invented."""
    out, understood = [], snr_db >= max(BABBLE_DB)
    for half, part in (("", list(range(len(data)))), ("_held_out", [i for i, u in enumerate(data) if u.held_out])):
        name = f"babble_{snr_db:g}_db{half}"
        taken = [i for i in part if not noisy[i].asked.rejected]
        pairs = [_pair(data[i], noisy[i].asked.text) for i in taken]
        if understood and taken:
            value, interval = word_errors(pairs)
            out.append(_figure(f"wer_{name}", value, "ratio", interval, len(taken), 0.25))
        accepted = len(taken) / len(part)
        out.append(
            Figure(
                name=f"accepted_{name}", value=accepted, unit="ratio", interval=None, n=len(part),
                target=">= 0.7" if understood else None, met=accepted >= 0.7 if understood else None,
            )
        )  # fmt: skip
        made_up = sum(invented(*pair) for pair in pairs) / len(part)
        out.append(_figure(f"invented_{name}", made_up, "ratio", None, len(part), None if understood else 0.01))
    return out


def _figure(
    name: str, value: float, unit: str, interval: tuple[float, float] | None, n: int, at_most: float | None
) -> Figure:
    met = None if at_most is None else value <= at_most
    target = None if at_most is None else f"<= {at_most:g}"
    return Figure(name=name, value=value, unit=unit, interval=interval, n=n, target=target, met=met)
