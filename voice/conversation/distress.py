"""The caller's distress: voice, words and dialogue together. Alone emits `DistressChanged`. Pure.

* ``attend``: the voice passed its threshold, or upset words and signs add up without it.
* ``distress``: the voice passed its threshold *and* upset words or signs are there, or a sustained voice far past its
  threshold, or a phrase of danger. Words alone never; voice alone only when far past.
* A request for a person is not distress (`voice.conversation.request`).
* What the ear cannot tell is unknown, and unknown ends nothing: a level falls only on evidence of calm.

Hears from: the call's log. Tells: `voice.conversation.call`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from telephony.facts import (
    LEVELS,
    BargedIn,
    Because,
    ConsentChanged,
    Decision,
    DistressChanged,
    EmotionScored,
    Fact,
    LegsBridged,
    Level,
    ProsodyMeasured,
    Transcribed,
)
from telephony.messages import Stamped
from voice.conversation.commands import Emit
from voice.conversation.crisis import CrisisWords
from voice.conversation.lexicon import Lexicon
from voice.conversation.tables import read_table
from voice.conversation.voice_evidence import EVEN_ODDS, Detector, VoiceEvidence
from voice.conversation.words import Token, spoken

VERSION = "1"
_SHOWN_WORDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Thresholds and times of ``data/distress.toml``."""

    words_alone: float
    words_beside_voice: float
    voice_still: float
    far_past_windows: int
    calm: float
    words_cap: float
    half_life_s: float
    hold_s: float

    @classmethod
    def shipped(cls) -> Rules:
        table = read_table("distress.toml")
        return cls(**table["thresholds"], **table["times"])


