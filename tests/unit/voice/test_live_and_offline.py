"""What the ear says of a call while it goes on, and of its recording afterwards."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr

from telephony.commands import Command
from telephony.facts import Decision, EmotionScored, Fact, ProsodyMeasured
from telephony.messages import to_json
from telephony.settings import Settings
from voice.engines.pool import EnginePool, Priority
from voice.engines.vad import SileroDetector
from voice.errors import UnreadableFile
from voice.pipeline.agent_audio import AgentAudio
from voice.pipeline.caller_leg import CallerLeg
from voice.pipeline.ear_tap import EarTap
from voice.pipeline.port import CallClock
from voice.pipeline.stopwatch import Stopwatch
from voice.scoring import Engines, part_of, read, score_file
from voice.scoring_ears import Part

DATA = Path(__file__).parents[2] / "data"
DISCLOSED_TICK, BRIDGED_TICK = 61, 1500
SCORED = (EmotionScored, ProsodyMeasured)


@pytest.fixture(scope="module")
def pool() -> Iterator[EnginePool]:
    opened = EnginePool(workers=1)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def engines(pool: EnginePool) -> Engines:
    return Engines.load(Settings(), pool)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A call as its gateway leaves it: two turns before the bridge, one after it."""
    call = tmp_path_factory.mktemp("calls") / "20261124-091203-4f2a9c"
    call.mkdir()
    rng = np.random.default_rng(0)
    parts = [np.zeros(2 * 8000)]
    for name in [*sorted((DATA / "speech").glob("librivox*.flac")), *sorted((DATA / "emodb").glob("*.flac"))]:
        samples, rate_hz = sf.read(name)
        parts += [soxr.resample(samples, rate_hz, 8000), np.zeros(2 * 8000)]
    sound = np.concatenate([*parts, np.zeros(8000)])
    caller = np.round(32767 * 0.5 * sound + 8 * rng.standard_normal(len(sound))).astype(np.int16)
    caller = caller[: len(caller) // 160 * 160]
    sf.write(call / "caller.flac", np.stack([caller, np.zeros_like(caller)], 1), 8000, subtype="PCM_16")
    sf.write(call / "human.flac", np.stack([caller, np.zeros_like(caller)], 1), 8000, subtype="PCM_16")
    facts = [(0.0, "CallAnswered"), (DISCLOSED_TICK * 0.02, "Disclosed"), (BRIDGED_TICK * 0.02, "LegsBridged")]
    lines = (json.dumps({"seq": n, "t": t, "fact": fact}) + "\n" for n, (t, fact) in enumerate(facts, 1))
    (call / "facts.jsonl").write_text("".join(lines))
    return call


@dataclass(slots=True)
class Port:
    facts: list[Fact] = field(default_factory=list)

    def emit(self, fact: Fact, decision: Decision | None = None) -> None:
        self.facts.append(fact)

    def command(self, command: Command) -> None:
        return

    def audio(self, *, turn: int, sample: int, pcm: bytes, last: bool) -> None:
        return


async def heard_live(caller: np.ndarray, engines: Engines, pool: EnginePool) -> list[Fact]:
    """The leg as `voice.pipeline.hearing` drives it, its engines on the pool; the disclosure is told a frame late."""
    port = Port()
    now_s = 0.0
    clock = CallClock(lambda: now_s)
    leg = CallerLeg(
        detector=SileroDetector(engines.vad),
        transcriber=engines.transcriber,
        turn_end=engines.turn_end,
        ear=EarTap(engines.ear, pool, port),
        port=port,
        emit=port.emit,
        clock=clock,
        agent=AgentAudio(),
        stopwatch=Stopwatch(),
        cut=lambda turn, onset_s: None,
        guess=lambda heard: None,
        broke=pytest.fail,
    )
    for tick, frame in enumerate(caller.reshape(-1, 160)[:BRIDGED_TICK]):
        now_s = (tick + 1) * 0.02
        clock.heard(tick)
        if tick > DISCLOSED_TICK:
            leg.push(frame.tobytes(), tick)
        for _ in range(3):
            # the pool's one worker comes to this only after all that the frame set going, and what that did
            await pool.run(Priority.EAR, lambda: None)
    leg.close()
    return port.facts


def rounded(facts: list[Fact]) -> list[dict[str, object]]:
    return [to_json(f) for f in facts if isinstance(f, SCORED)]


def test_a_recording_is_scored_as_the_call_was(folder: Path, engines: Engines, pool: EnginePool) -> None:
    """Every window of the live call, at the same call time, to 1e-4; and none of its own."""
    live = rounded(asyncio.run(heard_live(read(folder / "caller.flac")[:, 0], engines, pool)))
    offline = rounded([s.fact for s in score_file(folder / "caller.flac", Settings(), engines).facts])
    assert len(live) >= 10
    assert [(f["fact"], f["start"], f["end"]) for f in offline] == [(f["fact"], f["start"], f["end"]) for f in live]
    for a, b in zip(live, offline, strict=True):
        for key, value in a.items():
            assert b[key] == (pytest.approx(value, abs=1e-4) if isinstance(value, float) else value), key


def test_nothing_after_the_bridge_and_nothing_of_a_colleague_is_scored(folder: Path, engines: Engines) -> None:
    call = score_file(folder / "caller.flac", Settings(), engines)
    assert max(s.fact.end for s in call.facts if isinstance(s.fact, SCORED)) <= BRIDGED_TICK * 0.02
    with pytest.raises(UnreadableFile, match="never scored"):
        score_file(folder / "human.flac", Settings(), engines)


def test_after_the_callers_no_the_voice_is_not_heard_again(folder: Path, tmp_path: Path, engines: Engines) -> None:
    (tmp_path / "caller.flac").write_bytes((folder / "caller.flac").read_bytes())
    refused = {"seq": 9, "t": 12.0, "fact": "ConsentChanged", "purpose": "emotion", "allowed": False}
    (tmp_path / "facts.jsonl").write_text((folder / "facts.jsonl").read_text() + json.dumps(refused) + "\n")
    assert part_of(tmp_path / "caller.flac").ear_until_s == 12.0
    scored = [s.fact for s in score_file(tmp_path / "caller.flac", Settings(), engines).facts]
    assert max(f.end for f in scored if isinstance(f, SCORED)) <= 12.0
    assert any(f.start > 12.0 for f in scored if hasattr(f, "text"))


def test_what_was_off_or_never_disclosed_stays_so(tmp_path: Path) -> None:
    def part(*facts: dict[str, object]) -> Part:
        lines = (json.dumps({"seq": n, "t": float(n), **f}) + "\n" for n, f in enumerate(facts))
        (tmp_path / "facts.jsonl").write_text("".join(lines))
        return part_of(tmp_path / "caller.flac")

    off = {"fact": "CallAnswered", "versions": {"analyse_emotion": "off"}}
    assert part(off, {"fact": "Disclosed"}) == Part(start_s=1.0, ear_until_s=0.0)
    assert part({"fact": "CallAnswered"}).start_s == math.inf
