"""What the agent is saying right now, as far as it can be known before the gateway reports it. Pure.

The gateway plays turns in order of arrival; fact `Said` tells afterwards. Barge-in needs it
before: so the playout is followed by the clock, and corrected by each `Said`.

Hears from: speech (turns, sound), hearing (pauses, cuts). Tells: hearing.
"""

from __future__ import annotations

from dataclasses import dataclass

from telephony.link_codec import RATE_HZ
from voice.conversation.bargein import AgentTurn

_STARTS_S = 0.03
"""From the link to the first sample played: one tick and the gateway's ring."""
_GRACE_S = 0.4
"""A turn that should be over by now but was not reported is believed this much longer."""


@dataclass(slots=True, kw_only=True)
class _Turn:
    number: int
    keep: bool
    start_s: float
    expected_s: float
    """Length by its words, until it is complete."""
    made_s: float = 0.0
    complete: bool = False

    @property
    def length_s(self) -> float:
        return self.made_s if self.complete else max(self.made_s, self.expected_s)


class AgentAudio:
    def __init__(self) -> None:
        self.last_turn = 0
        self._turns: list[_Turn] = []
        self._paused_at_s: float | None = None

    def start(self, *, turn: int, text: str, rate_wpm: float, keep: bool, now_s: float) -> None:
        previous = self._turns[-1] if self._turns else None
        start_s = now_s + _STARTS_S
        if previous is not None:
            start_s = max(start_s, previous.start_s + previous.length_s)
        expected_s = 60 * len(text.split()) / max(rate_wpm, 60.0)
        self._turns.append(_Turn(number=turn, keep=keep, start_s=start_s, expected_s=expected_s))
        self.last_turn = turn

    def sound(self, pcm: bytes, *, last: bool) -> None:
        """More of the turn started last."""
        if not self._turns:
            return
        turn = self._turns[-1]
        turn.made_s += len(pcm) / (2 * RATE_HZ)
        turn.complete = last

    def pause(self, on: bool, now_s: float) -> None:
        if on and self._paused_at_s is None:
            self._paused_at_s = now_s
        elif not on and self._paused_at_s is not None:
            held_s = now_s - self._paused_at_s
            self._paused_at_s = None
            for turn in self._turns:
                turn.start_s += held_s

    def ended(self, turn: int) -> None:
        """The gateway reports a turn as said or cut."""
        self._turns = [t for t in self._turns if t.number > turn]

    def cut(self, turn: int) -> None:
        self.ended(turn)
        self._paused_at_s = None

    def current(self, now_s: float) -> AgentTurn | None:
        """What is being said; ``turn`` is the last one a cut may end: a kept turn and those behind it are spared."""
        live = [t for t in self._turns if not self._over(t, now_s)]
        if not live:
            return None
        first = live[0]
        cuttable = first.number
        for turn in live:
            if turn.keep:
                break
            cuttable = turn.number
        last = live[-1]
        shift_s = now_s - self._paused_at_s if self._paused_at_s is not None else 0.0
        return AgentTurn(turn=cuttable, until_s=last.start_s + last.length_s + shift_s, keep=first.keep)

    def unsaid(self) -> int | None:
        """The last turn not yet reported as said or cut; a kept turn and those behind it are spared."""
        last = None
        for turn in self._turns:
            if turn.keep:
                break
            last = turn.number
        return last

    def _over(self, turn: _Turn, now_s: float) -> bool:
        if self._paused_at_s is not None:
            now_s = self._paused_at_s
        return turn.complete and now_s > turn.start_s + turn.length_s + _GRACE_S
