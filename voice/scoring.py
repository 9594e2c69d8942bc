"""A recording heard offline by the parts that hear a call: the same windows, words, scores and decisions, as facts.

Voice activity, endpointing, recogniser, smart-turn, ear, detector and the fusion are the live ones; only waiting is
missing, because a recording does not wait. Same file and versions: same numbers.

One channel is the caller. Of two the first is the caller and the second what was said to them, of which only the words
are taken: nobody's voice but the caller's is ever scored.

Hears from: ``warmline score``. Tells: JSON, vCon, or the replay page as one file.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr

from prosody.detector import VoiceDetector
from prosody.emotion import Ear
from prosody.encoder import WhisperEncoder
from telephony.facts import CallAnswered, Decision, Fact, Said
from telephony.messages import Stamped
from telephony.settings import Settings
from voice import __version__
from voice.conversation.distress import Distress
from voice.engines.pool import EnginePool
from voice.engines.transcription import WhisperTranscriber, load_transcriber
from voice.engines.turn_end import SmartTurn
from voice.engines.vad import SileroModel
from voice.errors import UnreadableFile
from voice.qa import static_page
from voice.qa.api import describe
from voice.scoring_ears import Part, listen
from voice.store import vcon
from voice.store.calls import CallRecord, Json, read_lines

RATE_HZ = 8000

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """What scoring loads, once for all files."""

    vad: SileroModel
    transcriber: WhisperTranscriber
    turn_end: SmartTurn
    ear: Ear
    threshold: float
    versions: dict[str, str]

    @classmethod
    def load(cls, settings: Settings, pool: EnginePool) -> Engines:
        transcriber = load_transcriber(settings.ear.transcriber, pool)
        ear = Ear.load(settings.ear.model, WhisperEncoder(transcriber.model))
        versions = {
            "warmline": __version__,
            "transcriber": settings.ear.transcriber,
            "ear": f"{ear.name}:{ear.version[:12]}",
            "record": "on",
            "analyse_emotion": "on",
        }
        return cls(
            vad=SileroModel(),
            transcriber=transcriber,
            turn_end=SmartTurn(pool),
            ear=ear,
            threshold=ear.threshold_for(settings.ear.max_false_transfers_per_100_calls),
            versions=versions,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredCall:
    """What was heard in a recording. ``samples``: 8 kHz, shape (samples, channels)."""

    path: Path
    samples: Samples
    facts: tuple[Stamped, ...]
    decisions: tuple[Json, ...]

    @property
    def duration_s(self) -> float:
        return len(self.samples) / RATE_HZ

    def record(self, folder: Path) -> CallRecord:
        """As a call, with its sound in ``folder`` for those who read files."""
        sf.write(folder / "caller.flac", self.samples, RATE_HZ, subtype="PCM_16")
        if self.samples.shape[1] == 2:
            sf.write(folder / "agent.flac", self.samples[:, 1], RATE_HZ, subtype="PCM_16")
        return CallRecord(
            call_id=self.path.stem,
            folder=folder,
            facts=[json.loads(json.dumps(s.to_json())) for s in self.facts],
            decisions=list(self.decisions),
            length_s=self.duration_s,
        )


@dataclass(slots=True)
class _Log:
    """Facts in order, and the distress that reads them, as in the live call."""

    distress: Distress
    facts: list[Stamped] = field(default_factory=list)
    decisions: list[Json] = field(default_factory=list)

    def commit(self, t: float, fact: Fact, decision: Decision | None = None) -> None:
        stamped = Stamped(seq=len(self.facts) + 1, t=round(t, 3), fact=fact)
        self.facts.append(stamped)
        if decision is not None:
            self.decisions.append(_decision_json(len(self.decisions) + 1, stamped.seq, decision))
        emitted = self.distress.receive(stamped)
        if emitted is not None:
            self.commit(t, emitted.fact, emitted.decision)


def _decision_json(seq: int, fact_seq: int, d: Decision) -> Json:
    """Like a line of ``decisions.jsonl``, unchained: nothing is committed here."""
    return {
        "seq": seq, "fact_seq": fact_seq, "rule": d.rule, "inputs": d.inputs, "threshold": d.threshold,
        "versions": d.versions,
    }  # fmt: skip


def score_file(path: Path, settings: Settings, engines: Engines | None = None) -> ScoredCall:
    """Hears one recording.

    Raises:
        UnreadableFile: Not a recording, or of more than two channels.
        EngineMissing, ProsodyError: A model isn't there.
    """
    samples = read(path)
    if engines is None:
        pool = EnginePool()
        try:
            return _score(path, samples, Engines.load(settings, pool))
        finally:
            pool.close()
    return _score(path, samples, engines)


def _score(path: Path, samples: Samples, engines: Engines) -> ScoredCall:
    detector = VoiceDetector(replace(engines.ear.detector, threshold=engines.threshold))
    log = _Log(Distress(detector))
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    answered = CallAnswered(
        from_=path.name, to="", codec="", at=at, call_id=path.stem, versions=engines.versions
    )  # fmt: skip
    log.commit(0.0, answered)
    heard = listen(samples, engines, part_of(path))
    # by call time: the fusion must hear both sides in the order in which they spoke
    for t, fact in sorted(heard, key=lambda x: (x[0], isinstance(x[1], Said))):
        log.commit(t, fact)
    return ScoredCall(path=path, samples=samples, facts=tuple(log.facts), decisions=tuple(log.decisions))


def part_of(path: Path) -> Part:
    """A call's own recording is heard as far as the live ears were allowed: after the disclosure, before the bridge.

    Raises:
        UnreadableFile: It is the human's line.
    """
    facts = read_lines(path.parent / "facts.jsonl")[0]
    if not facts:
        return Part()
    if path.stem == "human":
        raise UnreadableFile(path, "a colleague's line of a call, whose voice is never scored; give caller.flac")
    times = {str(f["fact"]): float(f["t"]) for f in reversed(facts)}
    refused = [float(f["t"]) for f in facts if f["fact"] == "ConsentChanged" and f.get("purpose") == "emotion"]
    if facts[0].get("versions", {}).get("analyse_emotion") == "off":
        refused = [0.0]
    return Part(
        start_s=times.get("Disclosed", math.inf),
        end_s=times.get("LegsBridged", math.inf),
        ear_until_s=min(refused, default=math.inf),
    )


def read(path: Path) -> Samples:
    """A recording at 8 kHz, 16 bit, as a telephone would have brought it. Shape (samples, 1 or 2).

    Raises:
        UnreadableFile: Not there, not a recording, or of more than two channels.
    """
    if not path.is_file():
        raise UnreadableFile(path, "no such file")
    try:
        samples, rate_hz = sf.read(path, dtype="float32", always_2d=True)
    except (sf.LibsndfileError, OSError, ValueError) as exc:
        raise UnreadableFile(path, "not a recording that can be read; give WAV, FLAC, OGG or MP3") from exc
    if samples.shape[1] > 2:
        raise UnreadableFile(path, f"{samples.shape[1]} channels; give one (caller) or two (caller, other)")
    if not len(samples):
        raise UnreadableFile(path, "the recording is empty")
    if rate_hz != RATE_HZ:
        samples = soxr.resample(samples, rate_hz, RATE_HZ)
    sixteen: Samples = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)
    return sixteen


def score_files(paths: Sequence[Path], form: str, settings: Settings) -> Iterator[str]:
    """Each file as text: a line of JSON, a vCon, or the replay page as one self-contained file.

    Raises:
        UnreadableFile: At the first file that can't be read, before any model is loaded.
    """
    for path in paths:
        read(path)
        part_of(path)
    pool = EnginePool()
    try:
        engines = Engines.load(settings, pool)
        for path in paths:
            yield rendered(score_file(path, settings, engines), form)
    finally:
        pool.close()


def rendered(call: ScoredCall, form: str) -> str:
    with tempfile.TemporaryDirectory(prefix="warmline-score-") as folder:
        record = call.record(Path(folder))
        match form:
            case "vcon":
                return json.dumps(vcon.of_call(record), ensure_ascii=False)
            case "html":
                return static_page.render(record)
            case _:
                return json.dumps({"file": str(call.path), **_numbers(describe(record))}, ensure_ascii=False)


def _numbers(described: Json) -> dict[str, Any]:
    return {k: v for k, v in described.items() if k not in ("live", "broken", "legs", "summary", "outcome")}
