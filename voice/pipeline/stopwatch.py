"""Where the time of a turn goes: marks in call time, from the end of the caller's speech to the first sound. Pure.

Hears from: hearing, dialogue, speech, and the committed `Said`. Tells: fact `TurnTimed`.
"""

from __future__ import annotations

from dataclasses import dataclass

from telephony.facts import Said, TurnTimed
from voice.conversation.endpointing import TurnEnded

STAGES = ("vad_wait", "recognition", "decision", "first_audio", "link")
"""The wait that the rule asked for; what recognition took beyond it; log and dialogue; speech until its first chunk; to
the gateway's next tick."""


@dataclass(slots=True, kw_only=True)
class _Marks:
    speech_end_s: float
    waited_s: float
    ended_s: float
    rule: str
    ready: bool = False
    said_s: float | None = None
    turn: int = 0
    sound_s: float | None = None


class Stopwatch:
    """One answer at a time; what is said unasked (prompts after silence) is not timed."""

    def __init__(self) -> None:
        self._marks: _Marks | None = None

    def turn_ended(self, ended: TurnEnded, now_s: float) -> None:
        self._marks = _Marks(speech_end_s=ended.end_s, waited_s=ended.waited_s, ended_s=now_s, rule=ended.rule)

    def decided(self, now_s: float) -> None:
        """The dialogue has something to say."""
        if self._marks is not None and self._marks.said_s is None:
            self._marks.said_s = now_s

    def first_sound(self, turn: int, now_s: float, *, ready: bool) -> None:
        """First sound of a turn goes to the link; ``ready``: nothing of it had to be made."""
        marks = self._marks
        if marks is not None and marks.said_s is not None and marks.sound_s is None:
            marks.turn, marks.sound_s, marks.ready = turn, now_s, ready

    def caller_began(self) -> None:
        """The caller spoke before the answer sounded: there is nothing to time."""
        if self._marks is not None and self._marks.sound_s is None:
            self._marks = None

    def said(self, fact: Said) -> TurnTimed | None:
        """The budget, once the gateway has reported when the turn was played."""
        marks = self._marks
        if marks is None or marks.said_s is None or marks.sound_s is None or fact.turn != marks.turn:
            return None
        self._marks = None
        if fact.cut and not fact.text:
            # Stopped before a word of it was heard: no answer to time.
            return None
        # Clocks of two processes meet here: a stage that comes out a hair below zero is zero.
        edges = [marks.speech_end_s, marks.speech_end_s + marks.waited_s, marks.ended_s, marks.said_s]
        edges += [marks.sound_s, fact.start]
        for i in range(1, len(edges)):
            edges[i] = max(edges[i], edges[i - 1])
        stages = {n: round(1000 * (b - a), 1) for n, a, b in zip(STAGES, edges, edges[1:], strict=False)}
        total_ms = round(sum(stages.values()), 1)
        return TurnTimed(turn=marks.turn, stages_ms=stages, total_ms=total_ms, rule=marks.rule, ready=marks.ready)
