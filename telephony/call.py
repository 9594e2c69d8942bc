"""One call: its two parties, its log, its machines. Carries out what they decide; decides nothing itself.

Driven from outside by `beat`, so it runs as well in virtual time.

Hears from: legs, the link, the clock. Tells: legs, the link, the call folder.
"""

from __future__ import annotations

import logging
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from telephony.call_commands import follow
from telephony.call_keys import mean
from telephony.call_log import CallLog
from telephony.call_machines import CallMachines
from telephony.call_parts import HumanSide, Surroundings, WorkerPort, policy
from telephony.call_said import report_ended, report_replaced
from telephony.call_sound import CallSound
from telephony.call_ticket import write_owed
from telephony.callback_machine import CallBack
from telephony.callback_tickets import Ticket
from telephony.commands import Attach, Command, Detach, HangUp
from telephony.erasure import MEASURED
from telephony.facts import BargedIn, CallAnswered, CallEnded, ConsentChanged, Ending, Fact, WorkerAttached, WorkerLost
from telephony.flac import finish_part
from telephony.keypad import Keypad
from telephony.leg import CallLeg
from telephony.link_codec import FRAME_S, AudioRecord
from telephony.media_watch import MediaWatch
from telephony.messages import Stamped, to_json
from telephony.party import Party
from telephony.prompts import Prompt
from telephony.record import CallFolder
from telephony.recorder import Recorder
from telephony.summary import summarise
from telephony.transfer import Transfer
from telephony.transfer_messages import (
    Event,
    HumanFree,
    InLine,
    TellCaller,
    TicketCallback,
    WorkerGone,
    WorkerHere,
)  # fmt: skip
from telephony.waiting_line import RANKED, rank_of
from telephony.watchdog import Watchdog
from telephony.watchdog_limits import Limits

if TYPE_CHECKING:
    from telephony.callback_desk import Answered

log = logging.getLogger(__name__)

CATCH_UP_TICKS = 2
"""Ticks that may be played late in one go; the stack's ring covers them. What is later was silence on the wire."""
NOTE_TICKS = 5
"""The watchdog hears of sound every 100 ms."""
QUIET_TICKS = 10
"""Hang-up waits until nothing was queued for 200 ms: a goodbye may still be on its way from the synthesiser."""
ORPHAN_TICKS = 500
"""A call whose caller has gone ends after 10 s whatever the machines do."""


