"""The caller speaks while the agent does: stop, or go on? Pure.

A voice is paused at once, because 0.3 s of talking over somebody is already rude. What it was is decided while the
agent is already silent: a word that was surely heard, a word that means stop, or 0.9 s of speech in which any words are
understood ends the agent's turn.
"Mm-hm", "okay" do not: they mean *go on*, except in the last second of a turn, where they answer it. Nor does a short
sound of which the recogniser can only guess the words. A caller whose distress rises is never talked over.

Hears from: `voice.pipeline.hearing`. Tells: the same (pause, resume, commit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from voice.conversation.interjections import is_backchannel, means_stop

DECIDE_S = 0.6
"""A sound that is over by then and whose words are still unknown does not hold the agent back any longer."""
DECIDE_SCORE_S = 1.0
"""The same while it is asked whether the sound was "stop", which takes 0.3 s more: better than to go on and break
off."""
SUSTAINED_S = 0.9
"""Synthetic "okay", "mm-hm", "I see" last 0.25-0.6 s by the detector; of 28 of them 14 ended a turn at 0.5 s."""
WORDLESS_S = 1.8
"""Speech this long ends the turn even if no words are in it: crying and shouting are speech, hold music is none, and
the detector seldom takes it for speech so long."""
BACKCHANNEL_LONGEST_S = 1.2
"""Back-channel words may go on this long before sustained speech outweighs them."""
ASK_S = 0.3
"""Speech this long is worth a look at its words, and words of shorter speech are worth little."""
ANSWER_S = 1.0
"""With less than this left to say, "yes" is an answer to what is being asked."""

STOP_SCORE = 0.25
"""From here on a short sound of which no words can be read is taken for "stop": of those that the voices this was
chosen by could not make understood it finds three in four, and takes no back-channel of theirs
(`voice.engines.stop_words`)."""

_ASK_S = (ASK_S, SUSTAINED_S, 1.4)
"""The words of longer speech are worth another look: of the first third of a second often nothing is understood."""

_FASTEST_PER_S, _DETECTED_LATE_S = 8.0, 0.1
"""Words a second that can be said, over speech of which the detector misses the first: "I can help" takes no 0.22 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Hold the agent's voice back at the present sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Go on from exactly there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The agent's turn is over: the caller has the floor. ``because``: rule that decided."""

    turn: int
    onset_s: float
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskWords:
    """Recognise what the caller has said since ``start_s``; answer with `BargeIn.heard`."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AskStop:
    """Could the short sound since ``start_s`` have been "stop"? Answer with `BargeIn.scored`."""

    start_s: float
    end_s: float


Action = Pause | Resume | Commit | AskWords | AskStop


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTurn:
    """What the agent is saying. ``until_s``: call time at which it will be said, as far as it is made."""

    turn: int
    until_s: float
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    turn: AgentTurn
    onset_s: float
    paused: bool
    speech_s: float = 0.0
    stopped: bool = False
    asked: int = 0
    words: str | None = None
    whole: bool = False
    """The words are those of all that was said, not of its beginning."""
    sure: bool = True
    stop: bool = False
    asked_stop: bool = False
    score: float | None = None
    """How much likelier "stop" is than a back-channel; None: not known."""


