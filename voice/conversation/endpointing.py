"""Has the caller finished? From voice activity, what was heard so far and what the agent asked for. Pure.

Waiting is cheap to get wrong both ways: too short talks over people, too long sounds absent (human turn gaps are
0.2-0.3 s). So work starts 0.1 s into every pause and is thrown away if speech goes on; how long is waited depends on
what was said (`voice.conversation.patience`).

Hears from: `voice.pipeline.listener` (windows, verdicts, words). Tells: the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from voice.conversation.patience import NOTHING_HEARD, Expectation, patience_s

START_S = 0.09
"""Speech this long is an onset: three windows of 32 ms. One is a click."""
RESUME_S = 0.06
"""Inside a turn two windows are enough."""
SPECULATE_S = 0.09
STOP_S = 0.19
JOINS_S = 1.0
"""A first syllable too short to be understood belongs to the speech that follows within this time."""
PREROLL_S = 0.3
"""Speech is soft before the detector fires: recognition gets this much from before the onset."""
LONG_TURN_S, LONGEST_TURN_S = 22.0, 26.0
"""A turn this long ends at its next pause, or without one: the recogniser's window is 28 s."""
DROWNED_TURN_S = 5.0
"""The same where noise is as loud as the caller: there no pause can be told from speech, and no word will stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """The caller began to speak at ``at_s``; within a turn also after a pause."""

    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Consider:
    """Recognise and judge the turn so far, from ``start_s`` to ``end_s``: it may be over. Answer with ``pause``."""

    pause: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandon:
    """Speech goes on: what was begun for ``pause`` is not wanted any more."""

    pause: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The turn is over; its words are those recognised for ``pause``. ``waited_s``: silence the rule asked for."""

    pause: int
    start_s: float
    end_s: float
    waited_s: float
    rule: str


Action = Began | Stopped | Consider | Abandon | TurnEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    start_s: float
    end_s: float
    """End of the last window that was speech."""
    pause: int = 0
    """Number of the pause being considered; 0 while speech goes on."""
    stopped: bool = False
    p_complete: float | None = None
    text: str | None = None
    log_prob: float | None = None


class Endpointing:
    """The turns of one leg. Times in call time [s]; windows must arrive in order."""

    def __init__(self) -> None:
        self.expectation = Expectation()
        self._turn: _Turn | None = None
        self._onset_s: float | None = None
        self._now_s = 0.0
        self._pauses = 0
        self._unheard: TurnEnded | None = None
        self.drowned = False
        """Noise is as loud as the caller: set by who hears it."""

    @property
    def speaking_since_s(self) -> float | None:
        """Start of the present turn, if there is one."""
        return self._turn.start_s if self._turn else None

    def window(self, *, start_s: float, end_s: float, speech: bool) -> Sequence[Action]:
        """One verdict of the voice activity detector."""
        self._now_s = end_s
        self._onset_s = (start_s if self._onset_s is None else self._onset_s) if speech else None
        run_s = end_s - self._onset_s if self._onset_s is not None else 0.0
        turn = self._turn
        if turn is None:
            if self._onset_s is None or run_s < START_S:
                return ()
            unheard, self._unheard = self._unheard, None
            joined = unheard is not None and self._onset_s - unheard.end_s <= JOINS_S
            start_s = unheard.start_s if unheard is not None and joined else self._onset_s
            self._turn = _Turn(start_s=start_s, end_s=end_s)
            return (Began(at_s=self._onset_s),)
        if speech and (run_s >= RESUME_S or (turn.pause == 0 and not turn.stopped)):
            return self._goes_on(turn, end_s)
        return self._silent(turn, end_s)

    def judged(self, pause: int, p_complete: float) -> Sequence[Action]:
        """smart-turn's verdict on a pause; a late one on a pause that is over is ignored."""
        if self._turn is None or self._turn.pause != pause:
            return ()
        self._turn = replace(self._turn, p_complete=p_complete)
        return self._due(self._turn)

    def recognised(self, pause: int, text: str, log_prob: float | None = None) -> Sequence[Action]:
        """Words of the turn up to a pause, empty if nothing was understood, and how sure the recogniser is of them."""
        if self._turn is None or self._turn.pause != pause:
            return ()
        self._turn = replace(self._turn, text=text, log_prob=log_prob)
        return self._due(self._turn)

    def sound_matters(self, pause: int) -> bool:
        """Whether smart-turn's verdict could change how long is waited, now that the words of the pause are known."""
        turn = self._turn
        if turn is None or turn.pause != pause or turn.text is None:
            return False
        return len({self._patience(replace(turn, p_complete=p))[0] for p in (0.0, 1.0)}) > 1

    def reset(self) -> None:
        """Forgets the present turn."""
        self._turn = self._onset_s = None

    def _goes_on(self, turn: _Turn, end_s: float) -> Sequence[Action]:
        if turn.pause and turn.end_s - turn.start_s >= self._longest_s():
            # Its words are on the way: asked for again with every window, they would never come.
            return self._due(turn)
        out: list[Action] = []
        if turn.pause:
            out.append(Abandon(pause=turn.pause))
        if turn.stopped and self._onset_s is not None:
            out.append(Began(at_s=self._onset_s))
        self._turn = replace(turn, end_s=end_s, pause=0, stopped=False, p_complete=None, text=None, log_prob=None)
        if end_s - turn.start_s >= self._longest_s():
            out += self._consider(self._turn, end_s)
        return out

    def _silent(self, turn: _Turn, now_s: float) -> Sequence[Action]:
        out: list[Action] = []
        silence_s = now_s - turn.end_s
        if not turn.pause and silence_s >= SPECULATE_S:
            out += self._consider(turn, now_s)
        if not turn.stopped and silence_s >= STOP_S:
            assert self._turn is not None
            self._turn = replace(self._turn, stopped=True)
            out.append(Stopped(at_s=turn.end_s))
        assert self._turn is not None
        return [*out, *self._due(self._turn)]

    def _consider(self, turn: _Turn, now_s: float) -> Sequence[Action]:
        self._pauses += 1
        self._turn = replace(turn, pause=self._pauses)
        return (Consider(pause=self._pauses, start_s=max(0.0, turn.start_s - PREROLL_S), end_s=now_s),)

    def _due(self, turn: _Turn) -> Sequence[Action]:
        if turn.text is None or not turn.pause:
            return ()
        silence_s = self._now_s - turn.end_s
        long = turn.end_s - turn.start_s
        if long >= self._longest_s() or (long >= LONG_TURN_S and silence_s >= STOP_S):
            wait_s, rule = 0.0, "turn too long"
        else:
            # A verdict that is late can only shorten the wait: until then the longest it could ask for applies.
            wait_s, rule = self._patience(turn if turn.p_complete is not None else replace(turn, p_complete=0.0))
        # Windows are 32 ms: one that ends just before the wait is up must not cost another 32 ms.
        if silence_s < wait_s - 0.01:
            return ()
        self.reset()
        ended = TurnEnded(pause=turn.pause, start_s=turn.start_s, end_s=turn.end_s, waited_s=wait_s, rule=rule)
        self._unheard = ended if rule == NOTHING_HEARD else None
        return (ended,) if turn.stopped else (Stopped(at_s=turn.end_s), ended)

    def _longest_s(self) -> float:
        return DROWNED_TURN_S if self.drowned else LONGEST_TURN_S

    def _patience(self, turn: _Turn) -> tuple[float, str]:
        spoken_s = turn.end_s - turn.start_s
        return patience_s(turn.text or "", turn.p_complete, self.expectation, spoken_s=spoken_s, log_prob=turn.log_prob)
