"""What the caller's voice adds to the decision: the detector's state, held and decaying, and what explains it. Pure.

The detector raises one alarm an episode; its evidence is kept here and halves in 20 s, so that words said a little
later or earlier can meet it. Hears from: `prosody.detector`, `telephony.messages.ProsodyMeasured`.
Tells: `voice.conversation.distress`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal, Protocol

from telephony.facts import Because, EmotionScored, ProsodyMeasured


class VoiceOpinion(Protocol):
    """State of the voice's own detector after a window: `prosody.detector.VoiceState`."""

    @property
    def level(self) -> Literal["calm", "attend"]: ...
    @property
    def statistic(self) -> float: ...
    @property
    def threshold(self) -> float: ...
    @property
    def far_past(self) -> bool: ...
    @property
    def windows(self) -> Sequence[tuple[float, float, float]]: ...


class Detector(Protocol):
    """Sequential decision on the voice alone: `prosody.detector.VoiceDetector`."""

    def receive(self, *, start: float, end: float, p_distress: float | None, arousal: float | None) -> VoiceOpinion: ...


_REFERENCE_WINDOWS = 3
_SHOWN_WINDOWS = 3
EVEN_ODDS = 0.5
"""``p_distress`` at which a window speaks for neither side."""
_CAP = 2.0
_EXPLAINS: dict[str, tuple[str, float]] = {
    "f0_hz": ("Hz", 0.12), "loudness_db": ("dB", 3.0), "rate_syl_s": ("syllables/s", 0.2), "jitter_ratio": ("", 0.5),
}  # fmt: skip
"""Measurements worth showing and the change that makes them so: a ratio (2 semitones = 12 %), for dB a difference."""


@dataclass(slots=True)
class VoiceEvidence:
    """Strength of the voice's evidence, in units of the detector's threshold."""

    detector: Detector | None
    half_life_s: float
    model: str = ""
    far_windows: int = 0
    """Scored windows in a row in which the detector was far past its threshold."""
    _peak: float = 0.0
    _peak_at: float = 0.0
    _opinion: VoiceOpinion | None = None
    _at_peak: VoiceOpinion | None = None
    _p: dict[tuple[float, float], float] = field(default_factory=dict)
    _measured: list[ProsodyMeasured] = field(default_factory=list)

    def scored(self, fact: EmotionScored, now_s: float) -> None:
        """A window of the ear. An abstained one is unknown: it adds nothing and takes nothing away."""
        if self.detector is None or fact.abstained or fact.p_distress is None:
            return
        self.model = fact.model
        self._p[(fact.start, fact.end)] = fact.p_distress
        opinion = self.detector.receive(
            start=fact.start, end=fact.end, p_distress=fact.p_distress, arousal=fact.arousal
        )  # fmt: skip
        self._opinion = opinion
        self.far_windows = self.far_windows + 1 if opinion.far_past else 0
        ratio = opinion.statistic / opinion.threshold if opinion.threshold > 0 else 0.0
        if opinion.level == "attend":
            ratio = max(1.0, ratio)
        else:
            ratio = min(ratio, 0.999)
        if min(ratio, _CAP) >= self.strength(now_s):
            self._peak, self._peak_at, self._at_peak = min(ratio, _CAP), now_s, opinion

    def measured(self, fact: ProsodyMeasured) -> None:
        self._measured.append(fact)

    def forget(self) -> None:
        """The caller refused: nothing measured before may count any more."""
        self.detector, self._opinion, self._at_peak, self._peak = None, None, None, 0.0
        self.far_windows = 0
        self._p.clear()
        self._measured.clear()

    @property
    def alarmed(self) -> bool:
        """The held evidence once passed the detector's own threshold."""
        return self._peak >= 1.0

    def strength(self, now_s: float) -> float:
        """Held evidence at call time ``now_s`` [thresholds]."""
        return float(self._peak * 0.5 ** (max(0.0, now_s - self._peak_at) / self.half_life_s))

    def reasons(self) -> list[Because]:
        """The detector's statistic against its threshold, the windows that carried it, and what was measured there."""
        opinion = self._opinion if self.far_windows else self._at_peak
        if opinion is None:
            return []
        windows = sorted(opinion.windows, key=lambda w: -w[2])[:_SHOWN_WINDOWS]
        spans = [w[0] for w in windows] or [self._peak_at], [w[1] for w in windows] or [self._peak_at]
        out = [
            Because(
                kind="voice", start=min(spans[0]), end=max(spans[1]), name="voice_statistic",
                value=round(opinion.statistic, 3), reference=round(opinion.threshold, 3), weight=round(self._peak, 3),
            )
        ]  # fmt: skip
        for start, end, llr in sorted(windows):
            p = self._p.get((start, end))
            if p is not None:
                out.append(
                    Because(
                        kind="voice", start=start, end=end, name="p_distress", value=round(p, 3), reference=EVEN_ODDS,
                        weight=round(llr, 3),
                    )
                )  # fmt: skip
        return out + self._explanations(min(spans[0]), max(spans[1]))

    def _explanations(self, start: float, end: float) -> list[Because]:
        """Measurements of those windows that differ from the call's first ones. They explain; they do not decide."""
        reference = self._measured[:_REFERENCE_WINDOWS]
        there = [m for m in self._measured[_REFERENCE_WINDOWS:] if m.start < end and m.end > start]
        out = []
        for name, (unit, least) in _EXPLAINS.items():
            before = [v for m in reference if (v := getattr(m, name)) is not None]
            now = [v for m in there if (v := getattr(m, name)) is not None]
            if not before or not now:
                continue
            a, b = median(before), median(now)
            change = abs(b - a) if name.endswith("_db") else abs(b - a) / max(abs(a), 1e-6)
            if change >= least:
                out.append(
                    Because(
                        kind="voice", start=start, end=end, name=name, value=round(b, 4), unit=unit,
                        reference=round(a, 4),
                    )
                )  # fmt: skip
        return out
