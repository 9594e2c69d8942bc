"""A gateway's bookkeeping round a real `Transfer`: carries its commands out and checks what must always hold."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

from telephony.facts import (
    BriefingBuilt,
    CallbackTicketed,
    CallEnded,
    CallerWithdrew,
    ConsentHeard,
    Fact,
    HandoffAnswered,
    HandoffOffered,
    HandoffRequested,
    HandoffState,
    KeyPressed,
    LegsBridged,
    Said,
    WorkerAttached,
    WorkerLost,
)
from telephony.messages import Stamped
from telephony.transfer import (
    AskForHuman,
    BridgeLegs,
    CallerLeft,
    CallerReferred,
    Command,
    Commit,
    DialHuman,
    EndCall,
    Event,
    HangUpHuman,
    HumanAnswered,
    HumanFailed,
    HumanFree,
    HumanLeft,
    HumanProgress,
    HumanSilent,
    InLine,
    Policy,
    PromptPlayed,
    ReferCaller,
    ReferFailed,
    ReturnToAgent,
    SetHumanListening,
    StartHold,
    StopAsking,
    StopHold,
    TellCaller,
    TellHuman,
    TicketCallback,
    Transfer,
)
from telephony.transfer_messages import AnswerCame
from telephony.transfer_table import TABLE

EDGES = {(state, row.to) for (state, _), row in TABLE.items() if row.to}
ON_HOLD = ("DIALLING", "SCREENING", "BRIEFING", "DECIDING")
FOUR_ENDINGS = ("resolved", "with-human", "told-and-callback", "caller-left")


@dataclasses.dataclass
class Far:
    """What is true outside: the legs, the caller's ears, the disk."""

    leg: int = 0
    answered: bool = False
    consents: int = 0
    listening: bool = False
    human_hears: str = ""
    caller_hears: str = ""
    held: bool = False
    bridged_s: float | None = None
    bridging: bool = False
    tickets: int = 0
    told: bool = False
    ending: str = ""
    cause: str = ""
    last_state: str = "IDLE"
    agent_has_caller: bool = True
    caller_there: bool = True
    crowded: bool = False
    """Every human is with another caller."""
    asked: tuple[str, ...] = ()
    """In line for one of these."""
    referring: bool = False
    granted: str = ""
    """Rung by nobody else."""


