"""A promised call back, from the human's answered phone to the end: the human first, the caller only when they agree.

Screening and briefing are the handoff's (`telephony.transfer_talking`): nothing of the caller is said before a first
``1``, nobody is called before a second. Keys only: no worker listens.

Hears from: a call. Tells: the same, by commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from telephony import transfer_table as table
from telephony.facts import CallEnded, Decision, Ending, HandoffState, KeyPressed, LegsBridged, Outcome, State
from telephony.messages import Stamped
from telephony.transfer_messages import (
    BridgeLegs,
    CallerAnswered,
    CallerFailed,
    CallerLeft,
    Command,
    Commit,
    DialCaller,
    EndCall,
    Event,
    HangUpHuman,
    HumanFailed,
    HumanLeft,
    HumanSilent,
    Policy,
    PromptPlayed,
    StartHumanHold,
    TellCaller,
    TellHuman,
)

CALLER_RING_S: Final = 30.0
HELLO_CAP_S: Final = 20.0
"""Who calls, why, and what is recorded, in about 8 s."""
CALL_S: Final = 7200.0

_KEYS = {"1": "accept", "2": "decline", "3": "repeat"}
_ENDINGS: Final[dict[str, Ending]] = {"caller-left": "caller-left", "hard-limit": "with-human"}


class CallBack:
    """One attempt. ``last``: no other follows, so the caller is promised none.

    The human is on the line when it is made; call time begins with that.
    """

    def __init__(self, target: str, policy: Policy, *, last: bool) -> None:
        self.state: State = "ANSWERED"
        self._target, self._policy, self._last = target, policy, last
        self._now_s = 0.0
        self._timers: dict[str, float] = {"call": CALL_S}
        self._repeats_left = policy.repeats
        self._human, self._caller = True, False
        self._joined_s: float | None = None
        self._cause = ""
        """Why it ends, once it does: what is being said is the last sentence."""
        self._farewell_prompt = ""
        self._out: list[Command] = []
        self._over = False

    def begin(self) -> Sequence[Command]:
        self._out = []
        self._enter("SCREENING")
        self._ask("callback_screening", "consent", table.SCREENING_CAP_S + self._policy.consent_s)
        return self._out

    def deadline_s(self) -> float | None:
        """Call time at which `expire` must be called, if any."""
        return min(self._timers.values(), default=None)

    def expire(self, now_s: float) -> Sequence[Command]:
        """Everything due at call time ``now_s``; nothing if called early."""
        self._out = []
        while (due_s := self.deadline_s()) is not None and due_s <= now_s:
            self._now_s = max(self._now_s, now_s)
            self._on(self._take_first())
        return self._out

    def receive(self, event: Stamped | Event) -> Sequence[Command]:
        """A committed fact, or an event of a leg."""
        self._out = []
        self._now_s = max(self._now_s, event.t)
        word = self._word(event)
        if word and not self._over:
            self._on(word)
        return self._out

    # --- what it means ---

    def _word(self, event: Stamped | Event) -> str:
        match event:
            case Stamped(fact=KeyPressed(leg="human", key=key)):
                return _KEYS.get(key, "")
            case Stamped(fact=LegsBridged()):
                return "bridged"
            case Stamped(fact=CallEnded()):
                return "ended"
            case PromptPlayed(prompt=prompt):
                return f"played.{prompt}"
            case CallerAnswered():
                return "caller_answered"
            case CallerFailed():
                return "caller_failed"
            case CallerLeft():
                return "caller_left"
            case HumanLeft() | HumanFailed():
                return "human_left"
            case HumanSilent():
                return "human_silent"
        return ""

    def _take_first(self) -> str:
        name = min(self._timers, key=lambda n: (self._timers[n], n))
        del self._timers[name]
        return name

    def _on(self, word: str) -> None:
        if word == "ended":
            self._over = True
            self._timers.clear()
        elif word == "call":
            self._end("hard-limit")
        elif self._cause:
            self._take_leave(word)
        elif word in ("human_left", "human_silent"):
            self._lose_human(hang_up=word == "human_silent")
        elif word == "caller_left":
            self._lose_caller()
        elif self._joined_s is None:
            self._before_the_join(word)

    # --- the human alone ---

    def _before_the_join(self, word: str) -> None:
        match self.state, word:
            case "SCREENING", "played.callback_screening":
                self._arm("consent", self._policy.consent_s)
            case "SCREENING", "accept":
                self._timers.pop("consent", None)
                self._repeats_left = self._policy.repeats
                self._enter("BRIEFING", rule="consent", by="key")
                self._brief()
            case (("SCREENING" | "BRIEFING" | "DECIDING"), "repeat") if self._repeats_left:
                self._repeat()
            case "BRIEFING", ("played.callback_briefing" | "briefed"):
                self._timers.pop("briefed", None)
                self._enter("DECIDING")
                self._ask("callback_decide", "decide", self._policy.decide_s)
            case (("BRIEFING" | "DECIDING"), "accept"):
                self._call_the_caller()
            case (("SCREENING" | "BRIEFING" | "DECIDING"), "decline"):
                self._give_up("declined", "declined_bye", "declined")
            case "SCREENING", "consent":
                self._give_up("machine", "", "no-consent")
            case "DECIDING", "decide":
                self._give_up("no-answer", "declined_bye", "no-answer")
            case "BRIDGING", ("caller_failed" | "caller"):
                self._give_up("caller-left", "callback_unanswered", "caller-unanswered")
            case "BRIDGING", "caller_answered":
                self._caller = True
                self._timers.pop("caller", None)
                self._arm("hello", HELLO_CAP_S)
                self._out.append(TellCaller(prompt="callback_hello"))
            case "BRIDGING", ("played.callback_hello" | "hello"):
                self._timers.pop("hello", None)
                self._out.append(BridgeLegs())
            case "BRIDGING", "bridged":
                self._joined_s = self._now_s
                self._enter("BRIDGED", outcome="accepted")
                self._out.append(TellHuman(prompt="intro_human"))
                self._enter("RELEASED")

    def _brief(self) -> None:
        self._arm("briefed", table.BRIEFING_CAP_S + self._policy.decide_s)
        self._out.append(TellHuman(prompt="callback_briefing"))

    def _repeat(self) -> None:
        self._repeats_left -= 1
        if self.state == "SCREENING":
            self._ask("callback_screening", "consent", table.SCREENING_CAP_S + self._policy.consent_s)
            return
        self._timers.pop("decide", None)
        if self.state == "DECIDING":
            self._enter("BRIEFING", rule="repeat", by="key")
        self._brief()

    def _call_the_caller(self) -> None:
        during = self.state
        self._timers = {"call": self._timers["call"]}
        self._enter("BRIDGING", rule="accept", by="key", during=during)
        self._arm("caller", CALLER_RING_S)
        self._out += [TellHuman(prompt="callback_dialling"), StartHumanHold(), DialCaller()]

    # --- the end ---

    def _lose_human(self, *, hang_up: bool) -> None:
        self._human = False
        early = self._joined_s is None or self._now_s - self._joined_s < table.EARLY_DROP_S
        if hang_up:
            self._out.append(HangUpHuman())
        if not early and not hang_up:
            self._end("human-hung-up", "with-human")
            return
        during = self.state
        self._enter("FAILED", outcome="human-dropped", rule="human-dropped", during=during)
        self._farewell("human-dropped", to_caller="callback_lost" if self._last else "callback_again")

    def _lose_caller(self) -> None:
        self._caller = False
        if self._joined_s is not None:
            self._end("caller-hung-up", "with-human")
            return
        during = self.state
        self._enter("FAILED", outcome="caller-left", rule="caller-left", during=during)
        self._farewell("caller-left", to_human="caller_gone")

    def _give_up(self, outcome: Outcome, farewell: str, cause: str) -> None:
        during = self.state
        self._enter("FAILED", outcome=outcome, rule=cause, during=during)
        self._farewell(cause, to_human=farewell)

    def _farewell(self, cause: str, *, to_human: str = "", to_caller: str = "") -> None:
        """One last sentence to whoever is still there, then the end, whatever becomes of it."""
        self._timers.clear()
        self._cause = cause
        self._farewell_prompt = to_human or to_caller
        if to_human and self._human:
            self._arm("bye", table.FAREWELL_CAP_S + table.INTRO_CAP_S)
            self._out.append(TellHuman(prompt=to_human))
        elif to_caller and self._caller:
            self._arm("bye", table.FAREWELL_CAP_S + table.INTRO_CAP_S)
            self._out.append(TellCaller(prompt=to_caller))
        else:
            self._end(cause)

    def _take_leave(self, word: str) -> None:
        listener_left = "human_left" if self._human else "caller_left"
        if word in ("bye", listener_left, f"played.{self._farewell_prompt}"):
            self._end(self._cause)

    def _end(self, cause: str, ending: Ending | None = None) -> None:
        self._over = True
        self._timers.clear()
        self._out.append(EndCall(cause=cause, ending=ending or _ENDINGS.get(cause, "told-and-callback")))

    # --- facts and timers ---

    def _enter(self, state: State, *, outcome: Outcome | None = None, rule: str = "", **why: object) -> None:
        self.state = state
        decision = Decision(rule=f"callback.{rule}", inputs=dict(why)) if rule else None
        fact = HandoffState(state=state, target=self._target, reason="callback", outcome=outcome or "")
        self._out.append(Commit(fact=fact, decision=decision))

    def _ask(self, prompt: str, timer: str, after_s: float) -> None:
        self._arm(timer, after_s)
        self._out.append(TellHuman(prompt=prompt))

    def _arm(self, name: str, after_s: float) -> None:
        self._timers[name] = self._now_s + after_s
