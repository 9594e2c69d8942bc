"""What each far end of the demo really heard: the telephones' own recordings against what was sent, and in words."""

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
from voice.engines.pool import EnginePool
from voice.engines.transcription import load_transcriber

pytestmark = pytest.mark.timeout(400)
Sound = np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """One finished demo call. All sound at 8 kHz from the start of the call.

    ``caller_*``, ``human_*``: what that telephone sent and heard; ``to_human``: what the gateway says it sent there.
    """

    said: str
    facts: list[dict[str, Any]]
    caller_sent: Sound
    caller_heard: Sound
    human_sent: Sound
    human_heard: Sound
    to_human: Sound

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
    before = np.zeros(int(answered_s * 8000), dtype=np.int16)
    caller, human = (_read(store / "phones" / f"{n}.wav") for n in ("caller", "care"))
    return Demo(
        said=run.stdout,
        facts=facts,
        caller_sent=caller[:, 0],
        caller_heard=caller[:, 1],
        human_sent=np.concatenate([before, human[:, 0]]),
        human_heard=np.concatenate([before, human[:, 1]]),
        to_human=_read(folder / "human.flac")[:, 1],
    )


def _read(path: Path) -> Sound:
    samples, rate_hz = sf.read(path, dtype="int16")
    assert rate_hz == 8000
    return samples


def likeness(sent: Sound, heard: Sound, start_s: float, end_s: float) -> list[float]:
    """Peak of the normalised cross-correlation of every stretch of speech sent with what was heard up to 1 s around."""
    found = []
    part = np.ascontiguousarray(sent[int(start_s * 8000) : int(end_s * 8000)])
    for a, b in audio.speech_spans(part, audio.FAR_SPEECH_DB):
        if b - a < 0.5:
            continue
        # Two seconds: a busy machine may lose a packet, and what follows it is shifted against what went before.
        x = part[int(a * 8000) : int(min(b, a + 2.0) * 8000)].astype(np.float64)
        at = int((start_s + a) * 8000)
        y = heard[max(0, at - 8000) : at + len(x) + 8000].astype(np.float64)
        n = len(x) + len(y)
        dot = np.fft.irfft(np.fft.rfft(y, n) * np.conj(np.fft.rfft(x, n)), n)[: max(1, len(y) - len(x))]
        energy = np.convolve(y**2, np.ones(len(x)), "valid")[: len(dot)]
        found.append(float(np.max(np.abs(dot) / np.sqrt(energy * (x @ x) + 1e-9))))
    return found


def words(sound: Sound, start_s: float, end_s: float) -> set[str]:
    """Everything said in a stretch, recognised one utterance at a time."""
    recogniser = load_transcriber("default", EnginePool(1))
    part = np.ascontiguousarray(sound[int(start_s * 8000) : int(end_s * 8000)])
    heard: set[str] = set()
    for a, b in audio.speech_spans(part, audio.FAR_SPEECH_DB):
        piece = part[max(0, int((a - 0.2) * 8000)) : int((b + 0.2) * 8000)].astype(np.float32) / 32768
        heard |= set(re.findall(r"[a-z']+", recogniser.recognise(piece).text.lower()))
    return heard


def test_what_is_sent_to_the_human_is_the_screening_and_the_briefing(demo: Demo) -> None:
    asked, briefed, deciding = (demo.t("HandoffState", state=s) for s in ("SCREENING", "BRIEFING", "DECIDING"))
    assert {"caller", "person"} <= words(demo.to_human, asked, briefed)
    briefing = next(f for f in demo.facts if f["fact"] == "BriefingBuilt")["text"]
    wanted = {w for w in re.findall(r"[a-z']+", briefing.lower()) if len(w) > 3}
    told = words(demo.to_human, briefed, deciding)
    assert len(wanted & told) >= 0.5 * len(wanted), (wanted, told)


def test_the_human_hears_all_of_it_and_the_caller_nothing(demo: Demo) -> None:
    asked, joined = demo.t("HandoffState", state="SCREENING"), demo.t("LegsBridged")
    assert np.median(likeness(demo.to_human, demo.human_heard, asked, joined)) > 0.5
    assert max(likeness(demo.to_human, demo.caller_heard, asked, joined)) < 0.4


def test_after_the_bridge_each_hears_the_other(demo: Demo) -> None:
    joined, ended = demo.t("LegsBridged"), demo.t("CallEnded")
    assert np.median(likeness(demo.human_sent, demo.caller_heard, joined, ended)) > 0.5
    assert np.median(likeness(demo.caller_sent, demo.human_heard, joined, ended)) > 0.5


def test_before_the_bridge_the_human_does_not_hear_the_caller(demo: Demo) -> None:
    assert max(likeness(demo.caller_sent, demo.human_heard, 0.0, demo.t("LegsBridged"))) < 0.4


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
