"""Real models, loaded once for all tests of the engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr
from numpy.typing import NDArray

from voice.engines.piper import PiperVoice, default_voice
from voice.engines.pool import EnginePool
from voice.engines.synthesis import PiperSynthesizer
from voice.engines.transcription import WhisperTranscriber, load_transcriber
from voice.engines.turn_end import SmartTurn
from voice.engines.vad import SileroModel

DATA = Path(__file__).parents[3] / "data" / "speech"


def clip(name: str) -> NDArray[np.float32]:
    samples, rate = sf.read(DATA / f"{name}.flac", dtype="float32")
    assert rate == 8000
    return np.asarray(samples, np.float32)


def babble(samples: int) -> NDArray[np.float32]:
    """Eight voices at once, none of them quieter than the others, RMS 1."""
    rng = np.random.default_rng(0)
    voices = []
    for path in sorted((Path(__file__).parents[4] / "voice" / "demo" / "clips").glob("*.flac"))[:8]:
        sound, rate = sf.read(path, dtype="float32")
        voice = np.resize(soxr.resample(sound, rate, 8000), samples)
        voices.append(np.roll(voice, int(rng.integers(samples))) / np.sqrt(np.mean(voice**2)))
    mixed = np.sum(voices, axis=0)
    return np.asarray(mixed / np.sqrt(np.mean(mixed**2)), np.float32)


@pytest.fixture(scope="session")
def pool() -> Iterator[EnginePool]:
    pool = EnginePool()
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def transcriber(pool: EnginePool) -> WhisperTranscriber:
    return load_transcriber("default", pool)


@pytest.fixture(scope="session")
def synthesizer(pool: EnginePool) -> PiperSynthesizer:
    return PiperSynthesizer(PiperVoice(default_voice()), pool)


@pytest.fixture(scope="session")
def silero() -> SileroModel:
    return SileroModel()


@pytest.fixture(scope="session")
def smart_turn(pool: EnginePool) -> SmartTurn:
    return SmartTurn(pool)
