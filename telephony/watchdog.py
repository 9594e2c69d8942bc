"""No caller is left in silence, and no call outlives its limits.

Hears from: the gateway's call (the facts and events of the handoff, and `AudioHeard`, `AudioSent`, `WorkerGone`,
`WorkerHere`). Tells: the same, by commands. It prompts, hands over and ends calls; it never hangs up on a caller who is
there. Packets that stop are `telephony.media_watch`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from telephony.facts import (
    BargedIn,
    CallAnswered,
    CallEnded,
    Decision,
    Disclosed,
    Ending,
    Fact,
    HandoffRequested,
    HandoffState,
    HoldChanged,
    KeyPressed,
    LegsBridged,
    Reason,
    Said,
    SpeechStarted,
    SpeechStopped,
    State,
    Transcribed,
    WorkerAttached,
    WorkerLost,
)
from telephony.messages import Stamped
from telephony.transfer_messages import (
    AudioHeard,
    AudioSent,
    CallerLeft,
    Command,
    Commit,
    EndCall,
    Event,
    PromptPlayed,
    TellCaller,
    TicketCallback,
    WorkerGone,
    WorkerHere,
)
from telephony.transfer_table import EARLY_DROP_S, FAREWELL_CAP_S, TOLD_CAP_S
from telephony.watchdog_limits import Limits

_WITH_AGENT: frozenset[State] = frozenset(("IDLE", "OFFERED"))
WITH_HUMAN: frozenset[State] = frozenset(("BRIDGED", "RELEASED"))


def ending(joined_s: float | None, last_s: float) -> Ending:
    """Of a caller who is gone since ``last_s``: whether a human had them."""
    return "with-human" if joined_s is not None and last_s - joined_s >= EARLY_DROP_S else "caller-left"


class Watchdog:
    """One call's watchdog.

    Commands: `TellCaller`, `Commit` (of `HandoffRequested`), `TicketCallback`, `EndCall`.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._state: State = "IDLE"
        self._entered_s = 0.0
        self._answered_s = 0.0
        self._over = False
        self._caller_left_s: float | None = None
        self._joined_s: float | None = None
        self._caller_holds = False
        self._worker_gone_s: float | None = None
        self._our_turn = True
        self._caller_speaks = False
        self._spoke_s = 0.0
        self._wordless_s: float | None = None
        """End of speech whose words have not come."""
        self._turn_s = 0.0
        """Since when the one whose turn it is could have spoken."""
        self._sound_s = 0.0
        """Last sound on the caller leg, either way."""
        self._voice_s = 0.0
        """Last sound to the caller that was not our own prompt."""
        self._prompt_s = float("-inf")
        self._closing_s: float | None = None
        self._done: set[str] = set()
        """Rules that have acted in the present turn, hold or loss."""

    def receive(self, event: Stamped | Event) -> Sequence[Command]:
        """Only a played farewell of the call's hard limit is answered at once; all else is a matter of time."""
        if isinstance(event, Stamped):
            self._of_fact(event.fact, event.t)
            return ()
        if isinstance(event, PromptPlayed):
            if self._closing_s is not None and (event.leg, event.prompt) == ("caller", "nobody_callback"):
                return self._end("hard-limit", "told-and-callback")
            return ()
        self._of_event(event)
        return ()

    def deadline_s(self) -> float | None:
        """Call time at which `expire` must be called, if any."""
        return min((due_s for due_s, _ in self._due()), default=None)

    def expire(self, now_s: float) -> Sequence[Command]:
        """What is due at call time ``now_s``; nothing if called early."""
        out: list[Command] = []
        for rule in [rule for due_s, rule in sorted(self._due()) if due_s <= now_s]:
            if not self._over:
                self._done.add(rule)
                out += self._act(rule, now_s)
        return out

    # --- what is seen ---------------------------------------------------------------------------

    def _of_fact(self, fact: Fact, t: float) -> None:
        match fact:
            case CallAnswered():
                self._answered_s = self._sound_s = t
                self._begin(t, ours=True)
            case CallEnded():
                self._over = True
            case Disclosed():
                self._begin(t, ours=True)
            case Transcribed(leg="caller", final=True, text=text) if any(c.isalnum() for c in text):
                # A murmur without a word asks for no answer.
                self._done.discard("words")
                self._begin(t, ours=True)
            case Transcribed(leg="caller"):
                self._wordless_s = None
            case Said(leg="caller", prompt=""):
                self._voice_s = t
                self._begin(t, ours=False)
            case SpeechStarted(leg="caller", at=at):
                self._caller_speaks = True
                self._spoke_s = at
                self._begin(t, ours=False)
            case SpeechStopped(leg="caller", at=at):
                self._caller_speaks = False
                self._turn_s = t
                if not self._our_turn and at - self._spoke_s >= self._limits.speech_s:
                    self._wordless_s = at
            case KeyPressed(leg="caller"):
                self._turn_s = t
                self._done -= {"silence", "silence_handoff"}
            case BargedIn():
                self._begin(t, ours=False)
            case HoldChanged(leg="caller", on=on):
                self._caller_holds = on
                self._sound_s = t
                self._begin(t, ours=self._our_turn)
            case HandoffState(state=state):
                self._enter(state, t)
            case LegsBridged():
                self._joined_s = t
            case WorkerLost():
                self._lose_worker(t)
            case WorkerAttached():
                self._worker_gone_s = None
            case _:
                pass

    def _of_event(self, event: Event) -> None:
        t = event.t
        match event:
            case AudioHeard(leg="caller"):
                self._sound_s = t
            case AudioSent(leg="caller"):
                self._sound_s = t
                if t > self._prompt_s + FAREWELL_CAP_S:
                    self._voice_s = t
            case WorkerGone():
                self._lose_worker(t)
            case WorkerHere():
                self._worker_gone_s = None
            case CallerLeft():
                self._caller_left_s = t
            case _:
                pass

    def _begin(self, t: float, *, ours: bool) -> None:
        self._our_turn, self._turn_s, self._wordless_s = ours, t, None
        self._done -= {"dead_air", "mute", "silence", "silence_handoff"}

    def _enter(self, state: State, t: float) -> None:
        self._state, self._entered_s = state, t
        if state not in WITH_HUMAN:
            self._joined_s = None
        self._begin(t, ours=True)
        self._done.discard("worker")

    def _lose_worker(self, t: float) -> None:
        if self._worker_gone_s is None:
            self._worker_gone_s = t
            self._caller_speaks = False
            self._done.discard("worker")
            self._begin(t, ours=True)

    # --- what is due ----------------------------------------------------------------------------

    def _due(self) -> Iterator[tuple[float, str]]:
        """(call time, rule) of every rule that may yet act."""
        if not self._over:
            yield from ((due_s, rule) for due_s, rule in self._rules() if rule not in self._done)

    def _rules(self) -> Iterator[tuple[float, str]]:
        limits = self._limits
        if self._closing_s is not None:
            yield self._closing_s + TOLD_CAP_S, "closed"
            return
        yield self._answered_s + limits.call_s, "hard_limit"
        if self._caller_left_s is not None:
            yield self._caller_left_s + 2 * FAREWELL_CAP_S, "caller_left"
            return
        if self._caller_holds:
            return
        if self._state in _WITH_AGENT:
            yield from self._rules_with_agent()
        elif self._state not in WITH_HUMAN:
            # The caller may have been silent, thinking, before the hold: our silence begins with it.
            since_s = max(self._sound_s, self._entered_s)
            yield max(since_s + limits.dead_air_s, self._prompt_s + limits.again_s), "hold_silent"

    def _rules_with_agent(self) -> Iterator[tuple[float, str]]:
        limits = self._limits
        if self._worker_gone_s is not None:
            yield max(self._worker_gone_s, self._entered_s) + limits.worker_s, "worker"
        if self._our_turn:
            soon_s = max(self._sound_s + limits.dead_air_s, self._turn_s + limits.grace_s)
            most_s = max(self._sound_s + limits.dead_air_most_s, self._turn_s + limits.late_grace_s)
            yield min(soon_s, most_s), "dead_air"
            yield max(self._turn_s, self._voice_s) + limits.mute_s, "mute"
            return
        if self._wordless_s is not None:
            yield max(self._wordless_s + limits.words_s, self._sound_s + limits.dead_air_s), "words"
        if not self._caller_speaks:
            since_s = max(self._turn_s, self._voice_s)
            yield since_s + limits.silence_s, "silence"
            yield since_s + limits.silence_handoff_s, "silence_handoff"

    def _act(self, rule: str, now_s: float) -> list[Command]:
        limits = self._limits
        match rule:
            case "dead_air" | "hold_silent" | "words":
                self._done.discard("hold_silent")
                return self._tell("please_wait", now_s)
            case "silence":
                return self._tell("still_there", now_s)
            case "mute":
                return self._hand_off("stuck", rule, now_s - self._turn_s, limits.mute_s)
            case "silence_handoff":
                return self._hand_off("stuck", rule, now_s - self._turn_s, limits.silence_handoff_s)
            case "worker":
                return self._hand_off("worker-lost", rule, now_s - (self._worker_gone_s or 0.0), limits.worker_s)
            case "caller_left":
                last_s = now_s if self._caller_left_s is None else self._caller_left_s
                return self._end("caller-left", ending(self._joined_s, last_s))
            case "closed":
                return self._end("hard-limit", "told-and-callback")
        # The call's hard limit: whoever talks to a human has been helped, everybody else is called back.
        if self._state in WITH_HUMAN:
            return self._end("hard-limit", "with-human")
        self._closing_s = now_s
        return [TicketCallback(), TellCaller(prompt="nobody_callback")]

    def _tell(self, prompt: str, now_s: float) -> list[Command]:
        self._prompt_s = now_s
        self._sound_s = now_s
        return [TellCaller(prompt=prompt)]

    def _hand_off(self, reason: Reason, rule: str, waited_s: float, limit_s: float) -> list[Command]:
        why = Decision(rule=f"watchdog.{rule}", inputs={"waited_s": round(waited_s, 3)}, threshold=limit_s)
        return [Commit(fact=HandoffRequested(reason=reason), decision=why)]

    def _end(self, cause: str, ending: Ending) -> list[Command]:
        self._over = True
        return [EndCall(cause=cause, ending=ending)]
