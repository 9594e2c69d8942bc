"""Makes call folders as the gateway would leave them: facts through `telephony.messages`, decisions chained, FLAC legs.

python -m tests.browser.make_call STORE        writes one call of each kind
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from telephony.facts import (
    AudioLost,
    BargedIn,
    Because,
    BriefingBuilt,
    CallAnswered,
    CallEnded,
    ConsentChanged,
    Decision,
    Disclosed,
    DistressChanged,
    EmotionScored,
    Ending,
    Erased,
    Fact,
    HandoffAnswered,
    HandoffOffered,
    HandoffState,
    HoldChanged,
    IntentRecognised,
    KeyPressed,
    LegsBridged,
    ProsodyMeasured,
    Said,
    SlotFilled,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
    TurnTimed,
    WorkerAttached,
)
from telephony.messages import Stamped, to_line
from telephony.record import GENESIS, canonical, chain_hash, inputs_hash
from telephony.summary import summarise
from tests.browser import synth

MOODS = {"calm": (110.0, -30.0, 0.06, 2.6), "tense": (140.0, -25.0, 0.14, 3.0), "upset": (185.0, -19.0, 0.28, 3.6)}
"""F0 [Hz], level [dBFS], bend, words per second."""
SCORES = {"calm": (0.12, 0.28), "tense": (0.46, 0.55), "upset": (0.83, 0.81)}


@dataclass(slots=True)
class Maker:
    """One call in the making. Times are call time [s]; facts may be added in any order."""

    store: Path
    call_id: str
    length_s: float
    at: str = "2026-11-24T09:12:03Z"
    caller: str = "sip:+4915112345@192.0.2.10"
    facts: list[tuple[float, Fact, Decision | None]] = field(default_factory=list)
    legs: dict[str, np.ndarray] = field(default_factory=dict)
    turn: int = 0

    def __post_init__(self) -> None:
        n = round(self.length_s * synth.RATE_HZ)
        self.legs = {name: np.zeros(n) for name in ("caller_in", "caller_out", "human_in", "human_out")}
        versions = {
            "warmline": "0.1.0",
            "ear": "open-1",
            "transcriber": "tiny.en",
            "record": "on",
            "analyse_emotion": "on",
        }
        answered = CallAnswered(
            from_=self.caller,
            to="sip:help@192.0.2.1",
            codec="PCMU/8000",
            at=self.at,
            call_id=self.call_id,
            versions=versions,
        )
        self.add(0.0, answered)
        self.add(0.01, WorkerAttached(worker="worker-1"))

    def add(self, t: float, fact: Fact, decision: Decision | None = None) -> None:
        self.facts.append((t, fact, decision))

    def disclose(self, text: str, start: float = 0.2) -> float:
        end = self.say(start, text, prompt="disclosure")
        self.add(end, Disclosed(text=text, start=start, end=end))
        return end

    def say(self, start: float, text: str, *, to: str = "caller", prompt: str = "", cut: bool = False) -> float:
        words = synth.words_of(text, start, 2.7)
        out = self.legs[f"{to}_out"]
        synth.voice(out, words, f0_hz=118, level_db=-24, bend=0.08)
        end = words[-1].end
        self.turn += 0 if prompt else 1
        self.add(
            end, Said(leg=to, start=start, end=end, text=text, rate_wpm=160, turn=self.turn, prompt=prompt, cut=cut)
        )
        return end

    def hear(self, start: float, text: str, mood: str = "calm", *, leg: str = "caller", score: bool = True) -> float:
        f0_hz, level_db, bend, rate = MOODS[mood]
        words = synth.words_of(text, start, rate)
        synth.voice(
            self.legs[f"{leg}_in"], words, f0_hz=f0_hz if leg == "caller" else 205, level_db=level_db, bend=bend
        )
        end = words[-1].end
        self.add(start + 0.06, SpeechStarted(leg=leg, at=start))
        self.add(end + 0.2, SpeechStopped(leg=leg, at=end))
        self.add(
            end + 0.45,
            Transcribed(
                leg=leg, start=start, end=end, text=text, log_prob=-0.31, no_speech=0.02,
                words=tuple((w.start, w.end, w.text) for w in words),
            ),
        )  # fmt: skip
        if leg == "caller" and score:
            self.score(start, end, mood)
            stages = {"endpointing": 240.0, "transcription": 190.0, "reply": 12.0, "synthesis": 121.0, "link": 3.0}
            self.add(
                end + 0.7,
                TurnTimed(turn=self.turn + 1, stages_ms=stages, total_ms=sum(stages.values()) + 7 * len(text) % 90),
            )
        return end

    def score(self, start: float, end: float, mood: str) -> None:
        f0_hz, level_db, bend, rate = MOODS[mood]
        p, arousal = SCORES[mood]
        at, n = start, 0
        while at < end:
            stop = at + 2.0
            wobble = 0.06 * np.sin(7 * at)
            self.add(
                stop + 0.1,
                ProsodyMeasured(
                    start=at, end=stop, f0_hz=f0_hz * (1 + wobble), f0_range_st=4 + 30 * bend,
                    loudness_db=level_db + 20 * wobble, rate_syl_s=rate * 1.5 + 5 * wobble, pause_ratio=0.14,
                    jitter_ratio=0.011, shimmer_db=0.6, hnr_db=14.0, snr_db=31.0,
                ),
            )  # fmt: skip
            abstained = n % 6 == 5
            self.add(
                stop + 0.1,
                EmotionScored(
                    start=at, end=stop, arousal=None if abstained else arousal + wobble,
                    p_distress=None if abstained else p + wobble,
                    classes={} if abstained else {"anger": 0.6 * p, "fear": 0.4 * p, "neutral": 1 - p},
                    abstained=abstained, reason="too little voiced speech" if abstained else "", model="open-1",
                    p_low=None if abstained else max(p + wobble - 0.11, 0.0),
                    p_high=None if abstained else min(p + wobble + 0.07, 1.0),
                ),
            )  # fmt: skip
            at, n = at + 1.0, n + 1

    def states(self, *steps: tuple[float, str, str]) -> None:
        for t, state, outcome in steps:
            self.add(t, HandoffState(state=state, target="care", reason="distress", outcome=outcome))  # type: ignore[arg-type]

    def write(self, ending: Ending | None = "resolved", cause: str = "hung-up") -> Path:
        """``ending`` None = still live: no sound, no summary, no end."""
        folder = self.store / "calls" / self.call_id
        folder.mkdir(parents=True)
        if ending is not None:
            self.add(self.length_s, CallEnded(cause=cause, ending=ending))
        stamped = [
            (Stamped(seq=n, t=round(t, 3), fact=fact), decision)
            for n, (t, fact, decision) in enumerate(sorted(self.facts, key=lambda x: x[0]), 1)
        ]
        (folder / "facts.jsonl").write_bytes(b"".join(to_line(s) for s, _ in stamped))
        (folder / "decisions.jsonl").write_bytes(_chained([(s.seq, d) for s, d in stamped if d]))
        if ending is not None:
            self._write_sound(folder)
            summary = summarise(self.call_id, (s.to_json() for s, _ in stamped))
            (folder / "summary.json").write_text(json.dumps(summary))
        return folder

    def _write_sound(self, folder: Path) -> None:
        legs = {name: synth.finish(x) for name, x in self.legs.items()}
        pairs: dict[str, Any] = {
            "caller": np.stack([legs["caller_in"], legs["caller_out"]], 1),
            "agent": legs["caller_out"],
        }
        if any(isinstance(f, HandoffState) for _, f, _ in self.facts):
            pairs["human"] = np.stack([legs["human_in"], legs["human_out"]], 1)
        for name, samples in pairs.items():
            sf.write(folder / f"{name}.flac", samples, synth.RATE_HZ, subtype="PCM_16")


def _chained(decisions: list[tuple[int, Decision]]) -> bytes:
    prev, lines = GENESIS, []
    for n, (fact_seq, d) in enumerate(decisions, 1):
        line: dict[str, Any] = {
            "seq": n, "fact_seq": fact_seq, "rule": d.rule, "inputs": d.inputs, "threshold": d.threshold,
            "versions": d.versions, "inputs_hash": inputs_hash(d.inputs, "00"), "salt": "00", "prev_hash": prev,
        }  # fmt: skip
        line["hash"] = prev = chain_hash(line)
        lines.append(canonical(line) + b"\n")
    return b"".join(lines)


DISCLOSURE = (
    "Hello, this is an automated assistant. The call is recorded, and your voice is analysed. Press nine to refuse."
)


def distress(store: Path, call_id: str = "20261124-091203-4f2a9c") -> Path:
    """A caller who becomes upset, is handed to a human, and thanks her."""
    m = Maker(store=store, call_id=call_id, length_s=122.0)
    m.disclose(DISCLOSURE)
    at = m.hear(m.say(9.2, "How can I help you today?") + 0.6, "Hi, I am calling about an invoice I got yesterday.")
    m.add(at + 0.5, IntentRecognised(intent="billing_dispute", confidence=0.91, start=at - 2.6, end=at))
    at = m.hear(
        m.say(at + 0.9, "I can look into that with you. What is the invoice number?") + 0.7,
        "It is four seven one one nine.",
    )
    m.add(at + 0.5, SlotFilled(name="invoice", value="47119", confidence=0.88, start=at - 1.6, end=at))
    at = m.hear(
        m.say(at + 0.9, "Thank you. What is wrong with invoice 4 7 1 1 9?") + 0.7,
        "I have paid this already, twice, and nobody believes me.",
        "tense",
    )
    attend = at + 0.6
    reasons = (
        Because(
            kind="voice", start=at - 3, end=at - 1, name="f0_hz", value=143.0, unit="Hz", reference=110.0, weight=0.4
        ),
        Because(kind="words", start=at - 1.2, end=at, name="upset_words", value="nobody believes me", weight=0.6),
    )
    versions = {"distress": "1", "lexicon": "3", "ear": "open-1"}
    m.add(
        attend,
        DistressChanged(level="attend", score=0.52, because=reasons),
        Decision(
            rule="attend.words",
            inputs={"from": "calm", "voice": 0.41, "words": 0.6, "voice_known": True},
            threshold=0.6,
            versions=versions,
        ),
    )
    start = at + 1.0
    at = m.say(start, "I am sorry this happened. I can see the payment of the", cut=True)
    onset = at - 0.3
    m.add(at, BargedIn(heard_text="I am sorry this happened. I can see the payment of the", stopped_after_ms=182.0))
    at = m.hear(
        onset, "No, listen, this is the third time I call, I cannot sleep any more, you keep threatening me!", "upset"
    )
    start = at + 0.6
    reasons = (
        Because(kind="voice", start=at - 5, end=at - 3, name="p_distress", value=0.86, reference=0.5, weight=0.9),
        Because(
            kind="voice",
            start=at - 4,
            end=at - 2,
            name="loudness_db",
            value=-19.2,
            unit="dB",
            reference=-30.0,
            weight=0.5,
        ),
        Because(kind="words", start=at - 6, end=at - 4, name="repeat_contact", value="third time", weight=0.7),
        Because(kind="dialogue", start=onset, end=onset + 0.3, name="interrupted", value="barge-in", weight=0.3),
    )
    m.add(
        start,
        DistressChanged(level="distress", score=0.88, because=reasons),
        Decision(
            rule="distress.voice-and-words",
            inputs={"from": "attend", "voice": 1.52, "words": 1.1, "far_past": False, "voice_known": True},
            threshold=0.7,
            versions=versions,
        ),
    )
    m.add(
        start + 0.05,
        HandoffOffered(reason="distress"),
        Decision(rule="offer.distress", inputs={"level": "distress", "targets_open": 1}, versions={"policy": "1"}),
    )
    m.states((start + 0.06, "OFFERED", ""))
    at = m.hear(
        m.say(
            start + 0.3,
            "You have called three times about this, that is wearing. I would like to bring in a colleague, "
            "you will not need to repeat yourself. Is that all right?",
        )
        + 0.9,
        "Yes. Please.",
        "tense",
    )
    m.add(at + 0.5, HandoffAnswered(accepted=True))
    m.states((at + 0.55, "HOLDING", ""), (at + 0.6, "DIALLING", ""))
    hold = m.say(at + 0.8, "Thank you. I am calling my colleague now, please stay on the line.", prompt="hold_start")
    fields = {
        "who": {"text": "Name unknown, not verified", "evidence": []},
        "need": {
            "text": "Calls about a disputed invoice",
            "extra": "invoice 4 7 1 1 9",
            "slots": {"invoice": "47119"},
            "evidence": [{"start": 13.0, "end": 15.6}, {"start": 20.6, "end": 22.2}],
        },
        "done": {"text": "I looked up the invoice", "steps": ["looked up the invoice"], "evidence": []},
        "state": {
            "text": 'Upset, said "third time"',
            "level": "distress",
            "evidence": [{"start": start - 7, "end": start - 4, "text": "third time"}],
        },
        "next": {
            "text": "Please check the payment and confirm in writing",
            "step": "check the payment",
            "evidence": [],
        },
    }
    brief = (
        "Name unknown, not verified. Calls about a disputed invoice, invoice 4 7 1 1 9. I looked up the invoice. "
        "Upset, said third time. Please check the payment and confirm in writing."
    )
    m.add(hold + 0.3, BriefingBuilt(text=brief, fields=fields))
    t = hold + 3.0
    m.states((t, "ANSWERED", ""), (t + 0.1, "SCREENING", ""))
    t = m.say(t + 0.3, "A caller needs a person. Press 1 or say yes to hear about it.", to="human", prompt="screening")
    m.add(t + 0.8, KeyPressed(leg="human", key="1"))
    m.states((t + 0.85, "BRIEFING", ""))
    t = m.say(t + 1.1, brief, to="human")
    m.states((t + 0.1, "DECIDING", ""))
    t = m.say(t + 0.2, "Press 1 to take the call, 2 to decline.", to="human", prompt="decide")
    m.add(t + 0.6, KeyPressed(leg="human", key="1"))
    m.states((t + 0.65, "BRIDGING", ""), (t + 0.8, "BRIDGED", "accepted"))
    m.add(t + 0.82, LegsBridged(human="care"))
    synth.hold_sound(m.legs["caller_out"], hold + 0.2, t + 0.7)
    t = m.say(t + 1.0, "Here is my colleague from customer care.", prompt="intro_caller")
    m.states((t + 0.1, "RELEASED", ""))
    t = m.hear(t + 0.5, "Hello, this is Mara. I have the invoice here and I see both payments.", leg="human")
    t = m.hear(t - 1.4, "Oh thank goodness, finally someone sees it.", "tense", score=False)
    m.hear(t + 0.8, "I will write to you today that this is settled.", leg="human")
    return m.write("with-human")


def calm(store: Path, call_id: str = "20261124-084110-b81e07") -> Path:
    m = Maker(store=store, call_id=call_id, length_s=48.0, at="2026-11-24T08:41:10Z", caller="sip:anna@192.0.2.77")
    m.disclose(DISCLOSURE)
    at = m.hear(m.say(9.2, "How can I help you today?") + 0.6, "When are you open on Saturday?")
    at = m.hear(m.say(at + 0.7, "On Saturdays we are open from nine to four.") + 5.2, "Perfect, thanks a lot, bye.")
    m.say(at + 0.6, "You are welcome. Goodbye.")
    return m.write("resolved")


def opted_out(store: Path, call_id: str = "20261123-170402-77aa10") -> Path:
    """Presses 9: earlier windows are erased, the service goes on."""
    m = Maker(store=store, call_id=call_id, length_s=40.0, at="2026-11-23T17:04:02Z")
    m.disclose(DISCLOSURE)
    at = m.hear(10.0, "Where is my parcel? I do not want my voice analysed.", score=False)
    m.add(at + 0.1, Erased(was="EmotionScored"))
    m.add(at + 0.8, KeyPressed(leg="caller", key="9"))
    m.add(at + 0.82, ConsentChanged(purpose="emotion", allowed=False))
    at = m.say(at + 1.2, "Your voice is no longer analysed, and what was measured is erased.", prompt="emotion_off")
    m.add(at + 1, HoldChanged(leg="caller", on=True))
    m.add(at + 6, HoldChanged(leg="caller", on=False))
    m.add(at + 7, AudioLost(leg="caller", start=at + 6.2, end=at + 6.6))
    return m.write("caller-left")


HOSTILE = (
    "<script>window.pwned=1</script><img src=x onerror=window.pwned=1>"
    "\"'--></textarea>\u202e{{7*7}} javascript:window.pwned=1"
)


def hostile(store: Path, call_id: str = "20261123-120000-bad000", text: str = HOSTILE) -> Path:
    """Every string that a stranger can choose is an attack."""
    m = Maker(store=store, call_id=call_id, length_s=30.0, at="2026-11-23T12:00:00Z", caller=text)
    m.disclose(DISCLOSURE)
    at = m.hear(10.0, text, "upset")
    reason = Because(kind="words", start=10.0, end=at, name=text, value=text, unit=text, reference=text, weight=0.5)
    m.add(
        at + 0.6,
        DistressChanged(level="attend", score=0.5, because=(reason,)),
        Decision(rule=text, inputs={text: text}, threshold=0.4, versions={text: text}),
    )
    m.add(at + 0.7, KeyPressed(leg="caller", key=text))
    m.add(at + 0.8, BriefingBuilt(text=text, fields={text: {"text": text, "evidence": [{"start": 10.0, "end": at}]}}))
    m.add(at + 0.9, HandoffState(state="FAILED", target=text, reason=text, outcome=text))
    return m.write("told-and-callback", cause=text)


def broken(store: Path, call_id: str = "20261123-110000-broken") -> Path:
    """Half a record: a line of nonsense, a line cut off, no summary, a recording that is none."""
    folder = calm(store, call_id)
    facts = (folder / "facts.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "facts.jsonl").write_bytes(b"".join(facts[:9]) + b"\x00\xff nonsense\n" + facts[9][:20])
    (folder / "decisions.jsonl").write_bytes(b"[]\n")
    (folder / "summary.json").write_bytes(b"{")
    (folder / "caller.flac").write_bytes(b"fLaC but not really")
    os.utime(folder / "facts.jsonl", (0, 0))
    return folder


def live(store: Path, call_id: str = "20261124-101500-11fe55") -> Path:
    m = Maker(store=store, call_id=call_id, length_s=30.0, at="2026-11-24T10:15:00Z", caller="sip:jo@192.0.2.9")
    m.disclose(DISCLOSURE)
    m.hear(10.0, "Hello, is anybody there?", "tense")
    return m.write(None)


def hour(store: Path, call_id: str = "20261122-080000-1h0000", minutes: int = 60) -> Path:
    """The calm call over and over until it lasts ``minutes``: what a long call costs the page."""
    unit = calm(store, call_id)
    facts = [json.loads(x) for x in (unit / "facts.jsonl").read_bytes().splitlines()]
    length_s, times = facts[-1]["t"], round(minutes * 60 / facts[-1]["t"])
    lines = [facts[0] | {"at": "2026-11-22T08:00:00Z"}]
    for n in range(times):
        lines += [_shifted(f, n * length_s) for f in facts[1:-1]]
    lines.append(facts[-1] | {"t": length_s * times})
    numbered = (f | {"seq": seq} for seq, f in enumerate(lines, 1))
    (unit / "facts.jsonl").write_text("".join(json.dumps(f) + "\n" for f in numbered))
    for path in unit.glob("*.flac"):
        samples, rate_hz = sf.read(path, dtype="int16")
        sf.write(path, np.concatenate([samples] * times), rate_hz, subtype="PCM_16")
    return unit


def _shifted(fact: dict[str, Any], by_s: float) -> dict[str, Any]:
    moved = {k: round(v + by_s, 3) if k in ("t", "start", "end", "at") else v for k, v in fact.items()}
    if "words" in fact:
        moved["words"] = [[round(a + by_s, 3), round(b + by_s, 3), w] for a, b, w in fact["words"]]
    return moved


def everything(store: Path) -> None:
    for make in (distress, calm, opted_out, hostile, broken, live):
        make(store)


if __name__ == "__main__":
    everything(Path(sys.argv[1]))
