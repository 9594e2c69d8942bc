"""One call: its two parties, its log, its machines. Carries out what they decide; decides nothing itself.

Driven from outside by `beat`, so it runs as well in virtual time.

Hears from: legs, the link, the clock. Tells: legs, the link, the call folder.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from telephony.call_commands import carry_out, follow
from telephony.call_keys import press
from telephony.call_log import CallLog
from telephony.erasure import MEASURED
from telephony.leg import CallLeg, Closed, Dialler, Established, FarHold, Key, KeyDown, LegEvent, Progress
from telephony.link_codec import CONCEALED, FRAME_S, HUMAN_LEG, AudioRecord
from telephony.media.framer import Frame
from telephony.media.pcm import level_db
from telephony.messages import (
    Attach, AudioLost, BargedIn, CallAnswered, CallEnded, Command, ConsentChanged, Detach, Disclosed, Ending, Fact, HangUp,
    HoldChanged, KeyPressed, Said, Stamped, WorkerAttached, WorkerLost, to_json,
)  # fmt: skip
from telephony.party import Party
from telephony.playout import Ended
from telephony.prompts import Prompts
from telephony.record import CallFolder
from telephony.recorder import Recorder
from telephony.settings import Settings
from telephony.summary import summarise
from telephony.syncer import Syncer
from telephony.transfer import Transfer
from telephony.transfer_messages import (
    AudioHeard, AudioSent, CallerLeft, Event, HumanAnswered, HumanFailed, HumanLeft, HumanProgress, Policy, PromptPlayed,
    RtpReceived, TicketCallback, WorkerGone, WorkerHere,
)  # fmt: skip
from telephony.watchdog import Watchdog

log = logging.getLogger(__name__)

CATCH_UP_TICKS = 2
"""Ticks that may be played late in one go; the stack's ring covers them. What is later was silence on the wire."""
NOTE_TICKS = 5
"""The watchdog hears of sound every 100 ms."""
AUDIBLE_DB = -50.0
"""Dead air is below this (``docs/glossary.md``)."""
QUIET_TICKS = 10
"""Hang-up waits until nothing was queued for 200 ms: a goodbye may still be on its way from the synthesiser."""
ORPHAN_TICKS = 500
"""A call whose caller has gone ends after 10 s whatever the machines do."""