class Call:
    """``number``: its number on the link. When it is over, `parts` has its sound and ``around.finished`` is told."""

    def __init__(
        self,
        around: Surroundings,
        number: int,
        call_id: str,
        leg: CallLeg | None,
        now_s: float,
        machine: CallBack | None = None,
    ) -> None:
        self.around, self.number, self.id = around, number, call_id
        self.tick = 0
        self._t0 = now_s
        settings = around.settings
        self.folder = CallFolder(around.store, call_id, around.syncer)
        self.log = CallLog(self.folder, lambda: self.tick * FRAME_S, self._show, keep_words=settings.privacy.transcribe)
        self.recorder = Recorder(self.folder.path, enabled=settings.privacy.record, on_error=self._recorder_failed)
        self.caller, self.human = Party("caller", self.recorder), Party("human", self.recorder)
        self.human_side = HumanSide()
        if leg is not None:
            self.caller.connect(leg, 0)
        self.recorder.open("caller", 2)
        self.recorder.open("agent", 1)
        self.worker: WorkerPort | None = None
        self.next_turn = 1
        self.agent_silenced = False
        """From hold to the end, or back to the agent: turns are refused."""
        self.bridged = False
        self.joined_once = False
        """From the first join on, no measurement of anybody's voice is taken, even if the human drops."""
        self.emotion_allowed = settings.privacy.analyse_emotion
        self.keypad = Keypad()
        self.case = secrets.token_hex(16)
        self.ended = False
        self.farewell: HangUp | None = None
        self.parts: list[tuple[Path, int]] = []
        self.drift_ms = 0.0
        self.out: list[AudioRecord] = []
        """Frames for the worker since the gateway last took them."""
        self.callback: Answered | None = None
        """What this call keeps, if it was placed by us; `telephony.callback_call`."""
        self.dialled: CallLeg | None = None
        """The caller's line where we placed it."""
        self.transfer: Transfer | CallBack = machine or Transfer((), policy(settings))
        watches = (
            (MediaWatch(calls_back=True),) if machine else (Watchdog(Limits.of(settings.agent.patience)), MediaWatch())
        )
        self.machines = CallMachines(self, (self.transfer, *watches))
        self.sound = CallSound(self)
        self.caller_gone_tick: int | None = None
        self._quiet = 0
        self.owed: list[tuple[Ticket, bytes]] = []
        """Tickets promised and not on the disk, with their briefing's sound."""
        self.own_prompts: dict[str, Prompt] = {}
        """What the worker has rendered for this caller alone."""

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
        self.machines.go_on()
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
        self.sound.hear(elapsed)
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
        report_ended(self)
        mean(self, self.keypad.expire(self.t))
        self.machines.tick()
        if self.tick % NOTE_TICKS == 0:
            self.sound.note_sent()
        self._quiet = 0 if self.caller.playout.busy or self.machines.waiting else self._quiet + 1
        if self.farewell is not None and self._quiet >= QUIET_TICKS:
            self.end(self.farewell.cause, self.farewell.ending)
        if self.caller_gone_tick is not None and self.tick - self.caller_gone_tick > ORPHAN_TICKS:
            self.end("caller hung up", "with-human" if self.joined_once else "caller-left")

    # --- what is played ----------------------------------------------------------------------------

    def tell(self, leg: str, name: str) -> None:
        """Plays a prompt; one that nobody has rendered counts as played at once, so that no machine waits for it."""
        party = self.caller if leg == "caller" else self.human
        prompt = self.own_prompts.get(name) or self.around.prompts.get(name)
        if prompt is None:
            log.error("prompt %s is missing", name)
            party.playout.say(name, "", b"")
            return
        party.playout.say(name, prompt.text, prompt.pcm)

    def cut_turns(self, *, up_to: int | None = None, onset_s: float | None = None, kept: bool = True) -> None:
        """Stops the agent's turns at once. ``onset_s``: the caller's speech that cut them."""
        speaking = self.caller.playout.speaking
        cut = self.caller.playout.cut_turns(self.tick, up_to=up_to, kept=kept)
        self.caller.playout.pause(self.caller.far_hold)
        if not cut:
            return
        if speaking and any(e.start_tick is not None for e in cut):
            self.caller.flush(self.tick)
        report_ended(self)
        played = [e.end_tick for e in cut if e.cut and e.start_tick is not None]
        if onset_s is not None and played:
            heard = " ".join(e.text for e in cut if e.text)
            # Held back first, cut when it was clear what the sound was: silent since its last frame.
            after_s = max(0.0, max(played) * FRAME_S - onset_s)
            self.log.commit(BargedIn(heard_text=heard, stopped_after_ms=1000 * after_s))

    # --- in line for a human (`telephony.human_line`) ---

    def human_is_free(self, target: str) -> None:
        self.log.event(HumanFree(t=self.t, target=target))

    def place_is(self, place: int) -> None:
        self.log.event(InLine(t=self.t, place=place))

    # --- everybody who decides ----------------------------------------------------------------------

    def _show(self, item: Stamped | Event) -> None:
        if isinstance(item, Stamped):
            if self.worker is not None:
                self.worker.send({"call": self.number, **item.to_json()})
            follow(self, item)
            if isinstance(item.fact, CallEnded):
                self.command(Detach())
        self.machines.show(item)
        if isinstance(item, Stamped):
            if isinstance(item.fact, RANKED):
                self.around.line.rise(self, rank_of(s.fact for s in self.log.facts))
            self.around.announce(self, item)

    def command(self, command: Command) -> None:
        """To the worker, if there is one."""
        if self.worker is not None:
            self.worker.send({"call": self.number, **to_json(command)})

    def accepts(self, fact: Fact) -> bool:
        """Whether a measurement of a voice may enter the log now."""
        return not isinstance(fact, MEASURED) or (self.emotion_allowed and not self.joined_once)

    def _recorder_failed(self, exc: OSError) -> None:
        log.error("call %s: recording stopped (%s); the call goes on", self.id, exc)
        self.log.commit(ConsentChanged(purpose="recording", allowed=False))

    def wind_up(self) -> None:
        """The process must end: the caller gets a callback, a joined call ends as it is."""
        if self.bridged or self.callback is not None:
            self.end("gateway stopped", "with-human" if self.bridged else "told-and-callback")
            return
        self.cut_turns()
        self.agent_silenced = True
        self.machines.obey([TicketCallback(), TellCaller(prompt="nobody_callback")])
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
        report_replaced(self)
        for leg in (self.human_side.leg, self.caller.leg or self.dialled):
            if leg is not None:
                leg.hang_up()
        self.around.line.leave(self)
        self.around.line.free(self)
        self.caller.finish(self.tick)
        self.human.finish(self.tick)
        self.sound.close_gaps()
        self.log.commit(CallEnded(cause=cause, ending=ending))
        self.log.closed = True
        self.parts = self.recorder.finish(self.tick)
        self.folder.write_summary(summarise(self.id, [s.to_json() for s in self.log.kept]))
        self.around.finished(self)

    def store_away(self) -> None:
        """Everything to the disk, sound as FLAC. Slow: not on the event loop."""
        self.folder.close()
        write_owed(self)
        for part, channels in self.parts:
            finish_part(part, channels)