class World:
    def __init__(self, targets: Sequence[str] = ("ann", "bob"), **policy: Any) -> None:
        self.policy = Policy(**policy)
        self.transfer = Transfer(list(targets), self.policy)
        self.t = 0.0
        self.seq = 0
        self.far = Far()
        self.log: list[Command] = []
        self.just_left = False
        """The human left at the very moment when a timer gives the leg up: hanging it up then does no harm."""
        self.path: tuple[str, ...] = ()
        """Names given to `do` so far: a failure shows how it was reached."""

    def clone(self) -> World:
        other = copy.copy(self)
        other.far = copy.copy(self.far)
        other.log = []
        desk = self.transfer._desk
        other.transfer = copy.copy(self.transfer)
        other.transfer._desk = copy.copy(desk)
        other.transfer._desk.timers = dict(desk.timers)
        other.transfer._desk.now = dataclasses.replace(
            desk.now,
            remaining=list(desk.now.remaining),
            leg=dataclasses.replace(desk.now.leg) if desk.now.leg else None,
        )
        return other

    def fingerprint(self) -> tuple[Any, ...]:
        """Equal worlds behave equally from here on: times are relative, what no longer matters is left out."""
        now, far = self.transfer._desk.now, self.far
        if far.ending:
            return (far.ending, far.leg)
        leg = now.leg

        def ago(t: float | None, at_most: float = 1e9) -> float | None:
            return None if t is None else min(round(self.t - t, 1), at_most)

        return (
            now.state,
            now.reason == "crisis",
            tuple(now.remaining),
            round(now.rung_s, 1),
            ago(now.offered_s) if now.state == "OFFERED" else None,
            now.news_told,
            ago(now.next_told_s, 15.0),
            now.briefing_built,
            now.worker_here,
            ago(now.joined_s, 10.0),
            now.introductions,
            now.telling_callback,
            now.caller_gone,
            leg
            and (
                leg.target, ago(leg.dialled_s) if now.state == "DIALLING" else None, leg.repeats_left, leg.ringing,
                leg.answered, leg.listening, leg.told_missing, leg.farewell, leg.since_s < self.t + 0.01,
            ),
            (now.asking, now.place, round(now.line_s, 1), ago(now.asked_s) if now.asking else None, now.started),
            (now.announce, far.crowded, now.referring, now.replaced, far.referring),
            (bool(far.leg), far.answered, min(far.consents, 2), far.listening, far.human_hears, far.held, far.bridging),
            far.caller_hears if far.caller_hears in ("nobody_callback", "intro_caller") else "",
            bool(far.tickets),
            tuple(sorted((name, ago(due_s)) for name, due_s in self.transfer._desk.timers.items())),
        )  # fmt: skip

    # --- driving ---

    def fact(self, fact: Fact, t: float | None = None) -> list[Command]:
        self.t = self.t if t is None else t
        self.seq += 1
        if isinstance(fact, KeyPressed) and fact.leg == "human" and fact.key == "1":
            self.far.consents += 1
        if isinstance(fact, ConsentHeard) and fact.intent == "accept":
            self.far.consents += 1
        if isinstance(fact, LegsBridged) and self.far.bridging:
            self.far.bridging, self.far.bridged_s = False, self.t
        if isinstance(fact, CallEnded):
            self.far.ending = self.far.ending or fact.ending
        return self._carry_out(self.transfer.receive(Stamped(seq=self.seq, t=self.t, fact=fact)))

    def event(self, event: Event) -> list[Command]:
        self.t = event.t
        stale = getattr(event, "attempt", 0) not in (0, self.far.leg)
        if not stale:
            if isinstance(event, HumanAnswered) and self.far.leg:
                self.far.answered = True
            if isinstance(event, (HumanFailed, HumanLeft)):
                self.just_left = bool(self.far.leg)
                self._leg_gone()
        if isinstance(event, CallerLeft):
            self.far.caller_there = False
        if isinstance(event, PromptPlayed) and event.leg == "caller" and event.prompt == "nobody_callback":
            self.far.told = True
        return self._carry_out(self.transfer.receive(event))

    def expire(self, t: float | None = None) -> list[Command]:
        """Lets time pass to ``t``, or to the next deadline."""
        due_s = self.transfer.deadline_s()
        if t is None:
            if due_s is None:
                return []
            t = due_s
        self.t = max(self.t, t)
        return self._carry_out(self.transfer.expire(self.t))

    def _leg_gone(self) -> None:
        self.far.leg, self.far.answered, self.far.consents = 0, False, 0
        self.far.human_hears, self.far.bridged_s, self.far.bridging = "", None, False

    # --- carrying out, and what must hold ---

    def _carry_out(self, commands: Sequence[Command]) -> list[Command]:
        was_over = bool(self.far.ending)
        for command in commands:
            self.log.append(command)
            letting_go = isinstance(command, (HangUpHuman, StopAsking)) or command == SetHumanListening(on=False)
            assert not was_over or letting_go, f"after the end: {command}"
            self._one(command)
        self.just_left = False
        out = [command for command in commands if not isinstance(command, (Commit, AskForHuman))]
        if any(isinstance(command, AskForHuman) for command in commands) and self.far.asked:
            out += self._answer_the_asking()
        self._check()
        return out

    def _answer_the_asking(self) -> list[Command]:
        """As the line does, at once."""
        if self.far.crowded:
            return self._carry_out(self.transfer.receive(InLine(t=self.t, place=2)))
        return self.human_is_free()

    def human_is_free(self, target: str = "") -> list[Command]:
        self.far.granted = target or self.far.asked[0]
        self.far.asked = ()
        return self._carry_out(self.transfer.receive(HumanFree(t=self.t, target=self.far.granted)))

    def _one(self, command: Command) -> None:
        far = self.far
        match command:
            case Commit(fact=HandoffState(state=state)):
                edge = (far.last_state, state)
                assert edge in EDGES or edge[0] == edge[1], edge
                far.last_state = state
            case AskForHuman(targets=targets):
                assert targets
                assert not far.leg, "in line with a human on the line"
                far.asked = targets
            case StopAsking():
                far.asked, far.granted = (), ""
            case DialHuman(target=target, attempt=attempt):
                assert not far.leg, "two human legs"
                assert target == far.granted, "rung without having asked: perhaps by two calls at once"
                assert far.last_state == "DIALLING", "dialled before it was on disk"
                assert target
                self._leg_gone()
                far.leg = attempt
            case HangUpHuman():
                assert far.leg or self.just_left, "hung up twice, or a leg that is gone"
                self.just_left = False
                self._leg_gone()
            case TellHuman(prompt=prompt):
                assert far.leg, f"{prompt} to nobody"
                assert far.answered, f"{prompt} before the human answered"
                if prompt in ("briefing", "briefing_missing", "decide", "answer"):
                    assert far.consents >= 1 or self.trusted, "briefing before consent"
                far.human_hears = prompt
            case BridgeLegs():
                assert far.leg
                assert far.answered
                assert far.consents >= 2 or self.trusted, "joined without a second consent"
                assert not far.held, "hold sound into the bridge"
                assert not far.listening, "the worker still hears the human"
                far.bridging = True
            case SetHumanListening(on=on):
                far.listening = on
            case StartHold():
                assert not far.held
                far.held, far.agent_has_caller = True, False
            case StopHold():
                assert far.held
                far.held = False
            case ReturnToAgent():
                far.agent_has_caller = True
            case ReferCaller():
                assert far.bridged_s is not None
                far.referring = True
            case TicketCallback():
                far.tickets += 1
            case TellCaller(prompt=prompt):
                assert prompt != "nobody_callback" or far.tickets, "promised before the ticket was on disk"
                far.caller_hears = prompt
            case EndCall(cause=cause, ending=ending):
                assert not far.ending, "ended twice"
                assert ending in FOUR_ENDINGS
                assert ending != "told-and-callback" or (far.tickets and far.caller_hears == "nobody_callback")
                far.ending, far.cause = ending, cause
                assert not far.asked, "the call ended in line"
                # The gateway hangs up whatever still stands; this machine must not rely on that.
                assert not far.leg, "the call ended with a human leg"

    @property
    def trusted(self) -> bool:
        leg = self.transfer._desk.now.leg
        return self.policy.accept == "answer" and leg is not None and leg.target in self.policy.trusted

    def _check(self) -> None:
        far, state, deadline_s = self.far, self.transfer.state, self.transfer.deadline_s()
        assert state == far.last_state, "a state that was not committed"
        assert deadline_s is None or not far.ending, "a timer outlives the call"
        if far.leg:
            assert not far.ending, "a leg outlives the call"
            assert deadline_s is not None or state in ("BRIDGED", "RELEASED"), "a leg without a watcher"
        if state in ON_HOLD and not far.ending:
            assert far.leg, f"{state} without a human leg"
            assert far.held, f"{state} without hold sound"
        if state in ("IDLE", "OFFERED", "BRIDGING", "BRIDGED", "RELEASED"):
            assert not far.held, f"hold sound in {state}"
        if state == "HOLDING" and not far.ending:
            assert far.asked, "on hold for nobody"
            assert far.held, "in line without hold sound"
        if far.asked:
            assert deadline_s is not None, "in line for ever"
        if state == "ANSWERED":
            raise AssertionError(f"stuck in the passing state {state}")
        if far.listening:
            assert state in ("SCREENING", "BRIEFING", "DECIDING"), f"listening to the human in {state}"
        if state == "FAILED" and not far.ending:
            assert deadline_s is not None, "nothing follows a failure"

    def drain(self) -> None:
        """Nothing more happens: timers alone must bring the call to rest, and the parties end it."""
        for _ in range(60):
            if self.transfer.deadline_s() is None:
                break
            self.expire()
        assert self.transfer.deadline_s() is None, "timers without end"
        if not self.far.ending:
            state = self.transfer.state
            assert state in ("IDLE", "RELEASED"), f"at rest in {state}"
            if not self.far.caller_there:
                raise AssertionError(f"a caller who left was forgotten: {self.path}")
            if state == "IDLE":
                assert self.far.agent_has_caller
                assert not self.far.leg
                self.fact(CallEnded(cause="finished", ending="resolved"))
            else:
                self.event(HumanLeft(t=self.t + 20))
        assert self.far.ending in FOUR_ENDINGS
        assert not self.far.leg
        assert not self.transfer.expire(self.t + 1e6)

    # --- the alphabet of the exhaustive and random walks ---

    def do(self, name: str) -> list[Command]:
        t = self.t
        self.path += (name,)
        match name:
            case "offered" | "stuck":
                return self.fact(HandoffOffered(reason="distress" if name == "offered" else "stuck"))
            case "agreed" | "refused":
                return self.fact(HandoffAnswered(accepted=name == "agreed"))
            case "requested":
                return self.fact(HandoffRequested(reason="request"))
            case "crisis":
                return self.fact(HandoffRequested(reason="crisis"))
            case "withdrew":
                return self.fact(CallerWithdrew())
            case "progress":
                return self.event(HumanProgress(t=t))
            case "answered":
                return self.event(HumanAnswered(t=t)) if self.far.leg and not self.far.answered else []
            case "busy":
                return self.event(HumanFailed(t=t, status=486))
            case "left":
                return self.event(HumanLeft(t=t))
            case "key1" | "key2" | "key3":
                return self.fact(KeyPressed(leg="human", key=name[-1]))
            case "yes":
                return self.fact(ConsentHeard(intent="accept", text="yes", end=t + 0.01))
            case "human_played":
                return self.event(PromptPlayed(t=t, leg="human", prompt=self.far.human_hears))
            case "caller_played":
                return self.event(PromptPlayed(t=t, leg="caller", prompt=self.far.caller_hears))
            case "answered_question":
                return self.event(AnswerCame(t=t))
            case "built":
                return self.fact(BriefingBuilt(text="", fields={}))
            case "bridged":
                return self.fact(LegsBridged()) if self.far.bridging else []
            case "said":
                return self.fact(Said(leg="caller", start=t, end=t, text="Is that all right?"))
            case "worker_lost":
                return self.fact(WorkerLost(worker="w1", cause="silent"))
            case "worker_here":
                return self.fact(WorkerAttached(worker="w2", resumed=True))
            case "ticketed":
                return self.fact(CallbackTicketed(ref="r", number="n", window="w"))
            case "caller_left":
                return self.event(CallerLeft(t=t))
            case "crowded":
                self.far.crowded = not self.far.crowded
                return []
            case "next_in_line":
                return self.event(InLine(t=t, place=1))
            case "free":
                return self.human_is_free() if self.far.asked else []
            case "referred":
                return self.event(CallerReferred(t=t)) if self.far.referring else []
            case "refer_failed":
                return self.event(ReferFailed(t=t, reason="603")) if self.far.referring else []
            case "silent":
                return self.event(HumanSilent(t=t))
            case "ended":
                return self.fact(CallEnded(cause="finished", ending="resolved"))
            case "time":
                return self.expire()
            case "wait":
                self.t += 10.0
                return self.expire(self.t)
        raise ValueError(name)


ALPHABET = (
    "offered", "stuck", "agreed", "refused", "requested", "crisis", "withdrew", "progress", "answered", "busy", "left",
    "key1", "key2", "key3", "yes", "human_played", "caller_played", "built", "bridged", "said", "worker_lost",
    "worker_here", "caller_left", "ended", "time", "wait", "crowded", "next_in_line", "free",
    "silent", "referred", "refer_failed",
    "answered_question",
)  # fmt: skip
