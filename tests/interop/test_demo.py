"""What each far end of the demo really heard, from the telephones' own recordings, put into words by the recogniser."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from telephony import phone_audio as audio
from voice.demo.scenario import clips, load
from voice.engines.pool import EnginePool
from voice.engines.transcription import WhisperTranscriber, load_transcriber

pytestmark = pytest.mark.timeout(400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """One finished demo call: its facts, and what caller and human heard [8 kHz, from the start of the call]."""

    said: str
    facts: list[dict[str, Any]]
    caller: np.ndarray
    human: np.ndarray

    def t(self, name: str, **fields: str) -> float:
        return next(
            float(f["t"]) for f in self.facts if f["fact"] == name and all(f.get(k) == v for k, v in fields.items())
        )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    store = tmp_path_factory.mktemp("demo")
    run = subprocess.run(
        [sys.executable, "-m", "voice.cli", "demo", "--scenario", "asks-for-human", "--store", str(store), "--no-keep"],
        capture_output=True,
        text=True,
        timeout=360,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    folder = next((store / "calls").iterdir())
    facts = [json.loads(line) for line in (folder / "facts.jsonl").read_text().splitlines()]
    answered_s = next(f["t"] for f in facts if f["fact"] == "HandoffState" and f["state"] == "ANSWERED")
    human = _heard(store / "phones" / "care.wav")
    return Demo(
        said=run.stdout,
        facts=facts,
        caller=_heard(store / "phones" / "caller.wav"),
        human=np.concatenate([np.zeros(int(answered_s * 8000), dtype=np.float32), human]),
    )


def _heard(path: Path) -> np.ndarray:
    samples, rate_hz = sf.read(path, dtype="float32")
    assert rate_hz == 8000
    return np.ascontiguousarray(samples[:, 1])


@pytest.fixture(scope="module")
def recogniser() -> WhisperTranscriber:
    return load_transcriber("default", EnginePool(1))


def words(recogniser: WhisperTranscriber, sound: np.ndarray, start_s: float, end_s: float) -> set[str]:
    """Everything said in a stretch, recognised one utterance at a time."""
    part = np.round(sound[int(start_s * 8000) : int(end_s * 8000)] * 32767).astype(np.int16)
    heard: set[str] = set()
    for start, end in audio.speech_spans(part, audio.FAR_SPEECH_DB):
        # Two speakers may follow each other without a rest; five seconds hold a sentence of either.
        for at in np.arange(start, end, 4.0):
            piece = part[max(0, int((at - 0.2) * 8000)) : int(min(at + 5.0, end + 0.2) * 8000)]
            text = recogniser.recognise(piece.astype(np.float32) / 32768).text
            heard |= set(re.findall(r"[a-z0-9']+", text.lower()))
    return heard


def long_words(text: str) -> set[str]:
    return {w for w in re.findall(r"[a-z']+", text.lower()) if len(w) > 4}


def test_the_human_alone_hears_the_screening_and_the_briefing(demo: Demo, recogniser: WhisperTranscriber) -> None:
    asked, briefed, deciding = (demo.t("HandoffState", state=s) for s in ("SCREENING", "BRIEFING", "DECIDING"))
    screening = words(recogniser, demo.human, asked, briefed)
    assert {"caller", "person"} <= screening
    briefing = next(f for f in demo.facts if f["fact"] == "BriefingBuilt")["text"]
    wanted = long_words(briefing)
    told = words(recogniser, demo.human, briefed, deciding)
    assert len(wanted & told) >= 0.6 * len(wanted), (wanted, told)
    to_caller = words(recogniser, demo.caller, asked, deciding)
    assert not {"verified", "caller"} & to_caller
    assert len(wanted & to_caller) <= 0.3 * len(wanted), (wanted, to_caller)


def test_before_the_second_key_nothing_of_the_briefing_is_in_the_callers_sound(demo: Demo) -> None:
    briefed, joined = demo.t("HandoffState", state="BRIEFING"), demo.t("LegsBridged")
    human, caller = (x[int(briefed * 8000) : int(joined * 8000)] for x in (demo.human, demo.caller))
    n = min(len(human), len(caller))
    spectra = np.fft.rfft(human[:n], 2 * n) * np.conj(np.fft.rfft(caller[:n], 2 * n))
    peak = np.abs(np.fft.irfft(spectra)).max() / (np.linalg.norm(human[:n]) * np.linalg.norm(caller[:n]))
    assert peak < 0.2


def test_after_the_bridge_each_hears_the_other(demo: Demo, recogniser: WhisperTranscriber) -> None:
    released, ended = demo.t("HandoffState", state="RELEASED"), demo.t("CallEnded")
    plan = load("asks-for-human")
    for sound, clips_said in ((demo.caller, plan.humans[0].says), (demo.human, plan.to_human)):
        wanted = long_words(" ".join(clips()[c].text for c in clips_said))
        heard = words(recogniser, sound, released - 2.0, ended)
        assert len(wanted & heard) >= 0.6 * len(wanted), (wanted, heard)


def test_nothing_of_the_human_or_after_the_bridge_is_scored(demo: Demo) -> None:
    joined = demo.t("LegsBridged")
    scored = [f for f in demo.facts if f["fact"] in ("EmotionScored", "ProsodyMeasured")]
    assert scored
    assert all(f["end"] <= joined for f in scored)


def test_the_screen_says_what_it_is_and_ends_with_the_figures(demo: Demo) -> None:
    assert "callers are synthetic" in demo.said
    assert "switched on for this demo" in demo.said
    for name in ("voice to voice", "time to detection", "time to human", "summary", "replay"):
        assert re.search(rf"^ +{name} ", demo.said, re.MULTILINE), name
