"""Telephone lines to train and test on: codecs, noise, loss, level, speed. 8 kHz in, 8 kHz out.

Hears from: extraction, evaluation. Tells: nobody.

numpy, and libsndfile for GSM 06.10 and Opus. These are simulations: a line nobody thought of will do worse.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy import signal

from prosody.samples import SAMPLE_RATE_HZ, Samples, frame_levels_db, phone_band, resample

PACKET = 160
CODECS = ("mulaw", "alaw", "g722", "opus", "gsm", "wide")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Attributes:
    codec: One of `CODECS`.
    snr_db: Speech over noise [dB]; ``None``: no noise added.
    loss: Share of 20 ms packets lost, in bursts of two on average.
    repeat: Lost packets repeat the last one; otherwise zeros.
    level_db: Change of level [dB].
    speed: Playback speed; moves pitch, formants and tempo together.
    reverb: The room's impulse response is applied, if one is given.
    """

    codec: str = "mulaw"
    snr_db: float | None = None
    loss: float = 0.0
    repeat: bool = True
    level_db: float = 0.0
    speed: float = 1.0
    reverb: bool = False


MATCHED = Line()


def degrade(
    samples: Samples, line: Line, rng: np.random.Generator, noise: Samples | None = None, room: Samples | None = None
) -> tuple[Samples, NDArray[np.bool_]]:
    """The clip at the far end of ``line``, and which 20 ms packets were lost."""
    voice = resample(samples, SAMPLE_RATE_HZ * line.speed, SAMPLE_RATE_HZ) if line.speed != 1.0 else samples
    if line.reverb and room is not None:
        wet = signal.oaconvolve(voice, room)[: voice.size]
        voice = np.asarray(wet / (np.abs(wet).max() + 1e-9) * np.abs(voice).max(), np.float32)
    if line.snr_db is not None and noise is not None:
        voice = _add_noise(voice, noise, line.snr_db, rng)
    voice = voice * np.float32(10.0 ** (line.level_db / 20.0))
    sent = _code(np.clip(voice, -1.0, 1.0), line.codec)[: voice.size]
    lost = _bursts(-(-sent.size // PACKET), line.loss, rng)
    return _conceal(sent, lost, line.repeat), lost


def _add_noise(voice: Samples, noise: Samples, snr_db: float, rng: np.random.Generator) -> Samples:
    start = int(rng.integers(noise.size))
    bed = np.take(noise, np.arange(start, start + voice.size), mode="wrap")
    levels = frame_levels_db(phone_band(voice))
    loud = levels[levels >= np.median(levels)] if levels.size else np.full(1, -60.0)
    voice_db = 10.0 * np.log10(np.mean(10.0 ** (loud / 10.0)))
    bed_db = 10.0 * np.log10(np.mean(np.square(phone_band(bed))) + 1e-12)
    return np.asarray(voice + bed * np.float32(10.0 ** ((voice_db - snr_db - bed_db) / 20.0)), np.float32)


def _code(voice: Samples, codec: str) -> Samples:
    if codec == "wide":
        return voice
    if codec == "g722":
        # Sub-band ADPCM keeps about 35 dB under the signal; no 300 Hz high pass on wide-band telephones.
        return np.asarray(voice + _quantisation(voice, -36.0), np.float32)
    if codec == "mulaw":
        return mu_law(phone_band(voice))
    if codec == "alaw":
        return a_law(phone_band(voice))
    kind, subtype = {"gsm": ("WAV", "GSM610"), "opus": ("OGG", "OPUS")}[codec]
    store = io.BytesIO()
    level = {"compression_level": 0.9} if codec == "opus" else {}
    soundfile.write(store, voice, SAMPLE_RATE_HZ, format=kind, subtype=subtype, **level)
    store.seek(0)
    out = soundfile.read(store, dtype="float32")[0]
    return np.asarray(np.pad(out, (0, max(0, voice.size - out.size))), np.float32)


def _quantisation(voice: Samples, below_db: float) -> Samples:
    """Noise that follows the voice's envelope, as adaptive quantisers make; fixed sign pattern, no seed needed."""
    envelope = np.sqrt(signal.oaconvolve(np.square(voice), np.full(80, 1.0 / 80), mode="same").clip(0.0))
    pattern = np.sin(np.arange(voice.size) ** 2 * 0.7312) * np.sqrt(2.0)
    return np.asarray(envelope * pattern * 10.0 ** (below_db / 20.0), np.float32)


def mu_law(voice: Samples, mu: float = 255.0) -> Samples:
    """There and back through 8-bit mu-law companding (ITU-T G.711, continuous law)."""
    folded = np.sign(voice) * np.log1p(mu * np.abs(np.clip(voice, -1, 1))) / np.log1p(mu)
    coded = np.round(folded * 127.0) / 127.0
    return np.asarray(np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(mu)) / mu, np.float32)


def a_law(voice: Samples, a: float = 87.6) -> Samples:
    """There and back through 8-bit A-law companding (ITU-T G.711, continuous law)."""
    size = np.abs(np.clip(voice, -1, 1))
    scale = 1.0 + np.log(a)
    folded = np.where(size < 1.0 / a, a * size / scale, (1.0 + np.log(np.maximum(a * size, 1e-12))) / scale)
    coded = (np.floor(folded * 128.0) + 0.5) / 128.0
    back = np.where(coded < 1.0 / scale, coded * scale / a, np.exp(coded * scale - 1.0) / a)
    return np.asarray(np.sign(voice) * back, np.float32)


def _bursts(packets: int, loss: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Gilbert's two-state model with a mean burst of two packets."""
    lost = np.zeros(packets, bool)
    if loss <= 0.0:
        return lost
    recover = 0.5
    fail = recover * loss / (1.0 - loss)
    draws = rng.random(packets)
    bad = False
    for i in range(packets):
        bad = draws[i] >= recover if bad else draws[i] < fail
        lost[i] = bad
    return lost


def _conceal(sent: Samples, lost: NDArray[np.bool_], repeat: bool) -> Samples:
    out = sent.copy()
    last = np.zeros(PACKET, np.float32)
    for i, missing in enumerate(lost.tolist()):
        here = slice(i * PACKET, min((i + 1) * PACKET, out.size))
        size = here.stop - here.start
        if missing:
            out[here] = last[:size] if repeat else 0.0
        last = np.pad(out[here], (0, PACKET - size)) if not missing else last * np.float32(0.7)
    return out


def random_line(rng: np.random.Generator) -> Line:
    """A line to train on: a third of them clean of noise, all codecs, some loss, some other speed."""
    noisy, lossy = rng.random() < 0.65, rng.random() < 0.35
    return Line(
        codec=str(rng.choice(CODECS)),
        snr_db=float(rng.uniform(4.0, 20.0)) if noisy else None,
        loss=float(rng.choice([0.03, 0.05, 0.1, 0.15])) if lossy else 0.0,
        repeat=bool(rng.random() < 0.6),
        level_db=float(rng.uniform(-18.0, 3.0)),
        speed=float(np.exp(rng.uniform(-0.18, 0.18))) if rng.random() < 0.6 else 1.0,
        reverb=bool(rng.random() < 0.15),
    )