class WorkerPort(Protocol):
    """The gateway's end of a worker, as a call needs it."""

    @property
    def name(self) -> str: ...
    def send(self, message: dict[str, object]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every call of the process shares. ``busy``: names of targets that are in a call. ``finished``: see `Call`."""

    settings: Settings
    store: Path
    prompts: Prompts
    dialler: Dialler
    syncer: Syncer
    busy: Callable[[], Collection[str]]
    finished: Callable[[Call], None]


@dataclass(slots=True, kw_only=True)
class Briefing:
    """What the worker uploaded for the human."""

    pcm: bytes = b""
    text: str = ""


@dataclass(slots=True, kw_only=True)
class HumanSide:
    """The leg to a human, which may be one of several tried."""

    attempt: int = 0
    target: str = ""
    leg: CallLeg | None = None
    listening: bool = False
    answered: bool = False
    briefing: Briefing = field(default_factory=Briefing)


class Call:
    """``number``: its number on the link. When it is over, ``around.finished`` is told once; `parts` then has its sound."""

    def __init__(self, around: Surroundings, number: int, call_id: str, leg: CallLeg, now_s: float) -> None:
        self.around, self.number, self.id = around, number, call_id
        self.tick = 0
        self._t0 = now_s
        settings = around.settings
        self.folder = CallFolder(around.store, call_id, around.syncer)
        self.log = CallLog(self.folder, lambda: self.tick * FRAME_S, self._show)
        self.recorder = Recorder(self.folder.path, enabled=settings.privacy.record, on_error=self._recorder_failed)
        self.caller, self.human = Party("caller", self.recorder), Party("human", self.recorder)
        self.human_side = HumanSide()
        self.caller.connect(leg, 0)
        self.recorder.open("caller", 2)
        self.recorder.open("agent", 1)
        self.worker: WorkerPort | None = None
        self.next_turn = 1
        self.agent_silenced = False
        """From hold to the end, or back to the agent: turns are refused."""
        self.bridged = False
        self.emotion_allowed = settings.privacy.analyse_emotion
        self.case = secrets.token_hex(16)
        self.ended = False
        self.farewell: HangUp | None = None
        self.parts: list[tuple[Path, int]] = []
        self.drift_ms = 0.0
        self.out: list[AudioRecord] = []
        """Frames for the worker since the gateway last took them."""
        self.transfer = Transfer((), policy(settings))
        self.watchdog = Watchdog()
        self._lost: dict[str, tuple[int, int]] = {}
        self._key_tick = {"caller": -1000, "human": -1000}
        self._caller_gone_tick: int | None = None
        self._quiet = 0

    @property
    def t(self) -> float:
        """Call time [s]."""
        return self.tick * FRAME_S

    # --- beginning ----------------------------------------------------------------------------------

    def answered(self, fact: CallAnswered, worker: WorkerPort | None, models: dict[str, str]) -> None:
        """The line is up: the log begins, a worker comes, the disclosure is played."""
        self.log.commit(fact)
        if worker is not None:
            self.attach(worker, models)
        self.tell("caller", "disclosure")

    def attach(self, worker: WorkerPort, models: dict[str, str]) -> None:
        """Gives the call to a worker, with everything that happened so far."""
        self.worker = worker
        resumed = any(isinstance(s.fact, WorkerAttached) for s in self.log.facts)
        facts = tuple(s.to_json() for s in self.log.facts)
        self.command(Attach(caller=self.caller.leg.peer if self.caller.leg else "", facts=facts, resumed=resumed,
                            next_turn=self.next_turn))  # fmt: skip
        self.log.commit(WorkerAttached(worker=worker.name, resumed=resumed, models=models))
        self.log.event(WorkerHere(t=self.t))

    def worker_lost(self, cause: str) -> None:
        """The worker is gone: what it was saying stops, the caller is told."""
        if self.ended or self.worker is None:
            return
        name, self.worker = self.worker.name, None
        self.farewell = None
        self.cut_turns()
        self.log.commit(WorkerLost(worker=name, cause=cause))
        if not self.agent_silenced and not self.bridged:
            self.tell("caller", "worker_lost")
        self.log.event(WorkerGone(t=self.t))

    # --- time ---------------------------------------------------------------------------------------

    def beat(self, now_s: float) -> None:
        """Every 10 ms: hears, speaks, and lets expire what is due. ``now_s``: the clock of ``__init__``."""
        if self.ended:
            return
        elapsed = now_s - self._t0
        self._hear(elapsed)
        due = int(elapsed / FRAME_S + 1e-6)
        while self.tick < due and not self.ended:
            late = self.tick < due - CATCH_UP_TICKS
            self.caller.speak(self.tick, late=late)
            if self.human.leg is not None or self.human_side.answered:
                self.human.speak(self.tick, late=late)
            self.tick += 1
            self._after_tick()
        self.drift_ms = (elapsed - self.t) * 1000 if not self.ended else self.drift_ms

    def _after_tick(self) -> None:
        self.recorder.tick(self.tick)
        self._report_ended()
        for machine in (self.transfer, self.watchdog):
            deadline = machine.deadline_s()
            if deadline is not None and deadline <= self.t:
                self._obey(machine.expire(self.t))
        if self.tick % NOTE_TICKS == 0:
            self._note_sent()
        self._quiet = 0 if self.caller.playout.busy else self._quiet + 1
        if self.farewell is not None and self._quiet >= QUIET_TICKS:
            self.end(self.farewell.cause, self.farewell.ending)
        if self._caller_gone_tick is not None and self.tick - self._caller_gone_tick > ORPHAN_TICKS:
            self.end("caller hung up", "with-human" if self.bridged else "caller-left")

    def _hear(self, elapsed_s: float) -> None:
        for party in (self.caller, self.human):
            for frame in party.hear(elapsed_s):
                self._route(party, frame)

    def _route(self, party: Party, frame: Frame) -> None:
        self._note_heard(party, frame)
        other = self.human if party is self.caller else self.caller
        if self.bridged:
            if other.live is not None:
                other.live.put(frame.pcm)
            return
        wanted = party is self.caller or self.human_side.listening
        if self.worker is not None and wanted:
            flags = (CONCEALED if frame.kind == "lost" else 0) | (HUMAN_LEG if party is self.human else 0)
            self.out.append(AudioRecord(call=self.number, turn=0, tick=frame.tick, pcm=frame.pcm, flags=flags))

    def _note_heard(self, party: Party, frame: Frame) -> None:
        if frame.kind == "real":
            self._close_gap(party.name)
            if frame.tick % NOTE_TICKS == 0:
                self.log.event(RtpReceived(t=self.t, leg=party.name))
                if level_db(frame.pcm) > AUDIBLE_DB:
                    self.log.event(AudioHeard(t=self.t, leg=party.name))
        elif frame.kind == "lost" and not party.far_hold:
            first, _ = self._lost.get(party.name, (frame.tick, 0))
            self._lost[party.name] = (first, frame.tick + 1)
            if frame.tick + 1 - first >= 50:
                self._close_gap(party.name)

    def _close_gap(self, name: str) -> None:
        gap = self._lost.pop(name, None)
        # A pressed key travels instead of sound (RFC 4733 §2.6.1): that hole is no loss.
        if gap is not None and not gap[0] - 10 <= self._key_tick[name] <= gap[1] + 10:
            leg = "caller" if name == "caller" else "human"
            self.log.commit(AudioLost(leg=leg, start=gap[0] * FRAME_S, end=gap[1] * FRAME_S))

    def _note_sent(self) -> None:
        for party in (self.caller, self.human):
            if party.sent_voice:
                self.log.event(AudioSent(t=self.t, leg=party.name))

    # --- what was played ----------------------------------------------------------------------------

    def _report_ended(self) -> None:
        for party in (self.caller, self.human):
            ended, party.playout.ended = party.playout.ended, []
            for item in ended:
                self._played(party, item)

    def _said(self, party: Party, item: Ended) -> tuple[float, float]:
        start = (item.start_tick if item.start_tick is not None else item.end_tick) * FRAME_S
        end = item.end_tick * FRAME_S
        if item.start_tick is not None or item.turn:
            self.log.commit(Said(leg=party.name, start=start, end=end, text=item.text, rate_wpm=item.rate_wpm, turn=item.turn,
                                 prompt=item.prompt, cut=item.cut))  # fmt: skip
        return start, end

    def _played(self, party: Party, item: Ended) -> None:
        start, end = self._said(party, item)
        if item.prompt == "disclosure" and not any(isinstance(s.fact, Disclosed) for s in self.log.facts):
            prompt = self.around.prompts.get("disclosure")
            self.log.commit(Disclosed(text=prompt.text if prompt else item.text, start=start, end=end))
        if item.prompt:
            self.log.event(PromptPlayed(t=self.t, leg=party.name, prompt=item.prompt, attempt=self.human_side.attempt))

    def tell(self, leg: str, name: str) -> None:
        """Plays a prompt; one that nobody has rendered counts as played at once, so that no machine waits for it."""
        party = self.caller if leg == "caller" else self.human
        prompt = self.around.prompts.get(name)
        if prompt is None:
            log.error("prompt %s is missing", name)
            party.playout.say(name, "", b"")
            return
        party.playout.say(name, prompt.text, prompt.pcm)

    def cut_turns(self, *, up_to: int | None = None, onset_s: float | None = None, kept: bool = True) -> None:
        """Stops the agent's turns at once. ``onset_s``: the caller's speech that cut them."""
        speaking = self.caller.playout.speaking
        cut = self.caller.playout.cut_turns(self.tick, up_to=up_to, kept=kept)
        self.caller.playout.pause(False)
        if not cut:
            return
        if speaking and any(e.start_tick is not None for e in cut):
            self.caller.flush(self.tick)
        self._report_ended()
        if onset_s is not None and any(e.cut and e.start_tick is not None for e in cut):
            heard = " ".join(e.text for e in cut if e.text)
            self.log.commit(BargedIn(heard_text=heard, stopped_after_ms=max(0.0, (self.t - onset_s) * 1000)))

    # --- the lines ----------------------------------------------------------------------------------

    def caller_event(self, event: LegEvent) -> None:
        """Something the caller, or the caller's line, did."""
        if self.ended:
            return
        match event:
            case Key(key=key):
                self._key_tick["caller"] = self.tick
                self.log.commit(KeyPressed(leg="caller", key=key))
                press(self, key)
            case KeyDown():
                self._key_tick["caller"] = self.tick
            case FarHold(on=on):
                self._far_hold(self.caller, on)
            case Closed():
                self._caller_gone_tick = self.tick
                self.caller.finish(self.tick)
                self.caller.disconnect()
                self.log.event(CallerLeft(t=self.t))
                if self.farewell is not None:
                    self.end(self.farewell.cause, self.farewell.ending)
            case _:
                pass

    def human_event(self, event: LegEvent, attempt: int) -> None:
        """Something the human of the ``attempt``-th INVITE did; what an older leg still says is only told on."""
        side, current = self.human_side, attempt == self.human_side.attempt
        if self.ended:
            return
        match event:
            case Progress():
                self.log.event(HumanProgress(t=self.t, attempt=attempt))
            case Established() if current and side.leg is not None:
                side.answered = True
                self.recorder.open("human", 2, self.tick)
                self.human.connect(side.leg, self.tick)
                self.log.event(HumanAnswered(t=self.t, attempt=attempt))
            case Key(key=key) if current:
                self._key_tick["human"] = self.tick
                self.log.commit(KeyPressed(leg="human", key=key))
                if self.bridged and self.caller.leg is not None:
                    self.caller.leg.send_key(key)
            case KeyDown():
                self._key_tick["human"] = self.tick
            case FarHold(on=on) if current:
                self._far_hold(self.human, on)
            case Closed(status=status):
                was_up = current and self.human.leg is not None
                if current:
                    self.drop_human()
                self.log.event(HumanLeft(t=self.t, attempt=attempt) if was_up
                               else HumanFailed(t=self.t, status=status, attempt=attempt))  # fmt: skip
            case _:
                pass

    def drop_human(self) -> None:
        """The human's line is gone, or is about to be: nothing more to or from it."""
        self.human.disconnect()
        self.human.playout.cut_prompts(self.tick)
        self.report_replaced()
        self.human_side.leg = None
        self.human.live = None

    def report_replaced(self) -> None:
        """What was cut to make way for something else was said, in part, but counts as played to nobody."""
        for party in (self.caller, self.human):
            ended, party.playout.ended = party.playout.ended, []
            for item in ended:
                self._said(party, item)

    def _far_hold(self, party: Party, on: bool) -> None:
        party.hold_by_far_end(on)
        leg = "caller" if party is self.caller else "human"
        self.log.commit(HoldChanged(leg=leg, on=on))
        if self.bridged:
            other = self.human if party is self.caller else self.caller
            other.hold = on

    # --- everybody who decides ----------------------------------------------------------------------

    def _show(self, item: Stamped | Event) -> None:
        if isinstance(item, Stamped):
            if self.worker is not None:
                self.worker.send({"call": self.number, **item.to_json()})
            follow(self, item)
            if isinstance(item.fact, CallEnded):
                self.command(Detach())
        for machine in (self.transfer, self.watchdog):
            self._obey(machine.receive(item))

    def _obey(self, commands: object) -> None:
        for command in commands:  # type: ignore[attr-defined]
            carry_out(self, command)

    def command(self, command: Command) -> None:
        """To the worker, if there is one."""
        if self.worker is not None:
            self.worker.send({"call": self.number, **to_json(command)})

    def accepts(self, fact: Fact) -> bool:
        """Whether a measurement of a voice may enter the log now."""
        return not isinstance(fact, MEASURED) or (self.emotion_allowed and not self.bridged)

    def _recorder_failed(self, exc: OSError) -> None:
        log.error("call %s: recording stopped (%s); the call goes on", self.id, exc)
        self.log.commit(ConsentChanged(purpose="recording", allowed=False))

    def wind_up(self) -> None:
        """The process must end: the caller gets a callback, a joined call ends as it is."""
        if self.bridged:
            self.end("gateway stopped", "with-human")
            return
        self.cut_turns()
        self.agent_silenced = True
        carry_out(self, TicketCallback())
        self.tell("caller", "nobody_callback")
        self.farewell = HangUp(cause="gateway stopped", ending="told-and-callback")

    # --- the end ------------------------------------------------------------------------------------

    def end(self, cause: str, ending: Ending) -> None:
        """Hangs up what still stands, closes log and recording. The first reason counts."""
        if self.ended:
            return
        self.ended = True
        for party in (self.caller, self.human):
            party.playout.cut_turns(self.tick)
            party.playout.cut_prompts(self.tick)
        self.report_replaced()
        for leg in (self.human_side.leg, self.caller.leg):
            if leg is not None:
                leg.hang_up()
        self.caller.finish(self.tick)
        self.human.finish(self.tick)
        for name in list(self._lost):
            self._close_gap(name)
        self.log.commit(CallEnded(cause=cause, ending=ending))
        self.log.closed = True
        self.parts = self.recorder.finish(self.tick)
        self.folder.write_summary(summarise(self.id, [s.to_json() for s in self.log.facts]))
        self.folder.close()
        self.around.finished(self)


def policy(settings: Settings) -> Policy:
    humans = settings.humans
    return Policy(
        ring_s=humans.ring_seconds,
        total_s=humans.total_seconds,
        accept=humans.accept,
        trusted=frozenset(t.name for t in humans.targets if t.trusted),
        crisis_target=humans.crisis_target,
    )
