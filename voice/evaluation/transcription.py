"""``warmline eval transcription``: word errors and CPU of the live recogniser on phone-band speech.

The sound goes through 300–3400 Hz and µ-law first, then through the very engine that calls use. Normalisation of the
words is Whisper's own (`whisper_normalizer`), counting is `jiwer`.

Hears from: ``$WARMLINE_DATA/asr-eval`` or a manifest. Tells: `voice.evaluation.figures`.
"""

from __future__ import annotations

import csv
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from prosody.evaluation import Figure
from voice.engines.pool import EnginePool
from voice.engines.transcription import RATE_HZ, WhisperTranscriber, load_transcriber
from voice.errors import UserError

NATIVE = {"lj", "asterisk", "osr", "librivox", "jfk"}
DIGITS = {"fsdd"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    source: str
    text: str
    samples: NDArray[np.float32]


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
        out.append(Utterance(source=row.get("source", ""), text=row["text"], samples=phone_band(samples[:, 0], rate)))
    return out


def figures(manifest: Path | None) -> list[Figure]:
    path = manifest or Path(os.environ.get("WARMLINE_DATA", "../shared/data")) / "asr-eval" / "transcripts.csv"
    data = utterances(path)
    engine = load_transcriber("default", EnginePool(1))
    out = [*_clean(engine, data)]
    babble = path.parent / "babble.flac"
    if babble.exists():
        noise, rate = soundfile.read(babble, dtype="float32")
        out += _noisy(engine, data, phone_band(noise, rate))
    return out


def _errors(pairs: list[tuple[str, str]]) -> tuple[float, tuple[float, float]]:
    """Word error rate and its 95 % bootstrap interval over utterances."""
    import jiwer
    from whisper_normalizer.english import EnglishTextNormalizer

    normal = EnglishTextNormalizer()
    counts = []
    for said, heard in pairs:
        reference = normal(said)
        if reference:
            out = jiwer.process_words(reference, normal(heard))
            counts.append((out.substitutions + out.deletions + out.insertions, len(reference.split())))
    table = np.array(counts, dtype=float)
    rng = np.random.default_rng(0)
    draws = table[rng.integers(0, len(table), (2000, len(table)))].sum(axis=1)
    low, high = np.percentile(draws[:, 0] / draws[:, 1], (2.5, 97.5))
    return float(table[:, 0].sum() / table[:, 1].sum()), (float(low), float(high))


def _clean(engine: WhisperTranscriber, data: list[Utterance]) -> list[Figure]:
    heard, cpu_ms = [], []
    for u in data:
        before = time.process_time()
        heard.append(engine.recognise(u.samples).text)
        cpu_ms.append(1000 * (time.process_time() - before))
    groups = {
        "wer": (set(), None),
        "wer_native": (NATIVE, 0.045),
        "wer_digits": (DIGITS, 0.06),
    }
    out = []
    for name, (sources, target) in groups.items():
        pairs = [(u.text, h) for u, h in zip(data, heard, strict=True) if not sources or u.source in sources]
        if pairs:
            value, interval = _errors(pairs)
            out.append(_figure(name, value, "ratio", interval, len(pairs), target))
    out.append(_figure("cpu_ms_per_utterance", float(np.median(cpu_ms)), "ms", None, len(data), 180))
    return out


def _noisy(engine: WhisperTranscriber, data: list[Utterance], babble: NDArray[np.float32]) -> list[Figure]:
    pairs = []
    for i, u in enumerate(data):
        result = engine.recognise(with_babble(u.samples, babble, 10, seed=i))
        if not result.rejected:
            pairs.append((u.text, result.text))
    value, interval = _errors(pairs)
    accepted = len(pairs) / len(data)
    return [
        _figure("wer_babble_10_db", value, "ratio", interval, len(pairs), 0.25),
        Figure(
            name="accepted_babble_10_db", value=accepted, unit="ratio", interval=None, n=len(data),
            target=">= 0.7", met=accepted >= 0.7,
        ),
    ]  # fmt: skip


def _figure(
    name: str, value: float, unit: str, interval: tuple[float, float] | None, n: int, at_most: float | None
) -> Figure:
    met = None if at_most is None else value <= at_most
    target = None if at_most is None else f"<= {at_most:g}"
    return Figure(name=name, value=value, unit=unit, interval=interval, n=n, target=target, met=met)