class BargeIn:
    """One call's interruptions. At most one is being decided at a time. Times in call time [s]."""

    def __init__(self) -> None:
        self._pending: _Pending | None = None
        self.listening_only = False
        """The last speech over the agent was a back-channel or a noise: it is no turn of the caller's."""

    @property
    def deciding(self) -> bool:
        """Whether an interruption is being weighed."""
        return self._pending is not None

    @property
    def asking_stop(self) -> bool:
        """Whether the answer to `AskStop` is still to come."""
        return self._pending is not None and self._pending.asked_stop and self._pending.score is None

    def onset(self, *, at_s: float, agent: AgentTurn | None) -> Sequence[Action]:
        """The caller began to speak; ``agent`` is what the agent is saying, None if it is silent."""
        self.listening_only = False
        pending = self._pending
        if agent is None or agent.keep:
            return self._let_go()
        if pending is not None and pending.paused:
            # Speech that stutters ("w... wait") is one interruption.
            self._pending = replace(pending, stopped=False)
            return ()
        self._pending = _Pending(turn=agent, onset_s=at_s, paused=True)
        return (Pause(),)

    def window(self, *, end_s: float, speech: bool, window_s: float) -> Sequence[Action]:
        """Every 32 ms while something is pending; also drives the deadline."""
        pending = self._pending
        if pending is None:
            return ()
        if pending.speech_s == 0.0:
            # Windows before the onset was certain belong to it.
            pending = replace(pending, speech_s=max(0.0, end_s - window_s - pending.onset_s))
        if speech:
            pending = replace(pending, speech_s=pending.speech_s + window_s, stopped=False, whole=False)
            pending = replace(pending, asked_stop=False, score=None)
        self._pending = pending
        out: list[Action] = []
        if pending.asked < len(_ASK_S) and pending.speech_s >= _ASK_S[pending.asked]:
            self._pending = replace(pending, asked=pending.asked + 1)
            out.append(AskWords(start_s=pending.onset_s, end_s=end_s))
        return [*out, *self._decide(end_s)]

    def heard(
        self, text: str, *, now_s: float, sure: bool = True, whole: bool = True, others: Sequence[str] = (),
        guess: str = "",
    ) -> Sequence[Action]:  # fmt: skip
        """Words since the onset; empty: nothing understood.

        Args:
            text: The words.
            now_s: Call time.
            sure: The recogniser does not doubt them.
            whole: They come from the pause after them; else from `AskWords`, while speech may go on.
            others: What else they may have been.
            guess: Words too doubtful to stand: of a sound as short as a back-channel they are worth nothing.
        """
        if self._pending is None:
            return ()
        speech_s = self._pending.speech_s
        if speech_s >= BACKCHANNEL_LONGEST_S:
            text = text or guess
        if whole and len(text.split()) > _FASTEST_PER_S * (speech_s + _DETECTED_LATE_S):
            text = ""
        # Of a sound nobody understood, or of the beginning of one, other readings say nothing: "So, wait." for "okay".
        stop = means_stop(text) or (whole and text != "" and any(means_stop(t) for t in others))
        self._pending = replace(self._pending, words=text, sure=sure, whole=whole, stop=stop)
        return self._decide(now_s)

    def scored(self, score: float, *, now_s: float) -> Sequence[Action]:
        """The answer to `AskStop`."""
        if self._pending is None:
            return ()
        self._pending = replace(self._pending, score=score)
        return self._decide(now_s)

    def stopped(self, *, now_s: float) -> Sequence[Action]:
        """The caller fell silent."""
        if self._pending is None:
            return ()
        self._pending = replace(self._pending, stopped=True)
        return self._decide(now_s)

    def distress_rose(self, *, now_s: float) -> Sequence[Action]:
        """A higher level while the caller speaks over the agent: no more weighing."""
        return self._commit("rising distress") if self._pending is not None else ()

    def agent_silent(self) -> Sequence[Action]:
        """The agent's turn was over by itself: whatever is being said now is the caller's turn."""
        return self._let_go()

    def _decide(self, now_s: float) -> Sequence[Action]:
        pending = self._pending
        if pending is None:
            return ()
        words = pending.words
        listening = words is not None and is_backchannel(words)
        surely = words and not listening and pending.sure and pending.speech_s >= ASK_S
        if pending.stop or surely:
            return self._commit("words")
        if words and pending.whole and pending.turn.until_s - pending.onset_s < ANSWER_S:
            return self._commit("answer at the end of the turn")
        if pending.speech_s >= (BACKCHANNEL_LONGEST_S if listening else SUSTAINED_S if words else WORDLESS_S):
            return self._commit("sustained speech")
        if pending.score is not None and pending.score >= STOP_SCORE:
            return self._commit("stop word")
        if pending.stopped and words is not None and pending.whole:
            if not listening and not pending.asked_stop:
                self._pending = replace(pending, asked_stop=True)
                return (AskStop(start_s=pending.onset_s, end_s=now_s),)
            if not listening and pending.score is None:
                return self._give_up_waiting(now_s)
            # A back-channel, a guess at one, or a cough, a door: nothing that was said, whatever is read from it later.
            self.listening_only = True
            return self._let_go()
        return self._give_up_waiting(now_s)

    def _give_up_waiting(self, now_s: float) -> Sequence[Action]:
        pending = self._pending
        limit_s = DECIDE_SCORE_S if pending is not None and pending.asked_stop else DECIDE_S
        if pending is not None and pending.paused and pending.stopped and now_s - pending.onset_s >= limit_s:
            # Words may still come from a busy recogniser: stay pending, so that a late "stop" counts.
            self._pending = replace(pending, paused=False)
            return (Resume(),)
        return ()

    def _let_go(self) -> Sequence[Action]:
        pending, self._pending = self._pending, None
        return (Resume(),) if pending is not None and pending.paused else ()

    def _commit(self, because: str) -> Sequence[Action]:
        assert self._pending is not None
        pending, self._pending = self._pending, None
        return (Commit(turn=pending.turn.turn, onset_s=pending.onset_s, because=because),)