@dataclass(slots=True)
class Distress:
    """Level of the caller's distress in one call."""

    detector: Detector | None
    rules: Rules = field(default_factory=Rules.shipped)
    lexicon: Lexicon = field(default_factory=Lexicon.shipped)
    crisis: CrisisWords = field(default_factory=CrisisWords.shipped)
    level: Level = "calm"
    voice: VoiceEvidence = field(init=False)
    _since: float = 0.0
    _by_voice: bool = False
    _held: list[tuple[float, Because]] = field(default_factory=list)
    _turns: list[str] = field(default_factory=list)
    _over: bool = False
    _abstained: int = 0

    def __post_init__(self) -> None:
        self.voice = VoiceEvidence(self.detector, self.rules.half_life_s)

    def receive(self, stamped: Stamped) -> Emit | None:
        """The change this fact brings about, if any."""
        fact, now = stamped.fact, stamped.t
        if self._over:
            return None
        if isinstance(fact, LegsBridged):
            self._over = True
        elif isinstance(fact, ConsentChanged) and fact.purpose == "emotion" and not fact.allowed:
            return self._refused(now)
        elif isinstance(fact, ProsodyMeasured):
            self.voice.measured(fact)
        elif isinstance(fact, EmotionScored):
            return self._scored(fact, now)
        elif isinstance(fact, Transcribed) and fact.leg == "caller" and fact.final:
            return self._words(fact, now)
        elif isinstance(fact, BargedIn):
            self._interrupted(fact, now)
        return None

    def words(self, now_s: float) -> float:
        """Held weight of words and signs at call time ``now_s``."""
        rate = self.rules.half_life_s
        total = sum(b.weight * float(0.5 ** (max(0.0, now_s - t) / rate)) for t, b in self._held)
        return min(self.rules.words_cap, total)

    def _scored(self, fact: EmotionScored, now: float) -> Emit | None:
        self._abstained = self._abstained + 1 if fact.abstained else 0
        self.voice.scored(fact, now)
        calm = not fact.abstained and fact.p_distress is not None and fact.p_distress < EVEN_ODDS
        calm_at = ((fact.start, fact.end), "p_distress", fact.p_distress) if calm else None
        return self._decide(now, calm=self._calm(calm_at, "voice") if calm_at else None)

    def _words(self, fact: Transcribed, now: float) -> Emit | None:
        turn = spoken(fact)
        if not turn:
            return None
        danger = self._danger(turn)
        reasons = self.lexicon.reasons(turn)
        if self.crisis.denied(turn):
            reasons.append(_because(turn, "danger_denied", fact.text, self.rules.words_alone))
        if repeated := self.lexicon.repetition(turn, self._turns[-4:]):
            reasons.append(repeated)
        self._turns.append(fact.text)
        self._held += [(now, b) for b in reasons]
        if danger:
            return self._change("distress", now, "distress.danger-phrase", [danger], None)
        calm = None
        if not reasons and not self._by_voice:
            calm = self._calm(((fact.start, fact.end), "no_upset_words", fact.text), "words")
        return self._decide(now, calm=calm)

    def _danger(self, turn: tuple[Token, ...]) -> Because | None:
        match = self.crisis.heard(turn)
        return _because(turn[match.first : match.last + 1], "danger", "", 1.0) if match else None

    def _interrupted(self, fact: BargedIn, now: float) -> None:
        """A turn cut by us is none: only what the caller's speech cut is a sign."""
        because = Because(
            kind="dialogue", start=now, end=now, name="interrupted", value=fact.heard_text,
            weight=self.lexicon.interrupted,
        )  # fmt: skip
        self._held.append((now, because))

    def _decide(self, now: float, *, calm: Because | None) -> Emit | None:
        voice, words = self.voice.strength(now), self.words(now)
        voice_on = self.voice.alarmed and voice >= self.rules.voice_still
        if self.voice.far_windows >= self.rules.far_past_windows and self.level != "distress":
            return self._change(
                "distress", now, "distress.voice-far-past", self.voice.reasons() + self._shown(now), 1.0
            )
        if voice_on and words >= self.rules.words_beside_voice and self.level != "distress":
            because = self.voice.reasons() + self._shown(now)
            return self._change("distress", now, "distress.voice-and-words", because, self.rules.words_beside_voice)
        if self.level == "calm":
            if voice_on:
                return self._change("attend", now, "attend.voice", self.voice.reasons() + self._shown(now), 1.0)
            if words >= self.rules.words_alone:
                return self._change("attend", now, "attend.words", self._shown(now), self.rules.words_alone)
            return None
        settled = voice < self.rules.calm and words < self.rules.calm and now - self._since >= self.rules.hold_s
        if calm is None or not settled:
            return None
        lower: Level = LEVELS[LEVELS.index(self.level) - 1]
        return self._change(lower, now, f"{lower}.settled", [calm], self.rules.calm)

    def _refused(self, now: float) -> Emit | None:
        """Key 9: the voice's part of the level goes with its windows, and later windows are not listened to."""
        was_by_voice = self._by_voice
        self.voice.forget()
        self._by_voice = False
        if self.level == "calm" or not was_by_voice:
            return None
        level: Level = "attend" if self.words(now) >= self.rules.calm else "calm"
        because = Because(kind="key", start=now, end=now, name="emotion_off", value="9")
        return self._change(level, now, f"{level}.emotion-refused", [because], None)

    def _change(
        self, level: Level, now: float, rule: str, because: list[Because], threshold: float | None
    ) -> Emit | None:  # fmt: skip
        if level == self.level:
            return None
        voice, words = self.voice.strength(now), self.words(now)
        inputs: dict[str, Any] = {
            "from": self.level, "voice": round(voice, 3), "words": round(words, 3),
            "far_past_windows": self.voice.far_windows,
            "voice_known": self.voice.detector is not None and self._abstained == 0,
        }  # fmt: skip
        versions = {"distress": VERSION, "lexicon": self.lexicon.version, "crisis": self.crisis.version}
        if self.voice.model:
            versions["ear"] = self.voice.model
        if level != "calm":
            self._by_voice = self._by_voice or any(b.kind == "voice" for b in because)
        else:
            self._by_voice = False
        self.level, self._since = level, now
        score = 1.0 if rule == "distress.danger-phrase" else round(1 - 0.5 ** (voice + words), 4)
        fact: Fact = DistressChanged(level=level, score=score, because=tuple(because))
        return Emit(fact=fact, decision=Decision(rule=rule, inputs=inputs, threshold=threshold, versions=versions))

    def _shown(self, now: float) -> list[Because]:
        """The strongest held words and signs with the weight they have left."""
        half = self.rules.half_life_s
        left = [replace(b, weight=round(b.weight * 0.5 ** (max(0.0, now - t) / half), 3)) for t, b in self._held]
        return sorted((b for b in left if b.weight >= 0.05), key=lambda b: -b.weight)[:_SHOWN_WORDS]

    def _calm(self, at: tuple[tuple[float, float], str, float | str | None], kind: str) -> Because:
        (start, end), name, value = at
        if kind == "voice":
            return Because(kind="voice", start=start, end=end, name=name, value=value or 0.0, reference=EVEN_ODDS)
        return Because(kind="words", start=start, end=end, name=name, value=value or "")


def _because(turn: tuple[Token, ...], name: str, value: str, weight: float) -> Because:
    text = value or " ".join(t.text for t in turn)
    return Because(kind="words", start=turn[0].start, end=turn[-1].end, name=name, value=text, weight=weight)
